/* SPDX-License-Identifier: MIT */
#include "engine/drift/simulate.h"

#include <stdbool.h>

#include "engine/drift/bins.h"
#include "engine/drift/draw.h"
#include "engine/drift/verdict.h"

#define SEED      20240607u
#define WARN      0.1
#define ALERT     0.2
#define FEATURES  6
#define QUANTILES 16
#define LENGTHS   10

/* n and m items, of p and of q, judged as a comparison would. */
static enum lw_state draw(struct lw_random *r, uint64_t n, uint64_t m, const struct lw_shares *p,
                          const struct lw_shares *q, double z, bool ordered)
{
    uint64_t a[LW_SHARES_LIMIT], b[LW_SHARES_LIMIT];
    struct lw_js_rule rule = {WARN, ALERT, z, 1, 0, NULL};
    size_t bins = (size_t)p->k;
    int pooled;

    lw_draw_counts(r, p, n, a);
    lw_draw_counts(r, q, m, b);
    rule.filled = lw_bins_filled(a, b, bins);
    bins = ordered ? lw_bins_merge(a, b, bins, NULL) : lw_bins_pool(a, b, NULL, bins, &pooled);
    return lw_judge_js(a, b, bins, &rule).state;
}

static void count(struct lw_simulated *s, enum lw_state state, int trials)
{
    s->warn += (state == LW_DRIFT_WARN || state == LW_DRIFT_ALERT) / (double)trials;
    s->alert += (state == LW_DRIFT_ALERT) / (double)trials;
    s->unsure += (state == LW_DRIFT_UNSURE) / (double)trials;
}

struct lw_simulated lw_simulate_null(uint64_t n, uint64_t m, int k, int trials)
{
    struct lw_shares even, zipf, quantile;
    struct lw_simulated s = {0};
    struct lw_random r;

    lw_shares_even(&even, k);
    lw_shares_zipf(&zipf, k);
    lw_shares_even(&quantile, QUANTILES);
    lw_random_init(&r, SEED, n * 1000003 + m * 1009 + (uint64_t)k);
    for (int t = 0; t < trials; t++) {
        enum lw_state worst = draw(&r, n, m, &even, &even, LW_Z_ONE, true);

        worst = lw_drift_worse(worst, draw(&r, n, m, &zipf, &zipf, LW_Z_ONE, false));
        for (int f = 0; f < FEATURES; f++)
            worst = lw_drift_worse(worst, draw(&r, n, m, &quantile, &quantile, LW_Z_SIX, true));
        count(&s, worst, trials);
    }
    return s;
}

struct lw_simulated lw_simulate_power(uint64_t n, uint64_t m, double distance, int trials)
{
    struct lw_simulated s = {0};
    struct lw_shares p, q;
    struct lw_random r;

    lw_shares_lengths(&p, LENGTHS, 0);
    lw_shares_lengths(&q, LENGTHS, distance);
    lw_random_init(&r, SEED, n * 1000003 + m * 1009 + (uint64_t)(distance * 1e6));
    for (int t = 0; t < trials; t++)
        count(&s, draw(&r, n, m, &p, &q, LW_Z_ONE, true), trials);
    return s;
}
