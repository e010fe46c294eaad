/* SPDX-License-Identifier: MIT */
#include "engine/model/block.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int rows_of(const struct lw_block_shape *s)
{
    return s->batch * s->length;
}

static struct lw_dropout dropout_at(const struct lw_block_call *c, uint32_t site)
{
    return (struct lw_dropout){c->training ? c->shape->dropout : 0.0f, site};
}

static struct lw_norm norm_of(const struct lw_block_call *c, int rows, uint32_t site)
{
    return (struct lw_norm){rows, c->shape->channels, c->shape->epsilon, dropout_at(c, site)};
}

static struct lw_linear linear_of(const struct lw_block_call *c, int rows, int in, int out,
                                  enum lw_activation activation)
{
    return (struct lw_linear){rows, in, out, c->shape->layout, activation};
}

static struct lw_attention attention_of(const struct lw_block_call *c)
{
    const struct lw_block_shape *s = c->shape;
    int head_dim = s->channels / s->heads;

    return (struct lw_attention){.kind = s->attention,
                                 .batch = s->batch,
                                 .length = s->length,
                                 .heads = s->heads,
                                 .head_dim = head_dim,
                                 .causal = s->causal,
                                 .scale = 1.0f / sqrtf((float)head_dim),
                                 .dropout = dropout_at(c, c->site)};
}

static const void *weight(const struct lw_block_call *c, size_t offset)
{
    return lw_weight_at(c->params, offset);
}

static void *grad(const struct lw_block_call *c, size_t offset)
{
    return lw_grad_at(c->params, offset);
}

/* y1, and s1 where it is not yet the stream's residual. */
static void norm1(const struct lw_block_call *c, int rows, struct lw_block_stream in)
{
    const struct lw_block_offsets *o = c->offsets;
    const struct lw_block_saved *a = c->saved;
    struct lw_norm n = norm_of(c, rows, c->site - 1);

    c->backend->norm(c->device, &n, a->y1, in.branch ? a->s1 : NULL, a->mean1, a->rstd1,
                     in.residual, in.branch, weight(c, o->norm1_weight), weight(c, o->norm1_bias));
}

static void norm2(const struct lw_block_call *c, int rows, struct lw_block_stream in)
{
    const struct lw_block_offsets *o = c->offsets;
    const struct lw_block_saved *a = c->saved;
    struct lw_norm n = norm_of(c, rows, c->site + 1);

    c->backend->norm(c->device, &n, a->y2, in.branch ? a->s2 : NULL, a->mean2, a->rstd2,
                     in.residual, in.branch, weight(c, o->norm2_weight), weight(c, o->norm2_bias));
}

/* The product that ends a branch: residual + x W + b goes to sum, unless the branch is dropped
 * before it is added. */
static struct lw_block_stream end_branch(const struct lw_block_call *c, const struct lw_linear *l,
                                         void *sum, const void *residual, const void *x, size_t w,
                                         size_t bias)
{
    const bool dropped = dropout_at(c, c->site).p > 0;
    void *branch = c->scratch->branch;

    c->backend->linear(c->device, l, dropped ? branch : sum, NULL, x, weight(c, w), weight(c, bias),
                       dropped ? NULL : residual);
    return dropped ? (struct lw_block_stream){residual, branch}
                   : (struct lw_block_stream){sum, NULL};
}

static void qkv(const struct lw_block_call *c, int rows)
{
    const int channels = c->shape->channels;
    struct lw_linear l = linear_of(c, rows, channels, 3 * channels, LW_NO_ACTIVATION);

    c->backend->linear(c->device, &l, c->saved->qkv, NULL, c->saved->y1,
                       weight(c, c->offsets->qkv_weight), weight(c, c->offsets->qkv_bias), NULL);
}

/* From the attention's output to the block's. */
static struct lw_block_stream rest(const struct lw_block_call *c, int rows, const void *s1,
                                   const void *attended)
{
    const struct lw_block_shape *s = c->shape;
    const struct lw_block_offsets *o = c->offsets;
    const struct lw_block_saved *a = c->saved;
    struct lw_linear out = linear_of(c, rows, s->channels, s->channels, LW_NO_ACTIVATION);
    struct lw_linear fc = linear_of(c, rows, s->channels, s->feed_forward, s->activation);
    struct lw_linear proj = linear_of(c, rows, s->feed_forward, s->channels, LW_NO_ACTIVATION);

    norm2(c, rows, end_branch(c, &out, a->s2, s1, attended, o->out_weight, o->out_bias));
    c->backend->linear(c->device, &fc, a->hidden, a->pre, a->y2, weight(c, o->fc_weight),
                       weight(c, o->fc_bias), NULL);
    return end_branch(c, &proj, c->sum, a->s2, a->hidden, o->proj_weight, o->proj_bias);
}

static void pick(const struct lw_block_call *c, void *out, const void *in)
{
    c->backend->gather(c->device, c->few, c->shape->channels, out, in, c->pick);
}

struct lw_block_stream lw_block_forward(const struct lw_block_call *c, struct lw_block_stream in)
{
    const struct lw_block_saved *a = c->saved;
    struct lw_attention attention = attention_of(c);
    const int rows = rows_of(c->shape);

    norm1(c, rows, in);
    qkv(c, rows);
    c->backend->attention(c->device, &attention, a->attended, a->lse, a->p, a->qkv);
    if (!c->pick)
        return rest(c, rows, a->s1, a->attended);
    pick(c, a->few_attended, a->attended);
    pick(c, a->few_s1, a->s1);
    return rest(c, c->few, a->few_s1, a->few_attended);
}

struct lw_block_stream lw_block_extend(const struct lw_block_call *c, struct lw_block_stream in,
                                       void *keys, void *values, int position, int count)
{
    const struct lw_block_saved *a = c->saved;
    struct lw_attention attention = attention_of(c);
    const size_t row = (size_t)c->shape->channels * c->shape->element;

    norm1(c, count, in);
    qkv(c, count);
    for (int i = 0; i < count; i++)
        c->backend->attention_decode(c->device, &attention, (char *)a->attended + (size_t)i * row,
                                     keys, values, (const char *)a->qkv + (size_t)i * 3 * row,
                                     position + i);
    return rest(c, count, a->s1, a->attended);
}

/* Gradient of the feed-forward half: dy for norm2, from the branch's gradient. */
static void feed_forward_backward(const struct lw_block_call *c, int rows, const void *dbranch,
                                  bool accumulate)
{
    const struct lw_block_shape *s = c->shape;
    const struct lw_block_offsets *o = c->offsets;
    const struct lw_block_saved *a = c->saved;
    const struct lw_block_scratch *t = c->scratch;
    struct lw_linear proj = linear_of(c, rows, s->feed_forward, s->channels, LW_NO_ACTIVATION);
    struct lw_linear fc = linear_of(c, rows, s->channels, s->feed_forward, s->activation);

    if (s->recompute >= LW_RECOMPUTE_GELU)
        c->backend->activate(c->device, s->activation, a->hidden, a->pre,
                             (size_t)rows * (size_t)s->feed_forward);
    c->backend->linear_backward(c->device, &proj, t->dwide, grad(c, o->proj_weight), NULL,
                                grad(c, o->fc_bias), dbranch, a->hidden, weight(c, o->proj_weight),
                                a->pre, s->activation, accumulate);
    if (s->recompute >= LW_RECOMPUTE_GELU_NORM)
        norm2(c, rows, (struct lw_block_stream){a->s2, NULL});
    c->backend->linear_backward(c->device, &fc, t->dy, grad(c, o->fc_weight), NULL, NULL, t->dwide,
                                a->y2, weight(c, o->fc_weight), NULL, LW_NO_ACTIVATION, accumulate);
}

/* Gradient of the attention's output, from the branch's gradient of so many rows. */
static const void *out_backward(const struct lw_block_call *c, int rows, const void *dbranch,
                                bool accumulate)
{
    const struct lw_block_shape *s = c->shape;
    const struct lw_block_offsets *o = c->offsets;
    const struct lw_block_saved *a = c->saved;
    const struct lw_block_scratch *t = c->scratch;
    struct lw_linear out = linear_of(c, rows, s->channels, s->channels, LW_NO_ACTIVATION);

    c->backend->linear_backward(c->device, &out, t->dy, grad(c, o->out_weight), NULL, NULL, dbranch,
                                c->pick ? a->few_attended : a->attended, weight(c, o->out_weight),
                                NULL, LW_NO_ACTIVATION, accumulate);
    if (!c->pick)
        return t->dy;
    c->backend->scatter(c->device, rows_of(s), rows, s->channels, t->branch, t->dy, c->pick);
    return t->branch;
}

/* Gradient of the attention half: dy for norm1, from the attention's output's. */
static void attention_backward(const struct lw_block_call *c, const void *dout, bool accumulate)
{
    const struct lw_block_shape *s = c->shape;
    const struct lw_block_offsets *o = c->offsets;
    const struct lw_block_saved *a = c->saved;
    const struct lw_block_scratch *t = c->scratch;
    const int rows = rows_of(s);
    struct lw_attention attention = attention_of(c);
    struct lw_linear in = linear_of(c, rows, s->channels, 3 * s->channels, LW_NO_ACTIVATION);

    c->backend->attention_backward(c->device, &attention, t->dwide, dout, a->attended, a->lse, a->p,
                                   a->qkv);
    if (s->recompute >= LW_RECOMPUTE_GELU_NORM)
        norm1(c, rows, (struct lw_block_stream){a->s1, NULL});
    c->backend->linear_backward(c->device, &in, t->dy, grad(c, o->qkv_weight), grad(c, o->qkv_bias),
                                NULL, t->dwide, a->y1, weight(c, o->qkv_weight), NULL,
                                LW_NO_ACTIVATION, accumulate);
}

void *lw_block_branch_bias(const struct lw_block_call *c)
{
    return grad(c, c->offsets->proj_bias);
}

void lw_block_backward(const struct lw_block_call *c, void *below, bool accumulate)
{
    const struct lw_block_offsets *o = c->offsets;
    const struct lw_block_saved *a = c->saved;
    const struct lw_block_scratch *t = c->scratch;
    const int rows = rows_of(c->shape), ended = c->pick ? c->few : rows;
    void *dsum = c->pick ? t->few_dsum : t->dsum;
    void *dbranch = c->pick ? t->few_dbranch : t->dbranch;
    struct lw_norm n1 = norm_of(c, rows, c->site - 1), n2 = norm_of(c, ended, c->site + 1);
    const void *dout;

    feed_forward_backward(c, ended, dbranch, accumulate);
    c->backend->norm_backward(c->device, &n2, dsum, false, dbranch == dsum ? NULL : dbranch,
                              grad(c, o->norm2_weight), grad(c, o->norm2_bias),
                              grad(c, o->out_bias), t->dy, a->s2, a->mean2, a->rstd2,
                              weight(c, o->norm2_weight), accumulate);
    dout = out_backward(c, ended, dbranch, accumulate);
    if (c->pick)
        c->backend->scatter(c->device, rows, c->few, c->shape->channels, t->dsum, dsum, c->pick);
    attention_backward(c, dout, accumulate);
    c->backend->norm_backward(c->device, &n1, t->dsum, false,
                              !below || t->dbranch == t->dsum ? NULL : t->dbranch,
                              grad(c, o->norm1_weight), grad(c, o->norm1_bias), below, t->dy, a->s1,
                              a->mean1, a->rstd1, weight(c, o->norm1_weight), accumulate);
}

/* A block's parameters in their order in the table, joined ones counted as one. */
enum {
    IN_MATRIX,
    OUT_MATRIX,
    FC_MATRIX,
    PROJ_MATRIX,
    NORM1_WEIGHT,
    NORM1_BIAS,
    IN_BIAS,
    OUT_BIAS,
    NORM2_WEIGHT,
    NORM2_BIAS,
    FC_BIAS,
    PROJ_BIAS,
    BLOCK_PARAMS
};

static int add(struct lw_params *p, struct lw_param *param, const char *prefix, const char *name,
               const char *kind, struct lw_error *err)
{
    int n = snprintf(param->name, sizeof param->name, "%s%s.%s", prefix, name, kind);

    if (n < 0 || (size_t)n >= sizeof param->name)
        return lw_fail(err, LW_EUSAGE, "parameter name %s%s.%s is too long", prefix, name, kind);
    return lw_params_add(p, param, 0, err);
}

static int add_matrix(struct lw_params *p, int block, const char *prefix, const char *name, int in,
                      int out, enum lw_layout layout, float deviation, bool joined,
                      struct lw_error *err)
{
    struct lw_param param = {
        .block = block,
        .rank = 2,
        .shape = {layout == LW_IN_OUT ? in : out, layout == LW_IN_OUT ? out : in},
        .layout = layout,
        .decay = true,
        .joined = joined,
        .init = LW_INIT_NORMAL,
        .deviation = deviation};

    return add(p, &param, prefix, name, "weight", err);
}

static int add_vector(struct lw_params *p, int block, const char *prefix, const char *name,
                      const char *kind, int count, bool joined, struct lw_error *err)
{
    struct lw_param param = {.block = block,
                             .rank = 1,
                             .shape = {count},
                             .joined = joined,
                             .init = strcmp(kind, "bias") ? LW_INIT_ONES : LW_INIT_ZEROS};

    return add(p, &param, prefix, name, kind, err);
}

/* Glorot and Bengio, 2010: as much goes forward as comes back, whatever the width. */
static float xavier(int in, int out)
{
    return sqrtf(2.0f / (float)(in + out));
}

int lw_block_params(struct lw_params *p, int block, const char *prefix,
                    const struct lw_block_names *names, const struct lw_block_shape *shape,
                    float deviation, float residual_deviation, struct lw_error *err)
{
    const int c = shape->channels, f = shape->feed_forward, parts = names->qkv[1] ? 3 : 1;
    const struct {
        const char *const *name;
        int parts, in, out;
        float deviation;
    } matrices[] = {
        {names->qkv, parts, c, 3 * c / parts, deviation},
        {&names->out, 1, c, c, residual_deviation},
        {&names->fc, 1, c, f, deviation},
        {&names->proj, 1, f, c, residual_deviation},
    };
    const struct {
        const char *const *name;
        const char *kind;
        int parts, count;
    } vectors[] = {
        {&names->norm1, "weight", 1, c},
        {&names->norm1, "bias", 1, c},
        {names->qkv, "bias", parts, 3 * c / parts},
        {&names->out, "bias", 1, c},
        {&names->norm2, "weight", 1, c},
        {&names->norm2, "bias", 1, c},
        {&names->fc, "bias", 1, f},
        {&names->proj, "bias", 1, c},
    };
    int rc = 0;

    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++)
        for (int part = 0; part < matrices[i].parts && !rc; part++)
            rc = add_matrix(p, block, prefix, matrices[i].name[part], matrices[i].in,
                            matrices[i].out, shape->layout,
                            matrices[i].deviation > 0 ? matrices[i].deviation
                                                      : xavier(matrices[i].in, matrices[i].out),
                            part > 0, err);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        for (int part = 0; part < vectors[i].parts && !rc; part++)
            rc = add_vector(p, block, prefix, vectors[i].name[part], vectors[i].kind,
                            vectors[i].count, part > 0, err);
    return rc;
}

void lw_block_locate(const struct lw_params *p, int block, struct lw_block_offsets *out)
{
    const struct lw_param_block *b = &p->blocks[block];
    size_t at[BLOCK_PARAMS] = {0};
    int n = 0;

    for (int i = b->first; i < b->first + b->params && n < BLOCK_PARAMS; i++)
        if (!p->list[i].joined)
            at[n++] = p->list[i].offset;
    *out = (struct lw_block_offsets){
        .qkv_weight = at[IN_MATRIX],
        .out_weight = at[OUT_MATRIX],
        .fc_weight = at[FC_MATRIX],
        .proj_weight = at[PROJ_MATRIX],
        .norm1_weight = at[NORM1_WEIGHT],
        .norm1_bias = at[NORM1_BIAS],
        .qkv_bias = at[IN_BIAS],
        .out_bias = at[OUT_BIAS],
        .norm2_weight = at[NORM2_WEIGHT],
        .norm2_bias = at[NORM2_BIAS],
        .fc_bias = at[FC_BIAS],
        .proj_bias = at[PROJ_BIAS],
    };
}
