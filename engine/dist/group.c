/* SPDX-License-Identifier: MIT */
#include "engine/dist/group.h"

static void start(void *host, float *x, size_t count)
{
    lw_comm_sum_start(host, x, count);
}

static int finish(void *host, double *window, int count, struct lw_error *err)
{
    int rc = lw_comm_sum_finish(host, err);

    return rc ? rc : lw_comm_sum(host, window, count, err);
}

static int broadcast(void *host, void *data, size_t bytes, struct lw_error *err)
{
    return lw_comm_broadcast(host, data, bytes, err);
}

int lw_group_join(struct lw_group *group, struct lw_comm *c, const struct lw_backend *backend,
                  struct lw_device *device, struct lw_error *err)
{
    struct {
        int code;
        unsigned char id[LW_GROUP_ID];
        char text[200];
    } key = {0};
    int rc;

    *group = (struct lw_group){.rank = lw_comm_rank(c),
                               .size = lw_comm_size(c),
                               .host = c,
                               .sum_start = start,
                               .sum_finish = finish,
                               .broadcast = broadcast};
    if (backend->group_id) {
        struct lw_error why = {0, ""};

        if (!group->rank) {
            key.code = backend->group_id(key.id, &why);
            for (size_t i = 0; i + 1 < sizeof key.text && why.text[i]; i++)
                key.text[i] = why.text[i];
        }
        rc = lw_comm_broadcast(c, &key, sizeof key, err);
        if (!rc && key.code)
            rc = lw_fail(err, key.code, "%s", key.text);
        if (rc)
            return rc;
        for (int i = 0; i < LW_GROUP_ID; i++)
            group->id[i] = key.id[i];
    }
    return backend->join(device, group, err);
}

void lw_reducer_init(struct lw_reducer *r, const struct lw_backend *backend,
                     struct lw_device *device, void *grads)
{
    struct lw_device_info info;

    backend->info(device, &info);
    *r = (struct lw_reducer){.backend = backend,
                             .device = device,
                             .grads = grads,
                             .element = lw_dtype_size(info.gradient)};
}

static void flush(struct lw_reducer *r)
{
    if (r->high > r->low)
        r->backend->reduce(r->device, r->grads + r->low * r->element, r->high - r->low);
    r->low = r->high = 0;
}

void lw_reducer_hook(void *context, int block, size_t offset, size_t count)
{
    struct lw_reducer *r = context;

    if (r->high > r->low && offset + count != r->low)
        flush(r);
    if (r->high == r->low)
        r->high = offset + count;
    r->low = offset;
    if ((r->high - r->low) * r->element >= LW_BUCKET_BYTES || block == 0)
        flush(r);
    if (block == 0)
        r->backend->reduce_end(r->device);
}
