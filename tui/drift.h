/* SPDX-License-Identifier: MIT
 *
 * What is known about a run's drift: its history, and of the newest comparison with the reference
 * the distributions and what is behind each score. Follows drift.csv, the two profiles and the
 * thresholds in config.yaml; nothing of the profiles is kept but what panels show.
 */
#ifndef LW_TUI_DRIFT_H
#define LW_TUI_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/drift/compare.h"
#include "tui/drift_history.h"

/* Two histograms over the same bins: lengths, or brightness. */
struct lw_distribution {
    int bins;         /* 0: none */
    double *edges;    /* [bins + 1] */
    double *share[2]; /* [bins], reference and current; they add up to 1, or are all 0 */
    uint64_t items[2];
};

struct lw_drift {
    char *path; /* the run's folder; NULL: two profiles alone */
    struct lw_drift_history log;
    struct lw_drift_settings settings;
    enum lw_modality modality;
    struct lw_distribution distribution;
    struct lw_comparison now; /* where compared */
    bool compared;
    struct lw_overlap_null cache;
    int64_t stamp[3]; /* of the reference, the current profile and the configuration */
    char problem[256];
};

/* Begin to follow the run in a folder. */
LW_NODISCARD int lw_drift_open(struct lw_drift **out, const char *path, struct lw_error *err);
void lw_drift_close(struct lw_drift *d);

/* Read what is new, as lw_drift_history_poll; a profile is read when both are there and one of them
 * was replaced. Returns whether anything changed; *more whether to come back soon. What goes wrong
 * is in d->problem. */
bool lw_drift_poll(struct lw_drift *d, size_t max_bytes, bool *more);

/* Two profiles compared, as if they were the only check of a run. */
LW_NODISCARD int lw_drift_of(struct lw_drift **out, const struct lw_profile *reference,
                             const struct lw_profile *current,
                             const struct lw_drift_settings *settings, struct lw_error *err);

/* Is there anything to show? */
bool lw_drift_any(const struct lw_drift *d);

/* The verdict over all scores against the reference, LW_STATE_NONE before the first check. */
enum lw_state lw_drift_overall(const struct lw_drift *d);

/* The score that stands for all: lengths, else brightness, else the largest of all distances. */
int lw_drift_primary(const struct lw_drift *d, enum lw_against against);

#endif
