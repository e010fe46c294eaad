/* SPDX-License-Identifier: MIT
 *
 * The sums over bins behind a Jensen-Shannon divergence, many bins at a time.
 */
#ifndef LW_DRIFT_DIVERGENCE_H
#define LW_DRIFT_DIVERGENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LW_DIVERGENCE_LIMIT ((uint64_t)1 << 50) /* of a side's counts together */

/* Can this machine do it (AVX2 and fused multiply-add)? */
bool lw_divergence_ready(void);

/* sum of (s/2) h(d) over bins of counts that add up to n and m, as lw_js_divergence has it. */
double lw_divergence_sum(const uint64_t *a, const uint64_t *b, size_t k, uint64_t n, uint64_t m);

/* Of p = (a + added) / (n + added k) and q likewise, mu = (p + q) / 2: the sums of p ln(p/mu),
 * q ln(q/mu), p ln(p/mu)^2, q ln(q/mu)^2. added > 0. */
void lw_divergence_moments(const uint64_t *a, const uint64_t *b, size_t k, uint64_t n, uint64_t m,
                           double added, double out[4]);

#endif
