/* SPDX-License-Identifier: MIT */
#include "engine/model/model_internal.h"

#include <string.h>

/* Recording slots: a micro-batch by what differs in it, and the update. */
enum { SLOT_ACCUMULATE = 1, SLOT_LAST = 2, SLOT_UPDATE = 4 };

enum { WHOLE_STEPS, OPEN_STEP }; /* tallies */

struct lw_dropout lw_model_dropout(const struct lw_model *g, bool training, uint32_t site)
{
    return (struct lw_dropout){training ? g->spec.dropout : 0.0f, site};
}

struct lw_head lw_model_head(const struct lw_model *g, int rows)
{
    return (struct lw_head){.rows = rows,
                            .channels = g->spec.channels,
                            .classes = g->out,
                            .padded_classes = g->padded,
                            .top5 = g->spec.classes > 0};
}

int lw_model_ended(const struct lw_model *g, int batch, int length)
{
    return g->spec.classes ? batch : batch * length;
}

size_t lw_model_input_bytes(const struct lw_model *g, int batch, int length)
{
    const size_t side = (size_t)g->spec.image_size;

    return (size_t)batch * (side ? 3 * side * side : (size_t)length * sizeof(int32_t));
}

const void *lw_model_weight(const struct lw_model *g, int param)
{
    return param < 0 ? NULL : lw_weight_at(&g->params, g->params.list[param].offset);
}

void *lw_model_grad(const struct lw_model *g, int param)
{
    return param < 0 ? NULL : lw_grad_at(&g->params, g->params.list[param].offset);
}

/* Sites: 0 is the embedding's, then LW_BLOCK_SITES a layer. */
static uint32_t site_of(int layer)
{
    return 1 + LW_BLOCK_SITES * (uint32_t)layer;
}

struct lw_block_call lw_model_call(const struct lw_model *g, const struct lw_model_buffers *b,
                                   const struct lw_block_shape *shape, int layer, bool training)
{
    const bool last = layer + 1 == g->spec.layers;

    return (struct lw_block_call){.backend = g->backend,
                                  .device = g->device,
                                  .params = &g->params,
                                  .shape = shape,
                                  .offsets = &g->offsets[layer],
                                  .saved = &b->saved[training ? layer : 0],
                                  .scratch = &b->scratch,
                                  .sum = last ? b->sum : b->saved[training ? layer + 1 : 0].s1,
                                  .site = site_of(layer),
                                  .pick = last ? b->pick : NULL,
                                  .few = shape->batch,
                                  .training = training};
}

static struct lw_norm last_norm(const struct lw_model *g, int rows, bool training)
{
    return (struct lw_norm){rows, g->spec.channels, g->spec.epsilon,
                            lw_model_dropout(g, training, site_of(g->spec.layers) - 1)};
}

void lw_model_last_norm(const struct lw_model *g, const struct lw_model_buffers *b, int rows,
                        struct lw_block_stream in, bool training)
{
    struct lw_norm n = last_norm(g, rows, training);

    g->backend->norm(g->device, &n, b->y, b->sum, b->mean, b->rstd, in.residual, in.branch,
                     lw_model_weight(g, g->at.norm_weight), lw_model_weight(g, g->at.norm_bias));
}

/* Input to b->y. */
static void forward(struct lw_model *g, const struct lw_model_buffers *b,
                    const struct lw_block_shape *shape, bool training)
{
    struct lw_block_stream stream = {b->saved[0].s1, NULL};

    g->front->embed(g, b, shape, training);
    for (int i = 0; i < g->spec.layers; i++) {
        struct lw_block_call c = lw_model_call(g, b, shape, i, training);

        stream = lw_block_forward(&c, stream);
    }
    lw_model_last_norm(g, b, lw_model_ended(g, shape->batch, shape->length), stream, training);
}

static void announce(struct lw_model *g, int block, bool last)
{
    const struct lw_param_block *b = &g->params.blocks[block];

    if (last && g->hook)
        g->hook(g->hook_context, block, b->offset, b->count);
}

/* From the loss's gradient with respect to b->y, in scratch.dy, to all parameters. */
static void backward(struct lw_model *g, bool accumulate, bool last)
{
    const struct lw_model_buffers *b = &g->train;
    const struct lw_block_shape *shape = &b->shape;
    const struct lw_block_scratch *t = &b->scratch;
    struct lw_norm n = last_norm(g, lw_model_ended(g, shape->batch, shape->length), true);
    struct lw_block_call c = lw_model_call(g, b, shape, g->spec.layers - 1, true);
    void *dsum = g->spec.classes ? t->few_dsum : t->dsum;
    void *dbranch = g->spec.classes ? t->few_dbranch : t->dbranch;

    g->backend->norm_backward(g->device, &n, dsum, true, dbranch == dsum ? NULL : dbranch,
                              lw_model_grad(g, g->at.norm_weight),
                              lw_model_grad(g, g->at.norm_bias), lw_block_branch_bias(&c), t->dy,
                              b->sum, b->mean, b->rstd, lw_model_weight(g, g->at.norm_weight),
                              accumulate);
    for (int i = g->spec.layers - 1; i >= 0; i--) {
        struct lw_block_call below = i ? lw_model_call(g, b, shape, i - 1, true) : c;

        lw_block_backward(&c, i ? lw_block_branch_bias(&below) : NULL, accumulate);
        announce(g, i + 1, last);
        c = below;
    }
    g->front->embed_backward(g, accumulate);
    announce(g, 0, last);
}

static void micro_batch(struct lw_model *g, bool accumulate, bool last)
{
    const struct lw_model_buffers *b = &g->train;
    struct lw_head head = lw_model_head(g, lw_model_ended(g, b->shape.batch, b->shape.length));

    forward(g, b, &b->shape, true);
    g->backend->head_loss(g->device, &head, b->scratch.dy, lw_model_grad(g, g->at.head_weight),
                          lw_model_grad(g, g->at.head_bias), b->predicted, b->y,
                          lw_model_weight(g, g->at.head_weight),
                          lw_model_weight(g, g->at.head_bias), b->targets, accumulate);
    if (g->plan.tally)
        g->backend->tally(g->device, b->shape.batch, head.rows / b->shape.batch, head.classes,
                          g->said[OPEN_STEP], b->predicted, b->targets);
    backward(g, accumulate, last);
}

int lw_model_check_tokens(const struct lw_model *g, const int32_t *tokens, size_t count, int length,
                          bool targets, struct lw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if ((uint32_t)tokens[i] < (uint32_t)g->spec.vocabulary)
            continue;
        if (targets && tokens[i] == LW_IGNORED)
            continue;
        return lw_fail(err, LW_EDATA,
                       "%s %d at sequence %zu, position %zu is not in the vocabulary of %d tokens",
                       targets ? "target" : "token", tokens[i], i / (size_t)length,
                       i % (size_t)length, g->spec.vocabulary);
    }
    return 0;
}

static int check_labels(const struct lw_model *g, int batch, const int32_t *labels,
                        struct lw_error *err)
{
    for (int i = 0; i < batch; i++)
        if ((uint32_t)labels[i] >= (uint32_t)g->spec.classes && labels[i] != LW_IGNORED)
            return lw_fail(err, LW_EDATA, "label %d of item %d is none of the %d classes",
                           labels[i], i, g->spec.classes);
    return 0;
}

int lw_model_check_batch(const struct lw_model *g, int batch, int length, const void *input,
                         const int32_t *targets, struct lw_error *err)
{
    const size_t count = (size_t)batch * (size_t)length;
    int rc = 0;

    if (!g->spec.image_size)
        rc = lw_model_check_tokens(g, input, count, length, false, err);
    if (rc || !targets)
        return rc;
    return g->spec.classes ? check_labels(g, batch, targets, err)
                           : lw_model_check_tokens(g, targets, count, length, true, err);
}

/* Send a batch, checked before, to the device. A classifier's head reads the class token, which is
 * an image's first, or the last token that is no padding. */
static void feed(struct lw_model *g, const struct lw_model_buffers *b, int batch, int length,
                 const void *input, const int32_t *targets)
{
    const int32_t *tokens = input;

    g->backend->feed(g->device, b->input, input, lw_model_input_bytes(g, batch, length));
    if (targets)
        g->backend->feed(g->device, b->targets, targets,
                         (size_t)lw_model_ended(g, batch, length) * sizeof *targets);
    if (!g->spec.classes)
        return;
    for (int i = 0; i < batch; i++) {
        int last = g->spec.image_size ? 0 : length - 1;

        while (last > 0 && tokens[(size_t)i * (size_t)length + (size_t)last] == g->spec.padding)
            last--;
        g->pick[i] = i * length + last;
    }
    g->backend->feed(g->device, b->pick, g->pick, (size_t)batch * sizeof *g->pick);
}

static int not_planned(const char *what, struct lw_error *err)
{
    return lw_fail(err, LW_EUSAGE, "this model was not prepared for %s", what);
}

int lw_model_train(struct lw_model *g, const struct lw_step *step, const void *input,
                   const int32_t *targets, bool accumulate, bool last, struct lw_error *err)
{
    const struct lw_model_buffers *b = &g->train;
    const int slot = (accumulate ? SLOT_ACCUMULATE : 0) | (last && g->hook ? SLOT_LAST : 0);
    int rc;

    if (!g->plan.batch)
        return not_planned("training", err);
    rc = lw_model_check_batch(g, b->shape.batch, b->shape.length, input, targets, err);
    if (rc)
        return rc;
    g->backend->set_step(g->device, step);
    feed(g, b, b->shape.batch, b->shape.length, input, targets);
    if (!g->plan.record || !(g->warm & 1u << slot)) { /* ops.h: first op by op */
        g->warm |= 1u << slot;
        micro_batch(g, accumulate, last);
        return 0;
    }
    if (!(g->recorded & 1u << slot)) {
        if ((rc = g->backend->record(g->device, slot, err)))
            return rc;
        micro_batch(g, accumulate, last);
        if ((rc = g->backend->record_end(g->device, err)))
            return rc;
        g->recorded |= 1u << slot;
    }
    return g->backend->replay(g->device, slot, err);
}

static void update(struct lw_model *g, const struct lw_adamw *a)
{
    const struct lw_params *p = &g->params;
    struct lw_update u = {.count = p->count,
                          .spans = p->spans,
                          .span_count = p->span_count,
                          .beta1 = a->beta1,
                          .beta2 = a->beta2,
                          .epsilon = a->epsilon,
                          .weight_decay = a->weight_decay,
                          .max_norm = a->max_norm};

    g->backend->update(g->device, &u, p->flat.weights, p->flat.master, p->flat.grads, p->flat.m,
                       p->flat.v);
    if (g->plan.tally)
        g->backend->tally_move(g->device, g->said[WHOLE_STEPS], g->said[OPEN_STEP],
                               lw_model_tally_size(g));
}

int lw_model_update(struct lw_model *g, const struct lw_adamw *a, struct lw_error *err)
{
    int rc;

    if (!g->plan.batch)
        return not_planned("training", err);
    if (!g->plan.record || !(g->warm & 1u << SLOT_UPDATE)) {
        g->warm |= 1u << SLOT_UPDATE;
        update(g, a);
        return 0;
    }
    if (!(g->recorded & 1u << SLOT_UPDATE) || memcmp(a, &g->recorded_update, sizeof *a)) {
        if ((rc = g->backend->record(g->device, SLOT_UPDATE, err)))
            return rc;
        update(g, a);
        if ((rc = g->backend->record_end(g->device, err)))
            return rc;
        g->recorded |= 1u << SLOT_UPDATE;
        g->recorded_update = *a;
    }
    return g->backend->replay(g->device, SLOT_UPDATE, err);
}

/* The planned evaluation shape, cut down to what is asked for. */
static int evaluation_shape(const struct lw_model *g, int batch, int length,
                            struct lw_block_shape *out, struct lw_error *err)
{
    *out = g->evaluate.shape;
    if (!g->plan.eval_batch)
        return not_planned("evaluation", err);
    if (g->spec.image_size)
        length = out->length;
    if (batch < 1 || length < 1 || batch > out->batch || length > out->length)
        return lw_fail(err, LW_EUSAGE,
                       "evaluation of %d sequences of %d tokens, but %d of %d were planned", batch,
                       length, out->batch, out->length);
    out->batch = batch;
    out->length = length;
    return 0;
}

int lw_model_evaluate(struct lw_model *g, int batch, int length, const void *input,
                      const int32_t *targets, int32_t *predicted, struct lw_error *err)
{
    const struct lw_model_buffers *b = &g->evaluate;
    struct lw_block_shape shape;
    struct lw_head head;
    int rc = evaluation_shape(g, batch, length, &shape, err);

    if (!rc)
        rc = lw_model_check_batch(g, batch, shape.length, input, targets, err);
    if (rc)
        return rc;
    head = lw_model_head(g, lw_model_ended(g, batch, shape.length));
    feed(g, b, batch, shape.length, input, targets);
    forward(g, b, &shape, false);
    g->backend->head_loss(g->device, &head, NULL, NULL, NULL, predicted ? b->predicted : NULL, b->y,
                          lw_model_weight(g, g->at.head_weight),
                          lw_model_weight(g, g->at.head_bias), b->targets, false);
    if (!predicted)
        return 0;
    if ((rc = g->backend->wait(g->device, err)))
        return rc;
    return g->backend->download(g->device, predicted, b->predicted,
                                (size_t)head.rows * sizeof *predicted, err);
}

int lw_model_said(struct lw_model *g, uint64_t *table, struct lw_error *err)
{
    int rc;

    if (!g->plan.tally)
        return not_planned("counting what it says", err);
    rc = g->backend->wait(g->device, err);
    return rc ? rc
              : g->backend->download(g->device, table, g->said[WHOLE_STEPS],
                                     lw_model_tally_size(g) * sizeof *table, err);
}

int lw_model_logits(struct lw_model *g, int batch, int length, const void *input, float *logits,
                    struct lw_error *err)
{
    const struct lw_model_buffers *b = &g->evaluate;
    const size_t columns = (size_t)g->out;
    struct lw_block_shape shape;
    int rc = evaluation_shape(g, batch, length, &shape, err), rows;

    if (!rc)
        rc = lw_model_check_batch(g, batch, shape.length, input, NULL, err);
    if (rc)
        return rc;
    rows = lw_model_ended(g, batch, shape.length);
    feed(g, b, batch, shape.length, input, NULL);
    forward(g, b, &shape, false);
    for (int i = 0; i < rows; i += LW_MODEL_LOGIT_ROWS) {
        int n = rows - i < LW_MODEL_LOGIT_ROWS ? rows - i : LW_MODEL_LOGIT_ROWS;
        struct lw_head head = lw_model_head(g, n);
        size_t row = (size_t)g->spec.channels * shape.element;

        g->backend->head_logits(g->device, &head, b->logits, (char *)b->y + (size_t)i * row,
                                lw_model_weight(g, g->at.head_weight),
                                lw_model_weight(g, g->at.head_bias));
        if ((rc = g->backend->wait(g->device, err)) ||
            (rc = g->backend->download(g->device, logits + (size_t)i * columns, b->logits,
                                       (size_t)n * columns * sizeof *logits, err)))
            return rc;
    }
    return 0;
}
