/* SPDX-License-Identifier: MIT */
#include "engine/model/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/model/match.h"

#define STAGE 65536 /* elements in flight between device and file */

/* What a file holds of every parameter. */
struct content {
    int buffers;
    enum lw_buffer buffer[2];
    const char *suffix[2];
};

static const struct content weights = {1, {LW_WEIGHTS}, {""}};
static const struct content moments = {2, {LW_MOMENT1, LW_MOMENT2}, {".m", ".v"}};

static int declare(struct lw_safetensors_writer *w, const struct lw_params *p,
                   const struct content *c, enum lw_dtype type, struct lw_error *err)
{
    int rc = 0;

    for (int i = 0; i < p->params * c->buffers && !rc; i++) {
        const struct lw_param *param = &p->list[i / c->buffers];
        char name[LW_PARAM_NAME + 8];
        int64_t shape[4];

        snprintf(name, sizeof name, "%s%s", param->name, c->suffix[i % c->buffers]);
        for (int j = 0; j < param->rank; j++)
            shape[j] = param->shape[j];
        rc = lw_safetensors_declare(w, name, type, param->rank, shape, err);
    }
    return rc;
}

static int write_one(struct lw_safetensors_writer *w, const struct lw_params *p,
                     enum lw_buffer buffer, int index, enum lw_dtype type, float *stage,
                     struct lw_error *err)
{
    const size_t total = p->list[index].count;
    float *narrow = stage + STAGE;
    int rc = 0;

    for (size_t i = 0; i < total && !rc; i += STAGE) {
        size_t n = total - i < STAGE ? total - i : STAGE;

        if ((rc = lw_params_read(p, buffer, index, i, n, stage, err)))
            break;
        if (type != LW_F32)
            lw_from_f32(narrow, type, stage, n);
        rc = lw_safetensors_write(w, type == LW_F32 ? stage : narrow, n * lw_dtype_size(type), err);
    }
    return rc;
}

static int save(const struct lw_params *p, const char *path, const struct content *c,
                enum lw_dtype type, struct lw_error *err)
{
    struct lw_safetensors_writer *w = NULL;
    float *stage = malloc(2 * STAGE * sizeof *stage);
    int rc = stage ? 0 : lw_fail(err, LW_EMEM, "out of memory writing %s", path);

    if (!rc)
        rc = lw_safetensors_writer_new(&w, path, err);
    if (!rc)
        rc = declare(w, p, c, type, err);
    if (!rc)
        rc = lw_safetensors_begin(w, err);
    for (int i = 0; i < p->params * c->buffers && !rc; i++)
        rc = write_one(w, p, c->buffer[i % c->buffers], i / c->buffers, type, stage, err);
    if (!rc)
        rc = lw_safetensors_finish(w, err);
    lw_safetensors_writer_free(w);
    free(stage);
    return rc;
}

int lw_save_weights(const struct lw_params *p, const char *path, enum lw_dtype type,
                    struct lw_error *err)
{
    return save(p, path, &weights, type, err);
}

int lw_save_moments(const struct lw_params *p, const char *path, struct lw_error *err)
{
    return save(p, path, &moments, LW_F32, err);
}

int lw_load_tensor(struct lw_params *p, enum lw_buffer buffer, int index,
                   const struct lw_tensor *tensor, struct lw_error *err)
{
    const size_t total = p->list[index].count;
    const size_t size = lw_dtype_size((enum lw_dtype)tensor->type);
    float *stage = malloc(STAGE * sizeof *stage);
    int rc = 0;

    if (!stage)
        return lw_fail(err, LW_EMEM, "out of memory reading %s", p->list[index].name);
    for (size_t i = 0; i < total && !rc; i += STAGE) {
        size_t n = total - i < STAGE ? total - i : STAGE;

        lw_to_f32(stage, (const char *)tensor->data + i * size, (enum lw_dtype)tensor->type, n);
        rc = lw_params_write(p, buffer, index, i, n, stage, err);
    }
    free(stage);
    return rc;
}

static int load(struct lw_params *p, const char *path, const struct content *c,
                struct lw_error *err)
{
    struct lw_safetensors file;
    struct lw_tensor_set set = {&file, 1};
    struct lw_match_rules rules = {.what = path, .suffixes = c->suffix, .suffix_count = c->buffers};
    struct lw_match match;
    int rc = lw_safetensors_open(&file, path, err);

    if (rc)
        return rc;
    rc = lw_match_tensors(&match, p, &set, &rules, err);
    for (int i = 0; i < p->params * c->buffers && !rc; i++)
        rc = lw_load_tensor(p, c->buffer[i % c->buffers], i / c->buffers, match.of[i], err);
    lw_match_free(&match);
    lw_safetensors_close(&file);
    return rc;
}

int lw_load_weights(struct lw_params *p, const char *path, struct lw_error *err)
{
    return load(p, path, &weights, err);
}

int lw_load_moments(struct lw_params *p, const char *path, struct lw_error *err)
{
    return load(p, path, &moments, err);
}
