/* SPDX-License-Identifier: MIT
 *
 * A run's alarm: a one-sided cumulative sum (Page 1954) over the z values of a score's checks. It
 * adds up small shifts that no single check can be sure of, and says where they began.
 */
#ifndef LW_DRIFT_CUSUM_H
#define LW_DRIFT_CUSUM_H

#include <stdbool.h>
#include <stdint.h>

#define LW_CUSUM_SLACK 0.5 /* of a deviation: shifts of twice this are found soonest */

struct lw_cusum {
    double sum;
    int64_t zero; /* the check after which the sum last was 0 */
    int64_t seen; /* checks so far */
};

/* The limit that makes `mean` checks pass in the mean until the first false alarm of any of so many
 * scores. shared: the part of a score's deviation that is the same in all checks of a run, since
 * they have one reference (lw_chance); scores are taken to know nothing of each other. Without a
 * shared part and for one score: 2 (exp(b) - b - 1) = mean with b = limit + 1.166 (Siegmund 1985);
 * with one the mean over all references, whose runs are short or very long. NaN for a shared part
 * that is not known. */
double lw_cusum_limit(double mean, int scores, double shared);

/* Take in one more check; NaN leaves the sum as it is. True when the sum goes over limit: *began
 * (may be NULL) is then the number, from 1, of the check at which the shift is estimated to have
 * begun, and the sum starts anew. */
bool lw_cusum_add(struct lw_cusum *c, double z, double slack, double limit, int64_t *began);

#endif
