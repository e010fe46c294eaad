/* SPDX-License-Identifier: MIT */
#include "engine/model/model_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory handed out piece by piece. Sizes saturate, so that an impossible plan is merely too
 * large. */
struct arena {
    char *base;
    size_t used;
};

static size_t times(size_t a, size_t b)
{
    size_t product;

    return __builtin_mul_overflow(a, b, &product) || product > SIZE_MAX / 4 ? SIZE_MAX / 4
                                                                            : product;
}

static void *take(struct arena *a, size_t count, size_t element)
{
    void *at = a->base ? a->base + a->used : NULL;
    size_t bytes = times(count, element);

    a->used += (bytes + 255) / 256 * 256;
    if (a->used > SIZE_MAX / 4)
        a->used = SIZE_MAX / 4;
    return at;
}

/* Sizes that every layout needs. */
struct sizes {
    size_t rows, channels, wide, feed_forward, heads, length, element;
};

static struct sizes sizes_of(const struct lw_block_shape *s, size_t rows)
{
    size_t c = (size_t)s->channels, f = (size_t)s->feed_forward;

    return (struct sizes){.rows = rows,
                          .channels = c,
                          .wide = f > 3 * c ? f : 3 * c,
                          .feed_forward = f,
                          .heads = (size_t)s->heads,
                          .length = (size_t)s->length,
                          .element = s->element};
}

static void *matrix(struct arena *a, const struct sizes *z, size_t columns)
{
    return take(a, times(z->rows, columns), z->element);
}

static float *column(struct arena *a, const struct sizes *z)
{
    return take(a, z->rows, sizeof(float));
}

static void take_attention(struct arena *a, const struct sizes *z, const struct lw_block_shape *s,
                           struct lw_block_saved *saved)
{
    size_t scores = times(times(z->rows, z->heads), z->length);

    saved->qkv = matrix(a, z, 3 * z->channels);
    saved->attended = matrix(a, z, z->channels);
    saved->lse = take(a, times(z->rows, z->heads), sizeof(float));
    saved->p = s->attention == LW_ATTENTION_MATH ? take(a, scores, z->element) : NULL;
}

/* What comes from the host. */
static void take_batch(const struct lw_model *g, struct lw_model_buffers *b, struct arena *a,
                       const struct sizes *z, const struct sizes *few)
{
    const size_t patch = (size_t)g->spec.patch_size;

    b->input = take(a, lw_model_input_bytes(g, b->shape.batch, b->shape.length), 1);
    b->patches = g->spec.image_size ? matrix(a, z, 3 * patch * patch) : NULL;
    b->pick = g->spec.classes ? take(a, few->rows, sizeof *b->pick) : NULL;
    b->targets = take(a, few->rows, sizeof *b->targets);
}

/* A classifier's last block has rows of its own. */
static void take_few(const struct lw_model *g, struct lw_model_buffers *b, struct arena *a,
                     const struct sizes *few, bool training)
{
    struct lw_block_saved *last = &b->saved[training ? g->spec.layers - 1 : 0];
    struct lw_block_scratch *t = &b->scratch;

    if (!g->spec.classes)
        return;
    last->few_s1 = matrix(a, few, few->channels);
    last->few_attended = matrix(a, few, few->channels);
    if (!training)
        return;
    t->few_dsum = matrix(a, few, few->channels);
    t->few_dbranch = b->shape.dropout > 0 ? matrix(a, few, few->channels) : t->few_dsum;
}

/* Every layer keeps what backward needs; what is recomputed goes to one shared place. */
static void layout_train(const struct lw_model *g, const struct lw_model_plan *plan,
                         struct lw_model_buffers *b, struct arena *a)
{
    const struct lw_block_shape *s = &b->shape;
    const struct sizes z = sizes_of(s, (size_t)s->batch * (size_t)s->length);
    const struct sizes few = sizes_of(s, (size_t)lw_model_ended(g, s->batch, s->length));
    const int layers = g->spec.layers;
    void *y = NULL, *hidden = NULL;

    take_batch(g, b, a, &z, &few);
    b->predicted = plan->tally ? take(a, few.rows, sizeof *b->predicted) : NULL;
    if (s->recompute >= LW_RECOMPUTE_GELU)
        hidden = matrix(a, &z, z.feed_forward);
    if (s->recompute >= LW_RECOMPUTE_GELU_NORM)
        y = matrix(a, &z, z.channels);
    for (int i = 0; i < layers; i++) {
        const struct sizes *end = i + 1 < layers ? &z : &few;
        struct lw_block_saved *l = &b->saved[i];

        l->s1 = matrix(a, &z, z.channels);
        l->s2 = matrix(a, end, z.channels);
        l->y1 = s->recompute >= LW_RECOMPUTE_GELU_NORM ? y : matrix(a, &z, z.channels);
        l->y2 = s->recompute >= LW_RECOMPUTE_GELU_NORM ? y : matrix(a, end, z.channels);
        take_attention(a, &z, s, l);
        l->pre = matrix(a, end, z.feed_forward);
        l->hidden = s->recompute >= LW_RECOMPUTE_GELU ? hidden : matrix(a, end, z.feed_forward);
        l->mean1 = column(a, &z);
        l->rstd1 = column(a, &z);
        l->mean2 = column(a, end);
        l->rstd2 = column(a, end);
    }
    take_few(g, b, a, &few, true);
    b->sum = matrix(a, &few, z.channels);
    b->y = matrix(a, &few, z.channels);
    b->mean = column(a, &few);
    b->rstd = column(a, &few);
    if (s->dropout > 0 || g->spec.classes)
        b->scratch.branch = matrix(a, &z, z.channels);
    b->scratch.dsum = matrix(a, &z, z.channels);
    b->scratch.dbranch = s->dropout > 0 ? matrix(a, &z, z.channels) : b->scratch.dsum;
    b->scratch.dy = matrix(a, &z, z.channels);
    b->scratch.dwide = matrix(a, &z, z.wide);
}

/* One set of activations that every layer writes over. */
static void layout_forward(struct lw_model_buffers *b, struct arena *a, const struct sizes *z,
                           bool attention)
{
    struct lw_block_saved *l = b->saved;

    l->s1 = b->sum = matrix(a, z, z->channels);
    l->s2 = matrix(a, z, z->channels);
    l->y1 = l->y2 = b->y = matrix(a, z, z->channels);
    l->mean1 = l->mean2 = b->mean = column(a, z);
    l->rstd1 = l->rstd2 = b->rstd = column(a, z);
    if (attention) {
        take_attention(a, z, &b->shape, l);
    } else {
        l->qkv = matrix(a, z, 3 * z->channels);
        l->attended = matrix(a, z, z->channels);
    }
    l->hidden = matrix(a, z, z->feed_forward);
}

static void layout_evaluate(const struct lw_model *g, struct lw_model_buffers *b, struct arena *a)
{
    const struct lw_block_shape *s = &b->shape;
    const struct sizes z = sizes_of(s, (size_t)s->batch * (size_t)s->length);
    const struct sizes few = sizes_of(s, (size_t)lw_model_ended(g, s->batch, s->length));

    take_batch(g, b, a, &z, &few);
    layout_forward(b, a, &z, true);
    take_few(g, b, a, &few, false);
    b->predicted = take(a, few.rows, sizeof *b->predicted);
    b->logits = take(a, LW_MODEL_LOGIT_ROWS * (size_t)g->out, sizeof *b->logits);
}

static void layout_sample(const struct lw_model *g, struct lw_model_buffers *b, struct arena *a)
{
    const struct sizes z = sizes_of(&b->shape, LW_MODEL_CHUNK);
    const size_t cache = times(times(z.length, z.channels), (size_t)g->spec.layers);

    b->input = take(a, z.rows, sizeof(int32_t));
    layout_forward(b, a, &z, false);
    b->logits = take(a, (size_t)g->out, sizeof *b->logits);
    b->keys = take(a, cache, z.element);
    b->values = take(a, cache, z.element);
}

size_t lw_model_layout(struct lw_model *g, const struct lw_model_plan *plan,
                       enum lw_attention_kind kind, enum lw_dtype activation, char *base)
{
    const struct lw_model_spec *s = &g->spec;
    struct lw_block_shape shape = {.channels = s->channels,
                                   .heads = s->heads,
                                   .feed_forward = s->feed_forward,
                                   .element = lw_dtype_size(activation),
                                   .epsilon = s->epsilon,
                                   .dropout = s->dropout,
                                   .causal = g->front->causal,
                                   .layout = g->front->layout,
                                   .activation = g->front->activation,
                                   .attention = kind,
                                   .recompute = plan->recompute};
    struct arena train = {base, 0}, evaluate = {base, 0}, sample = {base, 0};
    size_t most;

    g->train.shape = g->evaluate.shape = g->sample.shape = shape;
    g->train.shape.batch = plan->batch;
    g->train.shape.length = plan->length;
    g->evaluate.shape.batch = plan->eval_batch;
    g->evaluate.shape.length = plan->eval_length;
    g->sample.shape.batch = 1;
    g->sample.shape.length = plan->sample_length;
    if (plan->batch)
        layout_train(g, plan, &g->train, &train);
    if (plan->eval_batch)
        layout_evaluate(g, &g->evaluate, &evaluate);
    if (plan->sample_length)
        layout_sample(g, &g->sample, &sample);
    most = train.used > evaluate.used ? train.used : evaluate.used;
    return most > sample.used ? most : sample.used;
}

static int check_use(const struct lw_model_spec *s, const char *what, int batch, int length,
                     struct lw_error *err)
{
    if (batch < 0 || length < 0 || (batch && !length))
        return lw_fail(err, LW_EUSAGE, "%s: a batch of %d sequences of %d tokens is impossible",
                       what, batch, length);
    if (batch && length > s->positions)
        return lw_fail(err, LW_EUSAGE,
                       "%s: sequences of %d tokens don't fit the model's %d positions: set "
                       "max_seq_len to %d or less",
                       what, length, s->positions, s->positions);
    if (batch && (size_t)batch * (size_t)length > INT_MAX / 4)
        return lw_fail(err, LW_EUSAGE, "%s: %d sequences of %d tokens are too many at once", what,
                       batch, length);
    return 0;
}

/* What may be asked for; a ViT's length is always its own. */
static int check_plan(const struct lw_model_spec *s, struct lw_model_plan *p, struct lw_error *err)
{
    int rc;

    if (s->image_size)
        p->length = p->eval_length = s->positions;
    if (s->classes && p->sample_length)
        return lw_fail(err, LW_EUSAGE, "a classifier writes no text: it cannot be sampled");
    rc = check_use(s, "training", p->batch, p->length, err);
    if (!rc)
        rc = check_use(s, "evaluation", p->eval_batch, p->eval_length, err);
    if (!rc)
        rc = check_use(s, "sampling", p->sample_length ? 1 : 0, p->sample_length, err);
    return rc;
}

static void measure(struct lw_model *g, const struct lw_model_plan *plan,
                    enum lw_attention_kind kind, const struct lw_device_info *info,
                    struct lw_model_bytes *out)
{
    struct lw_params_bytes flat;

    lw_params_bytes(&g->params, info, plan->batch > 0, &flat);
    *out = (struct lw_model_bytes){.weights = flat.weights,
                                   .gradients = flat.gradients,
                                   .moments = flat.moments,
                                   .activations =
                                       lw_model_layout(g, plan, kind, info->activation, NULL)};
    out->total = out->weights + out->gradients + out->moments + out->activations;
}

int lw_model_measure(const struct lw_model_spec *spec, const struct lw_model_plan *plan,
                     enum lw_attention_kind kind, const struct lw_device_info *info,
                     struct lw_model_bytes *out, struct lw_error *err)
{
    struct lw_model_plan p = *plan;
    struct lw_model *g;
    int rc = lw_model_create(&g, spec, NULL, NULL, 1, err);

    if (rc)
        return rc;
    if (!(rc = check_plan(spec, &p, err)))
        measure(g, &p, kind, info, out);
    lw_model_free(g);
    return rc;
}

/* "1.25 GiB" */
static const char *show_bytes(size_t bytes, char out[24])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(out, 24, unit ? "%.2f %s" : "%.0f %s", value, units[unit]);
    return out;
}

static int too_large(const struct lw_model_bytes *b, size_t available, struct lw_error *err)
{
    char total[24], weights[24], gradients[24], moments[24], activations[24], have[24];

    return lw_fail(err, LW_EMEM,
                   "the model needs %s (weights %s, gradients %s, moments %s, activations %s), the "
                   "device has %s free: lower batch_size or max_seq_len, or set recompute",
                   show_bytes(b->total, total), show_bytes(b->weights, weights),
                   show_bytes(b->gradients, gradients), show_bytes(b->moments, moments),
                   show_bytes(b->activations, activations), show_bytes(available, have));
}

static int max3(int a, int b, int c)
{
    int most = a > b ? a : b;

    return most > c ? most : c;
}

static int choose_attention(struct lw_model *g, const struct lw_model_plan *plan,
                            struct lw_error *err)
{
    const struct lw_model_spec *s = &g->spec;
    bool training = plan->batch > 0;
    int length = training           ? plan->length
                 : plan->eval_batch ? plan->eval_length
                                    : plan->sample_length;
    struct lw_attention shape = {.batch = training           ? plan->batch
                                          : plan->eval_batch ? plan->eval_batch
                                                             : 1,
                                 .length = length,
                                 .heads = s->heads,
                                 .head_dim = s->channels / s->heads,
                                 .causal = g->front->causal,
                                 .dropout = {training ? s->dropout : 0.0f, 1}};

    return lw_attention_choose(g->backend, g->device, &shape, plan->attention, s->layers,
                               g->front->shown, g->front->attended, &g->attention, err);
}

static int prepare_backend(struct lw_model *g, const struct lw_model_plan *plan,
                           struct lw_error *err)
{
    const struct lw_model_spec *s = &g->spec;
    struct lw_shapes shapes = {.batch =
                                   max3(plan->batch, plan->eval_batch, plan->sample_length ? 1 : 0),
                               .length = max3(plan->length, plan->eval_length, plan->sample_length),
                               .channels = s->channels,
                               .heads = s->heads,
                               .feed_forward = s->feed_forward,
                               .vocabulary = g->padded,
                               .attention = g->attention.kind,
                               .causal = g->front->causal,
                               .training = plan->batch > 0,
                               .dropout = plan->batch > 0 ? s->dropout : 0};

    return g->backend->prepare(g->device, &shapes, err);
}

/* Give back what a preparation that failed has taken. */
static void release(struct lw_model *g)
{
    for (int i = 0; i < 2; i++) {
        if (g->said[i])
            g->backend->release(g->device, g->said[i]);
        g->said[i] = NULL;
    }
    if (g->arena)
        g->backend->release(g->device, g->arena);
    g->arena = NULL;
    lw_params_release(&g->params);
}

size_t lw_model_tally_size(const struct lw_model *g)
{
    return ((size_t)lw_model_head(g, 1).classes + 1) * LW_TALLY_COLUMNS;
}

static int alloc_tallies(struct lw_model *g, const struct lw_model_plan *plan, struct lw_error *err)
{
    size_t bytes = lw_model_tally_size(g) * sizeof *g->said[0];
    int rc = 0;

    for (int i = 0; plan->tally && !rc && i < 2; i++) {
        void *room = NULL;

        rc = g->backend->alloc(g->device, bytes, &room, err);
        g->said[i] = room;
    }
    return rc;
}

int lw_model_prepare(struct lw_model *g, const struct lw_model_plan *wanted, struct lw_error *err)
{
    struct lw_model_plan settled = *wanted, *plan = &settled;
    struct lw_device_info info;
    int rc;

    if (g->prepared)
        return lw_fail(err, LW_EUSAGE, "a model is prepared once");
    if ((rc = check_plan(&g->spec, plan, err)) || (rc = choose_attention(g, plan, err)))
        return rc;
    free(g->pick); /* of a preparation that failed */
    g->pick = calloc((size_t)max3(plan->batch, plan->eval_batch, 1), sizeof *g->pick);
    if (!g->pick)
        return lw_fail(err, LW_EMEM, "out of memory for a model");
    g->backend->info(g->device, &info);
    measure(g, plan, g->attention.kind, &info, &g->bytes);
    if (info.memory_free && g->bytes.total > info.memory_free)
        return too_large(&g->bytes, info.memory_free, err);
    if ((rc = lw_params_alloc(&g->params, g->backend, g->device, plan->batch > 0, err)))
        return rc;
    rc = g->backend->alloc(g->device, g->bytes.activations, &g->arena, err);
    if (!rc)
        rc = alloc_tallies(g, plan, err);
    if (rc) {
        rc = lw_wrap(err, "activations");
    } else {
        lw_model_layout(g, plan, g->attention.kind, info.activation, g->arena);
        rc = prepare_backend(g, plan, err);
    }
    if (rc) {
        release(g);
        return rc;
    }
    g->plan = *plan;
    g->plan.record = plan->record && g->backend->record;
    g->prepared = true;
    return 0;
}
