/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/kernels_table.h"

#include <math.h>

void LW_NAME(norm_row)(float *y, float *mean, float *rstd, const float *x, const float *weight,
                       const float *bias, size_t n, float epsilon)
{
    size_t whole = n - n % LW_LANES, left = n % LW_LANES;
    lw_vf sum = {0}, square = {0};
    float mu, variance, inverse, tail = 0;

    for (size_t i = 0; i < whole; i += LW_LANES)
        sum += lw_vload(x + i);
    for (size_t i = whole; i < n; i++)
        tail += x[i];
    mu = (lw_vsum(sum) + tail) / (float)n;
    tail = 0;
    for (size_t i = 0; i < whole; i += LW_LANES) {
        lw_vf d = lw_vload(x + i) - mu;

        square += d * d;
    }
    for (size_t i = whole; i < n; i++)
        tail += (x[i] - mu) * (x[i] - mu);
    variance = (lw_vsum(square) + tail) / (float)n;
    inverse = 1.0f / sqrtf(variance + epsilon);
    for (size_t i = 0; i < whole; i += LW_LANES)
        lw_vstore(y + i,
                  (lw_vload(x + i) - mu) * inverse * lw_vload(weight + i) + lw_vload(bias + i));
    for (size_t i = whole; i < whole + left; i++)
        y[i] = (x[i] - mu) * inverse * weight[i] + bias[i];
    *mean = mu;
    *rstd = inverse;
}

struct norm_sums {
    lw_vf gradient, projected; /* of dy·weight, and of dy·weight·x̂ */
};

static inline void add_parameters(struct norm_sums *s, float *dweight, float *dbias, lw_vf dy,
                                  lw_vf hat, lw_vf weight, size_t n)
{
    lw_vf d = dy * weight;

    s->gradient += d;
    s->projected += d * hat;
    if (n == LW_LANES) {
        lw_vstore(dweight, lw_vload(dweight) + dy * hat);
        lw_vstore(dbias, lw_vload(dbias) + dy);
    } else {
        lw_vstore_part(dweight, lw_vload_part(dweight, n) + dy * hat, n);
        lw_vstore_part(dbias, lw_vload_part(dbias, n) + dy, n);
    }
}

void LW_NAME(norm_row_backward)(float *dx, bool zero, float *dweight, float *dbias, const float *dy,
                                const float *x, float mean, float rstd, const float *weight,
                                size_t n)
{
    size_t whole = n - n % LW_LANES, left = n % LW_LANES;
    struct norm_sums s = {{0}, {0}};
    float average, projection;

    for (size_t i = 0; i < whole; i += LW_LANES)
        add_parameters(&s, dweight + i, dbias + i, lw_vload(dy + i),
                       (lw_vload(x + i) - mean) * rstd, lw_vload(weight + i), LW_LANES);
    if (left)
        add_parameters(&s, dweight + whole, dbias + whole, lw_vload_part(dy + whole, left),
                       (lw_vload_part(x + whole, left) - mean) * rstd,
                       lw_vload_part(weight + whole, left), left);
    average = lw_vsum(s.gradient) / (float)n;
    projection = lw_vsum(s.projected) / (float)n;
    for (size_t i = 0; i < whole; i += LW_LANES) {
        lw_vf hat = (lw_vload(x + i) - mean) * rstd;
        lw_vf d = (lw_vload(dy + i) * lw_vload(weight + i) - average - hat * projection) * rstd;

        lw_vstore(dx + i, zero ? d : lw_vload(dx + i) + d);
    }
    for (size_t i = whole; i < n; i++) {
        float hat = (x[i] - mean) * rstd;
        float d = (dy[i] * weight[i] - average - hat * projection) * rstd;

        dx[i] = zero ? d : dx[i] + d;
    }
}
