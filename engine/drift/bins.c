/* SPDX-License-Identifier: MIT */
#include "engine/drift/bins.h"

#include <math.h>

#include "engine/drift/divergence.h"

#define THIN 5.0 /* expected counts below this break the chi-square approximation */
#define MANY 64  /* bins from which they are taken many at a time */

/* Sums of many small terms, with what rounding loses kept beside (Neumaier). */
struct sum {
    double total, lost;
};

static void add(struct sum *s, double x)
{
    double t = s->total + x;

    s->lost += fabs(s->total) >= fabs(x) ? s->total - t + x : x - t + s->total;
    s->total = t;
}

uint64_t lw_bins_sum(const uint64_t *a, size_t k)
{
    uint64_t n = 0;

#pragma omp simd reduction(+ : n)
    for (size_t i = 0; i < k; i++)
        n += a[i];
    return n;
}

/* ((1+d) ln(1+d) + (1-d) ln(1-d)) / 2. Its series sum d^2j / (2j (2j-1)) has positive terms only,
 * so nothing cancels where d is small. */
static double h(double d)
{
    double x = d * d, sum = 0;

    if (x >= 1)
        return M_LN2;
    if (x > 0.0625)
        return 0.5 * ((1 + d) * log1p(d) + (1 - d) * log1p(-d));
    for (int j = x < 1e-3 ? 6 : 14; j >= 1; j--)
        sum = x * (sum + 1.0 / (2 * j * (2 * j - 1)));
    return sum;
}

double lw_js_term(uint64_t a, uint64_t b, lw_wide n, lw_wide m, double *d)
{
    if (!(a | b)) {
        *d = 0;
        return 0;
    }
    if ((n | m) >> 31) {
        lw_wide p = a * m, q = b * n;

        *d = (double)((p > q ? (long double)(p - q) : -(long double)(q - p)) /
                      ((long double)p + (long double)q));
    } else {
        int64_t p = (int64_t)(a * (uint64_t)m), q = (int64_t)(b * (uint64_t)n);

        *d = (double)(p - q) / (double)((uint64_t)p + (uint64_t)q);
    }
    return ((double)a / (double)n + (double)b / (double)m) / 2 * h(*d);
}

double lw_js_divergence_of(const uint64_t *a, const uint64_t *b, size_t k, lw_wide n, lw_wide m)
{
    struct sum s = {0};
    double d;

    if (!n || !m)
        return NAN;
    if (k >= MANY && (n | m) < LW_DIVERGENCE_LIMIT && lw_divergence_ready())
        return lw_divergence_sum(a, b, k, (uint64_t)n, (uint64_t)m);
    for (size_t i = 0; i < k; i++)
        if (a[i] | b[i])
            add(&s, lw_js_term(a[i], b[i], n, m, &d));
    return s.total + s.lost;
}

double lw_js_divergence(const uint64_t *a, const uint64_t *b, size_t k)
{
    lw_wide n = 0, m = 0;

    for (size_t i = 0; i < k; i++) {
        n += a[i];
        m += b[i];
    }
    return lw_js_divergence_of(a, b, k, n, m);
}

double lw_js(const uint64_t *a, const uint64_t *b, size_t k)
{
    return sqrt(lw_js_divergence(a, b, k));
}

double lw_kl(const uint64_t *a, const uint64_t *b, size_t k, double added)
{
    double n = (double)lw_bins_sum(a, k), m = (double)lw_bins_sum(b, k);
    struct sum s = {0};

    if (n == 0 || m == 0)
        return NAN;
    n += added * (double)k;
    m += added * (double)k;
    for (size_t i = 0; i < k; i++) {
        double p = ((double)a[i] + added) / n, q = ((double)b[i] + added) / m;

        add(&s, p * log(p / q));
    }
    return fmax(s.total + s.lost, 0);
}

double lw_w1(const uint64_t *a, const uint64_t *b, size_t k, double width)
{
    uint64_t n = lw_bins_sum(a, k), m = lw_bins_sum(b, k), below_a = 0, below_b = 0;
    long double sum = 0;

    if (!n || !m)
        return NAN;
    for (size_t i = 0; i < k; i++) {
        lw_wide p = (lw_wide)(below_a += a[i]) * m, q = (lw_wide)(below_b += b[i]) * n;

        sum += (long double)(p > q ? p - q : q - p);
    }
    return (double)(sum / n / m) * width;
}

struct lw_homogeneity lw_homogeneity(const uint64_t *a, const uint64_t *b, size_t k)
{
    double n = (double)lw_bins_sum(a, k), m = (double)lw_bins_sum(b, k), all = n + m;
    struct sum g = {0}, chi2 = {0}, inverse = {0};
    struct lw_homogeneity t = {0};
    int used = 0;

    if (n == 0 || m == 0)
        return (struct lw_homogeneity){NAN, NAN, NAN, 0};
    for (size_t i = 0; i < k; i++) {
        double x = (double)a[i], y = (double)b[i], both = x + y;
        double ea = both * n / all, eb = both * m / all;

        if (both == 0)
            continue;
        used++;
        add(&inverse, 1 / both);
        add(&chi2, (x - ea) * (x - ea) / ea + (y - eb) * (y - eb) / eb);
        /* x ln(x/e) - x + e has no sign to cancel; what is added sums to nothing. */
        add(&g, (x > 0 ? x * log(x / ea) : 0) - x + ea);
        add(&g, (y > 0 ? y * log(y / eb) : 0) - y + eb);
    }
    t.df = used - 1;
    t.g = 2 * (g.total + g.lost);
    t.chi2 = chi2.total + chi2.lost;
    t.williams = t.g;
    if (t.df > 0)
        t.williams /= 1 + (all / n + all / m - 1) * (all * (inverse.total + inverse.lost) - 1) /
                              (6 * all * t.df);
    return t;
}

static double least(const uint64_t *a, const uint64_t *b, size_t k)
{
    double n = (double)lw_bins_sum(a, k), m = (double)lw_bins_sum(b, k);

    return n > 0 && m > 0 ? THIN * (n + m) / fmin(n, m) : INFINITY;
}

size_t lw_bins_merge(uint64_t *a, uint64_t *b, size_t k, size_t *first)
{
    double enough = least(a, b, k);
    uint64_t x = 0, y = 0;
    size_t kept = 0, from = 0;

    for (size_t i = 0; i < k; i++) {
        x += a[i];
        y += b[i];
        if ((double)x + (double)y < enough && i + 1 < k)
            continue;
        if ((double)x + (double)y < enough && kept) { /* what is left over joins the last */
            a[kept - 1] += x;
            b[kept - 1] += y;
            break;
        }
        if (first)
            first[kept] = from;
        a[kept] = x;
        b[kept++] = y;
        x = y = 0;
        from = i + 1;
    }
    return kept;
}

static void exchange(uint64_t *a, uint64_t *b, uint32_t *which, size_t i, size_t j)
{
    uint64_t x = a[i], y = b[i];
    uint32_t w = which ? which[i] : 0;

    a[i] = a[j];
    b[i] = b[j];
    a[j] = x;
    b[j] = y;
    if (which) {
        which[i] = which[j];
        which[j] = w;
    }
}

static size_t rarest(const uint64_t *a, const uint64_t *b, size_t k)
{
    size_t r = 0;

    for (size_t i = 1; i < k; i++)
        if (a[i] + b[i] < a[r] + b[r])
            r = i;
    return r;
}

size_t lw_bins_pool(uint64_t *a, uint64_t *b, uint32_t *which, size_t k, int *pooled)
{
    double enough = least(a, b, k);
    uint64_t x = 0, y = 0;
    size_t kept = 0, rare;

    for (size_t i = 0; i < k; i++) { /* signed numbers convert faster */
        if ((double)(int64_t)(a[i] + b[i]) < enough)
            continue;
        if (kept != i)
            exchange(a, b, which, kept, i);
        kept++;
    }
    for (size_t i = kept; i < k; i++) {
        x += a[i];
        y += b[i];
    }
    *pooled = x + y > 0;
    while ((x | y) && (double)x + (double)y < enough && kept) {
        rare = rarest(a, b, kept);
        exchange(a, b, which, rare, --kept);
        x += a[kept];
        y += b[kept];
    }
    if (x | y) {
        a[kept] = x;
        b[kept++] = y;
    }
    return kept;
}
