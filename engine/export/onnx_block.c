/* SPDX-License-Identifier: MIT */
#include "engine/export/onnx_block.h"

#include <float.h>
#include <math.h>

const char *lw_onnx_linear(struct lw_onnx *g, const char *x, const struct lw_onnx_linear *l)
{
    const char *weight = l->weight;

    if (l->rows) {
        weight = LW_ONNX(g, "Transpose", weight);
        LW_ONNX_SET_INTS(g, "perm", 1, 0);
    }
    x = LW_ONNX(g, "MatMul", x, weight);
    return l->bias ? LW_ONNX(g, "Add", x, l->bias) : x;
}

const char *lw_onnx_norm(struct lw_onnx *g, const char *x, const struct lw_onnx_norm *n,
                         double epsilon)
{
    x = LW_ONNX(g, "LayerNormalization", x, n->weight, n->bias);
    lw_onnx_set_int(g, "axis", -1);
    lw_onnx_set_float(g, "epsilon", epsilon);
    return x;
}

static const char *gelu(struct lw_onnx *g, const char *x, bool erf)
{
    const char *inner, *cube;

    if (erf) {
        inner = LW_ONNX(g, "Erf", LW_ONNX(g, "Mul", x, lw_onnx_float(g, M_SQRT1_2)));
    } else { /* tanh(sqrt(2 / pi) (x + 0.044715 x^3)) */
        cube = LW_ONNX(g, "Mul", LW_ONNX(g, "Mul", x, x), x);
        cube = LW_ONNX(g, "Mul", cube, lw_onnx_float(g, 0.044715));
        inner = LW_ONNX(g, "Mul", LW_ONNX(g, "Add", x, cube),
                        lw_onnx_float(g, M_SQRT1_2 * M_2_SQRTPI));
        inner = LW_ONNX(g, "Tanh", inner);
    }
    inner = LW_ONNX(g, "Add", inner, lw_onnx_float(g, 1));
    return LW_ONNX(g, "Mul", LW_ONNX(g, "Mul", x, inner), lw_onnx_float(g, 0.5));
}

/* (B, T, C) as (B, heads, T, size), or with the last two the other way round. */
static const char *split_heads(struct lw_onnx *g, const char *x, const struct lw_onnx_block *b,
                               bool turned)
{
    x = LW_ONNX(g, "Reshape", x, LW_ONNX_INTS(g, 0, 0, b->heads, b->head_size));
    x = LW_ONNX(g, "Transpose", x);
    if (turned)
        LW_ONNX_SET_INTS(g, "perm", 0, 2, 3, 1);
    else
        LW_ONNX_SET_INTS(g, "perm", 0, 2, 1, 3);
    return x;
}

static const char *attention(struct lw_onnx *g, const char *x, const struct lw_onnx_block *b)
{
    const char *qkv[3], *scores;

    if (b->joint) {
        const char *all = lw_onnx_linear(g, x, &b->qkv[0]);

        lw_onnx_nodes(g, "Split", (const char *const[]){all, NULL}, qkv, 3);
        lw_onnx_set_int(g, "axis", -1);
    } else {
        for (int i = 0; i < 3; i++)
            qkv[i] = lw_onnx_linear(g, x, &b->qkv[i]);
    }
    for (int i = 0; i < 3; i++)
        qkv[i] = split_heads(g, qkv[i], b, i == 1);
    scores = LW_ONNX(g, "MatMul", qkv[0], qkv[1]);
    scores = LW_ONNX(g, "Mul", scores, lw_onnx_float(g, 1 / sqrt((double)b->head_size)));
    if (b->mask)
        scores = LW_ONNX(g, "Where", b->mask, scores, lw_onnx_float(g, (double)-FLT_MAX));
    scores = LW_ONNX(g, "Softmax", scores);
    lw_onnx_set_int(g, "axis", -1);
    x = LW_ONNX(g, "MatMul", scores, qkv[2]);
    x = LW_ONNX(g, "Transpose", x);
    LW_ONNX_SET_INTS(g, "perm", 0, 2, 1, 3);
    x = LW_ONNX(g, "Reshape", x,
                LW_ONNX_INTS(g, 0, 0, (int64_t)b->heads * (int64_t)b->head_size));
    return lw_onnx_linear(g, x, &b->out);
}

const char *lw_onnx_block(struct lw_onnx *g, const char *x, const struct lw_onnx_block *b,
                          const char *name)
{
    const char *branch;

    lw_onnx_scope(g, "%s/attention", name);
    branch = attention(g, lw_onnx_norm(g, x, &b->norm1, b->epsilon), b);
    x = LW_ONNX(g, "Add", x, branch);
    lw_onnx_scope(g, "%s/mlp", name);
    branch = lw_onnx_linear(g, lw_onnx_norm(g, x, &b->norm2, b->epsilon), &b->up);
    branch = lw_onnx_linear(g, gelu(g, branch, b->erf), &b->down);
    return LW_ONNX(g, "Add", x, branch);
}
