/* SPDX-License-Identifier: MIT
 *
 * Axes: number formats, ticks, and domains that stay still. A moving axis is what costs bytes on
 * a slow line, so domains only change when they must. Pure functions.
 */
#ifndef LW_WIDGETS_AXIS_H
#define LW_WIDGETS_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum lw_number {
    LW_NUMBER_COMPACT = 0, /* 0.25, 12.5k, 3.0M, 6e-4 */
    LW_NUMBER_INTEGER,     /* 1,250 where it fits, else 12.5k */
    LW_NUMBER_PERCENT,     /* a share: 0.425 is 42.5% */
    LW_NUMBER_DURATION,    /* seconds: 850ms, 4.2s, 3m20s, 1h05m, 2d04h */
    LW_NUMBER_FIXED3,      /* three decimals */
};

#define LW_NUMBER_SIZE 24

/* Write v into out. "--" for NaN, "inf" and "-inf". Never longer than 8 characters, 11 for
 * LW_NUMBER_INTEGER. Returns the length. */
int lw_number_format(double v, enum lw_number kind, char out[LW_NUMBER_SIZE]);

/* Write the tick at v of an axis whose ticks are step apart: just as many decimals as it takes to
 * tell neighbours apart. step <= 0: the shortest form. Same lengths. */
int lw_number_tick(double v, double step, enum lw_number kind, char out[LW_NUMBER_SIZE]);

/* v to two significant digits, whole numbers below 100: for what is known only about. */
double lw_number_about(double v);

/* Where an axis begins and ends. {0, 0} (or any low >= high, or NaN, or wider than a double):
 * not known yet. */
struct lw_domain {
    double low, high;
};

bool lw_domain_valid(struct lw_domain d);

/* A y domain for data in [min, max], given the last frame's: kept as it is while the data lies in
 * it and fills at least 60 %, else the smallest one between ticks. zero: begin at 0. log: only
 * positive values count; widened to 1-2-5 steps. NaN or infinite min or max: old is kept. */
struct lw_domain lw_domain_fit_y(struct lw_domain old, double min, double max, bool zero, bool log);

/* An x domain from first (or 0 where that is near) to the next 1.25^k beyond last, so that it
 * moves rarely; old is kept while the data fills at least 60 % of it. */
struct lw_domain lw_domain_fit_x(struct lw_domain old, double first, double last);

/* Follow mode: a window of constant width that jumps on by a quarter when last leaves it. */
struct lw_domain lw_domain_page(struct lw_domain old, double first, double last, double width);

/* Zoom by factor (< 1: closer) around centre, and pan by a share of the width; the result stays
 * inside limits and is never narrower than a millionth of them. */
struct lw_domain lw_domain_zoom(struct lw_domain d, double centre, double factor,
                                struct lw_domain limits);
struct lw_domain lw_domain_pan(struct lw_domain d, double share, struct lw_domain limits);

/* Position of v in the domain, 0 at low and 1 at high, unclipped; NaN where v has none (NaN, or
 * v <= 0 on a log axis). And back. */
double lw_domain_position(struct lw_domain d, bool log, double v);
double lw_domain_value(struct lw_domain d, bool log, double position);

#define LW_TICKS_MAX 32

struct lw_ticks {
    int count;
    double step; /* between linear ticks; 0 on a log axis */
    double at[LW_TICKS_MAX];
};

/* At most max (2 to LW_TICKS_MAX) ticks at 1-2-5 multiples inside the domain. Durations: at whole
 * seconds, minutes, hours, days. log: at powers of ten, and at 2 and 5 times where there is room.
 * None for an invalid domain. */
void lw_ticks_make(struct lw_domain d, bool log, enum lw_number number, int max,
                   struct lw_ticks *ticks);

#endif
