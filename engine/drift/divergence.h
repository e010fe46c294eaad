/* SPDX-License-Identifier: MIT
 *
 * The sums over bins behind a Jensen-Shannon divergence and its verdict, many bins at a time.
 */
#ifndef LW_DRIFT_DIVERGENCE_H
#define LW_DRIFT_DIVERGENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/drift/tally.h"

#define LW_DIVERGENCE_LIMIT ((uint64_t)1 << 50) /* of a side's counts together */

/* Can this machine do it (AVX2 and fused multiply-add)? */
bool lw_divergence_ready(void);

/* sum of (s/2) h(d) over bins of counts that add up to n and m, as lw_js_divergence has it. */
double lw_divergence_sum(const uint64_t *a, const uint64_t *b, size_t k, uint64_t n, uint64_t m);

/* Of p = (a + added) / (n + added k) and q likewise, mu = (p + q) / 2: the sums of p ln(p/mu),
 * q ln(q/mu), p ln(p/mu)^2, q ln(q/mu)^2, to nine digits. added > 0. */
void lw_divergence_moments(const uint64_t *a, const uint64_t *b, size_t k, uint64_t n, uint64_t m,
                           double added, double out[4]);

/* The numerator and the denominator of the mean design effect of these ids, less units / (units -
 * 1): the sums of max(0, square / n - 2 cross / N + n S / N^2) and of 1 - n / N, with n of an id
 * and N of all, S the sum of squared units, where 0 < n < N. S is below LW_DIVERGENCE_LIMIT. */
void lw_divergence_effects(const struct lw_tally *t, const uint32_t *id, size_t k, double out[2]);

#endif
