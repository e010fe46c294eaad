/* SPDX-License-Identifier: MIT */
#include "engine/model/params.h"

#include <stdlib.h>
#include <string.h>

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

void lw_params_init(struct lw_params *p, int ranks)
{
    *p = (struct lw_params){.ranks = ranks};
}

/* Room for one more element in an array that grows by powers of two. */
static void *grow(void *array, int used, size_t element)
{
    if (used & (used - 1))
        return array;
    return realloc(array, (used ? (size_t)used * 2 : 1) * element);
}

static int add_block(struct lw_params *p, struct lw_error *err)
{
    struct lw_param_block *blocks = grow(p->blocks, p->block_count, sizeof *blocks);

    if (!blocks)
        return lw_fail(err, LW_EMEM, "out of memory for the parameter table");
    p->blocks = blocks;
    if (p->block_count) {
        struct lw_param_block *last = &blocks[p->block_count - 1];

        p->count = round_up(p->count, (size_t)LW_PARAM_ALIGN * p->ranks);
        last->count = p->count - last->offset;
    }
    blocks[p->block_count++] =
        (struct lw_param_block){.offset = p->count, .first = p->params, .params = 0};
    return 0;
}

int lw_params_add(struct lw_params *p, const struct lw_param *param, int stored_rows,
                  struct lw_error *err)
{
    struct lw_param *list, *added;
    size_t count = 1;
    int rc;

    while (p->block_count <= param->block)
        if ((rc = add_block(p, err)))
            return rc;
    if (!(list = grow(p->list, p->params, sizeof *list)))
        return lw_fail(err, LW_EMEM, "out of memory for the parameter table");
    p->list = list;
    for (int i = 0; i < param->rank; i++)
        count *= (size_t)param->shape[i];
    added = &list[p->params++];
    *added = *param;
    added->offset = param->joined ? added[-1].offset + added[-1].stored : p->count;
    added->count = count;
    added->stored = stored_rows ? count / (size_t)param->shape[0] * (size_t)stored_rows : count;
    p->count = round_up(added->offset + added->stored, LW_PARAM_ALIGN);
    p->exist += count;
    p->blocks[p->block_count - 1].params++;
    return 0;
}

/* Spans of equal decay; the padding after a tensor goes with it. */
static int make_spans(struct lw_params *p, struct lw_error *err)
{
    p->spans = malloc((size_t)p->params * sizeof *p->spans);
    if (!p->spans)
        return lw_fail(err, LW_EMEM, "out of memory for the parameter table");
    for (int i = 0; i < p->params; i++) {
        size_t end = i + 1 < p->params ? p->list[i + 1].offset : p->count;
        struct lw_decay_span *last = p->span_count ? &p->spans[p->span_count - 1] : NULL;

        if (last && last->decay == p->list[i].decay)
            last->count = end - last->offset;
        else
            p->spans[p->span_count++] = (struct lw_decay_span){
                p->list[i].offset, end - p->list[i].offset, p->list[i].decay};
    }
    return 0;
}

int lw_params_seal(struct lw_params *p, struct lw_error *err)
{
    struct lw_param_block *last = &p->blocks[p->block_count - 1];

    p->count = round_up(p->count, (size_t)LW_PARAM_ALIGN * p->ranks);
    last->count = p->count - last->offset;
    return make_spans(p, err);
}

void lw_params_release(struct lw_params *p)
{
    void *const buffers[] = {p->flat.weights, p->flat.master, p->flat.grads, p->flat.m, p->flat.v};

    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (buffers[i])
            p->backend->release(p->device, buffers[i]);
    p->flat = (struct lw_flat){0};
}

void lw_params_fini(struct lw_params *p)
{
    lw_params_release(p);
    free(p->list);
    free(p->blocks);
    free(p->spans);
    *p = (struct lw_params){0};
}

int lw_params_find(const struct lw_params *p, const char *name)
{
    for (int i = 0; i < p->params; i++)
        if (!strcmp(p->list[i].name, name))
            return i;
    return -1;
}

static bool needs_master(const struct lw_device_info *info)
{
    return info->weight != LW_F32;
}

void lw_params_bytes(const struct lw_params *p, const struct lw_device_info *info, bool training,
                     struct lw_params_bytes *out)
{
    size_t n = p->count;

    *out = (struct lw_params_bytes){0};
    out->weights = n * lw_dtype_size(info->weight);
    if (!training)
        return;
    if (needs_master(info))
        out->weights += n * sizeof(float);
    out->gradients = n * lw_dtype_size(info->gradient);
    out->moments = 2 * n * sizeof(float);
}

static int take(struct lw_params *p, size_t bytes, void **out, const char *what,
                struct lw_error *err)
{
    return p->backend->alloc(p->device, bytes, out, err) ? lw_wrap(err, "%s", what) : 0;
}

int lw_params_alloc(struct lw_params *p, const struct lw_backend *backend, struct lw_device *device,
                    bool training, struct lw_error *err)
{
    void *weights = NULL, *master = NULL, *grads = NULL, *m = NULL, *v = NULL;
    struct lw_params_bytes bytes;
    struct lw_device_info info;
    int rc;

    backend->info(device, &info);
    p->backend = backend;
    p->device = device;
    p->weight_type = info.weight;
    p->grad_type = info.gradient;
    lw_params_bytes(p, &info, training, &bytes);
    rc = take(p, p->count * lw_dtype_size(info.weight), &weights, "weights", err);
    if (!rc && training && needs_master(&info))
        rc = take(p, p->count * sizeof(float), &master, "master weights", err);
    if (!rc && training)
        rc = take(p, bytes.gradients, &grads, "gradients", err);
    if (!rc && training)
        rc = take(p, bytes.moments / 2, &m, "optimizer moments", err);
    if (!rc && training)
        rc = take(p, bytes.moments / 2, &v, "optimizer moments", err);
    p->flat = (struct lw_flat){weights, master, grads, m, v};
    if (rc)
        lw_params_release(p);
    return rc;
}
