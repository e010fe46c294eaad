/* SPDX-License-Identifier: MIT
 *
 * How far out a difference of two histograms is where there is no drift: what a run's alarm adds
 * up. A run adds up thousands of them, so they may not be off by a hundredth of a deviation in the
 * mean: which bins are thin is told by what both sides hold together, given which all else is
 * chance. Were it told by one side, bins would be picked out that have more of it by luck.
 */
#ifndef LW_DRIFT_CHANCE_H
#define LW_DRIFT_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a bin should hold, of n and m items together, to stand alone. */
double lw_chance_enough(double n, double m, double effect);

struct lw_chance {
    /* The chance of a larger difference, as the deviations of a standard normal, within +-8. NaN
     * where nothing is known: a side empty, one bin, or too few independent items. */
    double z;
    /* How much of z all windows compared with this reference share, in deviations: what the
     * reference has by chance moves them all alike. */
    double shared;
};

/* Reference a[k] against a window b[k]. The difference is Pearson's statistic, whose mean and
 * variance over all tables of these sums are known exactly (Haldane 1940), taken as a multiple of
 * chi-square with the same two moments: near enough for thin bins and unequal sides. Thin bins join
 * their neighbours where bins are ordered, else each other. effect: that many items are worth one
 * independent one. */
struct lw_chance lw_chance(const uint64_t *a, const uint64_t *b, size_t k, bool ordered,
                           double effect);

#endif
