/* SPDX-License-Identifier: MIT
 *
 * Names of the kernels of the variant that is being compiled. Contracts: kernels.h.
 */
#ifndef LW_OPS_CPU_KERNELS_TABLE_H
#define LW_OPS_CPU_KERNELS_TABLE_H

#include "engine/ops/cpu/kernels.h"
#include "engine/ops/cpu/simd.h"

void LW_NAME(gemm)(const struct lw_cpu_gemm *g, float *pack);
void LW_NAME(bias_activate)(enum lw_activation a, float *y, float *pre, const float *src,
                            const float *bias, size_t n);
void LW_NAME(activate_backward)(enum lw_activation a, float *dx, const float *pre, size_t n);
void LW_NAME(column_sums)(float *out, const float *x, size_t rows, size_t stride, size_t n,
                          bool accumulate);
void LW_NAME(add)(float *out, const float *a, const float *b, size_t n);
void LW_NAME(dropout)(float *dst, const float *src, size_t n, uint64_t first,
                      const struct lw_cpu_mask *mask);
void LW_NAME(norm_row)(float *y, float *mean, float *rstd, const float *x, const float *weight,
                       const float *bias, size_t n, float epsilon);
void LW_NAME(norm_row_backward)(float *dx, bool zero, float *dweight, float *dbias, const float *dy,
                                const float *x, float mean, float rstd, const float *weight,
                                size_t n);
double LW_NAME(loss_row)(float *logits, const float *bias, size_t n, int32_t target, bool gradient,
                         int32_t *argmax);
float LW_NAME(softmax_row)(float *row, size_t n, float scale);
void LW_NAME(softmax_row_backward)(float *out, const float *p, const float *dp, size_t n,
                                   float delta, float scale);
float LW_NAME(softmax_online)(float *s, size_t n, float scale, float *maximum, float *sum);
void LW_NAME(exp_row)(float *s, size_t n, float scale, float lse);
void LW_NAME(scale_row)(float *x, size_t n, float factor);
float LW_NAME(dot)(const float *a, const float *b, size_t n);
void LW_NAME(add_scaled)(float *y, float factor, const float *x, size_t n);
double LW_NAME(sum_squares)(const float *x, size_t n);
void LW_NAME(adamw)(float *w, float *m, float *v, const float *g, size_t n,
                    const struct lw_cpu_adamw *a);

#endif
