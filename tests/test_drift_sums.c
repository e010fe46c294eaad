/* SPDX-License-Identifier: MIT
 *
 * Sums over many bins or ids at a time against the same ones taken one by one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "engine/base/random.h"
#include "engine/drift/bins.h"
#include "engine/drift/compare.h"
#include "engine/drift/divergence.h"

#define K    1000
#define WORD 300

static struct lw_error err;

/* Counts about `mean`, of b `times` as many; spread: how far a bin may be from its mean. */
static void histograms(uint64_t *a, uint64_t *b, uint64_t mean, uint64_t times, uint64_t spread)
{
    struct lw_random r;

    lw_random_init(&r, mean, spread);
    for (int i = 0; i < K; i++) {
        a[i] = mean + lw_random_below(&r, (uint32_t)spread);
        b[i] = (mean + lw_random_below(&r, (uint32_t)spread)) * times;
    }
}

static void check_moments(uint64_t mean, uint64_t times, uint64_t spread, double exact)
{
    uint64_t a[K], b[K], n, m;
    double got[4], want[4] = {0};

    histograms(a, b, mean, times, spread);
    n = lw_bins_sum(a, K);
    m = lw_bins_sum(b, K);
    for (int i = 0; i < K; i++) {
        double p = ((double)a[i] + 0.5) / ((double)n + 0.5 * K);
        double q = ((double)b[i] + 0.5) / ((double)m + 0.5 * K);
        double x = log(2 * p / (p + q)), y = log(2 * q / (p + q));

        want[0] += p * x;
        want[1] += q * y;
        want[2] += p * x * x;
        want[3] += q * y * y;
    }
    lw_divergence_moments(a, b, K, n, m, 0.5, got);
    for (int i = 0; i < 4; i++)
        cr_expect_float_eq(got[i], want[i], exact, "moment %d of %u, %u: %.17g, not %.17g", i,
                           (unsigned)mean, (unsigned)spread, got[i], want[i]);
}

/* Nine digits: near ones are taken by a series, far ones by logarithms. */
Test(drift_sums, moments)
{
    if (!lw_divergence_ready())
        cr_skip_test("no AVX2 here");
    check_moments(1000, 3, 10, 1e-12);
    check_moments(1000, 3, 1800, 2e-9); /* |d| up to 0.47 */
    check_moments(0, 7, 50, 2e-9);
    check_moments(0, 1, 2, 2e-9);
    check_moments((uint64_t)1 << 38, 2, 1u << 31, 1e-12);
}

/* Documents in which some ids keep to themselves, among them one that is everywhere and ids only
 * one side has. */
static void fill(struct lw_profile *p, int documents, int first)
{
    struct lw_random r;

    lw_random_init(&r, 8, (uint64_t)first);
    for (int d = 0; d < documents; d++) {
        int32_t ids[200], n = 1 + (int32_t)lw_random_below(&r, 200);
        uint32_t topic = lw_random_below(&r, 10);

        for (int32_t i = 0; i < n; i++)
            ids[i] = i % 3 ? first + (int32_t)(topic * 30 + lw_random_below(&r, 30))
                           : (int32_t)lw_random_below(&r, 1 + lw_random_below(&r, WORD));
        cr_assert_eq(lw_profile_document(p, ids, (size_t)n, &err), 0);
    }
}

Test(drift_sums, design_effects)
{
    struct lw_profile_options o = {.modality = LW_TEXT};
    struct lw_profile p;
    const struct lw_tally *t = &p.text.tokens;
    double got[2], sum = 0, weight = 0, total;
    uint32_t id[K];

    if (!lw_divergence_ready())
        cr_skip_test("no AVX2 here");
    cr_assert_eq(lw_profile_init(&p, &o, &err), 0);
    fill(&p, 500, 100);
    total = (double)t->total;
    for (uint32_t i = 0; i < K; i++) {
        double effect = lw_tally_effect(t, id[i] = K - 1 - i), share;

        share = (double)lw_tally_count(t, id[i]) / total;
        if (isnan(effect))
            continue;
        sum += effect * (1 - share);
        weight += 1 - share;
    }
    lw_divergence_effects(t, id, K, got);
    cr_expect_float_eq(got[0] * (double)t->units / ((double)t->units - 1), sum, 1e-9 * sum);
    cr_expect_float_eq(got[1], weight, 1e-12 * weight);
    lw_profile_fini(&p);
}

Test(drift_sums, one_id_alone_tells_nothing)
{
    struct lw_profile_options o = {.modality = LW_TEXT};
    int32_t same[50] = {0};
    struct lw_profile p;
    double got[2];
    uint32_t id[2] = {0, 77777};

    if (!lw_divergence_ready())
        cr_skip_test("no AVX2 here");
    cr_assert_eq(lw_profile_init(&p, &o, &err), 0);
    for (size_t d = 1; d < 50; d++)
        cr_assert_eq(lw_profile_document(&p, same, d, &err), 0);
    lw_divergence_effects(&p.text.tokens, id, 2, got);
    cr_expect_eq(got[0], 0);
    cr_expect_eq(got[1], 0);
    lw_profile_fini(&p);
}

/* The five ids behind a score, and the tops, found by looking at all there are. */
Test(drift_sums, the_largest_parts)
{
    struct lw_profile_options o = {.modality = LW_TEXT};
    struct lw_drift_settings settings;
    struct lw_profile a, b;
    struct lw_comparison c;
    const struct lw_tally *x = &a.text.tokens, *y = &b.text.tokens;
    const struct lw_score *s = &c.score[LW_SCORE_TOKEN_JS];
    struct lw_id_count top[LW_PROFILE_TOP], now[LW_PROFILE_TOP];
    double term[K], sign[K], unseen = 0, all = 0;
    int n, m;

    cr_assert_eq(lw_profile_init(&a, &o, &err), 0);
    cr_assert_eq(lw_profile_init(&b, &o, &err), 0);
    fill(&a, 500, 100);
    fill(&b, 300, 350);
    lw_drift_settings_init(&settings, false, 0.1, 0.2);
    cr_assert_eq(lw_drift_compare(&c, &a, &b, &settings, NULL, &err), 0);
    cr_assert_eq(s->verdict.state, LW_DRIFT_ALERT);
    for (uint32_t id = 0; id < K; id++) {
        uint64_t i = lw_tally_count(x, id), j = lw_tally_count(y, id);

        term[id] = lw_js_term(i, j, x->total, y->total, &sign[id]);
        all += term[id];
        unseen += i ? 0 : (double)j;
    }
    cr_expect_float_eq(c.score[LW_SCORE_TOKEN_OOV].value, unseen / (double)y->total, 1e-15);
    n = lw_tally_top(x, top, LW_PROFILE_TOP);
    m = lw_tally_top(y, now, LW_PROFILE_TOP);
    cr_expect_eq(c.score[LW_SCORE_TOKEN_OVERLAP].value, lw_overlap(top, n, now, m));
    cr_assert_eq(s->whys, LW_WHYS);
    for (int w = 0; w < LW_WHYS; w++) {
        char name[32];
        int most = 0;

        for (int id = 1; id < K; id++)
            most = term[id] > term[most] ? id : most;
        snprintf(name, sizeof name, "token %d", most);
        cr_expect_str_eq(s->why[w].what, name);
        cr_expect_float_eq(s->why[w].share, -copysign(term[most] / all, sign[most]), 1e-12);
        term[most] = -1;
    }
    lw_profile_fini(&a);
    lw_profile_fini(&b);
}
