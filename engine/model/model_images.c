/* SPDX-License-Identifier: MIT
 *
 * ViT's front: an image is cut into patches, which a linear layer embeds; a class token stands
 * before them. Its row of the patches is empty, so that one product makes the whole sequence in
 * place, and one gives the weight's gradient. */
#include <math.h>

#include "engine/model/model_internal.h"

enum { TOKEN, POSITIONS, PATCH_WEIGHT, HEAD_WEIGHT, PATCH_BIAS, NORM_WEIGHT, NORM_BIAS, HEAD_BIAS };

static int add_root(struct lw_model *g, struct lw_error *err)
{
    const struct lw_model_spec *s = &g->spec;
    const int c = s->channels, p = s->patch_size;
    const struct lw_param tensors[] = {
        [TOKEN] = {.name = "vit.embeddings.cls_token",
                   .rank = 3,
                   .shape = {1, 1, c},
                   .decay = true,
                   .deviation = 0.02f},
        [POSITIONS] = {.name = "vit.embeddings.position_embeddings",
                       .rank = 3,
                       .shape = {1, s->positions, c},
                       .decay = true,
                       .deviation = 0.2f},
        [PATCH_WEIGHT] = {.name = "vit.embeddings.patch_embeddings.projection.weight",
                          .rank = 4,
                          .shape = {c, 3, p, p},
                          .layout = LW_OUT_IN,
                          .decay = true,
                          .deviation = 1 / sqrtf(3.0f * (float)(p * p))}, /* LeCun's */
        [HEAD_WEIGHT] = {.name = "classifier.weight",
                         .rank = 2,
                         .shape = {s->classes, c},
                         .layout = LW_OUT_IN,
                         .decay = true,
                         .deviation = 0.02f},
        [PATCH_BIAS] = {.name = "vit.embeddings.patch_embeddings.projection.bias",
                        .rank = 1,
                        .shape = {c},
                        .init = LW_INIT_ZEROS},
        [NORM_WEIGHT] = {.name = "vit.layernorm.weight",
                         .rank = 1,
                         .shape = {c},
                         .init = LW_INIT_ONES},
        [NORM_BIAS] = {.name = "vit.layernorm.bias",
                       .rank = 1,
                       .shape = {c},
                       .init = LW_INIT_ZEROS},
        [HEAD_BIAS] = {.name = "classifier.bias",
                       .rank = 1,
                       .shape = {s->classes},
                       .init = LW_INIT_ZEROS},
    };
    int rc = 0;

    for (int i = 0; i <= HEAD_BIAS && !rc; i++)
        rc = lw_params_add(&g->params, &tensors[i],
                           i == HEAD_WEIGHT || i == HEAD_BIAS ? g->padded : 0, err);
    g->at.wte = -1;
    g->at.token = TOKEN;
    g->at.wpe = POSITIONS;
    g->at.patch_weight = PATCH_WEIGHT;
    g->at.patch_bias = PATCH_BIAS;
    g->at.norm_weight = NORM_WEIGHT;
    g->at.norm_bias = NORM_BIAS;
    g->at.head_weight = HEAD_WEIGHT;
    g->at.head_bias = HEAD_BIAS;
    return rc;
}

static struct lw_linear projection(const struct lw_model *g, int batch)
{
    const int p = g->spec.patch_size;

    return (struct lw_linear){.rows = batch * g->spec.positions,
                              .in = 3 * p * p,
                              .out = g->spec.channels,
                              .layout = LW_OUT_IN};
}

static void embed(struct lw_model *g, const struct lw_model_buffers *b,
                  const struct lw_block_shape *shape, bool training)
{
    const struct lw_linear l = projection(g, shape->batch);
    struct lw_patches p = {
        .batch = shape->batch, .image = g->spec.image_size, .patch = g->spec.patch_size};

    for (int c = 0; c < 3; c++) {
        p.scale[c] = 1.0f / (255.0f * g->spec.deviation[c]);
        p.shift[c] = -g->spec.mean[c] / g->spec.deviation[c];
    }
    g->backend->patches(g->device, &p, b->patches, b->input);
    g->backend->linear(g->device, &l, b->saved[0].s1, NULL, b->patches,
                       lw_model_weight(g, g->at.patch_weight), NULL, NULL);
    g->backend->place(g->device, shape->batch, shape->length, shape->channels, b->saved[0].s1,
                      lw_model_weight(g, g->at.token), lw_model_weight(g, g->at.patch_bias),
                      lw_model_weight(g, g->at.wpe), lw_model_dropout(g, training, 0));
}

static void embed_backward(struct lw_model *g, bool accumulate)
{
    const struct lw_model_buffers *b = &g->train;
    const struct lw_block_shape *shape = &b->shape;
    const struct lw_linear l = projection(g, shape->batch);

    g->backend->place_backward(g->device, shape->batch, shape->length, shape->channels,
                               b->scratch.dsum, lw_model_grad(g, g->at.token),
                               lw_model_grad(g, g->at.patch_bias), lw_model_grad(g, g->at.wpe),
                               lw_model_dropout(g, true, 0), accumulate);
    g->backend->linear_backward(g->device, &l, NULL, lw_model_grad(g, g->at.patch_weight), NULL,
                                NULL, b->scratch.dsum, b->patches,
                                lw_model_weight(g, g->at.patch_weight), NULL, LW_NO_ACTIVATION,
                                accumulate);
}

const struct lw_model_front lw_model_images = {
    .block = "vit.encoder.layer.#.",
    .shown = "layer.",
    .attended = ".attention",
    .names = {.norm1 = "layernorm_before",
              .qkv = {"attention.attention.query", "attention.attention.key",
                      "attention.attention.value"},
              .out = "attention.output.dense",
              .norm2 = "layernorm_after",
              .fc = "intermediate.dense",
              .proj = "output.dense"},
    .causal = false,
    .layout = LW_OUT_IN,
    .activation = LW_GELU_ERF,
    .add_root = add_root,
    .embed = embed,
    .embed_backward = embed_backward,
};
