/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "engine/export/onnx_source.h"

static const char *layer(struct lw_onnx_source *s, const char *x, const struct lw_model_spec *spec,
                         int i, const char *mask)
{
    char name[64];

    snprintf(name, sizeof name, "transformer.h.%d", i);
    return lw_onnx_block(
        s->g, x,
        &(struct lw_onnx_block){.heads = spec->heads,
                                .head_size = spec->channels / spec->heads,
                                .epsilon = (double)spec->epsilon,
                                .mask = mask,
                                .norm1 = lw_onnx_get_norm(s, name, "ln_1"),
                                .norm2 = lw_onnx_get_norm(s, name, "ln_2"),
                                .qkv = {lw_onnx_get_linear(s, name, "attn.c_attn")},
                                .joint = true,
                                .out = lw_onnx_get_linear(s, name, "attn.c_proj"),
                                .up = lw_onnx_get_linear(s, name, "mlp.c_fc"),
                                .down = lw_onnx_get_linear(s, name, "mlp.c_proj")},
        name);
}

/* Token and position embeddings; *positions: 0 to T - 1. */
static const char *embed(struct lw_onnx_source *s, const char *ids, const char *wte,
                         const char **positions)
{
    struct lw_onnx *g = s->g;
    const char *length;

    lw_onnx_scope(g, "transformer");
    length = LW_ONNX(g, "Shape", ids);
    lw_onnx_set_int(g, "start", 1);
    lw_onnx_set_int(g, "end", 2);
    length = LW_ONNX(g, "Squeeze", length, LW_ONNX_INTS(g, 0));
    *positions = LW_ONNX(g, "Range", lw_onnx_int(g, 0), length, lw_onnx_int(g, 1));
    return LW_ONNX(g, "Add", LW_ONNX(g, "Gather", wte, ids),
                   LW_ONNX(g, "Gather", lw_onnx_get(s, "transformer.wpe.weight"), *positions));
}

/* (T, T): true where column <= row. */
static const char *causal(struct lw_onnx *g, const char *positions)
{
    return LW_ONNX(g, "LessOrEqual", LW_ONNX(g, "Unsqueeze", positions, LW_ONNX_INTS(g, 0)),
                   LW_ONNX(g, "Unsqueeze", positions, LW_ONNX_INTS(g, 1)));
}

/* x (B, T, C) times the embedding, turned by the product itself: it is there once. */
static const char *next_tokens(struct lw_onnx *g, const char *x, const char *ids, const char *wte,
                               const struct lw_model_spec *spec)
{
    const char *shape;

    lw_onnx_scope(g, "lm_head");
    shape = LW_ONNX(g, "Concat", LW_ONNX(g, "Shape", ids), LW_ONNX_INTS(g, spec->vocabulary));
    lw_onnx_set_int(g, "axis", 0);
    x = LW_ONNX(g, "Reshape", x, LW_ONNX_INTS(g, -1, spec->channels));
    x = LW_ONNX(g, "Gemm", x, wte);
    lw_onnx_set_int(g, "transB", 1);
    return LW_ONNX(g, "Reshape", x, shape);
}

/* Classes from each row's last token that is no padding: the largest of its positions. */
static const char *classes(struct lw_onnx_source *s, const char *x, const char *ids,
                           const char *positions, const struct lw_model_spec *spec)
{
    struct lw_onnx *g = s->g;
    const char *last;

    lw_onnx_scope(g, "score");
    last = LW_ONNX(g, "Not", LW_ONNX(g, "Equal", ids, lw_onnx_int(g, spec->padding)));
    last = LW_ONNX(g, "Cast", last);
    lw_onnx_set_int(g, "to", LW_ONNX_INT64);
    last = LW_ONNX(g, "ReduceMax", LW_ONNX(g, "Mul", last, positions));
    LW_ONNX_SET_INTS(g, "axes", 1);
    lw_onnx_set_int(g, "keepdims", 1);
    x = LW_ONNX(g, "GatherND", x, last);
    lw_onnx_set_int(g, "batch_dims", 1);
    x = LW_ONNX(g, "Gemm", x, lw_onnx_get(s, "score.weight"));
    lw_onnx_set_int(g, "transB", 1);
    return x;
}

void lw_onnx_build_gpt(struct lw_onnx_source *s, const struct lw_model_spec *spec)
{
    const struct lw_onnx_dim in[] = {{"batch", 0}, {"sequence", 0}};
    const struct lw_onnx_dim tokens[] = {{"batch", 0}, {"sequence", 0}, {NULL, spec->vocabulary}};
    const struct lw_onnx_dim kinds[] = {{"batch", 0}, {NULL, spec->classes}};
    const char *ids = lw_onnx_input(s->g, "input_ids", LW_ONNX_INT64, in, 2), *positions;
    const char *wte = lw_onnx_get(s, "transformer.wte.weight"), *x = embed(s, ids, wte, &positions);
    const char *mask = causal(s->g, positions);
    struct lw_onnx_norm last = lw_onnx_get_norm(s, "transformer", "ln_f");

    for (int i = 0; i < spec->layers; i++)
        x = layer(s, x, spec, i, mask);
    lw_onnx_scope(s->g, "transformer");
    x = lw_onnx_norm(s->g, x, &last, (double)spec->epsilon);
    if (spec->classes)
        lw_onnx_output(s->g, "logits", classes(s, x, ids, positions, spec), LW_ONNX_FLOAT, kinds,
                       2);
    else
        lw_onnx_output(s->g, "logits", next_tokens(s->g, x, ids, wte, spec), LW_ONNX_FLOAT, tokens,
                       3);
}
