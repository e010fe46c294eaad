/* SPDX-License-Identifier: MIT
 *
 * The history of drift: drift.csv followed as it grows. Checks are kept by comparison, each with
 * all its scores, so that a heat map's columns line up. When there are too many, neighbours are
 * merged and the worse verdict of the two stays: memory is bounded and no alert gets lost. The
 * newest check is always kept as it is.
 */
#ifndef LW_TUI_DRIFT_HISTORY_H
#define LW_TUI_DRIFT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/drift/compare.h"
#include "engine/run/csv.h"

enum {
    LW_DRIFT_CHECKS = 512, /* kept of a comparison, besides the newest; even */
    LW_DRIFT_CHANGES = 16, /* change points kept, the last ones */
};

/* What the current data is compared with. */
enum lw_against {
    LW_AGAINST_REFERENCE,
    LW_AGAINST_VALIDATION,
    LW_AGAINST_PREVIOUS,
    LW_AGAINSTS,
};

/* Row of a check's scores that is no score of its own: the verdict over all, with max_drift. */
#define LW_SCORE_OVERALL LW_SCORES

struct lw_scored {
    bool present;
    unsigned char state; /* enum lw_state */
    float value, low, high, floor;
    int32_t needed; /* items, or LW_NEED_... */
};

struct lw_check {
    double step; /* NaN where the file does not say, as for the others */
    float epoch, time;
    double items; /* of the current side */
    struct lw_scored score[LW_SCORES + 1];
};

/* Where the run's alarm says that a score began to drift. */
struct lw_change {
    double step;
    enum lw_against against;
    int score;
};

struct lw_checks {
    struct lw_check *check; /* [LW_DRIFT_CHECKS], oldest first; NULL before the first */
    int count;
    int width, filled; /* checks merged into one, and in the last one so far */
    struct lw_check newest;
    bool any;     /* newest holds something */
    int64_t seen; /* checks in all */
};

struct lw_drift_history {
    struct lw_csv *csv; /* NULL where nothing is followed */
    int column[16]; /* of what is read, by its place in drift_history.c's table; -1: not there */
    struct lw_checks checks[LW_AGAINSTS];
    struct lw_change change[LW_DRIFT_CHANGES];
    int changes;
    int64_t rows;
    int generation; /* grows when all rows were forgotten */
    bool broken;    /* out of memory, or the columns that name a row are missing */
    char problem[160];
};

/* Begin to follow a file, which need not be there yet. A zeroed log is valid and empty. */
LW_NODISCARD int lw_drift_history_open(struct lw_drift_history *log, const char *path,
                                       struct lw_error *err);
void lw_drift_history_close(struct lw_drift_history *log);

/* Read what is new, at most about max_bytes (0: all). 1 when more is waiting, 0, or negative with
 * log->problem. *changed says whether anything came, or went. */
int lw_drift_history_poll(struct lw_drift_history *log, size_t max_bytes, bool *changed);

/* Put the outcome of a comparison in, as a check of its own. */
LW_NODISCARD int lw_drift_history_add(struct lw_drift_history *log, enum lw_against against,
                                      const struct lw_comparison *c, struct lw_error *err);

/* Checks there are to look at, and the i-th, 0 the oldest, the last one the newest. */
int lw_checks_count(const struct lw_checks *c);
const struct lw_check *lw_checks_at(const struct lw_checks *c, int i);

/* "reference", "validation", "previous"; as titles want it: "vs reference". */
const char *lw_against_name(enum lw_against a);

/* The name of a row, of LW_SCORE_OVERALL too: "overall". */
const char *lw_scored_name(int score);

#endif
