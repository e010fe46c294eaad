/* SPDX-License-Identifier: MIT
 *
 * How often verdicts are right, by drawing histograms whose distance is known. Fixed seeds: the
 * same question has the same answer everywhere.
 */
#ifndef LW_DRIFT_SIMULATE_H
#define LW_DRIFT_SIMULATE_H

#include <stdint.h>

#define LW_SIMULATED_BINS 1000

/* Shares of trials with these states. */
struct lw_simulated {
    double warn, alert; /* warn counts alerts too */
    double unsure;
};

/* Whole comparisons without drift: lengths and classes in k bins each and six features in 16, all
 * judged as a comparison would, the worst counts. n, m: items of both sides. */
struct lw_simulated lw_simulate_null(uint64_t n, uint64_t m, int k, int trials);

/* Lognormal lengths (median 120, sigma 0.6; 10 bins up to 512) against the same, tilted so that
 * the true JS distance of the bins is `distance` nats. */
struct lw_simulated lw_simulate_power(uint64_t n, uint64_t m, double distance, int trials);

/* Mean number of checks until a run's alarm goes off without drift, `budget` being what was asked
 * for. Each run keeps its reference of ten windows of m items. */
double lw_simulate_alarm(uint64_t m, double budget, int runs);

#endif
