/* SPDX-License-Identifier: MIT
 *
 * Models as ONNX files: opset 17, IR 8, fp32, batch and sequence of any size. LW_EMISSING in a
 * build without protobuf-c.
 */
#ifndef LW_EXPORT_ONNX_H
#define LW_EXPORT_ONNX_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/model/model.h"

/* The model of a checkpoint, to logits as transformers gives them:
 *     GPT-2            input_ids (batch, sequence) int64 to (batch, sequence, vocabulary)
 *     its classifier   the same input to (batch, classes), from the last token that is no padding
 *     ViT              pixel_values (batch, 3, S, S), normalised, to (batch, classes)
 * *beside (may be NULL): its weights take more than 2 GB and lie in PATH.data. */
LW_NODISCARD int lw_onnx_export(const char *path, const char *checkpoint,
                                const struct lw_model_spec *spec, uint64_t step, bool *beside,
                                struct lw_error *err);

#endif
