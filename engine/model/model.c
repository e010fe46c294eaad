/* SPDX-License-Identifier: MIT */
#include "engine/model/model_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/problems.h"

#define VOCABULARY_MULTIPLE 64 /* whole tiles for the head's matrix product */

static const struct {
    const char *name, *size;
    int channels, layers, heads, image_size;
} presets[] = {
    {"gpt2", "124M", 768, 12, 12, 0},        {"gpt2-medium", "355M", 1024, 24, 16, 0},
    {"gpt2-large", "774M", 1280, 36, 20, 0}, {"gpt2-xl", "1558M", 1600, 48, 25, 0},
    {"vit-base", "86M", 768, 12, 12, 224},   {"vit-large", "304M", 1024, 24, 16, 224},
};

/* The published ViTs: patches of 16, ImageNet's classes, pixels from -1 to 1. */
static void make_vit(struct lw_model_spec *s, int image_size)
{
    s->vocabulary = 0;
    s->image_size = image_size;
    s->patch_size = 16;
    s->positions = lw_vit_positions(image_size, 16);
    s->classes = 1000;
    s->epsilon = 1e-12f;
    for (int c = 0; c < 3; c++)
        s->mean[c] = s->deviation[c] = 0.5f;
}

bool lw_model_preset(const char *name, struct lw_model_spec *out)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(name, presets[i].name) && strcmp(name, presets[i].size))
            continue;
        *out = (struct lw_model_spec){.vocabulary = 50257,
                                      .positions = 1024,
                                      .channels = presets[i].channels,
                                      .layers = presets[i].layers,
                                      .heads = presets[i].heads,
                                      .feed_forward = 4 * presets[i].channels,
                                      .epsilon = 1e-5f};
        if (presets[i].image_size)
            make_vit(out, presets[i].image_size);
        return true;
    }
    return false;
}

int lw_vit_positions(int image_size, int patch_size)
{
    int across = patch_size > 0 ? image_size / patch_size : 0;

    return 1 + across * across;
}

struct size {
    const char *what;
    int value, most;
};

static void check_sizes(const struct size *sizes, size_t n, struct lw_problems *problems)
{
    for (size_t i = 0; i < n; i++)
        if (sizes[i].value < 1 || sizes[i].value > sizes[i].most)
            lw_problem(problems, "%s must be from 1 to %d, not %d", sizes[i].what, sizes[i].most,
                       sizes[i].value);
}

static void check_images(const struct lw_model_spec *s, struct lw_problems *problems)
{
    const struct size sizes[] = {{"image_size", s->image_size, 4096},
                                 {"patch_size", s->patch_size, 4096},
                                 {"num_classes", s->classes, 1 << 20}};

    check_sizes(sizes, 3, problems);
    if (s->image_size > 0 && s->patch_size > 0 && s->image_size % s->patch_size)
        lw_problem(problems, "image_size (%d) must be a multiple of patch_size (%d)", s->image_size,
                   s->patch_size);
    else if (s->positions != lw_vit_positions(s->image_size, s->patch_size))
        lw_problem(problems, "%d positions are not those of %d x %d pixels in patches of %d",
                   s->positions, s->image_size, s->image_size, s->patch_size);
    for (int c = 0; c < 3; c++)
        if (!isfinite(s->mean[c]) || !(s->deviation[c] > 0) || !isfinite(s->deviation[c]))
            lw_problem(problems, "image_mean and image_std must be numbers, image_std above 0");
}

static void check_tokens(const struct lw_model_spec *s, struct lw_problems *problems)
{
    const struct size sizes[] = {{"vocab_size", s->vocabulary, 1 << 24},
                                 {"max_seq_len", s->positions, 1 << 20}};

    check_sizes(sizes, 2, problems);
    if (s->classes < 0 || s->classes > 1 << 20)
        lw_problem(problems, "num_classes must be at most %d, not %d", 1 << 20, s->classes);
    if (s->padding < 0 || (s->classes && s->padding >= s->vocabulary))
        lw_problem(problems, "the padding token %d is not in the vocabulary of %d", s->padding,
                   s->vocabulary);
}

int lw_model_check(const struct lw_model_spec *s, struct lw_error *err)
{
    const struct size sizes[] = {{"d_model", s->channels, 1 << 16},
                                 {"num_layers", s->layers, 1000},
                                 {"num_heads", s->heads, 1 << 16},
                                 {"d_ff", s->feed_forward, 1 << 18}};
    struct lw_problems problems = {.separator = "\n"};

    if (s->image_size)
        check_images(s, &problems);
    else
        check_tokens(s, &problems);
    check_sizes(sizes, 4, &problems);
    if (s->heads > 0 && s->channels > 0 && s->channels % s->heads)
        lw_problem(&problems, "d_model (%d) must be a multiple of num_heads (%d)", s->channels,
                   s->heads);
    if (!(s->dropout >= 0.0f && s->dropout < 1.0f))
        lw_problem(&problems, "dropout must be at least 0 and below 1, not %g", (double)s->dropout);
    if (!(s->epsilon > 0.0f && s->epsilon < 1.0f))
        lw_problem(&problems, "the layer norms' epsilon must be between 0 and 1, not %g",
                   (double)s->epsilon);
    return problems.used ? lw_fail(err, LW_EUSAGE, "%s", problems.text) : 0;
}

size_t lw_model_parameters(const struct lw_model_spec *s)
{
    size_t c = (size_t)s->channels, f = (size_t)s->feed_forward, p = (size_t)s->patch_size;
    size_t block = 4 * c * c + 2 * c * f + 9 * c + f, head = (size_t)s->classes * c;
    size_t front = (size_t)s->vocabulary * c;

    if (s->image_size) {
        front = c + 3 * p * p * c + c;
        head += (size_t)s->classes;
    }
    return front + (size_t)s->positions * c + (size_t)s->layers * block + 2 * c + head;
}

/* What a pass needs for every token that is counted, forward and backward: 6 a weight, and for
 * attention 12 L C for every token looked at, half of which a causal mask leaves out. A classifier
 * needs what follows its last attention for one row a sequence; an image counts as one token. */
double lw_model_flops(const struct lw_model_spec *s, int length)
{
    double c = s->channels, f = s->feed_forward, rest = c * c + 2 * c * f, block = 3 * c * c + rest;
    double patch = 3.0 * s->patch_size * s->patch_size * c;

    if (!s->classes)
        return 6.0 * (double)lw_model_parameters(s) + 6.0 * s->layers * c * length;
    if (s->image_size)
        length = s->positions;
    f = 6 * (length * (patch + s->layers * block - rest) + rest + s->classes * c) +
        (s->image_size ? 12.0 : 6.0) * s->layers * c * length * length;
    return s->image_size ? f : f / length;
}

static int make_table(struct lw_model *g, int ranks, struct lw_error *err)
{
    const struct lw_model_spec *s = &g->spec;
    /* As those who made them did: GPT-2's 0.02, less where residuals add up, and ViT's by the width. */
    const float deviation = s->image_size ? 0 : 0.02f;
    const float residual = deviation / sqrtf(2.0f * (float)s->layers);
    struct lw_block_shape shape = {
        .channels = s->channels, .feed_forward = s->feed_forward, .layout = g->front->layout};
    int rc;

    lw_params_init(&g->params, ranks);
    rc = g->front->add_root(g, err);
    for (int i = 0; i < s->layers && !rc; i++) {
        char number[16], prefix[48];
        const char *at = strchr(g->front->block, '#');

        snprintf(number, sizeof number, "%d", i);
        snprintf(prefix, sizeof prefix, "%.*s%s%s", (int)(at - g->front->block), g->front->block,
                 number, at + 1);
        rc = lw_block_params(&g->params, i + 1, prefix, &g->front->names, &shape, deviation, residual,
                             err);
    }
    if (rc || (rc = lw_params_seal(&g->params, err)))
        return rc;
    for (int i = 0; i < s->layers; i++)
        lw_block_locate(&g->params, i + 1, &g->offsets[i]);
    return 0;
}

int lw_model_create(struct lw_model **out, const struct lw_model_spec *spec,
                    const struct lw_backend *backend, struct lw_device *device, int ranks,
                    struct lw_error *err)
{
    struct lw_model *g;
    int rc = lw_model_check(spec, err);

    *out = NULL;
    if (rc)
        return rc;
    if (!(g = calloc(1, sizeof *g)))
        return lw_fail(err, LW_EMEM, "out of memory for a model");
    g->spec = *spec;
    g->backend = backend;
    g->device = device;
    g->front = spec->image_size ? &lw_model_images : &lw_model_tokens;
    g->out = spec->classes ? spec->classes : spec->vocabulary;
    g->padded = (g->out + VOCABULARY_MULTIPLE - 1) / VOCABULARY_MULTIPLE * VOCABULARY_MULTIPLE;
    g->offsets = calloc((size_t)spec->layers, sizeof *g->offsets);
    g->train.saved = calloc((size_t)spec->layers, sizeof *g->train.saved);
    g->evaluate.saved = calloc(1, sizeof *g->evaluate.saved);
    g->sample.saved = calloc(1, sizeof *g->sample.saved);
    if (!g->offsets || !g->train.saved || !g->evaluate.saved || !g->sample.saved)
        rc = lw_fail(err, LW_EMEM, "out of memory for a model");
    else
        rc = make_table(g, ranks, err);
    if (rc)
        lw_model_free(g);
    else
        *out = g;
    return rc;
}

void lw_model_free(struct lw_model *g)
{
    if (!g)
        return;
    for (int i = 0; i < 2; i++)
        if (g->said[i])
            g->backend->release(g->device, g->said[i]);
    if (g->arena)
        g->backend->release(g->device, g->arena);
    lw_params_fini(&g->params);
    free(g->offsets);
    free(g->pick);
    free(g->train.saved);
    free(g->evaluate.saved);
    free(g->sample.saved);
    free(g);
}

int lw_model_init(struct lw_model *g, uint64_t seed, struct lw_error *err)
{
    return lw_params_fill(&g->params, seed, err);
}

const struct lw_model_spec *lw_model_spec(const struct lw_model *g)
{
    return &g->spec;
}

struct lw_params *lw_model_params(struct lw_model *g)
{
    return &g->params;
}

const struct lw_model_bytes *lw_model_memory(const struct lw_model *g)
{
    return &g->bytes;
}

const struct lw_attention_choice *lw_model_attention(const struct lw_model *g)
{
    return &g->attention;
}

void lw_model_set_hook(struct lw_model *g,
                       void (*hook)(void *context, int block, size_t offset, size_t count),
                       void *context)
{
    g->hook = hook;
    g->hook_context = context;
    g->recorded = g->warm = 0;
}
