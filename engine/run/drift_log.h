/* SPDX-License-Identifier: MIT
 *
 * drift.csv, the engine's side: one row a score and check, and one for the score "overall" of each
 * comparison. What is not known, or means nothing, is an empty cell.
 */
#ifndef LW_RUN_DRIFT_LOG_H
#define LW_RUN_DRIFT_LOG_H

#include <stdint.h>

#include "engine/base/error.h"

#define LW_DRIFT_COLUMNS                                                                           \
    "step,epoch,time,comparison,score,value,low,high,floor,items,status,needed,change_step"

/* NaN, NULL and 0 stand for an empty cell where the comment says so. */
struct lw_drift_row {
    uint64_t step; /* optimizer steps done */
    double epoch;  /* fractional */
    double time;   /* seconds of run time */
    const char *comparison, *score;
    double value;         /* as it is, NaN: empty. Of "overall": the largest of all distances */
    double low, high;     /* bounds of the debiased distance, NaN: empty */
    double floor;         /* the distance that chance alone gives, NaN: empty */
    uint64_t items;       /* of the side that is judged */
    const char *status;   /* "" for a score without a verdict */
    int64_t needed;       /* more items that settle an unsure score; -1: the reference is too small,
                           * -2: it lies at the threshold; 0: empty */
    uint64_t change_step; /* a run's alarm: the step at which the shift began; 0: empty */
};

struct lw_drift_log;

/* Open (or begin, with its header) DIR/drift.csv. keep is the size to cut it to, 0: begin anew. */
LW_NODISCARD int lw_drift_log_open(struct lw_drift_log **out, const char *dir, int64_t keep,
                                   struct lw_error *err);

/* LW_EIO when the row has to wait in memory, once until writing works again. */
LW_NODISCARD int lw_drift_log_add(struct lw_drift_log *l, const struct lw_drift_row *row,
                                  struct lw_error *err);

/* All rows on disk; *offset is then the size of the file. */
LW_NODISCARD int lw_drift_log_sync(struct lw_drift_log *l, int64_t *offset, struct lw_error *err);

/* LW_EIO when rows were lost; NULL is fine. */
int lw_drift_log_close(struct lw_drift_log *l, struct lw_error *err);

#endif
