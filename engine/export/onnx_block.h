/* SPDX-License-Identifier: MIT
 *
 * The steps of a transformer as ONNX nodes; values are named, (B, T, C) unless said otherwise.
 */
#ifndef LW_EXPORT_ONNX_BLOCK_H
#define LW_EXPORT_ONNX_BLOCK_H

#include "engine/export/onnx_graph.h"

struct lw_onnx_linear {
    const char *weight, *bias; /* bias NULL: none */
    bool rows;                 /* weight is (out, in), else (in, out) */
};

struct lw_onnx_norm {
    const char *weight, *bias;
};

struct lw_onnx_block {
    int heads, head_size;
    double epsilon;
    bool erf;                     /* GELU by the error function; else by tanh, as GPT-2's */
    const char *mask;             /* (T, T) booleans, where to look; NULL: everywhere */
    struct lw_onnx_norm norm1, norm2;
    struct lw_onnx_linear qkv[3]; /* either qkv[0] alone with all three side by side, or each */
    bool joint;
    struct lw_onnx_linear out, up, down;
};

const char *lw_onnx_linear(struct lw_onnx *g, const char *x, const struct lw_onnx_linear *l);
const char *lw_onnx_norm(struct lw_onnx *g, const char *x, const struct lw_onnx_norm *n,
                         double epsilon);

/* Pre-norm: x + attention(norm1(x)), then that + mlp(norm2(that)). name is the scope. */
const char *lw_onnx_block(struct lw_onnx *g, const char *x, const struct lw_onnx_block *b,
                          const char *name);

#endif
