/* SPDX-License-Identifier: MIT
 *
 * Attention alone on a GPU: forward and backward, each as a recording of calls over rotating
 * inputs, so that neither launching nor a warm cache flatters it. tests/bench/torch_attention.py
 * measures PyTorch the same way. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/random.h"
#include "engine/model/attention.h"
#include "engine/ops/ops.h"
#include "engine/train/bench.h"

#define SHAPES   "8x12x1024x64:causal,64x12x1024x64:causal,128x12x197x64:full"
#define SETS     4    /* of inputs and outputs, taken in turn */
#define CALLS    20   /* in a recording */
#define TIMES    15   /* measurements, of which the median counts */
#define AT_LEAST 0.02 /* seconds in a measurement: waiting for its end is then nothing */
#define DRAWN    (1u << 22)

struct set {
    void *qkv, *out, *p, *dqkv, *dout;
    float *lse;
};

struct job {
    const struct lw_backend *ops;
    struct lw_device *dev;
    struct lw_attention a;
    struct set set[SETS];
    size_t element;
    void *noise; /* DRAWN normal numbers in the device's type */
};

/* count elements of noise, from another place on for every seed. */
static int fill(struct job *j, void *to, size_t count, unsigned seed, struct lw_error *err)
{
    size_t from = seed * 123457u % DRAWN;
    int rc = 0;

    for (size_t done = 0; !rc && done < count;) {
        size_t n = DRAWN - from < count - done ? DRAWN - from : count - done;

        rc = j->ops->upload(j->dev, (char *)to + done * j->element,
                            (char *)j->noise + from * j->element, n * j->element, err);
        done += n;
        from = 0;
    }
    return rc;
}

static int draw(struct job *j, enum lw_dtype type, struct lw_error *err)
{
    float *x = malloc(DRAWN * sizeof *x);

    j->element = lw_dtype_size(type);
    j->noise = malloc(DRAWN * j->element);
    if (!x || !j->noise) {
        free(x);
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    for (size_t i = 0; i < DRAWN; i += 4)
        lw_random_normal(42, LW_STREAM_GENERATE, i / 4, x + i);
    lw_from_f32(j->noise, type, x, DRAWN);
    free(x);
    return 0;
}

static int take(struct job *j, struct lw_error *err)
{
    const struct lw_attention *a = &j->a;
    size_t rows = (size_t)a->batch * (size_t)a->length, heads = (size_t)a->heads;
    size_t n = rows * heads * (size_t)a->head_dim, bytes = n * j->element;
    int rc = 0;

    for (unsigned i = 0; !rc && i < SETS; i++) {
        struct set *s = &j->set[i];

        if ((rc = j->ops->alloc(j->dev, 3 * bytes, &s->qkv, err)) ||
            (rc = j->ops->alloc(j->dev, bytes, &s->out, err)) ||
            (rc = j->ops->alloc(j->dev, 3 * bytes, &s->dqkv, err)) ||
            (rc = j->ops->alloc(j->dev, bytes, &s->dout, err)) ||
            (rc = j->ops->alloc(j->dev, rows * heads * sizeof(float), (void **)&s->lse, err)))
            break;
        if (a->kind == LW_ATTENTION_MATH &&
            (rc = j->ops->alloc(j->dev, rows * heads * (size_t)a->length * j->element, &s->p, err)))
            break;
        if (!(rc = fill(j, s->qkv, 3 * n, 2 * i, err)))
            rc = fill(j, s->dout, n, 2 * i + 1, err);
    }
    return rc;
}

static void give(struct job *j)
{
    for (int i = 0; i < SETS; i++) {
        struct set *s = &j->set[i];
        void *const all[] = {s->qkv, s->out, s->p, s->dqkv, s->dout, s->lse};

        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            if (all[k])
                j->ops->release(j->dev, all[k]);
    }
}

static void call(struct job *j, bool backward, int turn)
{
    const struct set *s = &j->set[turn % SETS];

    if (backward)
        j->ops->attention_backward(j->dev, &j->a, s->dqkv, s->dout, s->out, s->lse, s->p, s->qkv);
    else
        j->ops->attention(j->dev, &j->a, s->out, s->lse, s->p, s->qkv);
}

/* A round of CALLS calls: the recording, where the backend has them. */
static int round_of(struct job *j, bool backward, struct lw_error *err)
{
    if (j->ops->replay)
        return j->ops->replay(j->dev, backward, err);
    for (int i = 0; i < CALLS; i++)
        call(j, backward, i);
    return 0;
}

static int measure(struct job *j, bool backward, int rounds, double *seconds, struct lw_error *err)
{
    double start;
    int rc = j->ops->wait(j->dev, err);

    start = lw_clock_now();
    for (int i = 0; !rc && i < rounds; i++)
        rc = round_of(j, backward, err);
    if (!rc)
        rc = j->ops->wait(j->dev, err);
    *seconds = (lw_clock_now() - start) / rounds / CALLS;
    return rc;
}

/* Seconds of one call: the median of several measurements. */
static int time_it(struct job *j, bool backward, double *seconds, struct lw_error *err)
{
    double took[TIMES], once;
    int rc, rounds;

    for (int i = 0; i < SETS; i++) /* each once op by op before it is recorded */
        call(j, backward, i);
    if ((rc = j->ops->wait(j->dev, err)))
        return rc;
    if (j->ops->record) {
        if ((rc = j->ops->record(j->dev, backward, err)))
            return rc;
        for (int i = 0; i < CALLS; i++)
            call(j, backward, i);
        if ((rc = j->ops->record_end(j->dev, err)))
            return rc;
    }
    if ((rc = measure(j, backward, 1, &once, err)) || (rc = measure(j, backward, 1, &once, err)))
        return rc;
    rounds = 1 + (int)(AT_LEAST / CALLS / once);
    for (int i = 0; i < TIMES; i++)
        if ((rc = measure(j, backward, rounds, &took[i], err)))
            return rc;
    *seconds = lw_bench_median(took, TIMES);
    return 0;
}

static json_t *row_of(const struct lw_attention *a, double forward, double backward)
{
    /* two products forward and five backward, of which a causal mask needs half */
    double flops = 4.0 * a->batch * a->heads * a->head_dim * (double)a->length * a->length *
                   (a->causal ? 0.5 : 1.0);

    return json_pack("{s:i, s:i, s:i, s:i, s:b, s:f, s:f, s:f, s:f}", "batch", a->batch, "heads",
                     a->heads, "length", a->length, "head_dim", a->head_dim, "causal",
                     (int)a->causal, "forward_us", forward * 1e6, "backward_us", backward * 1e6,
                     "forward_tflops", flops / forward * 1e-12, "backward_tflops",
                     2.5 * flops / backward * 1e-12);
}

/* One shape on a device of its own, so that scratch memory fits it. */
static int one(const struct lw_backend *ops, const struct lw_device_options *o,
               const struct lw_attention *a, json_t *out, json_t *list, struct lw_error *err)
{
    struct lw_shapes shapes = lw_bench_attention_shapes(a);
    struct job j = {.ops = ops, .a = *a};
    struct lw_device_info info;
    double forward, backward;
    int rc = ops->open(&j.dev, o, err);

    if (rc)
        return rc;
    ops->info(j.dev, &info);
    json_object_set_new(out, "device", json_string(info.name));
    if (!(rc = ops->attention_ready(j.dev, a, err)) && !(rc = ops->prepare(j.dev, &shapes, err)) &&
        !(rc = draw(&j, info.activation, err)) && !(rc = take(&j, err)) &&
        !(rc = time_it(&j, false, &forward, err)) && !(rc = time_it(&j, true, &backward, err)))
        json_array_append_new(list, row_of(a, forward, backward));
    give(&j);
    free(j.noise);
    ops->close(j.dev);
    return rc;
}

/* "8x12x1024x64:causal": batch, heads, length, head dimension; returns what follows, or NULL. */
static const char *read_shape(const char *text, struct lw_attention *a)
{
    char mask[8] = "";
    int used = 0;

    if (sscanf(text, "%dx%dx%dx%d:%6[a-z]%n", &a->batch, &a->heads, &a->length, &a->head_dim, mask,
               &used) != 5 ||
        a->batch < 1 || a->heads < 1 || a->length < 1 || a->head_dim < 1 || a->batch > 65536 ||
        a->heads > 1024 || a->length > 65536 || a->head_dim > 1024 ||
        (strcmp(mask, "causal") != 0 && strcmp(mask, "full") != 0) ||
        (text[used] && text[used] != ','))
        return NULL;
    a->causal = strcmp(mask, "causal") == 0;
    a->scale = 1.0f / sqrtf((float)a->head_dim);
    return text + used + (text[used] == ',');
}

int lw_bench_attention_gpu(struct lw_bench_args *a, const char *device, json_t *out,
                           struct lw_error *err)
{
    const char *shapes = lw_bench_take(a, "shapes", SHAPES), *at = shapes;
    const char *kind = lw_bench_take(a, "attention", "cudnn");
    const char *deterministic = lw_bench_take(a, "deterministic", "false");
    struct lw_device_options o = {
        .threads = 1, .precision = LW_BF16, .deterministic = strcmp(deterministic, "true") == 0};
    const struct lw_backend *ops = lw_backend_find("cuda", err);
    struct lw_attention shape = {.kind = (enum lw_attention_kind)lw_attention_parse(kind)};
    json_t *list = json_array();
    int rc = lw_bench_all_taken(a, err);

    json_object_set_new(out, "attention", json_string(kind));
    json_object_set_new(out, "shapes", list);
    if (rc)
        return rc;
    if (shape.kind != LW_ATTENTION_CUDNN && shape.kind != LW_ATTENTION_MATH)
        return lw_fail(err, LW_EUSAGE, "attention: \"%s\" is none of cudnn, math", kind);
    if (!ops)
        return err->code;
    o.index = device[4] == ':' ? atoi(device + 5) : 0;
    while (!rc && *at) {
        at = read_shape(at, &shape);
        rc =
            at ? one(ops, &o, &shape, out, list, err)
               : lw_fail(err, LW_EUSAGE, "shapes: \"%s\" is not a list such as %s", shapes, SHAPES);
    }
    return rc;
}
