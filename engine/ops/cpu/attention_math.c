/* SPDX-License-Identifier: MIT
 *
 * Attention with all probabilities written out, T x T for each head: the reference. The
 * probabilities are kept without dropout; the mask is drawn again where it is needed.
 */
#include "engine/ops/cpu/attention.h"

#include <string.h>
#include <omp.h>

/* Two matrices of T x T: masked probabilities and the gradient of the probabilities. */
size_t lw_cpu_attention_math_scratch(const struct lw_shapes *s)
{
    return 2 * (size_t)s->length * (size_t)s->length;
}

/* Rows of scores become probabilities, 0 where the query must not look. */
static void softmax_rows(struct lw_device *dev, const struct lw_attention *a, float *p, float *lse)
{
    size_t length = (size_t)a->length;

    for (size_t q = 0; q < length; q++) {
        size_t n = a->causal ? q + 1 : length;

        lse[q] = dev->k->softmax_row(p + q * length, n, a->scale);
        memset(p + q * length + n, 0, (length - n) * sizeof(float));
    }
}

/* The probabilities with dropout: p itself where there is none. */
static const float *masked(struct lw_device *dev, const struct lw_attention *a, const float *p,
                           const struct lw_cpu_head_view *v, float *scratch)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &a->dropout);

    if (!mask.threshold)
        return p;
    dev->k->dropout(scratch, p, (size_t)a->length * (size_t)a->length, v->element, &mask);
    return scratch;
}

void lw_cpu_attention_math(struct lw_device *dev, const struct lw_attention *a, float *out,
                           float *lse, float *p, const float *qkv)
{
    int t = a->length, d = a->head_dim, c = a->heads * d;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int i = 0; i < a->batch * a->heads; i++) {
        struct lw_cpu_head_view v = lw_cpu_head_at(a, qkv, NULL, i);
        float *scores = p + v.element;
        const float *kept;

        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t, t, d, false, true, false, 1.0f, v.q, v.k,
                                                      scores, v.stride, v.stride, t});
        softmax_rows(dev, a, scores, lse + v.lse);
        kept = masked(dev, a, scores, &v, lw_cpu_scratch(dev, omp_get_thread_num()));
        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t, d, t, false, false, false, 1.0f, kept, v.v,
                                                      out + v.out, t, v.stride, c});
    }
}

/* dp, the gradient of the masked probabilities, becomes that of the unscaled scores. */
static void scores_backward(struct lw_device *dev, const struct lw_attention *a,
                            const struct lw_cpu_head_view *v, const float *p, float *dp)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &a->dropout);
    size_t length = (size_t)a->length;

    if (mask.threshold)
        dev->k->dropout(dp, dp, length * length, v->element, &mask);
    for (size_t q = 0; q < length; q++) {
        const float *row = p + q * length;
        float *drow = dp + q * length, delta = dev->k->dot(row, drow, length);

        dev->k->softmax_row_backward(drow, row, drow, length, delta, a->scale);
    }
}

void lw_cpu_attention_math_backward(struct lw_device *dev, const struct lw_attention *a,
                                    float *dqkv, const float *dout, const float *p,
                                    const float *qkv)
{
    int t = a->length, d = a->head_dim, c = a->heads * d;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int i = 0; i < a->batch * a->heads; i++) {
        struct lw_cpu_head_view v = lw_cpu_head_at(a, qkv, dqkv, i);
        float *scratch = lw_cpu_scratch(dev, omp_get_thread_num());
        float *dp = scratch + (size_t)t * (size_t)t;
        const float *probabilities = p + v.element, *kept, *d_out = dout + v.out;

        kept = masked(dev, a, probabilities, &v, scratch);
        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t, d, t, true, false, false, 1.0f, kept,
                                                      d_out, v.dv, t, c, v.stride});
        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t, t, d, false, true, false, 1.0f, d_out, v.v,
                                                      dp, c, v.stride, t});
        scores_backward(dev, a, &v, probabilities, dp);
        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t, d, t, false, false, false, 1.0f, dp, v.k,
                                                      v.dq, t, v.stride, v.stride});
        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t, d, t, true, false, false, 1.0f, dp, v.q,
                                                      v.dk, t, v.stride, v.stride});
    }
}
