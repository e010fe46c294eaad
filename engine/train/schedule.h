/* SPDX-License-Identifier: MIT
 *
 * The learning rate of an optimizer step: linear warm-up, then constant, cosine (Loshchilov &
 * Hutter 2017, one period, no restart) or linear decay to a floor. A pure function of the step, so
 * that resuming needs no state.
 */
#ifndef LW_TRAIN_SCHEDULE_H
#define LW_TRAIN_SCHEDULE_H

#include <stdint.h>

#include "engine/config/config.h"

struct lw_rate_schedule {
    enum lw_schedule kind;
    double peak;      /* learning_rate */
    double min_ratio; /* floor as a share of the peak; not used by constant */
    uint64_t warmup;  /* steps of warm-up: step warmup + 1 is the first at the peak */
    uint64_t total;   /* steps of the whole run */
};

/* warmup_ratio of total, rounded, are warm-up. */
void lw_rate_init(struct lw_rate_schedule *s, enum lw_schedule kind, double peak, double min_ratio,
                  double warmup_ratio, uint64_t total);

/* The rate of step (from 1). Decay would reach the floor one step after the last, so that no step
 * is spent at a rate of zero; steps beyond total stay at the floor. */
double lw_rate_at(const struct lw_rate_schedule *s, uint64_t step);

#endif
