/* SPDX-License-Identifier: MIT
 *
 * How often verdicts are right, by drawing histograms whose distance is known. Fixed seeds: the
 * same question has the same answer everywhere.
 */
#ifndef LW_DRIFT_SIMULATE_H
#define LW_DRIFT_SIMULATE_H

#include <stdint.h>

#include "engine/base/error.h"

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

/* What a run's checks look at. */
enum lw_alarm_data {
    LW_ALARM_LENGTHS, /* lognormal lengths in `bins` bins up to 512 */
    LW_ALARM_IMAGES,  /* seven scores that know nothing of each other: six of 16 bins, one of 5 */
    LW_ALARM_TOKENS, /* `bins` tokens, 1/rank, in documents of 16 that have favourites of their own:
                      * the design effect is 2.5. window and ratio count documents */
};

struct lw_alarm_setting {
    enum lw_alarm_data data;
    int bins;
    uint64_t window; /* items a check looks at */
    uint64_t ratio;  /* windows in the reference, which a run keeps */
    double distance; /* true JS distance of lengths from the first check on, 0: no drift */
    double budget;   /* checks between two false alarms that were asked for */
};

struct lw_alarm_result {
    double mean, error; /* checks until the run's alarm, and the standard error of that mean */
    int runs;
};

/* Runs are made until the mean's standard error is below `precision` of it, at least 200 and at
 * most `runs`. LW_EMEM. */
LW_NODISCARD int lw_simulate_alarm(const struct lw_alarm_setting *setting, double precision,
                                   int runs, struct lw_alarm_result *out, struct lw_error *err);

#endif
