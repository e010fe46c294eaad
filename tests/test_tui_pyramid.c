/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tui/plot.h"
#include "tui/pyramid.h"

static struct lw_pyramid p;

static void fini(void)
{
    lw_pyramid_fini(&p);
}

TestSuite(tui_pyramid, .fini = fini);

Test(tui_pyramid, keeps_every_sample_while_there_is_room)
{
    lw_pyramid_init(&p, 64);
    for (int i = 0; i < 64; i++)
        cr_assert_eq(lw_pyramid_add(&p, i, i * i), 0);
    cr_assert_eq(p.count, 64);
    cr_assert_eq(p.width, 1);
    for (int i = 0; i < 64; i++) {
        cr_assert_eq(p.bucket[i].x0, i);
        cr_assert_eq(p.bucket[i].x1, i);
        cr_assert_eq(p.bucket[i].last, (float)(i * i));
        cr_assert_eq(p.bucket[i].count, 1);
    }
}

Test(tui_pyramid, stays_in_its_limit_and_loses_no_count_or_spike)
{
    double sum = 0.0, samples = 0.0;
    float min = INFINITY, max = -INFINITY;

    lw_pyramid_init(&p, 64);
    for (int i = 0; i < 100000; i++)
        lw_pyramid_add(&p, i, i == 4711 ? 1e6 : i == 4712 ? -7.0 : 1.0);
    cr_assert_leq(p.count, 64);
    cr_assert_gt(p.count, 32);
    for (size_t i = 0; i < p.count; i++) {
        const struct lw_bucket *b = &p.bucket[i];

        samples += b->count;
        sum += (double)b->mean * b->count;
        min = fminf(min, b->min);
        max = fmaxf(max, b->max);
        cr_assert_leq(b->x0, b->x1);
        cr_assert(i == 0 || b->x0 == p.bucket[i - 1].x1 + 1.0, "a hole before bucket %zu", i);
    }
    cr_assert_eq(samples, 100000.0);
    cr_assert_eq(max, 1e6f);
    cr_assert_eq(min, -7.0f);
    cr_assert_float_eq(sum / samples, (99998.0 + 1e6 - 7.0) / 1e5, 1e-3);
    cr_assert_eq(p.low, -7.0f);
    cr_assert_eq(p.low_x, 4712.0);
    cr_assert_eq(p.high_x, 4711.0);
    cr_assert_eq(p.bucket[0].x0, 0.0);
    cr_assert_eq(p.bucket[p.count - 1].x1, 99999.0);
}

Test(tui_pyramid, counts_what_is_not_finite_and_leaves_it_out)
{
    lw_pyramid_init(&p, 16);
    lw_pyramid_add(&p, 1, NAN);
    lw_pyramid_add(&p, 2, INFINITY);
    lw_pyramid_add(&p, 3, 2.0);
    cr_assert_eq(p.odd, 2);
    cr_assert_eq(p.samples, 1);
    cr_assert_eq(p.bucket[0].count, 0);
    cr_assert_eq(p.bucket[0].odd, 1);
    cr_assert(isnan(p.bucket[0].mean));
    for (int i = 4; i < 100; i++)
        lw_pyramid_add(&p, i, 2.0);
    cr_assert_eq(p.bucket[0].odd, 2);
    cr_assert_eq(p.bucket[0].min, 2.0f);
    cr_assert_eq(p.bucket[0].mean, 2.0f);
    cr_assert_eq(lw_pyramid_add(&p, NAN, 1.0), -1);
}

Test(tui_pyramid, finds_by_x)
{
    lw_pyramid_init(&p, 64);
    cr_assert_null(lw_pyramid_at(&p, 1.0));
    for (int i = 1; i <= 1000; i++)
        lw_pyramid_add(&p, i * 10, i);
    for (int i = 10; i <= 10000; i += 7) {
        const struct lw_bucket *b = lw_pyramid_at(&p, i);

        cr_assert_not_null(b);
        cr_assert_leq(b->x0, i);
        cr_assert(b->x1 >= i - 10);
    }
    cr_assert_null(lw_pyramid_at(&p, 9.0));
    cr_assert_eq(lw_pyramid_find(&p, 1e9), p.count);
}

Test(tui_pyramid, constant_stays_constant_under_smoothing)
{
    lw_pyramid_init(&p, 64);
    for (int i = 0; i < 5000; i++)
        lw_pyramid_add(&p, i + 0.3 * sin(i), 0.1);
    for (size_t i = 0; i < p.count; i++)
        for (int k = 0; k < LW_SMOOTHINGS; k++)
            cr_assert_eq(p.bucket[i].smooth[k], 0.1f);
}

/* Against the textbook form: s_n = sum of w^(n-i) y_i over the sum of w^(n-i). */
Test(tui_pyramid, smoothing_is_the_debiased_mean)
{
    double y[40], top, bottom;
    struct lw_smoother s;

    lw_smoother_init(&s);
    for (int n = 0; n < 40; n++) {
        y[n] = sin(n * 1.7) + n * 0.1;
        lw_smoother_add(&s, n * 5.0, y[n]);
        for (int k = 0; k < LW_SMOOTHINGS; k++) {
            top = bottom = 0.0;
            for (int i = 0; i <= n; i++) {
                top += pow(lw_smooth_weight[k], n - i) * y[i];
                bottom += pow(lw_smooth_weight[k], n - i);
            }
            cr_assert_float_eq(s.value[k], top / bottom, 1e-12);
        }
    }
}

/* A sample that is far away forgets more than one that is near. */
Test(tui_pyramid, smoothing_is_weighted_by_distance)
{
    struct lw_smoother near, far;

    lw_smoother_init(&near);
    lw_smoother_init(&far);
    for (int i = 0; i < 50; i++) {
        lw_smoother_add(&near, i, 0.0);
        lw_smoother_add(&far, i, 0.0);
    }
    lw_smoother_add(&near, 49.5, 1.0);
    lw_smoother_add(&far, 80.0, 1.0);
    cr_assert_gt(far.value[1], 2.0 * near.value[1]);
    lw_smoother_add(&far, 10.0, 1.0); /* x that goes back is a step like any other */
    cr_assert(isfinite(far.value[1]));
}

Test(tui_pyramid, folds_into_at_most_two_points_a_column)
{
    struct lw_walk walk = {.along = NULL, .last = -INFINITY};
    struct lw_point out[64];
    struct lw_domain d = {1000.0, 2000.0};
    size_t n;
    double last = -INFINITY, low = INFINITY, high = -INFINITY;

    lw_pyramid_init(&p, 4096);
    for (int i = 0; i < 4000; i++)
        lw_pyramid_add(&p, i, i == 1500 ? 50.0 : i == 1700 ? NAN : i == 3000 ? 99.0 : 1.0);
    n = lw_fold(&p, &walk, d, 20, 0, out, 64);
    cr_assert_leq(n, 20 + 3);
    cr_assert_geq(n, 20);
    for (size_t i = 0; i < n; i++) {
        cr_assert_geq(out[i].x, last);
        last = out[i].x;
        if (isfinite(out[i].low)) {
            low = fmin(low, out[i].low);
            high = fmax(high, out[i].high);
        }
    }
    cr_assert_eq(high, 50.0, "a spike inside is kept, one outside is not there");
    cr_assert_eq(low, 1.0);
    cr_assert(isnan(out[n - 1].y) == 0);
    cr_assert_lt(out[0].x, d.low, "one point before, so that the line comes in");
    cr_assert_geq(out[n - 1].x, d.high, "one behind, so that it goes out");
}
