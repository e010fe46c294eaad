/* SPDX-License-Identifier: MIT */
#include "engine/model/params.h"

#include <stdlib.h>

#include "engine/base/random.h"

#define STAGE 65536 /* elements converted at a time; a multiple of 4 */

/* A buffer's device address at an element, and its dtype. */
static char *locate(const struct lw_params *p, enum lw_buffer buffer, size_t offset,
                    enum lw_dtype *type)
{
    *type = LW_F32;
    switch (buffer) {
    case LW_WEIGHTS:
        if (p->flat.master)
            return (char *)(p->flat.master + offset);
        *type = p->weight_type;
        return lw_weight_at(p, offset);
    case LW_GRADS:
        *type = p->grad_type;
        return lw_grad_at(p, offset);
    case LW_MOMENT1:
        return (char *)(p->flat.m + offset);
    case LW_MOMENT2:
        break;
    }
    return (char *)(p->flat.v + offset);
}

int lw_params_read(const struct lw_params *p, enum lw_buffer buffer, int index, size_t first,
                   size_t count, float *out, struct lw_error *err)
{
    enum lw_dtype type;
    const char *src = locate(p, buffer, p->list[index].offset + first, &type);
    size_t size = lw_dtype_size(type);
    float stage[1024];
    int rc;

    if (type == LW_F32)
        return p->backend->download(p->device, out, src, count * size, err);
    for (size_t i = 0; i < count; i += 1024) {
        size_t n = count - i < 1024 ? count - i : 1024;

        if ((rc = p->backend->download(p->device, stage, src + i * size, n * size, err)))
            return rc;
        lw_to_f32(out + i, stage, type, n);
    }
    return 0;
}

/* Convert and upload. */
static int put(struct lw_params *p, char *dst, enum lw_dtype type, const float *in, size_t count,
               struct lw_error *err)
{
    size_t size = lw_dtype_size(type);
    uint16_t stage[1024];
    int rc;

    if (type == LW_F32)
        return p->backend->upload(p->device, dst, in, count * size, err);
    for (size_t i = 0; i < count; i += 1024) {
        size_t n = count - i < 1024 ? count - i : 1024;

        lw_from_f32(stage, type, in + i, n);
        if ((rc = p->backend->upload(p->device, dst + i * size, stage, n * size, err)))
            return rc;
    }
    return 0;
}

int lw_params_write(struct lw_params *p, enum lw_buffer buffer, int index, size_t first,
                    size_t count, const float *in, struct lw_error *err)
{
    size_t offset = p->list[index].offset + first;
    enum lw_dtype type;
    char *dst = locate(p, buffer, offset, &type);
    int rc = put(p, dst, type, in, count, err);

    if (!rc && buffer == LW_WEIGHTS && p->flat.master)
        rc = put(p, lw_weight_at(p, offset), p->weight_type, in, count, err);
    return rc;
}

/* `count` normals from element `first`, a multiple of 4, of the parameter's stream on. */
static void draw(float *out, uint64_t seed, uint64_t stream, size_t first, size_t count,
                 float deviation)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i += 4) {
        float four[4];

        lw_random_normal(seed, stream, (first + i) / 4, four);
        for (size_t j = 0; j < 4 && i + j < count; j++)
            out[i + j] = four[j] * deviation;
    }
}

static int fill(struct lw_params *p, int index, uint64_t seed, float *stage, struct lw_error *err)
{
    const struct lw_param *param = &p->list[index];
    uint64_t stream = LW_STREAM_INIT + ((uint64_t)index << 8);
    int rc = 0;

    for (size_t i = 0; i < param->count && !rc; i += STAGE) {
        size_t n = param->count - i < STAGE ? param->count - i : STAGE;

        if (param->init == LW_INIT_NORMAL)
            draw(stage, seed, stream, i, n, param->deviation);
        else
            for (size_t j = 0; j < n; j++)
                stage[j] = param->init == LW_INIT_ONES ? 1.0f : 0.0f;
        rc = lw_params_write(p, LW_WEIGHTS, index, i, n, stage, err);
    }
    return rc;
}

int lw_params_fill(struct lw_params *p, uint64_t seed, struct lw_error *err)
{
    float *stage = malloc(STAGE * sizeof *stage);
    int rc = 0;

    if (!stage)
        return lw_fail(err, LW_EMEM, "out of memory for initial weights");
    for (int i = 0; i < p->params && !rc; i++)
        rc = fill(p, i, seed, stage, err);
    free(stage);
    return rc;
}

int lw_params_fill_one(struct lw_params *p, int index, uint64_t seed, struct lw_error *err)
{
    float *stage = malloc(STAGE * sizeof *stage);
    int rc = stage ? fill(p, index, seed, stage, err)
                   : lw_fail(err, LW_EMEM, "out of memory for initial weights");

    free(stage);
    return rc;
}
