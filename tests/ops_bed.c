/* SPDX-License-Identifier: MIT */
#include "tests/ops_bed.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/ops/cpu/kernels.h"

const struct lw_backend *const bed = &lw_backend_cpu;

enum { MOST = 8192 };
static void *taken[MOST];
static int taken_count;
static uint64_t stream = 1;
static const char *current = "?";

static void *take(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);

    cr_assert(p && taken_count < MOST);
    taken[taken_count++] = p;
    return p;
}

const char *const *bed_variants(void)
{
    static const char *words[4];
    int n = 0;

    for (const struct lw_cpu_kernels *const *v = lw_cpu_variants(); *v; v++)
        words[n++] = (*v)->lanes == 16 ? "avx512" : (*v)->lanes == 8 ? "avx2" : "portable";
    return words;
}

struct lw_device *bed_open_threads(const char *variant, int threads, const struct lw_shapes *shapes)
{
    struct lw_device_options opt = {.threads = threads, .precision = LW_F32};
    struct lw_device *dev;
    struct lw_error err;

    current = variant;
    setenv("LEEWAY_ISA", variant, 1);
    cr_assert_eq(bed->open(&dev, &opt, &err), 0, "%s", err.text);
    cr_assert_eq(bed->prepare(dev, shapes, &err), 0, "%s", err.text);
    bed_step(dev, 1, 0, 1);
    return dev;
}

struct lw_device *bed_open(const char *variant, int batch, int length, int heads, int head_dim,
                           int feed_forward, int vocabulary, enum lw_attention_kind attention)
{
    struct lw_shapes s = {.batch = batch,
                          .length = length,
                          .channels = heads * head_dim,
                          .heads = heads,
                          .feed_forward = feed_forward,
                          .vocabulary = vocabulary,
                          .attention = attention,
                          .training = true};

    return bed_open_threads(variant, 3, &s);
}

void bed_close(struct lw_device *dev)
{
    bed->close(dev);
    while (taken_count)
        free(taken[--taken_count]);
}

void bed_step(struct lw_device *dev, uint64_t step, uint32_t micro, uint64_t seed)
{
    struct lw_step s = {.step = step, .micro = micro, .seed = seed, .learning_rate = 0.01f};

    bed->set_step(dev, &s);
}

float *bed_random(size_t count, float deviation)
{
    float *x = take(count * sizeof(float)), four[4];

    stream++;
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            lw_random_normal(99, stream, i / 4, four);
        x[i] = deviation * four[i % 4];
    }
    return x;
}

float *bed_poison(size_t count)
{
    float *x = take(count * sizeof(float));

    for (size_t i = 0; i < count; i++)
        x[i] = NAN;
    return x;
}

float *bed_copy(const float *x, size_t count)
{
    float *y = take(count * sizeof(float));

    memcpy(y, x, count * sizeof(float));
    return y;
}

int32_t *bed_tokens(size_t count, int below)
{
    int32_t *x = take(count * sizeof(int32_t));
    struct lw_random r;

    lw_random_init(&r, 98, stream++);
    for (size_t i = 0; i < count; i++)
        x[i] = (int32_t)lw_random_below(&r, (uint32_t)below);
    return x;
}

double *bed_doubles(size_t count)
{
    double *x = take(count * sizeof(double));

    memset(x, 0, count * sizeof(double));
    return x;
}

void bed_check(const char *what, const float *x, const double *wanted, size_t count,
               double tolerance)
{
    double largest = 0;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(wanted[i]));
    for (size_t i = 0; i < count; i++)
        cr_assert(fabs(x[i] - wanted[i]) <= tolerance * (1 + largest),
                  "%s: %s[%zu] is %.9g, not %.9g", current, what, i, x[i], wanted[i]);
}

void bed_check_same(const char *what, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(!memcmp(&a[i], &b[i], sizeof(float)), "%s: %s[%zu] is %.9g and then %.9g",
                  current, what, i, a[i], b[i]);
}

double bed_mask(const struct lw_dropout *d, uint64_t step, uint32_t micro, uint64_t seed,
                uint64_t element)
{
    uint32_t word[4];

    if (d->p <= 0)
        return 1;
    lw_philox(seed, LW_STREAM_DROPOUT | (uint64_t)d->site << 8 | (step * 4096 + micro) << 24,
              element / 4, word);
    return word[element % 4] >= d->p * 4294967296.0 ? 1 / (1 - (double)d->p) : 0;
}
