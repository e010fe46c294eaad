/* SPDX-License-Identifier: MIT
 *
 * Where a run stands between two optimizer steps: everything but weights and moments that resuming
 * needs. Randomness is counted, so seed and step are all of it. Kept as a checkpoint's state.json.
 */
#ifndef LW_TRAIN_STATE_H
#define LW_TRAIN_STATE_H

#include <stdint.h>

#include "engine/base/error.h"
#include "engine/data/loader.h"
#include "engine/train/early_stop.h"

/* The checkpoint's other files, by which it is told whether it is whole. */
#define LW_STATE_FILES 8

struct lw_state_file {
    char name[64];
    uint64_t bytes, hash;
};

struct lw_train_state {
    uint64_t step;      /* optimizer steps done, skipped ones too */
    uint64_t updates;   /* of them, those that changed the weights: Adam's t */
    uint64_t tokens;    /* seen in training */
    double epoch;       /* epochs done, fractional */
    double time;        /* seconds of run time, pauses not counted */
    double epoch_began; /* time at which the running epoch began */
    uint64_t seed;
    struct lw_loader_state loader;
    char data_hash[33]; /* of the training data */
    int length;         /* of its windows: with another, loader.index means nothing */
    struct lw_early_stop stop;
    uint64_t evaluated;                               /* step of the last evaluation */
    double train_loss, val_loss;                      /* the latest; NaN: none yet */
    int64_t metrics_bytes, drift_bytes, events_bytes; /* sizes of the run's files at this step */
    struct lw_state_file file[LW_STATE_FILES];
    int files;
};

void lw_state_init(struct lw_train_state *s);

/* Write path so that it is whole or not there. */
LW_NODISCARD int lw_state_save(const struct lw_train_state *s, const char *path,
                               struct lw_error *err);

/* LW_EDATA for anything that lw_state_save did not write: damaged, or of a later version. s->stop's
 * patience and min_delta are left alone: they come from the configuration. */
LW_NODISCARD int lw_state_load(struct lw_train_state *s, const char *path, struct lw_error *err);

#endif
