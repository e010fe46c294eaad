/* SPDX-License-Identifier: MIT
 *
 * Sums over ranks. This device's memory is the host's, so the host's communicator makes them. */
#include "engine/ops/cpu/device.h"

#include <stdint.h>
#include <string.h>

int lw_cpu_join(struct lw_device *dev, const struct lw_group *group, struct lw_error *err)
{
    (void)err;
    dev->group = group;
    return 0;
}

int lw_cpu_spread(struct lw_device *dev, void *buffer, size_t bytes, struct lw_error *err)
{
    return dev->group->broadcast(dev->group->host, buffer, bytes, err);
}

/* Infinities and NaN have all bits of the exponent. */
static bool is_finite(const float *x, size_t count)
{
    unsigned bad = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, x + i, sizeof bits);
        bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return !bad;
}

void lw_cpu_reduce(struct lw_device *dev, void *grads, size_t count)
{
    int *own = &dev->window.own_gradient;

    if (dev->group->look && *own >= 0)
        *own = is_finite(grads, count) ? 1 : -1;
    dev->group->sum_start(dev->group->host, grads, count);
}

void lw_cpu_reduce_end(struct lw_device *dev)
{
    struct lw_result *w = &dev->window;
    double sums[] = {w->loss_sum, w->targets, w->correct, w->top5};
    struct lw_error err;
    int rc;

    w->own_loss_sum = w->loss_sum;
    rc = dev->group->sum_finish(dev->group->host, sums, 4, &err);

    if (rc && !dev->failed.code)
        dev->failed = err;
    w->loss_sum = sums[0];
    w->targets = sums[1];
    w->correct = sums[2];
    w->top5 = sums[3];
}
