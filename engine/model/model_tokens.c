/* SPDX-License-Identifier: MIT
 *
 * GPT-2's front: tokens are looked up, positions added. The language model's head is the embedding
 * itself; a classifier has one of its own. */
#include "engine/model/model_internal.h"

static int add_root(struct lw_model *g, struct lw_error *err)
{
    const struct lw_model_spec *s = &g->spec;
    const struct lw_param wte = {.name = "transformer.wte.weight",
                                 .rank = 2,
                                 .shape = {s->vocabulary, s->channels},
                                 .layout = LW_OUT_IN,
                                 .decay = true,
                                 .deviation = 0.02f};
    const struct lw_param wpe = {.name = "transformer.wpe.weight",
                                 .rank = 2,
                                 .shape = {s->positions, s->channels},
                                 .layout = LW_OUT_IN,
                                 .decay = true,
                                 .deviation = 0.02f};
    const struct lw_param score = {.name = "score.weight",
                                   .rank = 2,
                                   .shape = {s->classes, s->channels},
                                   .layout = LW_OUT_IN,
                                   .decay = true,
                                   .deviation = 0.02f};
    const struct lw_param weight = {
        .name = "transformer.ln_f.weight", .rank = 1, .shape = {s->channels}, .init = LW_INIT_ONES};
    const struct lw_param bias = {
        .name = "transformer.ln_f.bias", .rank = 1, .shape = {s->channels}, .init = LW_INIT_ZEROS};
    const int c = s->classes > 0;
    int rc = lw_params_add(&g->params, &wte, c ? 0 : g->padded, err);

    if (!rc)
        rc = lw_params_add(&g->params, &wpe, 0, err);
    if (!rc && c)
        rc = lw_params_add(&g->params, &score, g->padded, err);
    if (!rc)
        rc = lw_params_add(&g->params, &weight, 0, err);
    if (!rc)
        rc = lw_params_add(&g->params, &bias, 0, err);
    g->at.token = g->at.patch_weight = g->at.patch_bias = g->at.head_bias = -1;
    g->at.wte = 0;
    g->at.wpe = 1;
    g->at.head_weight = c ? 2 : 0;
    g->at.norm_weight = 2 + c;
    g->at.norm_bias = 3 + c;
    return rc;
}

static void embed(struct lw_model *g, const struct lw_model_buffers *b,
                  const struct lw_block_shape *shape, bool training)
{
    g->backend->embed(g->device, shape->batch, shape->length, shape->channels, b->saved[0].s1,
                      b->input, lw_model_weight(g, g->at.wte), lw_model_weight(g, g->at.wpe),
                      lw_model_dropout(g, training, 0));
}

static void embed_backward(struct lw_model *g, bool accumulate)
{
    const struct lw_model_buffers *b = &g->train;
    const struct lw_block_shape *shape = &b->shape;

    if (g->spec.classes && !accumulate) /* no tied head has written it */
        g->backend->clear(g->device, lw_model_grad(g, g->at.wte),
                          (size_t)g->spec.vocabulary * (size_t)g->spec.channels);
    g->backend->embed_backward(g->device, shape->batch, shape->length, shape->channels,
                               g->spec.positions, lw_model_grad(g, g->at.wte),
                               lw_model_grad(g, g->at.wpe), b->scratch.dsum, b->input,
                               lw_model_dropout(g, true, 0), accumulate);
}

const struct lw_model_front lw_model_tokens = {
    .block = "transformer.h.#.",
    .shown = "h.",
    .attended = ".attn",
    .names = {.norm1 = "ln_1",
              .qkv = {"attn.c_attn"},
              .out = "attn.c_proj",
              .norm2 = "ln_2",
              .fc = "mlp.c_fc",
              .proj = "mlp.c_proj"},
    .causal = true,
    .layout = LW_IN_OUT,
    .activation = LW_GELU_TANH,
    .add_root = add_root,
    .embed = embed,
    .embed_backward = embed_backward,
};
