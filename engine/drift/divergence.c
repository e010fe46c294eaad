/* SPDX-License-Identifier: MIT */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math") /* a choice of two values need not be a branch */
#endif
#include "engine/drift/divergence.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2,fma")))
#define LANE static inline __attribute__((always_inline, target("avx2,fma")))

#define PART  128 /* bins at a time: their sum is taken plainly, those of parts with care */
#define SMALL 0.25
#define NEAR  0.5

/* A whole number below 2^52 as a double. */
LANE double real_of(uint64_t x)
{
    uint64_t bits = x | UINT64_C(0x4330000000000000);
    double y;

    memcpy(&y, &bits, sizeof y);
    return y - 0x1p52;
}

/* ln x for normal x > 0, to about 2e-16: x = 2^e f with f in [1/sqrt 2, sqrt 2), and ln f as the
 * series of 2 atanh((f - 1) / (f + 1)). */
LANE double logarithm(double x)
{
    uint64_t bits, fraction;
    double f, e, s, t, sum;

    memcpy(&bits, &x, sizeof bits);
    bits += UINT64_C(0x3FF0000000000000) - UINT64_C(0x3FE6A09E667F3BCD);
    e = real_of(bits >> 52) - 1023;
    fraction = (bits & UINT64_C(0x000FFFFFFFFFFFFF)) + UINT64_C(0x3FE6A09E667F3BCD);
    memcpy(&f, &fraction, sizeof f);
    s = (f - 1) / (f + 1);
    t = s * s;
    sum = 1.0 / 21;
    sum = sum * t + 1.0 / 19;
    sum = sum * t + 1.0 / 17;
    sum = sum * t + 1.0 / 15;
    sum = sum * t + 1.0 / 13;
    sum = sum * t + 1.0 / 11;
    sum = sum * t + 1.0 / 9;
    sum = sum * t + 1.0 / 7;
    sum = sum * t + 1.0 / 5;
    sum = sum * t + 1.0 / 3;
    return e * M_LN2 + 2 * s * (1 + t * sum);
}

/* h(d) = ((1+d) ln(1+d) + (1-d) ln(1-d)) / 2 as the sum of d^2j / (2j (2j-1)), for |d| <= SMALL */
LANE double h_small(double d)
{
    double x = d * d, sum = 1.0 / 552;

    sum = x * sum + 1.0 / 462;
    sum = x * sum + 1.0 / 380;
    sum = x * sum + 1.0 / 306;
    sum = x * sum + 1.0 / 240;
    sum = x * sum + 1.0 / 182;
    sum = x * sum + 1.0 / 132;
    sum = x * sum + 1.0 / 90;
    sum = x * sum + 1.0 / 56;
    sum = x * sum + 1.0 / 30;
    sum = x * sum + 1.0 / 12;
    sum = x * sum + 1.0 / 2;
    return x * sum;
}

LANE double h_large(double d)
{
    double less = 1 - fabs(d), more = 1 + fabs(d);
    double floor = less > 0x1p-60 ? less : 0x1p-60; /* its part is nothing then */

    return 0.5 * (more * logarithm(more) + less * logarithm(floor));
}

/* The bins that ask for logarithms; where only one side has any, h is ln 2. */
static size_t part_far(const double *d, const double *w, size_t k, double *far_d, double *far_w)
{
    size_t far = 0;

    for (size_t i = 0; i < k; i++) {
        double size = fabs(d[i]);

        far_d[far] = d[i];
        far_w[far] = w[i];
        far += (size_t)((size > SMALL) & (size < 1));
    }
    return far;
}

/* One part: d by cross products with their rounding errors, exactly 0 for proportional counts. */
WIDE static double part_sum(const uint64_t *a, const uint64_t *b, size_t k, double n, double m)
{
    double d[PART], w[PART], far_d[PART], far_w[PART], most = 0, sum = 0;
    size_t far = 0;
    double per_n = 0.5 / n, per_m = 0.5 / m;

#pragma omp simd reduction(max : most)
    for (size_t i = 0; i < k; i++) {
        double x = real_of(a[i]), y = real_of(b[i]), p = x * m, q = y * n;
        double lost = __builtin_fma(x, m, -p) - __builtin_fma(y, n, -q);
        double both = p + q, size;

        d[i] = ((p - q) + lost) / (both > 0 ? both : 1);
        w[i] = x * per_n + y * per_m;
        size = fabs(d[i]);
        most = size > most ? size : most;
    }
    if (most > SMALL)
        far = part_far(d, w, k, far_d, far_w);
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < k; i++) {
        double size = fabs(d[i]), small = h_small(size <= SMALL ? size : 0);

        sum += w[i] * (size < 1 ? small : M_LN2);
    }
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < far; i++)
        sum += far_w[i] * h_large(far_d[i]);
    return sum;
}

/* ln(1 + d) and ln(1 - d) for |d| <= NEAR, to nine digits: atanh d and ln(1 - d^2) / 2, added and
 * subtracted. */
LANE void logarithms(double d, double *x, double *y)
{
    double t = d * d, odd = 1.0 / 25, even = 1.0 / 24;

    odd = odd * t + 1.0 / 23;
    odd = odd * t + 1.0 / 21;
    odd = odd * t + 1.0 / 19;
    odd = odd * t + 1.0 / 17;
    odd = odd * t + 1.0 / 15;
    odd = odd * t + 1.0 / 13;
    odd = odd * t + 1.0 / 11;
    odd = odd * t + 1.0 / 9;
    odd = odd * t + 1.0 / 7;
    odd = odd * t + 1.0 / 5;
    odd = odd * t + 1.0 / 3;
    odd = d + d * t * odd;
    even = even * t + 1.0 / 22;
    even = even * t + 1.0 / 20;
    even = even * t + 1.0 / 18;
    even = even * t + 1.0 / 16;
    even = even * t + 1.0 / 14;
    even = even * t + 1.0 / 12;
    even = even * t + 1.0 / 10;
    even = even * t + 1.0 / 8;
    even = even * t + 1.0 / 6;
    even = even * t + 1.0 / 4;
    even = t * (even * t + 1.0 / 2);
    *x = odd - even;
    *y = -odd - even;
}

/* The same for those whose logarithms the series does not reach. */
static size_t part_apart(double *d, const double *p, const double *q, size_t k, double *far_p,
                         double *far_q)
{
    size_t far = 0;

    for (size_t i = 0; i < k; i++) {
        int is = fabs(d[i]) > NEAR;

        far_p[far] = p[i];
        far_q[far] = q[i];
        far += (size_t)is;
        d[i] = is ? 0 : d[i];
    }
    return far;
}

WIDE static void part_moments(const uint64_t *a, const uint64_t *b, size_t k, double per_n,
                              double per_m, double added, double out[4])
{
    double u = 0, v = 0, uu = 0, vv = 0, most = 0;
    double d[PART], p[PART], q[PART], far_p[PART], far_q[PART];
    const double *other_p = far_p, *other_q = far_q;
    size_t far = 0;

#pragma omp simd reduction(max : most)
    for (size_t i = 0; i < k; i++) {
        double size;

        p[i] = (real_of(a[i]) + added) * per_n;
        q[i] = (real_of(b[i]) + added) * per_m;
        d[i] = (p[i] - q[i]) / (p[i] + q[i]);
        size = fabs(d[i]);
        most = size > most ? size : most;
    }
    if (most > NEAR)
        far = part_apart(d, p, q, k, far_p, far_q);
    if (2 * far > k) { /* most of them: all of them */
        other_p = p;
        other_q = q;
        far = k;
        k = 0;
    }
#pragma omp simd reduction(+ : u, v, uu, vv)
    for (size_t i = 0; i < k; i++) {
        double x, y;

        logarithms(d[i], &x, &y);
        u += p[i] * x;
        v += q[i] * y;
        uu += p[i] * x * x;
        vv += q[i] * y * y;
    }
#pragma omp simd reduction(+ : u, v, uu, vv)
    for (size_t i = 0; i < far; i++) {
        double both = 2 / (other_p[i] + other_q[i]);
        double x = logarithm(other_p[i] * both), y = logarithm(other_q[i] * both);

        u += other_p[i] * x;
        v += other_q[i] * y;
        uu += other_p[i] * x * x;
        vv += other_q[i] * y * y;
    }
    out[0] += u;
    out[1] += v;
    out[2] += uu;
    out[3] += vv;
}

WIDE static void part_effects(const uint64_t *count, const uint64_t *square, const uint64_t *cross,
                              size_t k, double total, double spread, double out[2])
{
    double per_n = 1 / total, sum = 0, weight = 0;

#pragma omp simd reduction(+ : sum, weight)
    for (size_t i = 0; i < k; i++) {
        double n = real_of(count[i]), x = real_of(square[i]) / (n > 0 ? n : 1);

        x += n * spread - 2 * per_n * real_of(cross[i]);
        sum += n > 0 && n < total && x > 0 ? x : 0;
        weight += n > 0 && n < total ? 1 - n * per_n : 0;
    }
    out[0] += sum;
    out[1] += weight;
}

bool lw_divergence_ready(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
static void part_effects(const uint64_t *count, const uint64_t *square, const uint64_t *cross,
                         size_t k, double total, double spread, double out[2])
{
    (void)count, (void)square, (void)cross, (void)k, (void)total, (void)spread, (void)out;
}

static double part_sum(const uint64_t *a, const uint64_t *b, size_t k, double n, double m)
{
    (void)a, (void)b, (void)k, (void)n, (void)m;
    return NAN;
}

static void part_moments(const uint64_t *a, const uint64_t *b, size_t k, double per_n, double per_m,
                         double added, double out[4])
{
    (void)a, (void)b, (void)k, (void)per_n, (void)per_m, (void)added, (void)out;
}

bool lw_divergence_ready(void)
{
    return false;
}
#define PART 128
#endif

double lw_divergence_sum(const uint64_t *a, const uint64_t *b, size_t k, uint64_t n, uint64_t m)
{
    double total = 0, lost = 0;

    for (size_t i = 0; i < k; i += PART) { /* terms are not negative: Kahan's sum is enough */
        double x = part_sum(a + i, b + i, k - i < PART ? k - i : PART, (double)n, (double)m) - lost;
        double t = total + x;

        lost = (t - total) - x;
        total = t;
    }
    return total;
}

void lw_divergence_moments(const uint64_t *a, const uint64_t *b, size_t k, uint64_t n, uint64_t m,
                           double added, double out[4])
{
    double per_n = 1 / ((double)n + added * (double)k), per_m = 1 / ((double)m + added * (double)k);

    memset(out, 0, 4 * sizeof *out);
    for (size_t i = 0; i < k; i += PART)
        part_moments(a + i, b + i, k - i < PART ? k - i : PART, per_n, per_m, added, out);
}

void lw_divergence_effects(const struct lw_tally *t, const uint32_t *id, size_t k, double out[2])
{
    double total = (double)t->total, spread = (double)t->unit_squares / total / total;
    uint64_t count[PART], square[PART], cross[PART];

    out[0] = out[1] = 0;
    while (k) {
        size_t part = k < PART ? k : PART;

        for (size_t i = 0; i < part; i++) {
            static const struct lw_tally_row none;
            const struct lw_tally_row *r = id[i] < t->rows ? &t->row[id[i]] : &none;

            count[i] = r->count;
            square[i] = r->square;
            cross[i] = r->cross;
        }
        part_effects(count, square, cross, part, total, spread, out);
        id += part;
        k -= part;
    }
}
