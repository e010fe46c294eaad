/* SPDX-License-Identifier: MIT
 *
 * How micro-batches make optimizer steps, and steps epochs and the run. A step's window never
 * crosses the end of an epoch: the last one of an epoch may be shorter (gradients are sums, the
 * update divides by the window's own count of targets).
 */
#ifndef LW_TRAIN_STEPS_H
#define LW_TRAIN_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"

struct lw_steps {
    uint64_t batches;      /* micro-batches in an epoch */
    uint64_t accumulation; /* micro-batches in a full window */
    uint64_t per_epoch;    /* steps in an epoch */
    uint64_t total;        /* steps in the run */
};

/* Whichever of epochs and max_steps (0: none) ends first; at least one must be given. */
LW_NODISCARD int lw_steps_init(struct lw_steps *s, uint64_t batches, uint64_t accumulation,
                               uint64_t epochs, uint64_t max_steps, struct lw_error *err);

/* Micro-batches in the window of step (from 1). */
uint64_t lw_steps_window(const struct lw_steps *s, uint64_t step);

/* Does this step end an epoch? */
bool lw_steps_ends_epoch(const struct lw_steps *s, uint64_t step);

/* Epochs passed once step is done, fractional. */
double lw_steps_epoch(const struct lw_steps *s, uint64_t step);

#endif
