/* SPDX-License-Identifier: MIT
 *
 * A model being made from a checkpoint's file: tensors by name, and the first that is not there.
 */
#ifndef LW_EXPORT_ONNX_SOURCE_H
#define LW_EXPORT_ONNX_SOURCE_H

#include "engine/export/onnx_block.h"
#include "engine/model/model.h"

struct lw_onnx_source {
    struct lw_onnx *g;
    const struct lw_safetensors *file;
    bool rows; /* matrices are (out, in) */
    char missing[96];
};

const char *lw_onnx_get(struct lw_onnx_source *s, const char *fmt, ...) LW_PRINTF(2, 3);

/* PREFIX.NAME.weight and PREFIX.NAME.bias. */
struct lw_onnx_norm lw_onnx_get_norm(struct lw_onnx_source *s, const char *prefix,
                                     const char *name);
struct lw_onnx_linear lw_onnx_get_linear(struct lw_onnx_source *s, const char *prefix,
                                         const char *name);

/* onnx_gpt.c and onnx_vit.c: a graph of the whole. */
void lw_onnx_build_gpt(struct lw_onnx_source *s, const struct lw_model_spec *spec);
void lw_onnx_build_vit(struct lw_onnx_source *s, const struct lw_model_spec *spec);

#endif
