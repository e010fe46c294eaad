/* SPDX-License-Identifier: MIT */
#include "engine/drift/simulate.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/drift/bins.h"
#include "engine/drift/cusum.h"
#include "engine/drift/profile.h"
#include "engine/drift/verdict.h"

#define SEED      20240607u
#define WARN      0.1
#define ALERT     0.2
#define NORMAL    60.0 /* from this mean on a count is drawn as a rounded normal */
#define FEATURES  6
#define QUANTILES 16
#define LENGTHS   10

static double normal(struct lw_random *r)
{
    double radius = sqrt(-2 * log(1 - lw_random_unit(r)));

    return radius * cos(2 * M_PI * lw_random_unit(r));
}

static uint64_t binomial(struct lw_random *r, uint64_t n, double p)
{
    double q = 1 - p, mean = (double)n * p, chance, u, x;
    uint64_t k = 0;

    if (n == 0 || p <= 0)
        return 0;
    if (p >= 1)
        return n;
    if (p > 0.5)
        return n - binomial(r, n, q);
    if (mean > NORMAL) {
        x = floor(mean + sqrt(mean * q) * normal(r) + 0.5);
        return x < 0 ? 0 : x > (double)n ? n : (uint64_t)x;
    }
    chance = exp((double)n * log1p(-p)); /* of none; then from each count to the next */
    for (u = lw_random_unit(r); u > chance && k < n; k++) {
        u -= chance;
        chance *= (double)(n - k) / (double)(k + 1) * p / q;
    }
    return k;
}

static void multinomial(struct lw_random *r, uint64_t n, const double *p, int k, uint64_t *out)
{
    double left = 1;

    for (int i = 0; i < k; i++) {
        out[i] = i + 1 < k && left > p[i] ? binomial(r, n, p[i] / left) : n;
        n -= out[i];
        left -= p[i];
    }
}

static struct lw_verdict judge(uint64_t *a, uint64_t *b, int k, double z, bool ordered)
{
    size_t bins = (size_t)k;
    struct lw_js_rule rule = {WARN, ALERT, z, 1, lw_bins_filled(a, b, bins), NULL};
    int pooled;

    bins = ordered ? lw_bins_merge(a, b, bins, NULL) : lw_bins_pool(a, b, NULL, bins, &pooled);
    return lw_judge_js(a, b, bins, &rule);
}

static enum lw_state draw(struct lw_random *r, uint64_t n, uint64_t m, const double *p,
                          const double *q, int k, double z, bool ordered)
{
    uint64_t a[LW_SIMULATED_BINS], b[LW_SIMULATED_BINS];

    multinomial(r, n, p, k, a);
    multinomial(r, m, q, k, b);
    return judge(a, b, k, z, ordered).state;
}

static void count(struct lw_simulated *s, enum lw_state state, int trials)
{
    s->warn += (state == LW_DRIFT_WARN || state == LW_DRIFT_ALERT) / (double)trials;
    s->alert += (state == LW_DRIFT_ALERT) / (double)trials;
    s->unsure += (state == LW_DRIFT_UNSURE) / (double)trials;
}

struct lw_simulated lw_simulate_null(uint64_t n, uint64_t m, int k, int trials)
{
    double even[LW_SIMULATED_BINS], zipf[LW_SIMULATED_BINS], quantile[QUANTILES], sum = 0;
    struct lw_simulated s = {0};
    struct lw_random r;

    lw_random_init(&r, SEED, n * 1000003 + m * 1009 + (uint64_t)k);
    for (int i = 0; i < k; i++)
        sum += zipf[i] = 1.0 / (i + 1);
    for (int i = 0; i < k; i++) {
        even[i] = 1.0 / k;
        zipf[i] /= sum;
    }
    for (int i = 0; i < QUANTILES; i++)
        quantile[i] = 1.0 / QUANTILES;
    for (int t = 0; t < trials; t++) {
        enum lw_state worst = draw(&r, n, m, even, even, k, LW_Z_ONE, true);

        worst = lw_drift_worse(worst, draw(&r, n, m, zipf, zipf, k, LW_Z_ONE, false));
        for (int f = 0; f < FEATURES; f++)
            worst = lw_drift_worse(worst,
                                   draw(&r, n, m, quantile, quantile, QUANTILES, LW_Z_SIX, true));
        count(&s, worst, trials);
    }
    return s;
}

/* Shares of the bins for lognormal lengths; a tilt moves the logarithm's mean. */
static void length_shares(double tilt, double p[LENGTHS])
{
    double below = 0;

    for (int i = 0; i < LENGTHS; i++) {
        double edge = lw_bin_edge(i + 1, LENGTHS, 512);
        double upto =
            i + 1 == LENGTHS ? 1 : 0.5 * erfc(-((log(edge) - log(120)) / 0.6 - tilt) / sqrt(2));

        p[i] = upto - below;
        below = upto;
    }
}

static double distance_of(const double *p, const double *q)
{
    double sum = 0;

    for (int i = 0; i < LENGTHS; i++) {
        double m = (p[i] + q[i]) / 2;

        sum += 0.5 * (p[i] * log(p[i] / m) + q[i] * log(q[i] / m));
    }
    return sqrt(fmax(sum, 0));
}

struct lw_simulated lw_simulate_power(uint64_t n, uint64_t m, double distance, int trials)
{
    double p[LENGTHS], q[LENGTHS], low = 0, high = 6;
    struct lw_simulated s = {0};
    struct lw_random r;

    length_shares(0, p);
    for (int i = 0; i < 60; i++) {
        length_shares((low + high) / 2, q);
        if (distance_of(p, q) < distance)
            low = (low + high) / 2;
        else
            high = (low + high) / 2;
    }
    length_shares(distance > 0 ? low : 0, q);
    lw_random_init(&r, SEED, n * 1000003 + m * 1009 + (uint64_t)(distance * 1e6));
    for (int t = 0; t < trials; t++)
        count(&s, draw(&r, n, m, p, q, LENGTHS, LW_Z_ONE, true), trials);
    return s;
}

double lw_simulate_alarm(uint64_t m, double budget, int runs)
{
    double p[LENGTHS], limit = lw_cusum_limit(budget), total = 0;
    struct lw_random r;

    length_shares(0, p);
    lw_random_init(&r, SEED, m);
    for (int run = 0; run < runs; run++) {
        uint64_t reference[LENGTHS], a[LENGTHS], b[LENGTHS];
        struct lw_cusum c = {0};
        bool alarm = false;

        multinomial(&r, 10 * m, p, LENGTHS, reference);
        while (!alarm && (double)c.seen < 100 * budget) {
            memcpy(a, reference, sizeof a);
            multinomial(&r, m, p, LENGTHS, b);
            alarm = lw_cusum_add(&c, judge(a, b, LENGTHS, LW_Z_ONE, true).z, LW_CUSUM_SLACK, limit,
                                 NULL);
        }
        total += (double)c.seen;
    }
    return total / runs;
}
