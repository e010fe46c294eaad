/* SPDX-License-Identifier: MIT
 *
 * How far out a difference of two histograms is where there is no drift: what a run's alarm adds
 * up. Many windows are compared with one reference, so which bins are thin must not depend on the
 * window: only the reference says.
 */
#ifndef LW_DRIFT_CHANCE_H
#define LW_DRIFT_CHANCE_H

#include <stddef.h>
#include <stdint.h>

/* What a bin of a reference of n items should hold to stand alone beside m others. */
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
 * their neighbours where id is NULL; else bins are what has these ids, and rare ones join each
 * other. effect: that many items are worth one independent one. */
struct lw_chance lw_chance(const uint64_t *a, const uint64_t *b, size_t k, const uint32_t *id,
                           double effect);

#endif
