/* SPDX-License-Identifier: MIT
 *
 * The serial, vectorised inner loops of the CPU backend: one table for each instruction set, made
 * from the same sources. Drivers split the work among threads and call these on rows or ranges.
 * No pointer needs an alignment beyond its element's.
 */
#ifndef LW_OPS_CPU_KERNELS_H
#define LW_OPS_CPU_KERNELS_H

#include "engine/ops/ops.h"

/* A dropout mask for one site and micro-step. An element is kept if its word is at least the
 * threshold; threshold 0: no dropout. */
struct lw_cpu_mask {
    uint64_t seed, stream;
    uint64_t threshold; /* p * 2^32, rounded up */
    float scale;        /* 1 / (1 - p) */
};

struct lw_cpu_adamw {
    float beta1, beta2;
    float gradient_scale; /* clip / targets */
    float step_size;      /* learning rate / (1 - beta1^t) */
    float second_scale;   /* 1 / sqrt(1 - beta2^t) */
    float epsilon;
    float keep; /* 1 - learning rate * decay */
};

/* C = alpha A B (+ C if add), row major; C is rows x columns. transpose_x: x lies transposed in
 * memory; ldx: elements between its rows as they lie there. */
struct lw_cpu_gemm {
    int rows, columns, depth;
    bool transpose_a, transpose_b, add;
    float alpha;
    const float *a, *b;
    float *c;
    int lda, ldb, ldc;
};

/* A block of A and a strip of B are packed for a product: 384 KiB and 72 KiB, which stay in a
 * second-level cache of 512 KiB. */
enum {
    LW_CPU_GEMM_ROWS = 256,
    LW_CPU_GEMM_DEPTH = 384,
    LW_CPU_GEMM_COLUMNS = 48,
    LW_CPU_GEMM_PACK = (LW_CPU_GEMM_ROWS + LW_CPU_GEMM_COLUMNS) * LW_CPU_GEMM_DEPTH, /* floats */
};

struct lw_cpu_kernels {
    const char *name; /* "portable", "AVX2", "AVX-512" */
    int lanes;

    /* The product, with LW_CPU_GEMM_PACK floats of scratch. */
    void (*gemm)(const struct lw_cpu_gemm *g, float *pack);

    /* y = activation(src + bias), pre = src + bias where not NULL; bias may be NULL. y and pre may
     * be src. */
    void (*bias_activate)(enum lw_activation a, float *y, float *pre, const float *src,
                          const float *bias, size_t n);
    /* dx *= activation'(pre) */
    void (*activate_backward)(enum lw_activation a, float *dx, const float *pre, size_t n);
    /* out[i] = (accumulate ? out[i] : 0) + sum over rows of x[row * stride + i], i < n */
    void (*column_sums)(float *out, const float *x, size_t rows, size_t stride, size_t n,
                        bool accumulate);
    /* out = a + b; out may be either. */
    void (*add)(float *out, const float *a, const float *b, size_t n);
    /* dst[i] = src[i] times the mask at element first + i. dst may be src. */
    void (*dropout)(float *dst, const float *src, size_t n, uint64_t first,
                    const struct lw_cpu_mask *mask);

    /* One row of a layer norm. */
    void (*norm_row)(float *y, float *mean, float *rstd, const float *x, const float *weight,
                     const float *bias, size_t n, float epsilon);
    /* dx = (zero ? 0 : dx) + LN'(dy); dweight and dbias add. */
    void (*norm_row_backward)(float *dx, bool zero, float *dweight, float *dbias, const float *dy,
                              const float *x, float mean, float rstd, const float *weight,
                              size_t n);

    /* Softmax cross-entropy of one row of n logits (bias, which may be NULL, is added first).
     * Returns the loss in nats and stores the class of the largest logit. gradient: the row
     * becomes softmax - one hot; else it is left undefined. */
    double (*loss_row)(float *logits, const float *bias, size_t n, int32_t target, bool gradient,
                       int32_t *argmax);

    /* row = softmax(row * scale) over n elements; returns the log of the sum of exponentials. */
    float (*softmax_row)(float *row, size_t n, float scale);
    /* The gradient of the unscaled scores: out = scale * p * (dp - delta). out may be dp. */
    void (*softmax_row_backward)(float *out, const float *p, const float *dp, size_t n, float delta,
                                 float scale);
    /* One row of a tile of scores, online: p = exp(scale * s - new maximum) in place. *maximum and
     * *sum are carried from tile to tile; returns the factor for what was summed so far. */
    float (*softmax_online)(float *s, size_t n, float scale, float *maximum, float *sum);
    /* s = exp(scale * s - lse) */
    void (*exp_row)(float *s, size_t n, float scale, float lse);
    void (*scale_row)(float *x, size_t n, float factor);
    float (*dot)(const float *a, const float *b, size_t n);
    /* y += factor * x */
    void (*add_scaled)(float *y, float factor, const float *x, size_t n);

    double (*sum_squares)(const float *x, size_t n);
    void (*adamw)(float *w, float *m, float *v, const float *g, size_t n,
                  const struct lw_cpu_adamw *a);
};

extern const struct lw_cpu_kernels lw_cpu_kernels_portable;
#ifdef __x86_64__
extern const struct lw_cpu_kernels lw_cpu_kernels_avx2;
extern const struct lw_cpu_kernels lw_cpu_kernels_avx512;
#endif

/* The variants this machine can run, fastest first, ending in NULL. */
const struct lw_cpu_kernels *const *lw_cpu_variants(void);

/* The fastest, or what LEEWAY_ISA asks for (portable, avx2, avx512): LW_EMISSING if this machine
 * lacks it, LW_EUSAGE for another name. */
LW_NODISCARD int lw_cpu_choose(const struct lw_cpu_kernels **out, struct lw_error *err);

#endif
