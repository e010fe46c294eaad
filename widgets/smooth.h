/* SPDX-License-Identifier: MIT
 *
 * Smoothing and decimation, always in this order: smooth the raw series, then thin it out, so
 * that what a curve looks like does not depend on the width of a terminal.
 */
#ifndef LW_WIDGETS_SMOOTH_H
#define LW_WIDGETS_SMOOTH_H

#include <stddef.h>

/* A debiased exponential moving average, weighted by distance in x: a value's weight halves every
 * half_life of x. Points may be pushed as they come; state is constant. */
struct lw_ema {
    double half_life; /* in units of x; <= 0: no smoothing */
    double mean, weight, x;
};

void lw_ema_init(struct lw_ema *ema, double half_life);

/* The average after (x, y). A y that is not finite gives NaN (a gap) and changes nothing. An x
 * that goes back (a resumed run) counts as no distance. A constant stays that constant. */
double lw_ema_push(struct lw_ema *ema, double x, double y);

/* One point of a curve, or a bucket of many: y at x, seen from low to high. */
struct lw_point {
    double x, y;      /* y NaN: a gap */
    double low, high; /* NaN: just y */
};

/* Points as buckets: at most columns of them, cut at equal widths of [first, last], into out
 * (columns elements, not overlapping in). A bucket's x and y are those of its last finite point,
 * low and high its extent, so spikes survive; y is NaN only where nothing in it is finite. Input
 * in order of x; points outside [first, last] are left out. Returns the number of buckets. */
size_t lw_decimate(const struct lw_point *in, size_t n, double first, double last, size_t columns,
                   struct lw_point *out);

#endif
