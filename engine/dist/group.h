/* SPDX-License-Identifier: MIT
 *
 * Data-parallel training: every rank has all the weights, and gradients are summed over ranks while
 * backward still runs.
 *
 * A model announces each block whose gradients are complete, from the last layer down to the root
 * (lw_model_set_hook). Blocks lie in that order in one flat buffer, so neighbours are gathered to a
 * bucket of at least LW_BUCKET_BYTES and summed in one go. Sharding would hang at the same place:
 * a reduce-scatter of each bucket there, and a gather of weights before forward.
 */
#ifndef LW_DIST_GROUP_H
#define LW_DIST_GROUP_H

#include <stddef.h>

#include "engine/dist/comm.h"
#include "engine/ops/ops.h"

/* Large enough that a sum's start costs little beside it, small enough that the first one starts
 * early: a layer of GPT-2 124M is 28 MB. */
#define LW_BUCKET_BYTES (25u << 20)

struct lw_reducer {
    const struct lw_backend *backend;
    struct lw_device *device;
    char *grads;
    size_t element;   /* bytes of a gradient */
    size_t low, high; /* elements that wait for their bucket to fill; low == high: none */
};

/* Make the device one of the communicator's ranks. It keeps pointing to *group. */
LW_NODISCARD int lw_group_join(struct lw_group *group, struct lw_comm *c,
                               const struct lw_backend *backend, struct lw_device *device,
                               struct lw_error *err);

/* grads: the flat buffer that offsets count in. */
void lw_reducer_init(struct lw_reducer *r, const struct lw_backend *backend,
                     struct lw_device *device, void *grads);

/* For lw_model_set_hook; context is the reducer. Block 0 is the last of a backward. */
void lw_reducer_hook(void *context, int block, size_t offset, size_t count);

#endif
