/* SPDX-License-Identifier: MIT
 *
 * What the files of the drift watch share.
 */
#ifndef LW_TRAIN_DRIFT_INTERNAL_H
#define LW_TRAIN_DRIFT_INTERNAL_H

#include <pthread.h>

#include "engine/drift/cusum.h"
#include "engine/ops/ops.h"
#include "engine/run/drift_log.h"
#include "engine/train/drift_watch.h"

enum { AGAINST_REFERENCE, AGAINST_VALIDATION, AGAINST_PREVIOUS, COMPARISONS };

#define BLOCKS            4  /* that a window of drift_window items is made of, and one more */
#define QUIET             5  /* checks */
#define REFERENCE_WINDOWS 10 /* of the run's beginning */

/* Data, and what the model said of it. */
struct lw_drift_side_profile {
    struct lw_profile data;
    struct lw_tally said;
};

/* A score's sum of small shifts. */
struct lw_drift_alarm {
    struct lw_cusum sum;
    uint64_t zero_step; /* step at which the sum last was 0 */
    int quiet;          /* after an alarm: checks without a shift until it is armed again */
    double limit;       /* of the sum, for this many scores and this shared part */
    int scores;
    double shared;
};

/* What pairs of steps that follow each other have told of their tokens. */
struct lw_drift_spread {
    uint64_t begun, pairs; /* steps that told the shares; pairs since */
    double common, common_squared, own;
    uint64_t bins, rest; /* from then on: bins, and what the one of rare tokens has; bins 0: look */
};

/* The overall verdict of a comparison, as it was told. */
struct lw_drift_verdict {
    enum lw_state told, last;
};

struct lw_drift_watch {
    struct lw_drift_options o;
    struct lw_drift_log *log;

    /* The training thread's. */
    struct lw_profile step;  /* sparse: of a step that is not whole yet */
    struct lw_profile first; /* of the steps that told the tokens' shares */
    struct lw_profile last;  /* sparse: of the step before */
    struct lw_drift_spread spread;
    struct lw_profile open; /* what came since the last block was closed */
    struct lw_profile closed[BLOCKS];
    int blocks;              /* of closed, the oldest first */
    struct lw_profile epoch; /* the first epoch so far */
    bool in_first_epoch, epoch_whole, epoch_pooled;
    bool fresh;                /* something came since the last check */
    struct lw_tally said_open; /* since the last check */
    struct lw_profile validating;
    uint64_t *said_before; /* the table as last seen, [classes + 1][LW_TALLY_COLUMNS] */

    /* The check's: the training thread's too while none is under way. */
    struct lw_drift_side_profile current, previous;
    struct lw_profile validation;
    bool has_previous, has_validation;
    struct lw_profile reference;
    uint64_t reference_windows; /* of the run's own beginning that are in it */
    bool stored;                /* it is a stored profile and stays */
    bool settled;               /* it grows no more */
    bool reference_new;         /* profile-reference.json is not it yet */
    bool told_small;            /* it was said that it is too small for a run's alarm */
    uint64_t checks, last_step; /* checks made, step of the last one */
    struct lw_drift_alarm alarm[LW_SCORES];
    struct lw_drift_verdict verdict[COMPARISONS];
    struct lw_overlap_null null[COMPARISONS];
    struct lw_drift_place place;
    double uneven; /* lw_drift_spread() when the check was asked for */
    bool epoch_done; /* the first epoch had passed when the check was asked for */

    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t more, idle;
    bool asked, busy, ending; /* under the lock */
};

/* drift_watch.c: no check is under way. */
void lw_drift_wait(struct lw_drift_watch *w);

/* drift_spread.c: of a whole step, before it is forgotten. */
LW_NODISCARD int lw_drift_spread_add(struct lw_drift_watch *w, struct lw_error *err);
/* How many times as much the distance of tokens varies as their mean design effect has it; 1 where
 * that is not known yet. */
double lw_drift_spread(const struct lw_drift_watch *w);

/* drift_check.c: the check that was asked for. */
void lw_drift_check_now(struct lw_drift_watch *w);

/* Items, or sequences where documents are longer than those. */
uint64_t lw_drift_size(const struct lw_profile *p);

/* A view of a side with what the model said as its outputs; owns nothing. */
struct lw_profile lw_drift_with_said(const struct lw_drift_side_profile *side);

#endif
