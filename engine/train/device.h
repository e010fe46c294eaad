/* SPDX-License-Identifier: MIT
 *
 * Which device a configuration gets.
 */
#ifndef LW_TRAIN_DEVICE_H
#define LW_TRAIN_DEVICE_H

#include <stddef.h>

#include "engine/config/config.h"
#include "engine/ops/ops.h"

/* What there is to say about a choice, a line each; what finds no room is left out. */
struct lw_notes {
    int count;
    char line[4][320];
};

/* Threads for the CPU: the configuration's, else what affinity and control group allow, shared
 * among so many ranks on this host. */
int lw_device_threads(const struct lw_config *c, int ranks);

/* Of the devices that a backend lists, the one at `wanted`, or for -1 the first that is idle, the
 * one with the most free memory where all are busy. notes says who else uses it. No NVML: wanted,
 * or the first. */
int lw_device_pick(const struct lw_device_info *list, int count, int wanted,
                   struct lw_notes *notes);

/* Open the device that `device`, `threads`, `precision` and `compile_mode` ask for. "auto" takes
 * the first backend that opens, and of its devices an idle one; notes says what it passed over and
 * why, and who else uses the device. Asked for by name and not there: LW_EMISSING or the backend's
 * error. rank of ranks on this host: each takes a GPU of its own (0, 1: whichever is idle). */
LW_NODISCARD int lw_device_open(const struct lw_config *c, int rank, int ranks,
                                const struct lw_backend **backend, struct lw_device **device,
                                struct lw_notes *notes,
                                struct lw_error *err);

#endif
