/* SPDX-License-Identifier: MIT
 *
 * Tiled attention against the one that writes T x T out, by length: time of forward and backward,
 * and the memory that is needed for them. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/random.h"
#include "engine/model/attention.h"
#include "engine/ops/ops.h"
#include "engine/train/bench.h"
#include "engine/train/machine.h"

#define REPEATS   7
#define AT_LEAST  0.05 /* seconds in one measurement */
#define MAX_TURNS 1000

struct buffers {
    void *qkv, *out, *p, *dqkv, *dout;
    float *lse;
};

static int fill(const struct lw_backend *b, struct lw_device *dev, void *to, size_t count,
                uint64_t seed, struct lw_error *err)
{
    float *x = malloc((count + 3) / 4 * 4 * sizeof *x);
    int rc;

    if (!x)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (size_t i = 0; i < count; i += 4)
        lw_random_normal(seed, LW_STREAM_GENERATE, i / 4, x + i);
    rc = b->upload(dev, to, x, count * sizeof *x, err);
    free(x);
    return rc;
}

static int take(const struct lw_backend *b, struct lw_device *dev, const struct lw_attention *a,
                struct buffers *m, struct lw_error *err)
{
    size_t rows = (size_t)a->batch * (size_t)a->length, heads = (size_t)a->heads;
    size_t c = heads * (size_t)a->head_dim, bytes = rows * c * sizeof(float);
    int rc;

    if ((rc = b->alloc(dev, 3 * bytes, &m->qkv, err)) ||
        (rc = b->alloc(dev, bytes, &m->out, err)) ||
        (rc = b->alloc(dev, 3 * bytes, &m->dqkv, err)) ||
        (rc = b->alloc(dev, bytes, &m->dout, err)) ||
        (rc = b->alloc(dev, rows * heads * sizeof(float), (void **)&m->lse, err)))
        return rc;
    if (a->kind == LW_ATTENTION_MATH &&
        (rc = b->alloc(dev, rows * heads * (size_t)a->length * sizeof(float), &m->p, err)))
        return rc;
    rc = fill(b, dev, m->qkv, 3 * rows * c, 1, err);
    return rc ? rc : fill(b, dev, m->dout, rows * c, 2, err);
}

static void release(const struct lw_backend *b, struct lw_device *dev, struct buffers *m)
{
    void *all[] = {m->qkv, m->out, m->p, m->dqkv, m->dout, m->lse};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i])
            b->release(dev, all[i]);
}

/* Seconds of one forward and backward: the median of several measurements. */
static int time_it(const struct lw_backend *b, struct lw_device *dev, const struct lw_attention *a,
                   const struct buffers *m, double *seconds, struct lw_error *err)
{
    double took[REPEATS];

    for (int i = 0; i < REPEATS; i++) {
        double start = lw_clock_now(), now = start;
        int turns = 0, rc;

        for (; turns < MAX_TURNS && now - start < AT_LEAST; turns++) {
            b->attention(dev, a, m->out, m->lse, m->p, m->qkv);
            b->attention_backward(dev, a, m->dqkv, m->dout, m->out, m->lse, m->p, m->qkv);
            rc = b->wait(dev, err);
            if (rc)
                return rc;
            now = lw_clock_now();
        }
        took[i] = (now - start) / turns;
    }
    *seconds = lw_bench_median(took, REPEATS);
    return 0;
}

struct lw_shapes lw_bench_attention_shapes(const struct lw_attention *a)
{
    return (struct lw_shapes){.batch = a->batch,
                              .length = a->length,
                              .channels = a->heads * a->head_dim,
                              .heads = a->heads,
                              .feed_forward = a->heads * a->head_dim,
                              .vocabulary = 64,
                              .attention = a->kind,
                              .causal = a->causal,
                              .training = true};
}

/* One length with one kind, on a device of its own, so that scratch memory fits it. */
static int one(const struct lw_backend *b, const struct lw_device_options *o,
               const struct lw_attention *a, double *seconds, struct lw_error *err)
{
    struct lw_shapes shapes = lw_bench_attention_shapes(a);
    struct buffers m = {0};
    struct lw_device *dev;
    int rc = b->open(&dev, o, err);

    if (rc)
        return rc;
    if (!(rc = b->attention_ready(dev, a, err)) && !(rc = b->prepare(dev, &shapes, err)) &&
        !(rc = take(b, dev, a, &m, err)))
        rc = time_it(b, dev, a, &m, seconds, err);
    release(b, dev, &m);
    b->close(dev);
    return rc;
}

static int row(const struct lw_backend *b, const struct lw_device_options *o, struct lw_attention a,
               json_t *list, struct lw_error *err)
{
    double tiled, math, t = a.length, c = (double)a.heads * a.head_dim;
    double memory = (double)a.batch * t * (8 * c + a.heads) * sizeof(float);
    int rc;

    a.kind = LW_ATTENTION_TILED;
    rc = one(b, o, &a, &tiled, err);
    if (rc)
        return rc;
    a.kind = LW_ATTENTION_MATH;
    rc = one(b, o, &a, &math, err);
    if (rc)
        return rc;
    json_array_append_new(
        list,
        json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "length", a.length, "tiled_ms", tiled * 1e3,
                  "math_ms", math * 1e3, "times_faster", math / tiled, "tiled_mb", memory * 1e-6,
                  "math_mb", (memory + (double)a.batch * a.heads * t * t * sizeof(float)) * 1e-6));
    return 0;
}

int lw_bench_attention(struct lw_bench_args *a, json_t *out, struct lw_error *err)
{
    const char *device = lw_bench_take(a, "device", "cpu");
    const char *lengths = lw_bench_take(a, "lengths", "64,128,256,512,1024,2048");
    const struct lw_backend *b = &lw_backend_cpu;
    struct lw_device_options o = {.precision = LW_F32};
    struct lw_attention shape = {.causal = true};
    struct lw_machine m;
    json_t *list;
    int rc;

    if (strncmp(device, "cuda", 4) == 0 && (!device[4] || device[4] == ':'))
        return lw_bench_attention_gpu(a, device, out, err);
    if (strcmp(device, "cpu") != 0)
        return lw_fail(err, LW_EUSAGE, "device: \"%s\" is none of cpu, cuda, cuda:N", device);
    list = json_array();
    lw_machine_look(&m);
    json_object_set_new(out, "lengths", list);
    if ((rc = lw_bench_take_number(a, "threads", m.threads, 1, 4096, &o.threads, err)) ||
        (rc = lw_bench_take_number(a, "batch_size", 1, 1, 4096, &shape.batch, err)) ||
        (rc = lw_bench_take_number(a, "num_heads", 12, 1, 1024, &shape.heads, err)) ||
        (rc = lw_bench_take_number(a, "head_dim", 64, 1, 1024, &shape.head_dim, err)) ||
        (rc = lw_bench_all_taken(a, err)))
        return rc;
    shape.scale = 1.0f / __builtin_sqrtf((float)shape.head_dim);
    for (const char *at = lengths; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        shape.length = atoi(at);
        if (shape.length < 1 || shape.length > 65536)
            return lw_fail(err, LW_EUSAGE, "lengths: \"%s\" is not a list such as 64,1024",
                           lengths);
        rc = row(b, &o, shape, list, err);
        if (rc)
            return rc;
    }
    return 0;
}
