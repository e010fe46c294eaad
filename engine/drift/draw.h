/* SPDX-License-Identifier: MIT
 *
 * Samples drawn from known shares, for simulations. What is drawn is exact: no count is a rounded
 * normal.
 */
#ifndef LW_DRIFT_DRAW_H
#define LW_DRIFT_DRAW_H

#include <stdint.h>

#include "engine/base/random.h"

#define LW_SHARES_LIMIT 1000

/* Shares of k bins, that sum to 1. */
struct lw_shares {
    int k;
    double p[LW_SHARES_LIMIT];
    double keep[LW_SHARES_LIMIT]; /* Walker's table: a bin is itself with this chance, */
    int other[LW_SHARES_LIMIT];   /* else that one */
};

/* Once k and p are set. */
void lw_shares_ready(struct lw_shares *s);

/* shares.c: all alike; as words have them (1/rank); and lognormal lengths (median 120, sigma 0.6)
 * in k even bins up to 512, tilted so that the JS distance to untilted ones is `distance` nats. */
void lw_shares_even(struct lw_shares *s, int k);
void lw_shares_zipf(struct lw_shares *s, int k);
void lw_shares_lengths(struct lw_shares *s, int k, double distance);

/* One bin. */
int lw_draw_one(struct lw_random *r, const struct lw_shares *s);

/* How many of n items, each with chance p, are one kind. */
uint64_t lw_draw_binomial(struct lw_random *r, uint64_t n, double p);

/* How many of n items fall into each bin: out[k]. */
void lw_draw_counts(struct lw_random *r, const struct lw_shares *s, uint64_t n, uint64_t *out);

#endif
