/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/kernels_table.h"

#include <math.h>

/* Largest element; n > 0. */
static float largest(const float *x, size_t n)
{
    lw_vf top = lw_vset(-INFINITY);
    size_t i = 0;
    float m;

    for (; i + LW_LANES <= n; i += LW_LANES)
        top = lw_vmax(top, lw_vload(x + i));
    m = lw_vlargest(top);
    for (; i < n; i++)
        if (!(m >= x[i]))
            m = x[i];
    return m;
}

/* x = exp(scale x - shift); returns their sum, in parts of RUN so that it keeps its digits. */
enum { RUN = 64 * LW_LANES };

static double exponentials(float *x, size_t n, float scale, float shift)
{
    double total = 0;

    for (size_t start = 0; start < n; start += RUN) {
        size_t end = n - start < RUN ? n : start + RUN, i = start;
        lw_vf sum = {0};

        for (; i + LW_LANES <= end; i += LW_LANES) {
            lw_vf e = lw_vexp(lw_vload(x + i) * scale - shift);

            lw_vstore(x + i, e);
            sum += e;
        }
        if (i < end) {
            lw_vf e = lw_vexp(lw_vload_part(x + i, end - i) * scale - shift), kept = {0};

            memcpy(&kept, &e, (end - i) * sizeof(float));
            lw_vstore_part(x + i, e, end - i);
            sum += kept;
        }
        total += lw_vsum(sum);
    }
    return total;
}

float LW_NAME(softmax_row)(float *row, size_t n, float scale)
{
    float m = largest(row, n) * scale;
    double sum = exponentials(row, n, scale, m);

    LW_NAME(scale_row)(row, n, (float)(1.0 / sum));
    return (float)(log(sum) + m);
}

void LW_NAME(softmax_row_backward)(float *out, const float *p, const float *dp, size_t n,
                                   float delta, float scale)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES)
        lw_vstore(out + i, lw_vload(p + i) * (lw_vload(dp + i) - delta) * scale);
    for (; i < n; i++)
        out[i] = p[i] * (dp[i] - delta) * scale;
}

float LW_NAME(softmax_online)(float *s, size_t n, float scale, float *maximum, float *sum)
{
    float m = largest(s, n) * scale, factor = 1.0f;

    if (!(m <= *maximum)) {
        factor = expf(*maximum - m); /* 0 for the first tile, whose maximum is -infinity */
        *maximum = m;
    }
    *sum = *sum * factor + (float)exponentials(s, n, scale, *maximum);
    return factor;
}

void LW_NAME(exp_row)(float *s, size_t n, float scale, float lse)
{
    size_t i = 0;

    for (; i + LW_LANES <= n; i += LW_LANES)
        lw_vstore(s + i, lw_vexp(lw_vload(s + i) * scale - lse));
    if (i < n)
        lw_vstore_part(s + i, lw_vexp(lw_vload_part(s + i, n - i) * scale - lse), n - i);
}

double LW_NAME(loss_row)(float *logits, const float *bias, size_t n, int32_t target, bool gradient,
                         int32_t *argmax)
{
    float m, wanted;
    double sum;
    size_t first = 0;

    if (bias)
        LW_NAME(add)(logits, logits, bias, n);
    m = largest(logits, n);
    wanted = logits[target];
    while (first + 1 < n && !(logits[first] == m))
        first++;
    *argmax = (int32_t)first;
    sum = exponentials(logits, n, 1.0f, m);
    if (gradient) {
        LW_NAME(scale_row)(logits, n, (float)(1.0 / sum));
        logits[target] -= 1.0f;
    }
    return log(sum) + m - wanted;
}
