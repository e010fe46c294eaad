/* SPDX-License-Identifier: MIT
 *
 * From a score to a state. Calibrated verdicts judge a score by the 99 % bounds of its debiased
 * value, so that small samples are told to be unsure instead of drifting; doc/DRIFT.md has the
 * formulas.
 */
#ifndef LW_DRIFT_VERDICT_H
#define LW_DRIFT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/drift/chance.h"

enum lw_state {
    LW_STATE_NONE, /* this score has no verdict of its own */
    LW_DRIFT_OK,
    LW_DRIFT_NO_DATA, /* a side is empty */
    LW_DRIFT_UNSURE,
    LW_DRIFT_UNKNOWN, /* NaN */
    LW_DRIFT_WARN,
    LW_DRIFT_ALERT,
};

/* "ok", "no_data", ... as files have it, "" for LW_STATE_NONE; and as people read it. */
const char *lw_drift_state_name(enum lw_state s);
const char *lw_drift_state_words(enum lw_state s);

/* The worst of two: alert, warn, unknown, unsure, ok; no data only beside nothing else. */
enum lw_state lw_drift_worse(enum lw_state a, enum lw_state b);

/* The reference implementation's thresholds: below warn ok, below alert warn, else alert. */
enum lw_state lw_classify(double value, double warn, double alert);

/* The same for what is better high: above warn ok, above alert warn, else alert. */
enum lw_state lw_classify_high(double value, double warn, double alert);

#define LW_Z_ONE 2.326347874040841 /* one-sided 99 % */
#define LW_Z_SIX 2.94              /* and for each of six features */

/* More items that would settle an unsure score, where none would: */
#define LW_NEED_UNKNOWN   ((int64_t)0)
#define LW_NEED_REFERENCE ((int64_t)-1) /* the reference is too small */
#define LW_NEED_THRESHOLD ((int64_t)-2) /* it lies at the threshold */

struct lw_verdict {
    enum lw_state state;
    double low, high; /* bounds, on the scale of the distance */
    double debiased;  /* distance less what chance adds */
    double floor;     /* what chance adds: the distance to expect without drift */
    int64_t needed;   /* items of the current side, or LW_NEED_... */
    struct lw_chance
        chance;      /* of a JS distance, before any bins were merged, if asked for; else NaN */
    bool detectable; /* a test at 1 % sees a difference, however small */
    size_t bins;     /* after thin ones were merged */
};

/* Bins that hold anything. */
size_t lw_bins_filled(const uint64_t *a, const uint64_t *b, size_t k);

/* How a JS distance is to be judged. */
struct lw_js_rule {
    double warn, alert;       /* distances in nats */
    double z;                 /* width of the bounds */
    double effect;            /* the design effect, 1 for independent items; NaN: not known */
    size_t filled;            /* bins that held anything before they were merged */
    const double *divergence; /* of these bins, where it is known already; else NULL */
};

/* Judge the JS distance of merged bins (lw_bins_merge, lw_bins_pool); chance is left to the caller.
 */
struct lw_verdict lw_judge_js(const uint64_t *a, const uint64_t *b, size_t k,
                              const struct lw_js_rule *rule);

/* Judge the distance of two means of n and m vectors of three, with their covariances. */
struct lw_verdict lw_judge_means(const double mean[2][3], const double covariance[2][3][3],
                                 uint64_t n, uint64_t m, double warn, double alert);

/* Judge a share that is better high by its mean and deviation without drift. */
struct lw_verdict lw_judge_share(double share, double mean, double deviation, uint64_t m,
                                 double warn, double alert);

#endif
