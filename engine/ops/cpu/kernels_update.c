/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/kernels_table.h"

#include <math.h>

double LW_NAME(sum_squares)(const float *x, size_t n)
{
    enum { RUN = 256 * LW_LANES }; /* summed in fp32 before it goes into the double */
    double total = 0;

    for (size_t start = 0; start < n; start += RUN) {
        size_t end = n - start < RUN ? n : start + RUN, i = start;
        lw_vf s0 = {0}, s1 = {0};

        for (; i + 2 * LW_LANES <= end; i += 2 * LW_LANES) {
            lw_vf a = lw_vload(x + i), b = lw_vload(x + i + LW_LANES);

            s0 += a * a;
            s1 += b * b;
        }
        for (; i < end; i += LW_LANES) {
            lw_vf a = lw_vload_part(x + i, end - i < LW_LANES ? end - i : LW_LANES);

            s0 += a * a;
        }
        total += lw_vsum(s0 + s1);
    }
    return total;
}

/* Vectors have no square root without intrinsics; compilers turn this loop into one. */
static inline lw_vf root(lw_vf x)
{
    for (int i = 0; i < LW_LANES; i++)
        x[i] = __builtin_sqrtf(x[i]);
    return x;
}

struct adamw_lanes {
    lw_vf w, m, v;
};

static inline struct adamw_lanes step(struct adamw_lanes s, lw_vf g, const struct lw_cpu_adamw *a)
{
    g *= a->gradient_scale;
    s.m = s.m * a->beta1 + g * (1.0f - a->beta1);
    s.v = s.v * a->beta2 + g * g * (1.0f - a->beta2);
    s.w = s.w * a->keep - a->step_size * s.m / (root(s.v) * a->second_scale + a->epsilon);
    return s;
}

void LW_NAME(adamw)(float *w, float *m, float *v, const float *g, size_t n,
                    const struct lw_cpu_adamw *a)
{
    size_t i = 0;
    struct adamw_lanes s;

    for (; i + LW_LANES <= n; i += LW_LANES) {
        s = (struct adamw_lanes){lw_vload(w + i), lw_vload(m + i), lw_vload(v + i)};
        s = step(s, lw_vload(g + i), a);
        lw_vstore(w + i, s.w);
        lw_vstore(m + i, s.m);
        lw_vstore(v + i, s.v);
    }
    if (i < n) {
        size_t left = n - i;

        s = (struct adamw_lanes){lw_vload_part(w + i, left), lw_vload_part(m + i, left),
                                 lw_vload_part(v + i, left)};
        s = step(s, lw_vload_part(g + i, left), a);
        lw_vstore_part(w + i, s.w, left);
        lw_vstore_part(m + i, s.m, left);
        lw_vstore_part(v + i, s.v, left);
    }
}
