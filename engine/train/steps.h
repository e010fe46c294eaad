/* SPDX-License-Identifier: MIT
 *
 * How many optimizer steps a run has. A step's window of micro-batches never crosses the end of an
 * epoch: the last one of an epoch may be shorter (gradients are sums, and the update divides by the
 * window's own count of targets).
 */
#ifndef LW_TRAIN_STEPS_H
#define LW_TRAIN_STEPS_H

#include <stdint.h>

#include "engine/base/error.h"

struct lw_steps {
    uint64_t per_epoch; /* steps in an epoch */
    uint64_t total;     /* steps in the run */
    uint64_t accumulation, epochs, max_steps; /* as given */
};

/* batches: micro-batches in an epoch; accumulation: of them in a full window. Whichever of epochs
 * and max_steps (0: none) ends first; LW_EUSAGE where neither is given, LW_EDATA without batches.
 */
LW_NODISCARD int lw_steps_init(struct lw_steps *s, uint64_t batches, uint64_t accumulation,
                               uint64_t epochs, uint64_t max_steps, struct lw_error *err);

/* Counted again for a run that has made `done` steps and goes on in epoch number `epoch` (from 0),
 * of which `left` micro-batches are to come: its steps so far may have been of another batch size,
 * accumulation or number of ranks. */
void lw_steps_go_on(struct lw_steps *s, uint64_t done, uint64_t epoch, uint64_t left);

#endif
