/* SPDX-License-Identifier: MIT
 *
 * Scores and verdicts against known answers. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/drift/bins.h"
#include "engine/drift/compare.h"
#include "engine/drift/cusum.h"
#include "engine/drift/draw.h"
#include "engine/drift/simulate.h"
#include "engine/drift/special.h"
#include "engine/drift/verdict.h"
#include "tests/support.h"

#define K 1024

static json_t *golden(void)
{
    json_error_t problem;
    json_t *root = json_load_file(test_source("tests/data/drift_golden.json"), 0, &problem);

    cr_assert(root, "%s", problem.text);
    return root;
}

static size_t counts(const json_t *list, uint64_t out[K])
{
    size_t n = json_array_size(list);

    cr_assert_leq(n, K);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint64_t)json_integer_value(json_array_get(list, i));
    return n;
}

static double want(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void near(const char *name, const char *key, double got, double wanted, double relative,
                 double absolute)
{
    double off = fabs(got - wanted);

    cr_expect(off <= relative * fabs(wanted) || off <= absolute, "%s: %s is %.17g, wanted %.17g",
              name, key, got, wanted);
}

/* Families of which the reference implementation has no figures. */
static int is_odd(const char *family)
{
    static const char *const odd[] = {"empty", "near", "identical", "huge"};

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        if (!strcmp(family, odd[i]))
            return 1;
    return 0;
}

Test(drift_scores, histograms)
{
    json_t *root = golden(), *row;
    uint64_t a[K], b[K];
    size_t i, compared = 0;

    json_array_foreach(json_object_get(root, "hist"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *family = json_string_value(json_object_get(row, "family"));
        const json_t *w = json_object_get(row, "want");
        size_t k = counts(json_object_get(row, "ref"), a);

        cr_assert_eq(k, counts(json_object_get(row, "new"), b));
        if (!strcmp(family, "empty")) {
            if (!lw_bins_sum(a, k) || !lw_bins_sum(b, k))
                cr_expect(isnan(lw_js(a, b, k)), "%s: nothing has no distance", name);
            continue;
        }
        compared++;
        near(name, "js", lw_js(a, b, k), want(w, "x_js_dist_nats"), 1e-12, 0);
        near(name, "divergence", lw_js_divergence(a, b, k), want(w, "x_js_div_nats"), 1e-12, 1e-18);
        if (is_odd(family))
            continue;
        near(name, "js", lw_js(a, b, k), want(w, "seed_js"), 1e-9, 1e-9);
        near(name, "kl", lw_kl(a, b, k, 1e-12), want(w, "seed_kl_ref_new"), 1e-9, 1e-9);
        near(name, "kl", lw_kl(b, a, k, 1e-12), want(w, "seed_kl_new_ref"), 1e-9, 1e-9);
        near(name, "kl05", lw_kl(a, b, k, 0.5), want(w, "kl05_ref_new"), 1e-8, 1e-12);
        near(name, "kl05", lw_kl(b, a, k, 0.5), want(w, "kl05_new_ref"), 1e-8, 1e-12);
        near(name, "w1", lw_w1(a, b, k, 1), want(w, "wasserstein_unit"), 1e-9, 1e-12);
    }
    cr_assert_gt(compared, 190);
    json_decref(root);
}

Test(drift_scores, homogeneity)
{
    json_t *root = golden(), *row;
    uint64_t a[K], b[K];
    size_t i, compared = 0;

    json_array_foreach(json_object_get(root, "hist"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const json_t *w = json_object_get(row, "want");
        size_t k = counts(json_object_get(row, "ref"), a);
        struct lw_homogeneity t;

        if (is_odd(json_string_value(json_object_get(row, "family"))) || isnan(want(w, "g")))
            continue;
        counts(json_object_get(row, "new"), b);
        t = lw_homogeneity(a, b, k);
        compared++;
        cr_expect_eq(t.df, (int)want(w, "df"), "%s", name);
        near(name, "g", t.g, want(w, "g"), 1e-8, 1e-12);
        near(name, "chi2", t.chi2, want(w, "chi2"), 1e-8, 1e-12);
        if (t.df > 0) {
            near(name, "g_p", lw_chi2_tail(t.g, t.df), want(w, "g_p"), 1e-8, 1e-300);
            near(name, "chi2_p", lw_chi2_tail(t.chi2, t.df), want(w, "chi2_p"), 1e-8, 1e-300);
        }
    }
    cr_assert_gt(compared, 100);
    json_array_foreach(json_object_get(root, "chi2_sf"), i, row)
        near("chi2_sf", "tail", lw_chi2_tail(want(row, "x"), want(row, "df")), want(row, "want"),
             1e-8, 1e-300);
    json_decref(root);
}

Test(drift_scores, normal_tail)
{
    near("0.01", "z", lw_normal_tail_inverse(0.01), LW_Z_ONE, 1e-14, 0);
    near("0.5", "z", lw_normal_tail_inverse(0.5), 0, 0, 1e-15);
    near("0.99", "z", lw_normal_tail_inverse(0.99), -LW_Z_ONE, 1e-14, 0);
    near("1e-12", "z", lw_normal_tail_inverse(1e-12), 7.034483825301132, 1e-12, 0);
}

/* The lists of golden streams; ids may be larger than a tally takes. */
static int by_count(const void *a, const void *b)
{
    const struct lw_id_count *x = a, *y = b;

    return x->count != y->count ? (x->count < y->count ? 1 : -1) : x->id < y->id ? -1 : 1;
}

static int top_of(const json_t *stream, struct lw_id_count *list, int max)
{
    size_t n = json_array_size(stream), i;
    json_t *v;
    int k = 0;

    json_array_foreach(stream, i, v)
    {
        uint32_t id = (uint32_t)json_integer_value(v);
        int at = 0;

        while (at < k && list[at].id != id)
            at++;
        if (at == k)
            list[k++] = (struct lw_id_count){id, 0};
        list[at].count++;
    }
    qsort(list, (size_t)k, sizeof *list, by_count);
    return n && k > max ? max : k;
}

static void same_top(const char *name, const json_t *stream, const struct lw_id_count *list, int n)
{
    struct lw_id_count top[LW_PROFILE_TOP];
    struct lw_tally t = {0};
    struct lw_error err;
    int32_t ids[4096];
    size_t i;
    json_t *v;

    json_array_foreach(stream, i, v)
    {
        if (json_integer_value(v) >= LW_TALLY_IDS)
            return;
        ids[i] = (int32_t)json_integer_value(v);
    }
    cr_assert_eq(lw_tally_add(&t, ids, i, &err), 0);
    cr_assert_eq(lw_tally_top(&t, top, n), n);
    for (int k = 0; k < n; k++)
        cr_expect(top[k].id == list[k].id && top[k].count == list[k].count, "%s: rank %d", name, k);
    lw_tally_fini(&t);
}

Test(drift_scores, token_sets)
{
    struct lw_id_count *a = calloc(8192, sizeof *a), *b = calloc(8192, sizeof *b);
    json_t *root = golden(), *row;
    size_t i, compared = 0;

    json_array_foreach(json_object_get(root, "tokens"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        int max = (int)json_integer_value(json_object_get(row, "top_n"));
        int n = top_of(json_object_get(row, "ref"), a, max);
        int m = top_of(json_object_get(row, "new"), b, max);

        if (!n || !m) {
            cr_expect(isnan(lw_overlap(a, n, b, m)));
            continue;
        }
        compared++;
        near(name, "overlap", lw_overlap(a, n, b, m), want(row, "overlap"), 1e-12, 0);
        same_top(name, json_object_get(row, "ref"), a, n);
        same_top(name, json_object_get(row, "new"), b, m);
    }
    cr_assert_geq(compared, 19);
    json_decref(root);
    free(a);
    free(b);
}

Test(drift_scores, binning)
{
    json_t *root = golden(), *b = json_object_get(root, "binning"), *v;
    size_t i;

    json_array_foreach(json_object_get(b, "length_edges"), i, v)
        cr_expect_eq(lw_bin_edge((int)i, 10, 512), json_number_value(v), "edge %zu", i);
    json_array_foreach(json_object_get(b, "length_values"), i, v)
        cr_expect_eq(lw_bin_of(json_number_value(v), 10, 512),
                     json_integer_value(json_array_get(json_object_get(b, "length_bins"), i)),
                     "length %g", json_number_value(v));
    json_array_foreach(json_object_get(b, "brightness_values"), i, v)
        cr_expect_eq(lw_bin_of(json_number_value(v), 5, 1),
                     json_integer_value(json_array_get(json_object_get(b, "brightness_bins"), i)),
                     "brightness %.17g", json_number_value(v));
    json_decref(root);
}

Test(drift_scores, reference_thresholds)
{
    struct lw_drift_settings s;
    json_t *root = golden(), *row;
    size_t i;

    lw_drift_settings_init(&s, true, 0.1, 0.2);
    json_array_foreach(json_object_get(root, "status"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "score"));
        const char *cell = json_string_value(json_object_get(row, "cell"));
        double value = want(row, "value");
        int id = lw_score_find(name);
        enum lw_state got;

        cr_assert_geq(id, 0, "%s", name);
        got = id == LW_SCORE_TOKEN_OVERLAP ? lw_classify_high(value, s.warn[id], s.alert[id])
                                           : lw_classify(value, s.warn[id], s.alert[id]);
        cr_expect_str_eq(lw_drift_state_name(got), cell, "%s %.17g", name, value);
    }
    cr_expect_eq(i, 119);
    cr_expect_eq(lw_classify(NAN, 0.1, 0.2), LW_DRIFT_UNKNOWN);
    json_decref(root);
}

Test(drift_scores, cusum)
{
    json_t *root = golden(), *row, *v;
    size_t i, k;

    json_array_foreach(json_object_get(root, "cusum"), i, row)
    {
        const json_t *alarms = json_object_get(row, "cusum_alarms");
        double mu = want(row, "mu"), sd = want(row, "sd"), h = want(row, "cusum_h");
        struct lw_cusum up = {0}, down = {0};
        size_t n = 0;

        json_array_foreach(json_object_get(row, "x"), k, v)
        {
            double z = (json_number_value(v) - mu) / sd, slack = want(row, "cusum_k");
            bool rose = lw_cusum_add(&up, z, slack, h, NULL);
            bool fell = lw_cusum_add(&down, -z, slack, h, NULL);
            const json_t *alarm = json_array_get(alarms, n);

            if (!rose && !fell)
                continue;
            up.sum = down.sum = 0;
            n++;
            cr_expect_eq(json_integer_value(json_array_get(alarm, 0)), (json_int_t)k);
            cr_expect_str_eq(json_string_value(json_array_get(alarm, 1)), rose ? "up" : "down");
        }
        cr_expect_eq(n, json_array_size(alarms));
    }
    json_decref(root);
}

Test(drift_scores, cusum_limit_and_change)
{
    struct lw_cusum c = {0};
    int64_t began = 0;
    int at = 0;

    near("500", "h", lw_cusum_limit(500, 1, 0), 4.39, 0, 1e-2);
    for (int i = 1; i <= 40 && !at; i++)
        if (lw_cusum_add(&c, i <= 20 ? -0.2 : 1.5, LW_CUSUM_SLACK, lw_cusum_limit(500, 1, 0),
                         &began))
            at = i;
    cr_expect_eq(at, 25);
    cr_expect_eq(began, 21);
    c = (struct lw_cusum){0};
    cr_expect_not(lw_cusum_add(&c, NAN, LW_CUSUM_SLACK, 1, NULL));
    cr_expect_eq(c.sum, 0);
}

/* Mean checks until the first of several walks of normal steps, a part of which a run shares, goes
 * over the limit. */
static double walk_until(double limit, int scores, double shared, int runs)
{
    double sum = 0;

    for (int i = 0; i < runs; i++) {
        struct lw_cusum c[4] = {{0}};
        float g[4], x[4];
        bool over = false;

        lw_random_normal(11, (uint64_t)i, 0, g);
        for (uint64_t t = 1; !over; t++, sum++) {
            lw_random_normal(11, (uint64_t)i, t, x);
            for (int s = 0; s < scores; s++) {
                double z = shared * (double)g[s] + sqrt(1 - shared * shared) * (double)x[s];

                over |= lw_cusum_add(&c[s], z, LW_CUSUM_SLACK, limit, NULL);
            }
        }
    }
    return sum / runs;
}

/* The limit keeps the budget of false alarms, and one that ignores how many scores there are, or
 * that they share a reference, would not. Standard errors are 2 to 3 %. */
Test(drift_scores, cusum_limit_keeps_the_budget)
{
    static const struct {
        double mean;
        int scores;
        double shared;
    } row[] = {{100, 1, 0}, {100, 1, 1.0 / 11}, {100, 1, 0.2}, {200, 4, 1.0 / 11}};

    for (int i = 0; i < 4; i++) {
        double limit = lw_cusum_limit(row[i].mean, row[i].scores, row[i].shared);

        near("budget", "checks", walk_until(limit, row[i].scores, row[i].shared, 3000), row[i].mean,
             0.09, 0);
    }
    cr_expect_gt(walk_until(lw_cusum_limit(100, 1, 0), 1, 0.2, 3000), 125);
    cr_expect_lt(walk_until(lw_cusum_limit(100, 1, 0), 4, 0, 3000), 60);
    cr_expect(isnan(lw_cusum_limit(100, 1, NAN)));
}

/* Windows without drift: z is a standard normal, whatever the bins, and what one reference's
 * windows share is what it was said to be. Bins are thin here, and of very different size. */
Test(drift_scores, chance_is_a_standard_normal)
{
    enum { REFERENCES = 2000, WINDOWS = 16 };
    static const int bins[] = {5, 10, 50};
    struct lw_shares p;
    struct lw_random r;
    uint64_t a[50], b[50];

    lw_random_init(&r, 12, 1);
    for (int i = 0; i < 3; i++) {
        double all = 0, squares = 0, between = 0, shared = 0, n = REFERENCES * WINDOWS;

        lw_shares_lengths(&p, bins[i], 0);
        for (int k = 0; k < REFERENCES; k++) {
            double sum = 0, own = 0;

            lw_draw_counts(&r, &p, 1000, a);
            for (int t = 0; t < WINDOWS; t++) {
                struct lw_chance c;

                lw_draw_counts(&r, &p, 100, b);
                c = lw_chance(a, b, (size_t)bins[i], true, 1);
                sum += c.z;
                own += c.z * c.z;
                shared += c.shared * c.shared / n;
            }
            all += sum;
            squares += own;
            between += (sum * sum - own) / WINDOWS / (WINDOWS - 1) / REFERENCES;
        }
        near("z", "mean", all / n, 0, 0, 0.04);
        near("z", "variance", squares / n, 1, 0, 0.06);
        near("z", "shared", between, shared, 0, 0.006);
        cr_expect(shared > 0.005 && shared < 0.02, "%g", shared);
    }
    cr_expect(isnan(lw_chance(a, b, 1, true, 1).z));
    cr_expect(isnan(lw_chance(a, (const uint64_t[2]){0}, 2, true, 1).z));
}

/* From drawn histograms to the alarm, as a run has it: images take seven scores, each with a
 * reference of its own. Standard errors are 5 to 8 %. */
Test(drift_scores, alarm_rates)
{
    static const struct lw_alarm_setting row[] = {{LW_ALARM_LENGTHS, 10, 200, 10, 0, 200},
                                                  {LW_ALARM_LENGTHS, 50, 200, 100, 0, 100},
                                                  {LW_ALARM_IMAGES, 16, 200, 10, 0, 50}};
    struct lw_alarm_setting drift = {LW_ALARM_LENGTHS, 10, 1000, 100, 0.1, 500};
    struct lw_alarm_result a;
    struct lw_error err;

    for (int i = 0; i < 3; i++) {
        cr_assert_eq(lw_simulate_alarm(&row[i], 0.05, 500, &a, &err), 0);
        near("alarm", "checks", a.mean, row[i].budget, 0.16, 0);
    }
    cr_assert_eq(lw_simulate_alarm(&drift, 0.03, 500, &a, &err), 0);
    cr_expect_lt(a.mean, 2);
}

Test(drift_scores, known_answers)
{
    static const uint64_t a[] = {10, 20, 30, 25, 15, 10, 5, 3, 2, 1};
    static const uint64_t b[] = {8, 18, 32, 28, 18, 12, 6, 4, 2, 1};
    static const uint64_t c[] = {20, 40, 60, 50, 30}, d[] = {15, 35, 65, 55, 30};
    static const uint64_t e[] = {40, 60}, f[] = {80, 20}, g[] = {50, 50}, h[] = {100, 0};
    static const uint64_t i[] = {50, 50, 0}, j[] = {0, 0, 100}, k[] = {50, 50, 900};

    near("lengths", "js", lw_js(a, b, 10), 0.0446407830207, 0, 1e-12);
    near("brightness", "js", lw_js(c, d, 5), 0.0431357547093, 0, 1e-12);
    near("outputs", "js", lw_js(e, f, 2), 0.293776482611, 0, 1e-11);
    near("outputs", "kl", lw_kl(e, f, 2, 1e-12), 0.381908500977, 0, 1e-11);
    near("outputs", "kl", lw_kl(f, e, 2, 1e-12), 0.334795286714, 0, 1e-11);
    near("gone", "js", lw_js(g, h, 2), 0.464501404022, 0, 1e-11);
    near("gone", "kl", lw_kl(g, h, 2, 1e-12), 15.4249484704, 0, 1e-9);
    near("new", "js", lw_js(i, j, 3), 0.832554611157, 0, 1e-11);
    near("new", "kl", lw_kl(i, j, 3, 1e-12), 31.5430441214, 0, 1e-9);
    near("more", "js", lw_js(i, k, 3), 0.724980914933, 0, 1e-11);
    near("more", "kl", lw_kl(i, k, 3, 1e-12), 2.30258509299, 0, 1e-9);
}

Test(drift_scores, thin_bins_merge)
{
    uint64_t a[] = {50, 1, 1, 1, 50, 2}, b[] = {50, 0, 1, 0, 50, 4};
    size_t first[6];
    size_t k = lw_bins_merge(a, b, 6, first);

    cr_expect_eq(lw_bins_sum(a, k), 105);
    cr_expect_eq(lw_bins_sum(b, k), 105);
    cr_assert_eq(k, 2); /* 1 1 1 join the second 50, and the rest joins it too */
    cr_expect_eq(a[0], 50);
    cr_expect_eq(first[1], 1);
}

Test(drift_scores, rare_ids_pool)
{
    uint64_t a[] = {1, 50, 2, 60, 0}, b[] = {0, 50, 1, 60, 1};
    uint32_t id[] = {7, 8, 9, 10, 11};
    int pooled;
    size_t k = lw_bins_pool(a, b, id, 5, &pooled);

    cr_assert_eq(k, 2); /* 4 + 2 is too little to stand: it takes the rarest of the others along */
    cr_expect(pooled);
    cr_expect_eq(id[0], 10);
    cr_expect_eq(a[1], 53);
    cr_expect_eq(b[1], 52);
}

static struct lw_verdict judge(const uint64_t *a, const uint64_t *b, size_t k)
{
    uint64_t x[K], y[K];
    struct lw_js_rule rule = {0.1, 0.2, LW_Z_ONE, 1, lw_bins_filled(a, b, k), NULL};

    memcpy(x, a, k * sizeof *a);
    memcpy(y, b, k * sizeof *b);
    return lw_judge_js(x, y, lw_bins_merge(x, y, k, NULL), &rule);
}

Test(drift_scores, calibrated_states)
{
    static const uint64_t small[2][5] = {{2, 4, 5, 3, 2}, {4, 3, 2, 4, 3}};
    static const uint64_t same[2][5] = {{2000, 4000, 5000, 3000, 2000},
                                        {2010, 3980, 5020, 2990, 2000}};
    static const uint64_t far[2][5] = {{2000, 4000, 5000, 3000, 2000},
                                       {5000, 3000, 4000, 2000, 2000}};
    static const uint64_t none[5];
    struct lw_verdict v = judge(small[0], small[1], 5);

    cr_expect_eq(v.state, LW_DRIFT_UNSURE); /* the distance alone, 0.15, would be a warning */
    cr_expect_gt(lw_js(small[0], small[1], 5), 0.1);
    v = judge(same[0], same[1], 5);
    cr_expect_eq(v.state, LW_DRIFT_OK);
    cr_expect(v.low <= v.debiased && v.debiased <= v.high);
    v = judge(far[0], far[1], 5);
    cr_expect_eq(v.state, LW_DRIFT_WARN);
    cr_expect(v.detectable);
    cr_expect_gt(lw_chance(far[0], far[1], 5, true, 1).z, 5);
    v = judge(far[0], none, 5);
    cr_expect_eq(v.state, LW_DRIFT_NO_DATA);
}

Test(drift_scores, needed_items_settle)
{
    static const uint64_t a[] = {20000, 40000, 50000, 30000, 20000}, b[] = {33, 58, 65, 30, 14};
    uint64_t more[5];
    struct lw_verdict v = judge(a, b, 5);
    uint64_t m = lw_bins_sum(b, 5);

    cr_assert_eq(v.state, LW_DRIFT_UNSURE);
    cr_assert_gt(v.needed, 0);
    for (int i = 0; i < 5; i++) /* the same shares on more: their debiased distance grows */
        more[i] = (uint64_t)llround((double)b[i] * ((double)m + (double)v.needed) * 5 / (double)m);
    v = judge(a, more, 5);
    cr_expect_neq(v.state, LW_DRIFT_UNSURE, "%" PRId64, v.needed);
}

Test(drift_scores, one_bin)
{
    static const uint64_t point[2][2] = {{5000, 0}, {4000, 0}}, few[2][2] = {{20, 0}, {20, 0}},
                          thin[2][2] = {{5000, 0}, {3, 1}};

    cr_expect_eq(judge(point[0], point[1], 2).state, LW_DRIFT_OK);
    cr_expect_eq(judge(few[0], few[1], 2).state, LW_DRIFT_UNSURE);
    cr_expect_eq(judge(thin[0], thin[1], 2).state, LW_DRIFT_UNSURE);
}

/* Without drift, warnings are rare at any size, and where there is drift and data it is seen. */
Test(drift_scores, error_rates)
{
    static const uint64_t size[][2] = {{16, 16}, {16, 1000}, {100000, 16}, {100, 100}};

    for (int i = 0; i < 4; i++) {
        cr_expect_leq(lw_simulate_null(size[i][0], size[i][1], 2, 300).warn, 0.02);
        cr_expect_leq(lw_simulate_null(size[i][0], size[i][1], 100, 300).warn, 0.02);
    }
    cr_expect_leq(lw_simulate_power(1000, 1000, 0.1, 300).warn, 0.03);
    cr_expect_geq(lw_simulate_power(1000, 1000, 0.25, 300).warn, 0.98);
    cr_expect_geq(lw_simulate_power(100000, 10000, 0.25, 300).alert, 0.98);
}

/* Many bins are taken many at a time: the same sum as bin by bin. */
Test(divergence, many_at_a_time_are_what_they_are_one_by_one)
{
    static const uint64_t scale[] = {3, 1000, UINT64_C(1) << 36};
    uint64_t a[K], b[K];
    struct lw_random r;

    lw_random_init(&r, 5, 1);
    for (int s = 0; s < 3; s++)
        for (int alike = 0; alike < 2; alike++) {
            lw_wide n = 0, m = 0;
            double sum = 0, d;

            for (int i = 0; i < K; i++) {
                a[i] = lw_random_u32(&r) % 1000 * scale[s] / 1000;
                b[i] = alike ? 3 * a[i] : i % 7 ? lw_random_u32(&r) % 1000 * scale[s] / 1000 : 0;
                n += a[i];
                m += b[i];
            }
            for (int i = 0; i < K; i++)
                sum += lw_js_term(a[i], b[i], n, m, &d);
            cr_expect_float_eq(lw_js_divergence(a, b, K), sum, 1e-14 * (1 + sum));
            if (alike)
                cr_expect_float_eq(lw_js_divergence(a, b, K), 0, 0);
        }
}
