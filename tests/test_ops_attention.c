/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tests/ops_bed.h"

enum { STEP = 7, MICRO = 2, SEED = 1234 };

/* Everything that attention makes, in double precision, probabilities written out. */
struct reference {
    double *out, *lse, *dqkv;
};

static double at(const struct lw_attention *a, const float *qkv, int b, int t, int part, int h,
                 int d)
{
    return qkv[(((b * a->length + t) * 3 + part) * a->heads + h) * a->head_dim + d];
}

static double *gradient_at(const struct lw_attention *a, double *dqkv, int b, int t, int part,
                           int h, int d)
{
    return &dqkv[(((b * a->length + t) * 3 + part) * a->heads + h) * a->head_dim + d];
}

/* One query of one head: forward, then its part of the gradients. */
static void reference_query(const struct lw_attention *a, const struct reference *ref,
                            const float *qkv, const float *dout, int b, int h, int q)
{
    int n = a->causal ? q + 1 : a->length, row = ((b * a->length + q) * a->heads + h) * a->head_dim;
    double *p = bed_doubles((size_t)n), *mask = bed_doubles((size_t)n);
    double *dp = bed_doubles((size_t)n);
    double top = -INFINITY, sum = 0, delta = 0;
    int head = b * a->heads + h;

    for (int k = 0; k < n; k++) {
        for (int d = 0; d < a->head_dim; d++)
            p[k] += at(a, qkv, b, q, 0, h, d) * at(a, qkv, b, k, 1, h, d) * a->scale;
        top = fmax(top, p[k]);
    }
    for (int k = 0; k < n; k++)
        sum += p[k] = exp(p[k] - top);
    ref->lse[head * a->length + q] = top + log(sum);
    for (int k = 0; k < n; k++) {
        p[k] /= sum;
        mask[k] =
            bed_mask(&a->dropout, STEP, MICRO, SEED,
                     ((uint64_t)head * (uint64_t)a->length + (uint64_t)q) * (uint64_t)a->length +
                         (uint64_t)k);
        for (int d = 0; d < a->head_dim; d++) {
            ref->out[row + d] += p[k] * mask[k] * at(a, qkv, b, k, 2, h, d);
            dp[k] += mask[k] * dout[row + d] * at(a, qkv, b, k, 2, h, d);
            *gradient_at(a, ref->dqkv, b, k, 2, h, d) += p[k] * mask[k] * dout[row + d];
        }
        delta += p[k] * dp[k];
    }
    for (int k = 0; k < n; k++) {
        double ds = p[k] * (dp[k] - delta) * a->scale;

        for (int d = 0; d < a->head_dim; d++) {
            *gradient_at(a, ref->dqkv, b, q, 0, h, d) += ds * at(a, qkv, b, k, 1, h, d);
            *gradient_at(a, ref->dqkv, b, k, 1, h, d) += ds * at(a, qkv, b, q, 0, h, d);
        }
    }
}

static void check(const char *variant, const struct lw_attention *a)
{
    size_t n = (size_t)a->batch * (size_t)a->length * (size_t)a->heads * (size_t)a->head_dim;
    size_t rows = (size_t)a->batch * (size_t)a->heads * (size_t)a->length;
    struct lw_device *dev =
        bed_open(variant, a->batch, a->length, a->heads, a->head_dim, 16, 16, a->kind);
    float *qkv = bed_random(3 * n, 1), *dout = bed_random(n, 1);
    float *out = bed_poison(n), *lse = bed_poison(rows), *dqkv = bed_poison(3 * n);
    float *p = a->kind == LW_ATTENTION_MATH ? bed_poison(rows * (size_t)a->length) : NULL;
    struct reference ref = {bed_doubles(n), bed_doubles(rows), bed_doubles(3 * n)};

    bed_step(dev, STEP, MICRO, SEED);
    bed->attention(dev, a, out, lse, p, qkv);
    bed->attention_backward(dev, a, dqkv, dout, out, lse, p, qkv);
    for (int b = 0; b < a->batch; b++)
        for (int h = 0; h < a->heads; h++)
            for (int q = 0; q < a->length; q++)
                reference_query(a, &ref, qkv, dout, b, h, q);
    bed_check("out", out, ref.out, n, 5e-6);
    bed_check("lse", lse, ref.lse, rows, 2e-6);
    bed_check("dqkv", dqkv, ref.dqkv, 3 * n, 5e-6);
    bed_close(dev);
}

static void check_kind(enum lw_attention_kind kind, float dropout)
{
    static const struct {
        int batch, length, heads, head_dim;
    } s[] = {{2, 1, 2, 64}, {1, 5, 3, 48}, {1, 64, 2, 16}, {2, 33, 1, 80}, {1, 17, 1, 7}};

    for (const char *const *v = bed_variants(); *v; v++) {
        for (size_t i = 0; i < sizeof(s) / sizeof(*s); i++) {
            struct lw_attention a = {.kind = kind,
                                     .batch = s[i].batch,
                                     .length = s[i].length,
                                     .heads = s[i].heads,
                                     .head_dim = s[i].head_dim,
                                     .causal = true,
                                     .scale = 1 / sqrtf((float)s[i].head_dim),
                                     .dropout = {dropout, 5}};

            check(*v, &a);
            a.causal = false;
            check(*v, &a);
        }
    }
}

Test(ops_attention, math)
{
    check_kind(LW_ATTENTION_MATH, 0);
    check_kind(LW_ATTENTION_MATH, 0.3f);
}

Test(ops_attention, tiled)
{
    check_kind(LW_ATTENTION_TILED, 0);
    check_kind(LW_ATTENTION_TILED, 0.3f);
}

/* Many tiles, partial ones, and fewer heads than threads: against the other kind. */
Test(ops_attention, kinds_agree)
{
    static const struct {
        int length, heads, head_dim;
        float dropout;
        bool causal;
    } s[] = {{300, 1, 64, 0, true},
             {300, 4, 48, 0, false},
             {257, 2, 80, 0.2f, true},
             {129, 1, 64, 0.2f, false},
             {512, 2, 64, 0, true}};

    for (const char *const *v = bed_variants(); *v; v++) {
        for (size_t i = 0; i < sizeof(s) / sizeof(*s); i++) {
            size_t t = (size_t)s[i].length, h = (size_t)s[i].heads;
            size_t n = 2 * t * h * (size_t)s[i].head_dim;
            struct lw_device *dev =
                bed_open(*v, 2, s[i].length, s[i].heads, s[i].head_dim, 16, 16, LW_ATTENTION_MATH);
            struct lw_attention a = {.batch = 2,
                                     .length = s[i].length,
                                     .heads = s[i].heads,
                                     .head_dim = s[i].head_dim,
                                     .causal = s[i].causal,
                                     .scale = 0.2f,
                                     .dropout = {s[i].dropout, 3}};
            float *qkv = bed_random(3 * n, 1), *dout = bed_random(n, 1), *p;
            float *out[2], *lse[2], *dqkv[2];
            double *wanted = bed_doubles(3 * n);

            for (int k = 0; k < 2; k++) {
                a.kind = k ? LW_ATTENTION_TILED : LW_ATTENTION_MATH;
                out[k] = bed_poison(n);
                lse[k] = bed_poison(2 * h * t);
                dqkv[k] = bed_poison(3 * n);
                p = k ? NULL : bed_poison(2 * h * t * t);
                bed->attention(dev, &a, out[k], lse[k], p, qkv);
                bed->attention_backward(dev, &a, dqkv[k], dout, out[k], lse[k], p, qkv);
            }
            for (size_t j = 0; j < n; j++)
                wanted[j] = out[0][j];
            bed_check("out", out[1], wanted, n, 1e-5);
            for (size_t j = 0; j < 2 * h * t; j++)
                wanted[j] = lse[0][j];
            bed_check("lse", lse[1], wanted, 2 * h * t, 1e-5);
            for (size_t j = 0; j < 3 * n; j++)
                wanted[j] = dqkv[0][j];
            bed_check("dqkv", dqkv[1], wanted, 3 * n, 1e-5);
            bed_close(dev);
        }
    }
}

/* Scores far apart must neither overflow nor lose the row. */
Test(ops_attention, large_scores)
{
    struct lw_device *dev = bed_open("portable", 1, 200, 1, 16, 16, 16, LW_ATTENTION_TILED);
    struct lw_attention a = {LW_ATTENTION_TILED, 1, 200, 1, 16, true, 1.0f, {0, 0}};
    float *qkv = bed_random(200 * 48, 30), *out = bed_poison(200 * 16), *lse = bed_poison(200);
    float *dqkv = bed_poison(200 * 48), *dout = bed_random(200 * 16, 1);

    bed->attention(dev, &a, out, lse, NULL, qkv);
    bed->attention_backward(dev, &a, dqkv, dout, out, lse, NULL, qkv);
    for (int i = 0; i < 200 * 16; i++)
        cr_assert(isfinite(out[i]) && isfinite(dqkv[3 * i]));
    bed_close(dev);
}

/* Position by position gives what the whole sequence gives. */
Test(ops_attention, decode)
{
    enum { B = 2, T = 9, H = 3, D = 20, C = H * D };
    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open(*v, B, T, H, D, 16, 16, LW_ATTENTION_TILED);
        struct lw_attention a = {LW_ATTENTION_TILED, B, T, H, D, true, 0.3f, {0, 0}};
        float *qkv = bed_random(B * T * 3 * C, 1), *out = bed_poison(B * T * C);
        float *lse = bed_poison(B * H * T), *keys = bed_poison(B * T * C);
        float *values = bed_poison(B * T * C), *one = bed_poison(B * C);
        float *now = bed_poison(B * 3 * C);
        double *wanted = bed_doubles(B * C);

        bed->attention(dev, &a, out, lse, NULL, qkv);
        for (int t = 0; t < T; t++) {
            for (int b = 0; b < B; b++) {
                memcpy(now + b * 3 * C, qkv + (b * T + t) * 3 * C, 3 * C * sizeof(float));
                for (int c = 0; c < C; c++)
                    wanted[b * C + c] = out[(b * T + t) * C + c];
            }
            bed->attention_decode(dev, &a, one, keys, values, now, t);
            bed_check("out", one, wanted, B * C, 2e-6);
        }
        bed_close(dev);
    }
}

Test(ops_attention, cudnn_is_not_here)
{
    struct lw_device *dev = bed_open("portable", 1, 8, 1, 8, 8, 8, LW_ATTENTION_TILED);
    struct lw_attention a = {LW_ATTENTION_CUDNN, 1, 8, 1, 8, true, 1, {0, 0}};
    struct lw_error err;

    cr_assert_eq(bed->attention_ready(dev, &a, &err), LW_EMISSING);
    cr_assert(strstr(err.text, "no CUDA"));
    a.kind = LW_ATTENTION_TILED;
    cr_assert_eq(bed->attention_ready(dev, &a, &err), 0);
    bed_close(dev);
}
