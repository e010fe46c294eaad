/* SPDX-License-Identifier: MIT */
#include "tests/two_backends.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"

struct side cpu, gpu;
static uint64_t draws;

const struct lw_shapes small = {.batch = 4,
                                .length = 96,
                                .channels = 192,
                                .heads = 3,
                                .feed_forward = 768,
                                .vocabulary = 384,
                                .attention = LW_ATTENTION_MATH,
                                .causal = true,
                                .training = true};

void must(int rc, const struct lw_error *err)
{
    cr_assert_eq(rc, 0, "%s", err->text);
}

bool open_both(enum lw_dtype type, bool deterministic, const struct lw_shapes *shapes)
{
    struct lw_error err = {0};
    struct lw_device_options o = {.threads = 2, .precision = LW_F32};

    gpu.ops = lw_backend_find("cuda", &err);
    if (!gpu.ops)
        cr_skip_test("%s", err.text);
    o.precision = type;
    o.deterministic = deterministic;
    if (gpu.ops->open(&gpu.dev, &o, &err))
        cr_skip_test("%s", err.text);
    gpu.type = type;
    cpu.ops = &lw_backend_cpu;
    cpu.type = LW_F32;
    o.precision = LW_F32;
    must(cpu.ops->open(&cpu.dev, &o, &err), &err);
    must(gpu.ops->prepare(gpu.dev, shapes, &err), &err);
    struct lw_shapes s = *shapes;
    if (s.attention == LW_ATTENTION_CUDNN)
        s.attention = LW_ATTENTION_TILED;
    must(cpu.ops->prepare(cpu.dev, &s, &err), &err);
    const struct lw_step step = {.step = 7, .micro = 1, .seed = 99, .learning_rate = 1e-2f};
    cpu.ops->set_step(cpu.dev, &step);
    gpu.ops->set_step(gpu.dev, &step);
    return true;
}

void close_both(void)
{
    struct lw_error err = {0};

    must(gpu.ops->wait(gpu.dev, &err), &err);
    gpu.ops->close(gpu.dev);
    cpu.ops->close(cpu.dev);
}

static enum lw_dtype type_on(const struct side *s, enum kind kind)
{
    return kind == ACTIVATION ? s->type : kind == ID ? LW_I32 : LW_F32;
}

float *draw(size_t n, float scale)
{
    float *x = malloc((n + 4) * sizeof *x);
    uint16_t half;

    draws++;
    for (size_t i = 0; i < n; i += 4)
        lw_random_normal(5, draws, i, x + i);
    for (size_t i = 0; i < n; i++) {
        x[i] *= scale;
        if (gpu.type == LW_BF16) {
            lw_from_f32(&half, LW_BF16, x + i, 1);
            lw_to_f32(x + i, &half, LW_BF16, 1);
        }
    }
    return x;
}

void *put(const struct side *s, const void *host, size_t n, enum kind kind)
{
    const enum lw_dtype type = type_on(s, kind);
    const size_t bytes = n * lw_dtype_size(type);
    struct lw_error err = {0};
    void *to, *copy = malloc(bytes);

    if (kind == ID)
        memcpy(copy, host, bytes);
    else
        lw_from_f32(copy, type, host, n);
    must(s->ops->alloc(s->dev, bytes, &to, &err), &err);
    must(s->ops->upload(s->dev, to, copy, bytes, &err), &err);
    free(copy);
    return to;
}

void *room(const struct side *s, size_t n, enum kind kind)
{
    const size_t bytes = n * lw_dtype_size(type_on(s, kind));
    struct lw_error err = {0};
    void *to, *poison = malloc(bytes);

    memset(poison, 0xff, bytes);
    must(s->ops->alloc(s->dev, bytes, &to, &err), &err);
    must(s->ops->upload(s->dev, to, poison, bytes, &err), &err);
    free(poison);
    return to;
}

float *get(const struct side *s, const void *from, size_t n, enum kind kind)
{
    const enum lw_dtype type = type_on(s, kind);
    struct lw_error err = {0};
    void *raw = malloc(n * lw_dtype_size(type));
    float *x = malloc(n * sizeof *x);

    must(s->ops->download(s->dev, raw, from, n * lw_dtype_size(type), &err), &err);
    if (kind == ID)
        for (size_t i = 0; i < n; i++)
            x[i] = (float)((int32_t *)raw)[i];
    else
        lw_to_f32(x, raw, type, n);
    free(raw);
    return x;
}

void compare(const char *what, const void *on_cpu, const void *on_gpu, size_t n, enum kind kind,
             double tolerance)
{
    float *want = get(&cpu, on_cpu, n, kind), *got = get(&gpu, on_gpu, n, kind);
    double square = 0, difference = 0;

    for (size_t i = 0; i < n; i++) {
        cr_assert(isfinite(got[i]), "%s: element %zu of %zu is %g (the CPU's %g)", what, i, n,
                  got[i], want[i]);
        square += (double)want[i] * want[i];
        difference += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
    }
    cr_assert(sqrt(difference) <= tolerance * sqrt(square), "%s: off by %.3g of its norm, not %.3g",
              what, sqrt(difference / square), tolerance);
    free(want);
    free(got);
}

double tolerance(void)
{
    return gpu.type == LW_BF16 ? 5e-3 : 2e-5;
}
