/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/attention.h"

#include <string.h>
#include <omp.h>

#include "engine/ops/sdpa.h"

int lw_cpu_attention_ready(struct lw_device *dev, const struct lw_attention *a,
                           struct lw_error *err)
{
    (void)dev;
    if (a->kind == LW_ATTENTION_CUDNN)
        return lw_sdpa_eligible(&(struct lw_sdpa_place){.cuda = false}, a, err);
    return 0;
}

size_t lw_cpu_attention_scratch(const struct lw_shapes *s)
{
    size_t math = s->attention == LW_ATTENTION_MATH ? lw_cpu_attention_math_scratch(s) : 0;
    size_t tiled = lw_cpu_attention_tiled_scratch(s);

    return math > tiled ? math : tiled;
}

struct lw_cpu_head_view lw_cpu_head_at(const struct lw_attention *a, const float *qkv, float *dqkv,
                                       int index)
{
    size_t b = (size_t)(index / a->heads), h = (size_t)(index % a->heads);
    size_t length = (size_t)a->length, d = (size_t)a->head_dim, c = (size_t)a->heads * d;
    size_t at = b * length * 3 * c + h * d;

    return (struct lw_cpu_head_view){.q = qkv + at,
                                     .k = qkv + at + c,
                                     .v = qkv + at + 2 * c,
                                     .dq = dqkv ? dqkv + at : NULL,
                                     .dk = dqkv ? dqkv + at + c : NULL,
                                     .dv = dqkv ? dqkv + at + 2 * c : NULL,
                                     .stride = (int)(3 * c),
                                     .out = b * length * c + h * d,
                                     .lse = (size_t)index * length,
                                     .element = (uint64_t)index * length * length};
}

void lw_cpu_attention(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                      void *p, const void *qkv)
{
    if (a->kind == LW_ATTENTION_MATH)
        lw_cpu_attention_math(dev, a, out, lse, p, qkv);
    else
        lw_cpu_attention_tiled(dev, a, out, lse, qkv);
}

void lw_cpu_attention_backward(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                               const void *dout, const void *out, const float *lse, const void *p,
                               const void *qkv)
{
    if (a->kind == LW_ATTENTION_MATH)
        lw_cpu_attention_math_backward(dev, a, dqkv, dout, p, qkv);
    else
        lw_cpu_attention_tiled_backward(dev, a, dqkv, dout, out, lse, qkv);
}

void lw_cpu_attention_decode(struct lw_device *dev, const struct lw_attention *a, void *out,
                             void *keys, void *values, const void *qkv, int position)
{
    size_t d = (size_t)a->head_dim, c = (size_t)a->heads * d;
    size_t count = (size_t)position + 1;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int i = 0; i < a->batch * a->heads; i++) {
        size_t b = (size_t)(i / a->heads), h = (size_t)(i % a->heads);
        const float *fresh = (const float *)qkv + b * 3 * c + h * d;
        float *k = (float *)keys + b * (size_t)a->length * c + h * d;
        float *v = (float *)values + b * (size_t)a->length * c + h * d;
        float *to = (float *)out + b * c + h * d;
        float *scores = lw_cpu_scratch(dev, omp_get_thread_num());

        memcpy(k + (size_t)position * c, fresh + c, d * sizeof(float));
        memcpy(v + (size_t)position * c, fresh + 2 * c, d * sizeof(float));
        for (size_t t = 0; t < count; t++)
            scores[t] = dev->k->dot(fresh, k + t * c, d);
        dev->k->softmax_row(scores, count, a->scale);
        memset(to, 0, d * sizeof(float));
        for (size_t t = 0; t < count; t++)
            dev->k->add_scaled(to, scores[t], v + t * c, d);
    }
}
