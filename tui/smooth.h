/* SPDX-License-Identifier: MIT
 *
 * Smoothing of a raw series while it streams: an exponential mean that is debiased (it starts at
 * the first value, not at zero) and time-weighted (a sample further away counts less, whatever
 * the density of points). Several strengths run at once, so that changing the strength on the
 * screen costs nothing. A constant series stays exactly constant.
 */
#ifndef LW_TUI_SMOOTH_H
#define LW_TUI_SMOOTH_H

#include <stdint.h>

#define LW_SMOOTHINGS 4

/* The weights w: a sample's influence falls by w over one mean distance between samples. */
extern const double lw_smooth_weight[LW_SMOOTHINGS];

struct lw_smoother {
    uint64_t count;
    double first_x, last_x;
    double ratio;                 /* distance over mean distance of the last decay[] */
    double decay[LW_SMOOTHINGS];  /* w^ratio */
    double weight[LW_SMOOTHINGS]; /* sum of the weights of all samples so far */
    double share[LW_SMOOTHINGS];  /* of the next sample: 1 / weight */
    int settled;                  /* the weights no longer change at this ratio */
    double value[LW_SMOOTHINGS];
};

void lw_smoother_init(struct lw_smoother *s);

/* Take the next finite sample; s->value[] holds the smoothed values after it. */
void lw_smoother_add(struct lw_smoother *s, double x, double y);

#endif
