/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/io.h"
#include "engine/export/onnx.h"
#include "engine/export/onnx_block.h"

/* A model being built: the file, and the first tensor that is not in it. */
struct source {
    struct lw_onnx *g;
    const struct lw_safetensors *file;
    char missing[96];
};

static const char *weight(struct source *s, const char *fmt, ...) LW_PRINTF(2, 3);

static const char *weight(struct source *s, const char *fmt, ...)
{
    const struct lw_tensor *t;
    char name[96];
    va_list args;

    va_start(args, fmt);
    vsnprintf(name, sizeof name, fmt, args);
    va_end(args);
    if ((t = lw_safetensors_find(s->file, name)))
        return lw_onnx_weight(s->g, t);
    if (!s->missing[0])
        snprintf(s->missing, sizeof s->missing, "%s", name);
    return "";
}

static struct lw_onnx_norm norm_of(struct source *s, const char *prefix, const char *name)
{
    return (struct lw_onnx_norm){weight(s, "%s.%s.weight", prefix, name),
                                 weight(s, "%s.%s.bias", prefix, name)};
}

static struct lw_onnx_linear linear_of(struct source *s, const char *prefix, const char *name)
{
    return (struct lw_onnx_linear){weight(s, "%s.%s.weight", prefix, name),
                                   weight(s, "%s.%s.bias", prefix, name), false};
}

static const char *layer(struct source *s, const char *x, const struct lw_gpt_spec *spec, int i,
                         const char *mask)
{
    char name[64];

    snprintf(name, sizeof name, "transformer.h.%d", i);
    return lw_onnx_block(s->g, x,
                         &(struct lw_onnx_block){.heads = spec->heads,
                                                 .head_size = spec->channels / spec->heads,
                                                 .epsilon = (double)spec->epsilon,
                                                 .mask = mask,
                                                 .norm1 = norm_of(s, name, "ln_1"),
                                                 .norm2 = norm_of(s, name, "ln_2"),
                                                 .qkv = {linear_of(s, name, "attn.c_attn")},
                                                 .joint = true,
                                                 .out = linear_of(s, name, "attn.c_proj"),
                                                 .up = linear_of(s, name, "mlp.c_fc"),
                                                 .down = linear_of(s, name, "mlp.c_proj")},
                         name);
}

/* Token and position embeddings; *mask: (T, T), true where column <= row. */
static const char *embed(struct source *s, const char *ids, const char *wte, const char **mask)
{
    struct lw_onnx *g = s->g;
    const char *length, *positions, *first = LW_ONNX_INTS(g, 0), *second = LW_ONNX_INTS(g, 1);

    lw_onnx_scope(g, "transformer");
    length = LW_ONNX(g, "Shape", ids);
    lw_onnx_set_int(g, "start", 1);
    lw_onnx_set_int(g, "end", 2);
    length = LW_ONNX(g, "Squeeze", length, first);
    positions = LW_ONNX(g, "Range", lw_onnx_int(g, 0), length, lw_onnx_int(g, 1));
    *mask = LW_ONNX(g, "LessOrEqual", LW_ONNX(g, "Unsqueeze", positions, first),
                    LW_ONNX(g, "Unsqueeze", positions, second));
    return LW_ONNX(g, "Add", LW_ONNX(g, "Gather", wte, ids),
                   LW_ONNX(g, "Gather", weight(s, "transformer.wpe.weight"), positions));
}

/* x (B, T, C) times the embedding, turned by the product itself: it is there once. */
static const char *head(struct lw_onnx *g, const char *x, const char *ids, const char *wte,
                        const struct lw_gpt_spec *spec)
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

static void build(struct source *s, const struct lw_gpt_spec *spec)
{
    const struct lw_onnx_dim in[] = {{"batch", 0}, {"sequence", 0}};
    const struct lw_onnx_dim out[] = {{"batch", 0}, {"sequence", 0}, {NULL, spec->vocabulary}};
    const char *ids = lw_onnx_input(s->g, "input_ids", LW_ONNX_INT64, in, 2), *mask;
    const char *wte = weight(s, "transformer.wte.weight"), *x = embed(s, ids, wte, &mask);
    struct lw_onnx_norm last = norm_of(s, "transformer", "ln_f");

    for (int i = 0; i < spec->layers; i++)
        x = layer(s, x, spec, i, mask);
    lw_onnx_scope(s->g, "transformer");
    x = lw_onnx_norm(s->g, x, &last, (double)spec->epsilon);
    lw_onnx_output(s->g, "logits", head(s->g, x, ids, wte, spec), LW_ONNX_FLOAT, out, 3);
}

int lw_onnx_export_gpt(const char *path, const char *checkpoint, const struct lw_gpt_spec *spec,
                       uint64_t step, bool *beside, struct lw_error *err)
{
    char *model = lw_path_join(checkpoint, "model.safetensors");
    struct lw_safetensors file = {0};
    struct source s = {.file = &file};
    int rc = model ? lw_safetensors_open(&file, model, err)
                   : lw_fail(err, LW_EMEM, "out of memory reading %s", checkpoint);

    if (!rc && !(rc = lw_onnx_new(&s.g, "gpt2", err))) {
        build(&s, spec);
        lw_onnx_note(s.g, "step", "%" PRIu64, step);
        lw_onnx_note(s.g, "positions", "%d", spec->positions);
        rc = s.missing[0] ? lw_fail(err, LW_EDATA, "%s has no tensor %s", model, s.missing)
                          : lw_onnx_write(s.g, path, beside, err);
    }
    lw_onnx_free(s.g);
    lw_safetensors_close(&file);
    free(model);
    return rc;
}
