/* SPDX-License-Identifier: MIT
 *
 * Checkpoints of a run: RUN/checkpoints/step-000500/ with model.safetensors and config.json (a
 * Hugging Face folder), the tokenizer's files where it has some, optimizer.safetensors and
 * state.json. A folder is written aside, every file synced, and takes its name last; state.json
 * holds size and hash of the others, so one that is damaged later is recognised before it is used.
 */
#ifndef LW_TRAIN_CHECKPOINT_H
#define LW_TRAIN_CHECKPOINT_H

#include <stdint.h>

#include "engine/base/error.h"
#include "engine/model/model.h"
#include "engine/train/drift_watch.h"
#include "engine/train/state.h"

#define LW_CHECKPOINT_MODEL     "model.safetensors"
#define LW_CHECKPOINT_OPTIMIZER "optimizer.safetensors"
#define LW_CHECKPOINT_STATE     "state.json"

/* Write the checkpoint of state->step; state->file is filled in. drift may be NULL. tokenizer is a
 * folder or file whose vocab.json, merges.txt or tokenizer.json goes along; NULL: none. separator
 * as in lw_hf_gpt2_save. The device must be idle. When this fails nothing is left behind and older
 * checkpoints are as they were. */
LW_NODISCARD int lw_checkpoint_write(const char *run_dir, struct lw_train_state *state,
                                     struct lw_model *g, struct lw_drift_watch *drift,
                                     const char *tokenizer, int separator, struct lw_error *err);

struct lw_checkpoint {
    uint64_t step;
    char *path;
};

struct lw_checkpoint_list {
    struct lw_checkpoint *item; /* newest first */
    int count;
};

/* By their names alone; a missing folder is an empty list. */
LW_NODISCARD int lw_checkpoint_list(const char *run_dir, struct lw_checkpoint_list *list,
                                    struct lw_error *err);
void lw_checkpoint_list_free(struct lw_checkpoint_list *list);

/* Read the state of the checkpoint in path, and the whole of its files: LW_EDATA names the one that
 * is missing, short or changed. */
LW_NODISCARD int lw_checkpoint_check(const char *path, struct lw_train_state *state,
                                     struct lw_error *err);

/* The same without the optimizer's state, which is two thirds of it: for who wants the model. */
LW_NODISCARD int lw_checkpoint_check_model(const char *path, struct lw_train_state *state,
                                           struct lw_error *err);

/* The newest good checkpoint of a run: *path is freed by the caller, NULL where there is none at
 * all. bad() hears of every damaged one that was passed over (err says why). Only damaged ones:
 * LW_EDATA. */
LW_NODISCARD int lw_checkpoint_find(const char *run_dir, char **path, struct lw_train_state *state,
                                    void (*bad)(void *user, const char *path,
                                                const struct lw_error *why),
                                    void *user, struct lw_error *err);

/* The same for who wants the model alone. */
LW_NODISCARD int
lw_checkpoint_find_model(const char *run_dir, char **path, struct lw_train_state *state,
                         void (*bad)(void *user, const char *path, const struct lw_error *why),
                         void *user, struct lw_error *err);

/* Load weights and moments of a checked checkpoint into a prepared model. */
LW_NODISCARD int lw_checkpoint_load(const char *path, struct lw_model *g, struct lw_error *err);

/* Remove all but the newest `keep` (0: all stay) and the one of step best (0: none), and what an
 * interrupted writer left. Never fails: what cannot be removed stays. */
void lw_checkpoint_prune(const char *run_dir, int keep, uint64_t best);

/* Put a damaged checkpoint out of the way, under its name with ".damaged". */
void lw_checkpoint_set_aside(const char *path);

#endif
