/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "engine/export/onnx_source.h"

/* (B, 3, S, S) as (B, 1 + patches, C): a class token before the patches, positions added. */
static const char *embed(struct lw_onnx_source *s, const char *pixels,
                         const struct lw_model_spec *spec)
{
    struct lw_onnx *g = s->g;
    const struct lw_onnx_linear patch =
        lw_onnx_get_linear(s, "vit.embeddings.patch_embeddings", "projection");
    const char *x, *rows, *token;

    lw_onnx_scope(g, "vit.embeddings");
    x = LW_ONNX(g, "Conv", pixels, patch.weight, patch.bias);
    LW_ONNX_SET_INTS(g, "kernel_shape", spec->patch_size, spec->patch_size);
    LW_ONNX_SET_INTS(g, "strides", spec->patch_size, spec->patch_size);
    x = LW_ONNX(g, "Reshape", x, LW_ONNX_INTS(g, 0, spec->channels, spec->positions - 1));
    x = LW_ONNX(g, "Transpose", x);
    LW_ONNX_SET_INTS(g, "perm", 0, 2, 1);
    rows = LW_ONNX(g, "Shape", pixels);
    lw_onnx_set_int(g, "start", 0);
    lw_onnx_set_int(g, "end", 1);
    rows = LW_ONNX(g, "Concat", rows, LW_ONNX_INTS(g, 1, spec->channels));
    lw_onnx_set_int(g, "axis", 0);
    token = LW_ONNX(g, "Expand", lw_onnx_get(s, "vit.embeddings.cls_token"), rows);
    x = LW_ONNX(g, "Concat", token, x);
    lw_onnx_set_int(g, "axis", 1);
    return LW_ONNX(g, "Add", x, lw_onnx_get(s, "vit.embeddings.position_embeddings"));
}

static const char *layer(struct lw_onnx_source *s, const char *x, const struct lw_model_spec *spec,
                         int i)
{
    char name[64];

    snprintf(name, sizeof name, "vit.encoder.layer.%d", i);
    return lw_onnx_block(
        s->g, x,
        &(struct lw_onnx_block){.heads = spec->heads,
                                .head_size = spec->channels / spec->heads,
                                .epsilon = (double)spec->epsilon,
                                .erf = true,
                                .norm1 = lw_onnx_get_norm(s, name, "layernorm_before"),
                                .norm2 = lw_onnx_get_norm(s, name, "layernorm_after"),
                                .qkv = {lw_onnx_get_linear(s, name, "attention.attention.query"),
                                        lw_onnx_get_linear(s, name, "attention.attention.key"),
                                        lw_onnx_get_linear(s, name, "attention.attention.value")},
                                .out = lw_onnx_get_linear(s, name, "attention.output.dense"),
                                .up = lw_onnx_get_linear(s, name, "intermediate.dense"),
                                .down = lw_onnx_get_linear(s, name, "output.dense")},
        name);
}

void lw_onnx_build_vit(struct lw_onnx_source *s, const struct lw_model_spec *spec)
{
    const struct lw_onnx_dim in[] = {
        {"batch", 0}, {NULL, 3}, {NULL, spec->image_size}, {NULL, spec->image_size}};
    const struct lw_onnx_dim out[] = {{"batch", 0}, {NULL, spec->classes}};
    const char *pixels = lw_onnx_input(s->g, "pixel_values", LW_ONNX_FLOAT, in, 4);
    const char *x = embed(s, pixels, spec);
    struct lw_onnx_norm last = lw_onnx_get_norm(s, "vit", "layernorm");

    for (int i = 0; i < spec->layers; i++)
        x = layer(s, x, spec, i);
    lw_onnx_scope(s->g, "classifier");
    x = lw_onnx_norm(s->g, x, &last, (double)spec->epsilon);
    x = LW_ONNX(s->g, "Gather", x, lw_onnx_int(s->g, 0)); /* the class token */
    lw_onnx_set_int(s->g, "axis", 1);
    x = LW_ONNX(s->g, "Gemm", x, lw_onnx_get(s, "classifier.weight"),
                lw_onnx_get(s, "classifier.bias"));
    lw_onnx_set_int(s->g, "transB", 1);
    lw_onnx_output(s->g, "logits", x, LW_ONNX_FLOAT, out, 2);
}
