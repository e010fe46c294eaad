/* SPDX-License-Identifier: MIT
 *
 * Dropout inside cuDNN's attention. Which probabilities it keeps is its own affair; so the mask is
 * read out first, with values that are a unit matrix, and then a plain reference in double uses
 * it. Skipped where there is no GPU or no cuDNN.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/two_backends.h"

enum { B = 2, T = 64, H = 3, D = 64, C = H * D, ROWS = B * T };
#define P 0.2f

static const struct lw_attention attention = {.kind = LW_ATTENTION_CUDNN,
                                              .batch = B,
                                              .length = T,
                                              .heads = H,
                                              .head_dim = D,
                                              .causal = true,
                                              .scale = 0.125f,
                                              .dropout = {P, 5}};

static bool open_gpu(bool deterministic)
{
    struct lw_attention a = attention;
    struct lw_shapes shapes = small;
    struct lw_error err = {0};

    shapes.batch = B;
    shapes.length = T;
    shapes.heads = H;
    shapes.channels = C;
    shapes.feed_forward = 4 * C;
    shapes.attention = LW_ATTENTION_CUDNN;
    shapes.dropout = P;
    if (!open_both(LW_BF16, deterministic, &shapes))
        return false;
    if (gpu.ops->attention_ready(gpu.dev, &a, &err))
        cr_skip_test("%s", err.text);
    return true;
}

/* Element (b, t, which, h, d) of (B, T, 3, H, D), and (b, t, h, d) of (B, T, H, D). */
static size_t packed(int b, int t, int which, int h, int d)
{
    return (((size_t)(b * T + t) * 3 + which) * H + h) * D + d;
}

static size_t plain(int b, int t, int h, int d)
{
    return ((size_t)(b * T + t) * H + h) * D + d;
}

static size_t cell(int b, int h, int i, int j)
{
    return ((size_t)(b * H + h) * T + i) * T + j;
}

/* mask (B, H, T, T): 1 where the probability was kept. The values become a unit matrix. */
static float *read_mask(const float *qkv, uint32_t site, uint32_t micro)
{
    const struct lw_step step = {.step = 7, .micro = micro, .seed = 99};
    struct lw_attention a = attention;
    float *unit = malloc(3 * ROWS * C * sizeof *unit), *out;
    float *mask = calloc((size_t)B * H * T * T, sizeof *mask);
    void *in, *to = room(&gpu, ROWS * C, ACTIVATION), *lse = room(&gpu, B * H * T, STATISTIC);

    a.dropout.site = site;
    memcpy(unit, qkv, 3 * ROWS * C * sizeof *unit);
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++)
            for (int h = 0; h < H; h++)
                for (int d = 0; d < D; d++)
                    unit[packed(b, t, 2, h, d)] = d == t;
    in = put(&gpu, unit, 3 * ROWS * C, ACTIVATION);
    gpu.ops->set_step(gpu.dev, &step);
    gpu.ops->attention(gpu.dev, &a, to, lse, NULL, in);
    out = get(&gpu, to, ROWS * C, ACTIVATION);
    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++)
            for (int i = 0; i < T; i++)
                for (int j = 0; j < T; j++)
                    mask[cell(b, h, i, j)] = out[plain(b, i, h, j)] != 0;
    free(unit);
    free(out);
    return mask;
}

static int differences(const float *x, const float *y)
{
    int n = 0;

    for (size_t i = 0; i < (size_t)B * H * T * T; i++)
        n += x[i] != y[i];
    return n;
}

Test(ops_cuda_dropout, the_mask_follows_seed_site_and_micro_step, .timeout = 300)
{
    if (!open_gpu(false))
        return;
    float *qkv = draw(3 * ROWS * C, 1);
    float *mask = read_mask(qkv, 5, 1), *again = read_mask(qkv, 5, 1);
    float *other_site = read_mask(qkv, 6, 1), *other_micro = read_mask(qkv, 5, 2);
    const double cells = (double)B * H * T * (T + 1) / 2;
    double kept = 0;

    for (size_t i = 0; i < (size_t)B * H * T * T; i++)
        kept += mask[i];
    cr_assert_eq(differences(mask, again), 0);
    cr_expect_float_eq(kept / cells, 1 - P, 5 * sqrt(P * (1 - P) / cells), "%g are kept",
                       kept / cells);
    cr_expect_gt(differences(mask, other_site), 0.2 * cells);
    cr_expect_gt(differences(mask, other_micro), 0.2 * cells);
    close_both();
}

struct reference {
    double out[ROWS * C], dqkv[3 * ROWS * C];
};

/* One row of one head, with the mask. */
static void refer_row(struct reference *r, const float *qkv, const float *dout, const float *mask,
                      int b, int h, int i)
{
    double p[T], dp[T], sum = 0, top = -INFINITY, mean = 0;

    for (int j = 0; j <= i; j++) {
        p[j] = 0;
        for (int d = 0; d < D; d++)
            p[j] += (double)qkv[packed(b, i, 0, h, d)] * qkv[packed(b, j, 1, h, d)];
        p[j] *= attention.scale;
        top = fmax(top, p[j]);
    }
    for (int j = 0; j <= i; j++)
        sum += p[j] = exp(p[j] - top);
    for (int j = 0; j <= i; j++) {
        const double keep = mask[cell(b, h, i, j)] / (1 - (double)P);

        p[j] /= sum;
        dp[j] = 0;
        for (int d = 0; d < D; d++) {
            const double dv = p[j] * keep * dout[plain(b, i, h, d)];

            r->out[plain(b, i, h, d)] += p[j] * keep * qkv[packed(b, j, 2, h, d)];
            r->dqkv[packed(b, j, 2, h, d)] += dv;
            dp[j] += keep * dout[plain(b, i, h, d)] * qkv[packed(b, j, 2, h, d)];
        }
        mean += p[j] * dp[j];
    }
    for (int j = 0; j <= i; j++)
        for (int d = 0; d < D; d++) {
            const double ds = p[j] * (dp[j] - mean) * attention.scale;

            r->dqkv[packed(b, i, 0, h, d)] += ds * qkv[packed(b, j, 1, h, d)];
            r->dqkv[packed(b, j, 1, h, d)] += ds * qkv[packed(b, i, 0, h, d)];
        }
}

static void near(const char *what, const float *got, const double *want, size_t n)
{
    double square = 0, difference = 0;

    for (size_t i = 0; i < n; i++) {
        square += want[i] * want[i];
        difference += (got[i] - want[i]) * (got[i] - want[i]);
    }
    cr_expect(sqrt(difference) <= 5e-3 * sqrt(square), "%s: off by %.3g of its norm", what,
              sqrt(difference / square));
}

static void check(bool deterministic)
{
    const struct lw_step step = {.step = 7, .micro = 1, .seed = 99};
    struct reference *r = calloc(1, sizeof *r);

    if (!open_gpu(deterministic))
        return;
    float *qkv = draw(3 * ROWS * C, 1), *dout = draw(ROWS * C, 1);
    float *mask = read_mask(qkv, 5, 1);
    void *qkv_gpu = put(&gpu, qkv, 3 * ROWS * C, ACTIVATION);
    void *dout_gpu = put(&gpu, dout, ROWS * C, ACTIVATION);
    void *out = room(&gpu, ROWS * C, ACTIVATION), *lse = room(&gpu, B * H * T, STATISTIC);
    void *dqkv = room(&gpu, 3 * ROWS * C, ACTIVATION);

    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++)
            for (int i = 0; i < T; i++)
                refer_row(r, qkv, dout, mask, b, h, i);
    gpu.ops->set_step(gpu.dev, &step);
    gpu.ops->attention(gpu.dev, &attention, out, lse, NULL, qkv_gpu);
    gpu.ops->attention_backward(gpu.dev, &attention, dqkv, dout_gpu, out, lse, NULL, qkv_gpu);
    near("out", get(&gpu, out, ROWS * C, ACTIVATION), r->out, ROWS * C);
    near("dqkv", get(&gpu, dqkv, 3 * ROWS * C, ACTIVATION), r->dqkv, 3 * ROWS * C);
    free(r);
    close_both();
}

Test(ops_cuda_dropout, values_and_gradients_are_those_of_the_mask, .timeout = 300)
{
    check(false);
}

Test(ops_cuda_dropout, and_of_the_deterministic_backward, .timeout = 300)
{
    check(true);
}
