/* SPDX-License-Identifier: MIT
 *
 * The two kinds of attention on the CPU, one file each. Both work on one head at a time, whose
 * queries, keys and values lie in qkv (B, T, 3, H, D) a stride apart.
 */
#ifndef LW_OPS_CPU_ATTENTION_H
#define LW_OPS_CPU_ATTENTION_H

#include "engine/ops/cpu/device.h"

/* One head of one sequence. */
struct lw_cpu_head_view {
    const float *q, *k, *v;
    float *dq, *dk, *dv; /* NULL forward */
    int stride;          /* between positions of q, k, v and their gradients: 3 C */
    size_t out;          /* where the head begins in out and dout; C between positions */
    size_t lse;          /* where it begins in lse */
    uint64_t element;    /* of the mask: element + query * T + key */
};

struct lw_cpu_head_view lw_cpu_head_at(const struct lw_attention *a, const float *qkv, float *dqkv,
                                       int index);

size_t lw_cpu_attention_math_scratch(const struct lw_shapes *shapes);
void lw_cpu_attention_math(struct lw_device *dev, const struct lw_attention *a, float *out,
                           float *lse, float *p, const float *qkv);
void lw_cpu_attention_math_backward(struct lw_device *dev, const struct lw_attention *a,
                                    float *dqkv, const float *dout, const float *p,
                                    const float *qkv);

size_t lw_cpu_attention_tiled_scratch(const struct lw_shapes *shapes);
void lw_cpu_attention_tiled(struct lw_device *dev, const struct lw_attention *a, float *out,
                            float *lse, const float *qkv);
void lw_cpu_attention_tiled_backward(struct lw_device *dev, const struct lw_attention *a,
                                     float *dqkv, const float *dout, const float *out,
                                     const float *lse, const float *qkv);

#endif
