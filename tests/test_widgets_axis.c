/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "widgets/axis.h"
#include "widgets/smooth.h"

#define WRITES(v, kind, want)                                                                      \
    do {                                                                                           \
        char got[LW_NUMBER_SIZE];                                                                  \
                                                                                                   \
        cr_assert_eq(lw_number_format(v, kind, got), (int)strlen(want), "%s is not %s", got,       \
                     want);                                                                        \
        cr_assert_str_eq(got, want);                                                               \
    } while (0)

#define TICK(v, step, kind, want)                                                                  \
    do {                                                                                           \
        char got[LW_NUMBER_SIZE];                                                                  \
                                                                                                   \
        cr_assert_eq(lw_number_tick(v, step, kind, got), (int)strlen(got));                        \
        cr_assert_str_eq(got, want);                                                               \
    } while (0)

Test(number, tick_at_zero_between_the_smallest_numbers)
{
    TICK(0, 5e-324, LW_NUMBER_COMPACT, "0");
    TICK(0, 1e-310, LW_NUMBER_PERCENT, "0");
    TICK(0, 0.5, LW_NUMBER_COMPACT, "0");
}

Test(number, compact)
{
    WRITES(0, LW_NUMBER_COMPACT, "0");
    WRITES(2.3144, LW_NUMBER_COMPACT, "2.314");
    WRITES(-2.3144, LW_NUMBER_COMPACT, "-2.314");
    WRITES(9.99996, LW_NUMBER_COMPACT, "10.00");
    WRITES(99.9999, LW_NUMBER_COMPACT, "100.0");
    WRITES(812.34, LW_NUMBER_COMPACT, "812.3");
    WRITES(999.99, LW_NUMBER_COMPACT, "1.00k");
    WRITES(12345, LW_NUMBER_COMPACT, "12.3k");
    WRITES(999999, LW_NUMBER_COMPACT, "1.00M");
    WRITES(1.24e8, LW_NUMBER_COMPACT, "124M");
    WRITES(3e12, LW_NUMBER_COMPACT, "3.00T");
    WRITES(1e30, LW_NUMBER_COMPACT, "1.0e30");
    WRITES(6e-4, LW_NUMBER_COMPACT, "6.00e-4");
    WRITES(9.999e-5, LW_NUMBER_COMPACT, "1.00e-4");
    WRITES(0.0123, LW_NUMBER_COMPACT, "0.0123");
    WRITES(NAN, LW_NUMBER_COMPACT, "--");
    WRITES(INFINITY, LW_NUMBER_COMPACT, "inf");
    WRITES(-INFINITY, LW_NUMBER_DURATION, "-inf");
}

Test(number, other_kinds)
{
    WRITES(0, LW_NUMBER_INTEGER, "0");
    WRITES(1250, LW_NUMBER_INTEGER, "1,250");
    WRITES(-1234567, LW_NUMBER_INTEGER, "-1,234,567");
    WRITES(1e8, LW_NUMBER_INTEGER, "100M");
    WRITES(0.425, LW_NUMBER_PERCENT, "42.5%");
    WRITES(1, LW_NUMBER_PERCENT, "100.0%");
    WRITES(0.2144, LW_NUMBER_FIXED3, "0.214");
    WRITES(0, LW_NUMBER_DURATION, "0s");
    WRITES(0.0032, LW_NUMBER_DURATION, "3.2ms");
    WRITES(0.85, LW_NUMBER_DURATION, "850ms");
    WRITES(4.25, LW_NUMBER_DURATION, "4.2s");
    WRITES(42, LW_NUMBER_DURATION, "42s");
    WRITES(59.7, LW_NUMBER_DURATION, "1m00s");
    WRITES(200, LW_NUMBER_DURATION, "3m20s");
    WRITES(3900, LW_NUMBER_DURATION, "1h05m");
    WRITES(187200, LW_NUMBER_DURATION, "2d04h");
    WRITES(-200, LW_NUMBER_DURATION, "-3m20s");
}

Test(number, length_is_bounded)
{
    char got[LW_NUMBER_SIZE];

    for (int e = -320; e <= 308; e++)
        for (double m = -9.9999999; m < 10; m += 0.7)
            for (int kind = LW_NUMBER_COMPACT; kind <= LW_NUMBER_FIXED3; kind++) {
                int n = lw_number_format(m * pow(10, e), (enum lw_number)kind, got);

                cr_assert_eq(n, (int)strlen(got));
                cr_assert_leq(n, kind == LW_NUMBER_INTEGER ? 11 : 8, "%s", got);
                n = lw_number_tick(m * pow(10, e), 0, (enum lw_number)kind, got);
                cr_assert_leq(n, 8, "%s", got);
            }
}

Test(number, ticks_show_what_tells_them_apart)
{
    TICK(0, 0.5, LW_NUMBER_COMPACT, "0");
    TICK(1.5, 0.5, LW_NUMBER_COMPACT, "1.5");
    TICK(2, 0.5, LW_NUMBER_COMPACT, "2.0");
    TICK(0.30000000000000004, 0.1, LW_NUMBER_COMPACT, "0.3");
    TICK(500, 500, LW_NUMBER_COMPACT, "500");
    TICK(1000, 500, LW_NUMBER_COMPACT, "1k");
    TICK(1500, 500, LW_NUMBER_COMPACT, "1.5k");
    TICK(2e6, 1e6, LW_NUMBER_COMPACT, "2M");
    TICK(4e-4, 2e-4, LW_NUMBER_COMPACT, "4e-4");
    TICK(1.2e-3, 2e-4, LW_NUMBER_COMPACT, "1.2e-3");
    TICK(0.25, 0.05, LW_NUMBER_PERCENT, "25%");
    TICK(90, 30, LW_NUMBER_DURATION, "1m30s");
    TICK(300, 60, LW_NUMBER_DURATION, "5m");
    TICK(7200, 3600, LW_NUMBER_DURATION, "2h");
    TICK(0.0001, 0, LW_NUMBER_COMPACT, "1e-4");
    TICK(100, 0, LW_NUMBER_COMPACT, "100");
    TICK(1e5, 0, LW_NUMBER_COMPACT, "100k");
}

Test(ticks, linear_ones_are_round_and_inside)
{
    struct lw_random r;

    lw_random_init(&r, 1, 1);
    for (int i = 0; i < 20000; i++) {
        double scale = pow(10, lw_random_unit(&r) * 40 - 20);
        double low = (lw_random_unit(&r) - 0.5) * scale;
        struct lw_domain d = {low, low + lw_random_unit(&r) * scale + scale * 1e-6};
        int max = 2 + (int)lw_random_below(&r, 12);
        struct lw_ticks t;
        double m;

        lw_ticks_make(d, false, LW_NUMBER_COMPACT, max, &t);
        cr_assert(t.count >= 0 && t.count <= max);
        for (int k = 0; k < t.count; k++) {
            cr_assert(t.at[k] >= d.low - t.step * 1e-6 && t.at[k] <= d.high + t.step * 1e-6);
            cr_assert(k == 0 || t.at[k] > t.at[k - 1]);
        }
        if (t.count == 0)
            continue;
        m = t.step / pow(10, floor(log10(t.step) + 1e-9));
        cr_assert(fabs(m - 1) < 1e-6 || fabs(m - 2) < 1e-6 || fabs(m - 5) < 1e-6, "%g", t.step);
    }
}

Test(ticks, as_many_as_asked_for_where_possible)
{
    struct lw_ticks t;

    lw_ticks_make((struct lw_domain){0, 10}, false, LW_NUMBER_COMPACT, 6, &t);
    cr_assert_eq(t.count, 6);
    cr_assert_float_eq(t.step, 2, 1e-12);
    lw_ticks_make((struct lw_domain){0, 3}, false, LW_NUMBER_INTEGER, 30, &t);
    cr_assert_eq(t.count, 4, "whole numbers have no ticks between them");
    lw_ticks_make((struct lw_domain){0, 600}, false, LW_NUMBER_DURATION, 6, &t);
    cr_assert_float_eq(t.step, 120, 1e-12);
}

Test(ticks, logarithmic)
{
    struct lw_ticks t;

    lw_ticks_make((struct lw_domain){1, 1000}, true, LW_NUMBER_COMPACT, 4, &t);
    cr_assert_eq(t.count, 4);
    cr_assert_float_eq(t.at[3], 1000, 1e-9);
    lw_ticks_make((struct lw_domain){1, 100}, true, LW_NUMBER_COMPACT, 10, &t);
    cr_assert_eq(t.count, 7, "1 2 5 10 20 50 100");
    lw_ticks_make((struct lw_domain){1e-200, 1e200}, true, LW_NUMBER_COMPACT, 5, &t);
    cr_assert(t.count >= 2 && t.count <= 5);
    lw_ticks_make((struct lw_domain){2, 3}, true, LW_NUMBER_COMPACT, 5, &t);
    cr_assert_geq(t.count, 2, "less than a decade has ticks too");
    lw_ticks_make((struct lw_domain){-1, 10}, true, LW_NUMBER_COMPACT, 5, &t);
    cr_assert_eq(t.count, 0);
}

Test(ticks, nothing_for_a_domain_that_is_none)
{
    static const struct lw_domain none[] = {{0, 0},   {1, 0},        {NAN, 1},
                                            {0, NAN}, {0, INFINITY}, {-DBL_MAX, DBL_MAX}};
    struct lw_ticks t;

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        cr_assert(!lw_domain_valid(none[i]));
        lw_ticks_make(none[i], false, LW_NUMBER_COMPACT, 5, &t);
        cr_assert_eq(t.count, 0);
    }
}

static bool same(struct lw_domain a, struct lw_domain b)
{
    return a.low == b.low && a.high == b.high;
}

Test(domain, y_stays_while_the_data_fits)
{
    struct lw_domain none = {0, 0}, d = lw_domain_fit_y(none, 1.1, 4.9, false, false);

    cr_assert(d.low <= 1.1 && d.high >= 4.9);
    cr_assert(same(d, lw_domain_fit_y(d, 1.3, 4.7, false, false)));
    cr_assert(!same(d, lw_domain_fit_y(d, 1.1, 9, false, false)), "data left the domain");
    cr_assert(!same(d, lw_domain_fit_y(d, 1.1, 2, false, false)), "data fills too little");
}

Test(domain, y_covers_whatever_comes)
{
    struct lw_random r;

    lw_random_init(&r, 2, 1);
    for (int i = 0; i < 20000; i++) {
        double scale = pow(10, lw_random_unit(&r) * 500 - 250);
        double a = (lw_random_unit(&r) - 0.5) * scale, b = (lw_random_unit(&r) - 0.5) * scale;
        double low = fmin(a, b), high = fmax(a, b);
        struct lw_domain none = {0, 0}, d;

        d = lw_domain_fit_y(none, low, high, false, false);
        cr_assert(lw_domain_valid(d) && d.low <= low && d.high >= high, "%g %g", low, high);
        cr_assert(same(d, lw_domain_fit_y(d, low, high, false, false)), "it is stable");
        if (high > 0) {
            d = lw_domain_fit_y(none, fabs(low) * 1e-3 + high * 1e-9, high + fabs(low), false,
                                true);
            cr_assert(lw_domain_valid(d) && d.low > 0 && d.high >= high, "log %g %g", low, high);
        }
    }
}

Test(domain, y_of_a_constant_of_nothing_and_of_infinity)
{
    struct lw_domain none = {0, 0}, old = {1, 2}, d;

    d = lw_domain_fit_y(none, 3, 3, false, false);
    cr_assert(lw_domain_valid(d) && d.low < 3 && d.high > 3);
    d = lw_domain_fit_y(none, 0, 0, false, false);
    cr_assert(lw_domain_valid(d));
    cr_assert(same(old, lw_domain_fit_y(old, NAN, 3, false, false)));
    cr_assert(same(old, lw_domain_fit_y(old, 0, INFINITY, false, false)));
    cr_assert(same(old, lw_domain_fit_y(old, -3, -2, false, true)), "no log of negatives");
    d = lw_domain_fit_y(none, -DBL_MAX, DBL_MAX, false, false);
    cr_assert(lw_domain_valid(d));
    d = lw_domain_fit_y(none, 0.2, 0.9, true, false);
    cr_assert_eq(d.low, 0);
}

Test(domain, x_moves_rarely)
{
    struct lw_domain d = {0, 0};
    int moves = 0;

    for (int step = 1; step <= 100000; step++) {
        struct lw_domain next = lw_domain_fit_x(d, 1, step);

        cr_assert(lw_domain_valid(next) && next.low <= 1 && next.high >= step);
        cr_assert(next.high <= step * 1.26 + 1, "padded by a quarter at most");
        moves += !same(d, next);
        d = next;
    }
    cr_assert_leq(moves, 55, "%d moves in 100,000 steps", moves);
}

Test(domain, a_page_jumps_by_a_quarter)
{
    struct lw_domain none = {0, 0}, d = lw_domain_page(none, 1, 50, 100);

    cr_assert(same(d, (struct lw_domain){1, 101}));
    cr_assert(same(d, lw_domain_page(d, 1, 101, 100)));
    d = lw_domain_page(d, 1, 102, 100);
    cr_assert(same(d, (struct lw_domain){26, 126}));
    d = lw_domain_page(d, 1, 1000, 100);
    cr_assert(d.low <= 1000 && d.high >= 1000 && d.high < 1026);
}

Test(domain, zoom_and_pan_stay_inside)
{
    struct lw_domain limits = {0, 100}, d = limits;

    d = lw_domain_zoom(d, 50, 0.5, limits);
    cr_assert(same(d, (struct lw_domain){25, 75}));
    d = lw_domain_pan(d, 10, limits);
    cr_assert(same(d, (struct lw_domain){50, 100}));
    d = lw_domain_pan(d, -10, limits);
    cr_assert(same(d, (struct lw_domain){0, 50}));
    d = lw_domain_zoom(d, 0, 100, limits);
    cr_assert(same(d, limits));
    for (int i = 0; i < 200; i++)
        d = lw_domain_zoom(d, 33, 0.5, limits);
    cr_assert(lw_domain_valid(d) && d.low <= 33 + 1e-6 && d.high >= 33 - 1e-6);
    cr_assert_float_eq(d.high - d.low, 1e-4, 1e-6);
    cr_assert(same(d, lw_domain_zoom(d, 33, NAN, limits)));
}

Test(domain, positions_go_there_and_back)
{
    struct lw_domain d = {10, 1000};

    cr_assert_float_eq(lw_domain_position(d, true, 100), 0.5, 1e-12);
    cr_assert_float_eq(lw_domain_value(d, true, 0.5), 100, 1e-9);
    cr_assert_float_eq(lw_domain_position(d, false, 505), 0.5, 1e-12);
    cr_assert_float_eq(lw_domain_value(d, false, 0.5), 505, 1e-9);
    cr_assert(isnan(lw_domain_position(d, true, 0)));
    cr_assert(isnan(lw_domain_position(d, true, -1)));
    cr_assert(isnan(lw_domain_position(d, false, NAN)));
}

Test(smooth, a_constant_stays_that_constant)
{
    struct lw_ema ema;

    lw_ema_init(&ema, 17);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(lw_ema_push(&ema, i * 1.7, 0.1), 0.1);
}

Test(smooth, is_the_debiased_average)
{
    struct lw_ema ema;
    double sum = 0, weight = 0, mean;

    lw_ema_init(&ema, 2);
    for (int i = 0; i < 50; i++) {
        double y = sin(i), x = i + 0.3 * (i % 3), last = i - 1 + 0.3 * ((i + 2) % 3);
        double keep = i > 0 ? pow(0.5, (x - last) / 2) : 0;

        sum = sum * keep + y;
        weight = weight * keep + 1;
        mean = lw_ema_push(&ema, x, y);
        cr_assert_float_eq(mean, sum / weight, 1e-12);
    }
}

Test(smooth, weighs_by_distance)
{
    struct lw_ema near, far;
    double mean;

    lw_ema_init(&near, 10);
    lw_ema_init(&far, 10);
    lw_ema_push(&near, 0, 0);
    lw_ema_push(&far, 0, 0);
    mean = lw_ema_push(&near, 10, 1);
    cr_assert_float_eq(mean, 1 / 1.5, 1e-12);
    mean = lw_ema_push(&far, 100, 1);
    cr_assert_gt(mean, 0.99);
}

Test(smooth, what_is_not_finite_is_a_gap_and_leaves_no_trace)
{
    struct lw_ema a, b;

    lw_ema_init(&a, 5);
    lw_ema_init(&b, 5);
    for (int i = 0; i < 20; i++) {
        double y = cos(i), one, other;

        if (i % 4 == 1) {
            one = lw_ema_push(&a, i, i % 8 == 1 ? NAN : INFINITY);
            cr_assert(isnan(one));
            continue;
        }
        one = lw_ema_push(&a, i, y);
        other = lw_ema_push(&b, i, y);

        cr_assert_eq(one, other);
    }
}

Test(smooth, zero_is_off_and_going_back_is_no_distance)
{
    struct lw_ema ema;
    double mean;

    lw_ema_init(&ema, 0);
    cr_assert_eq(lw_ema_push(&ema, 0, 3), 3);
    cr_assert_eq(lw_ema_push(&ema, 1, 7), 7);
    lw_ema_init(&ema, 10);
    lw_ema_push(&ema, 100, 1);
    mean = lw_ema_push(&ema, 50, 2);
    cr_assert_float_eq(mean, 1.5, 1e-12);
}

Test(decimate, keeps_spikes_ends_and_gaps)
{
    struct lw_point in[1000], out[10];
    size_t n;

    for (int i = 0; i < 1000; i++)
        in[i] = (struct lw_point){i, i == 437 ? 99 : 1, NAN, NAN};
    for (int i = 700; i < 800; i++)
        in[i].y = NAN;
    in[801].y = INFINITY;
    n = lw_decimate(in, 1000, 0, 1000, 10, out);
    cr_assert_eq(n, 10);
    cr_assert_eq(out[4].high, 99);
    cr_assert_eq(out[4].low, 1);
    cr_assert_eq(out[4].y, 1, "the last value of a bucket, not its mean");
    cr_assert(isnan(out[7].y), "nothing finite: a gap");
    cr_assert_eq(out[8].y, 1);
    cr_assert_eq(out[9].x, 999);
    cr_assert_eq(lw_decimate(in, 1000, 0, 1000, 0, out), 0);
    cr_assert_eq(lw_decimate(in, 1000, 5, 5, 10, out), 0);
    cr_assert_eq(lw_decimate(in, 0, 0, 1000, 10, out), 0);
}

Test(decimate, of_buckets_keeps_their_extent)
{
    const struct lw_point in[] = {{0, 1, 0, 5}, {1, 2, -3, 2}, {9, 4, NAN, NAN}};
    struct lw_point out[2];

    cr_assert_eq(lw_decimate(in, 3, 0, 10, 2, out), 2);
    cr_assert_eq(out[0].low, -3);
    cr_assert_eq(out[0].high, 5);
    cr_assert_eq(out[0].y, 2);
    cr_assert_eq(out[1].high, 4);
}
