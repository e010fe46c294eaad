/* SPDX-License-Identifier: MIT
 *
 * Distances between two histograms of counts on the same bins. Counts are below 2^63 and
 * add up to at most 2^64 on each side for JS, to less for the others. A side without counts has no
 * distribution: every distance is NaN then.
 */
#ifndef LW_DRIFT_BINS_H
#define LW_DRIFT_BINS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/drift/wide.h"

uint64_t lw_bins_sum(const uint64_t *a, size_t k);

/* Jensen-Shannon divergence in nats, from 0 to ln 2. Each bin gives (s/2) h(d) with s = p + q and
 * d = (p - q) / s taken from integer cross products: exactly 0 for proportional histograms, never
 * negative, right to about 1e-14 however close they are. */
double lw_js_divergence(const uint64_t *a, const uint64_t *b, size_t k);

/* The same where the sums of both sides are known. */
double lw_js_divergence_of(const uint64_t *a, const uint64_t *b, size_t k, lw_wide n, lw_wide m);

/* Its square root, a distance. */
double lw_js(const uint64_t *a, const uint64_t *b, size_t k);

/* What one bin with these counts, of n and m, gives to the divergence. *d is its (p-q)/(p+q). */
double lw_js_term(uint64_t a, uint64_t b, lw_wide n, lw_wide m, double *d);

/* KL(a || b) in nats, `added` put on every count first: 1e-12 as the reference implementation
 * does, 0.5 for a figure that stays finite and means something. */
double lw_kl(const uint64_t *a, const uint64_t *b, size_t k, double added);

/* Wasserstein distance of bins this wide. */
double lw_w1(const uint64_t *a, const uint64_t *b, size_t k, double width);

/* Tests of homogeneity; empty bins do not count. */
struct lw_homogeneity {
    double g, chi2;  /* likelihood ratio and Pearson */
    double williams; /* g, corrected for small counts */
    int df;
};
struct lw_homogeneity lw_homogeneity(const uint64_t *a, const uint64_t *b, size_t k);

/* Merge neighbours in place until (a + b) min(n, m) / (n + m) >= 5 in each bin; returns how many
 * are left. first may be NULL, else gives the first old bin of each new one. */
size_t lw_bins_merge(uint64_t *a, uint64_t *b, size_t k, size_t *first);

/* The same where order means nothing: the rarest become one, which stands last. which may be NULL,
 * else holds a number for each bin and is put in order with them. The last bin is a pool of
 * several when *pooled. */
size_t lw_bins_pool(uint64_t *a, uint64_t *b, uint32_t *which, size_t k, int *pooled);

#endif
