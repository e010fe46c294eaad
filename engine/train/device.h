/* SPDX-License-Identifier: MIT
 *
 * Which device a configuration gets.
 */
#ifndef LW_TRAIN_DEVICE_H
#define LW_TRAIN_DEVICE_H

#include <stddef.h>

#include "engine/config/config.h"
#include "engine/ops/ops.h"

/* Threads for the CPU: the configuration's, else what affinity and control group allow. */
int lw_device_threads(const struct lw_config *c);

/* Open the device that `device`, `threads`, `precision` and `compile_mode` ask for. "auto" takes
 * the first backend that opens; note (may stay empty) says what it passed over and why. Asked for
 * by name and not there: LW_EMISSING or the backend's error. */
LW_NODISCARD int lw_device_open(const struct lw_config *c, const struct lw_backend **backend,
                                struct lw_device **device, char *note, size_t note_size,
                                struct lw_error *err);

#endif
