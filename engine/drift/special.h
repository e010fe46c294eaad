/* SPDX-License-Identifier: MIT
 *
 * Two distributions that verdicts need.
 */
#ifndef LW_DRIFT_SPECIAL_H
#define LW_DRIFT_SPECIAL_H

/* P(X > x) for chi-square with df degrees of freedom. Series and continued fraction of the
 * incomplete gamma function (Abramowitz and Stegun 6.5.29, 6.5.31). */
double lw_chi2_tail(double x, double df);

/* z with P(Z > z) = tail for a standard normal, tail in (0, 1). Halley's step on erfc from a
 * rational start, to about 1e-15 relative. */
double lw_normal_tail_inverse(double tail);

#endif
