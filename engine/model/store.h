/* SPDX-License-Identifier: MIT
 *
 * Weights and optimizer state between device buffers and safetensors files, for checkpoints.
 *
 * Tensors are by name, in fp32 (the masters), in the parameter table's order; moments are called
 * NAME.m and NAME.v. Data goes through a small staging buffer: there is never a second copy of
 * the model. Files are written aside, synced and renamed, so path is whole or not there. The
 * device must be idle (wait() first).
 */
#ifndef LW_MODEL_STORE_H
#define LW_MODEL_STORE_H

#include "engine/base/error.h"
#include "engine/export/safetensors.h"
#include "engine/model/params.h"

/* type: LW_F32, LW_F16 or LW_BF16. */
LW_NODISCARD int lw_save_weights(const struct lw_params *p, const char *path, enum lw_dtype type,
                                 struct lw_error *err);
LW_NODISCARD int lw_save_moments(const struct lw_params *p, const char *path, struct lw_error *err);

/* All names must be there with their shapes, and no others: LW_EDATA lists what is wrong, and then
 * nothing was loaded. */
LW_NODISCARD int lw_load_weights(struct lw_params *p, const char *path, struct lw_error *err);
LW_NODISCARD int lw_load_moments(struct lw_params *p, const char *path, struct lw_error *err);

/* One tensor of a file into a parameter; shapes must have been compared. */
LW_NODISCARD int lw_load_tensor(struct lw_params *p, enum lw_buffer buffer, int index,
                                const struct lw_tensor *tensor, struct lw_error *err);

#endif
