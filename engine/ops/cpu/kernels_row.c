/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/kernels_table.h"

#include <math.h>

/* GELU's tanh form is x σ(2u), u = √(2/π) (x + 0.044715 x³), since 1 + tanh u = 2 σ(2u). */
static const float two_root = 1.5957691216f; /* 2 √(2/π) */
static const float cubic = 0.044715f;
static const float density_scale = 0.3989422804f; /* 1 / √(2π) */

static inline lw_vf activate(enum lw_activation a, lw_vf x)
{
    lw_vf unused;

    switch (a) {
    case LW_GELU_TANH:
        return x * lw_vsigmoid(two_root * x * (1.0f + cubic * x * x));
    case LW_GELU_ERF:
        return x * lw_vnormal_cdf(x, &unused);
    case LW_NO_ACTIVATION:
        break;
    }
    return x;
}

static inline lw_vf derivative(enum lw_activation a, lw_vf x)
{
    lw_vf s, e, z, density;

    switch (a) {
    case LW_GELU_TANH: /* σ(z) and σ(z) (1 - σ(z)) from e^-|z|, so that neither loses digits */
        z = two_root * x * (1.0f + cubic * x * x);
        e = lw_vexp(lw_vselect(z < 0.0f, z, -z));
        s = 1.0f / (1.0f + e);
        density = e * s * s;
        s = lw_vselect(z < 0.0f, e * s, s);
        return s + x * density * two_root * (1.0f + 3.0f * cubic * x * x);
    case LW_GELU_ERF:
        s = lw_vnormal_cdf(x, &density);
        return s + x * density * density_scale;
    case LW_NO_ACTIVATION:
        break;
    }
    return lw_vset(1.0f);
}

static inline __attribute__((always_inline)) void bias_activate(enum lw_activation a, float *y,
                                                                float *pre, const float *src,
                                                                const float *bias, size_t n)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES) {
        lw_vf x = lw_vload(src + i);

        if (bias)
            x += lw_vload(bias + i);
        if (pre)
            lw_vstore(pre + i, x);
        lw_vstore(y + i, activate(a, x));
    }
    if (i < n) {
        lw_vf x = lw_vload_part(src + i, n - i);

        if (bias)
            x += lw_vload_part(bias + i, n - i);
        if (pre)
            lw_vstore_part(pre + i, x, n - i);
        lw_vstore_part(y + i, activate(a, x), n - i);
    }
}

void LW_NAME(bias_activate)(enum lw_activation a, float *y, float *pre, const float *src,
                            const float *bias, size_t n)
{
    switch (a) {
    case LW_GELU_TANH:
        bias_activate(LW_GELU_TANH, y, pre, src, bias, n);
        break;
    case LW_GELU_ERF:
        bias_activate(LW_GELU_ERF, y, pre, src, bias, n);
        break;
    case LW_NO_ACTIVATION:
        bias_activate(LW_NO_ACTIVATION, y, pre, src, bias, n);
        break;
    }
}

static inline __attribute__((always_inline)) void activate_backward(enum lw_activation a, float *dx,
                                                                    const float *pre, size_t n)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES)
        lw_vstore(dx + i, lw_vload(dx + i) * derivative(a, lw_vload(pre + i)));
    if (i < n) {
        lw_vf d = derivative(a, lw_vload_part(pre + i, n - i));

        lw_vstore_part(dx + i, lw_vload_part(dx + i, n - i) * d, n - i);
    }
}

void LW_NAME(activate_backward)(enum lw_activation a, float *dx, const float *pre, size_t n)
{
    if (a == LW_GELU_TANH)
        activate_backward(LW_GELU_TANH, dx, pre, n);
    else if (a == LW_GELU_ERF)
        activate_backward(LW_GELU_ERF, dx, pre, n);
}

/* Columns of one vector: four rows at a time, so that additions do not wait for each other. */
static lw_vf sum_column(const float *x, size_t rows, size_t stride)
{
    lw_vf s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    size_t r = 0;

    for (; r + 4 <= rows; r += 4, x += 4 * stride) {
        s0 += lw_vload(x);
        s1 += lw_vload(x + stride);
        s2 += lw_vload(x + 2 * stride);
        s3 += lw_vload(x + 3 * stride);
    }
    for (; r < rows; r++, x += stride)
        s0 += lw_vload(x);
    return (s0 + s1) + (s2 + s3);
}

void LW_NAME(column_sums)(float *out, const float *x, size_t rows, size_t stride, size_t n,
                          bool accumulate)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES) {
        lw_vf s = sum_column(x + i, rows, stride);

        lw_vstore(out + i, accumulate ? lw_vload(out + i) + s : s);
    }
    for (; i < n; i++) {
        float s = 0;

        for (size_t r = 0; r < rows; r++)
            s += x[r * stride + i];
        out[i] = accumulate ? out[i] + s : s;
    }
}

void LW_NAME(add)(float *out, const float *a, const float *b, size_t n)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES)
        lw_vstore(out + i, lw_vload(a + i) + lw_vload(b + i));
    for (; i < n; i++)
        out[i] = a[i] + b[i];
}

void LW_NAME(scale_row)(float *x, size_t n, float factor)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES)
        lw_vstore(x + i, lw_vload(x + i) * factor);
    for (; i < n; i++)
        x[i] *= factor;
}

void LW_NAME(add_scaled)(float *y, float factor, const float *x, size_t n)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES)
        lw_vstore(y + i, lw_vload(y + i) + factor * lw_vload(x + i));
    for (; i < n; i++)
        y[i] += factor * x[i];
}

float LW_NAME(dot)(const float *a, const float *b, size_t n)
{
    lw_vf s0 = {0}, s1 = {0};
    size_t i = 0;

    for (; i + 2 * LW_LANES <= n; i += 2 * LW_LANES) {
        s0 += lw_vload(a + i) * lw_vload(b + i);
        s1 += lw_vload(a + i + LW_LANES) * lw_vload(b + i + LW_LANES);
    }
    for (; i < n; i += LW_LANES) {
        size_t left = n - i < LW_LANES ? n - i : LW_LANES;

        s0 += lw_vload_part(a + i, left) * lw_vload_part(b + i, left);
    }
    return lw_vsum(s0 + s1);
}

/* Words of the BLOCKS Philox blocks from `block` on, in order. The loops over b vectorise. */
enum { BLOCKS = 16 };

static void philox_words(const struct lw_cpu_mask *mask, uint64_t block, uint32_t out[4 * BLOCKS])
{
    uint32_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS];
    uint32_t k0 = (uint32_t)mask->seed, k1 = (uint32_t)(mask->seed >> 32);

    for (int b = 0; b < BLOCKS; b++) {
        c0[b] = (uint32_t)(block + (uint64_t)b);
        c1[b] = (uint32_t)((block + (uint64_t)b) >> 32);
        c2[b] = (uint32_t)mask->stream;
        c3[b] = (uint32_t)(mask->stream >> 32);
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        for (int b = 0; b < BLOCKS; b++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[b], p1 = (uint64_t)0xCD9E8D57u * c2[b];

            c0[b] = (uint32_t)(p1 >> 32) ^ c1[b] ^ k0;
            c1[b] = (uint32_t)p1;
            c2[b] = (uint32_t)(p0 >> 32) ^ c3[b] ^ k1;
            c3[b] = (uint32_t)p0;
        }
    }
    for (int b = 0; b < BLOCKS; b++) {
        out[4 * b] = c0[b];
        out[4 * b + 1] = c1[b];
        out[4 * b + 2] = c2[b];
        out[4 * b + 3] = c3[b];
    }
}

void LW_NAME(dropout)(float *dst, const float *src, size_t n, uint64_t first,
                      const struct lw_cpu_mask *mask)
{
    uint32_t words[4 * BLOCKS];
    size_t i = 0;

    while (i < n) {
        size_t skip = (first + i) % 4;
        size_t run = 4 * BLOCKS - skip < n - i ? 4 * BLOCKS - skip : n - i;

        philox_words(mask, (first + i) / 4, words);
        for (size_t j = 0; j < run; j++)
            dst[i + j] = words[skip + j] >= mask->threshold ? src[i + j] * mask->scale : 0.0f;
        i += run;
    }
}
