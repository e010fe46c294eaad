/* SPDX-License-Identifier: MIT */
#include "engine/drift/draw.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define FEW 10.0 /* from this mean on rejection is quicker than counting up */

void lw_shares_ready(struct lw_shares *s)
{
    int small[LW_SHARES_LIMIT], large[LW_SHARES_LIMIT], smalls = 0, larges = 0;

    for (int i = 0; i < s->k; i++) {
        s->keep[i] = s->p[i] * s->k;
        s->other[i] = i;
        if (s->keep[i] < 1)
            small[smalls++] = i;
        else
            large[larges++] = i;
    }
    while (smalls && larges) {
        int from = large[larges - 1], to = small[--smalls];

        s->other[to] = from;
        s->keep[from] -= 1 - s->keep[to];
        if (s->keep[from] < 1) {
            larges--;
            small[smalls++] = from;
        }
    }
    while (smalls) /* 1 but for rounding */
        s->keep[small[--smalls]] = 1;
}

int lw_draw_one(struct lw_random *r, const struct lw_shares *s)
{
    int i = (int)lw_random_below(r, (uint32_t)s->k);

    return lw_random_unit(r) < s->keep[i] ? i : s->other[i];
}

/* Counted up from none, each chance from the one before. */
static uint64_t count_up(struct lw_random *r, uint64_t n, double p)
{
    double chance = exp((double)n * log1p(-p)), u = lw_random_unit(r);
    uint64_t k = 0;

    for (; u > chance && k < n; k++) {
        u -= chance;
        chance *= (double)(n - k) / (double)(k + 1) * p / (1 - p);
    }
    return k;
}

/* ln of the chance of k, less what all k share. */
static double log_chance(double n, double k, double odds)
{
    return k * odds - lgamma(k + 1) - lgamma(n - k + 1);
}

/* Transformed rejection with a squeeze (Hoermann 1993, "BTRS"). p <= 0.5. */
static uint64_t reject(struct lw_random *r, double n, double p)
{
    double s = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * s, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double squeeze = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * s, mode = floor((n + 1) * p);

    for (;;) {
        double v = 1 - lw_random_unit(r), u = lw_random_unit(r) - 0.5, us = 0.5 - fabs(u), odds;
        double k = floor((2 * a / us + b) * u + n * p + 0.5);

        if (us >= 0.07 && v <= squeeze)
            return (uint64_t)k;
        if (!(k >= 0 && k <= n))
            continue;
        odds = log(p / (1 - p));
        if (log(v * alpha / (a / us / us + b)) <=
            log_chance(n, k, odds) - log_chance(n, mode, odds))
            return (uint64_t)k;
    }
}

uint64_t lw_draw_binomial(struct lw_random *r, uint64_t n, double p)
{
    if (n == 0 || p <= 0)
        return 0;
    if (p >= 1)
        return n;
    if (p > 0.5)
        return n - lw_draw_binomial(r, n, 1 - p);
    return (double)n * p < FEW ? count_up(r, n, p) : reject(r, (double)n, p);
}

void lw_draw_counts(struct lw_random *r, const struct lw_shares *s, uint64_t n, uint64_t *out)
{
    double left = 1;

    if (n < 4 * (uint64_t)s->k) { /* quicker one by one */
        memset(out, 0, (size_t)s->k * sizeof *out);
        for (; n; n--)
            out[lw_draw_one(r, s)]++;
        return;
    }
    for (int i = 0; i < s->k; i++) {
        out[i] = i + 1 < s->k && left > s->p[i] ? lw_draw_binomial(r, n, s->p[i] / left) : n;
        n -= out[i];
        left -= s->p[i];
    }
}
