/* SPDX-License-Identifier: MIT
 *
 * Drift, watched while a run trains. Everything that is trained and validated on is profiled: a
 * loader's thread makes a note of every batch, the training thread adds it up, and every
 * drift_every a thread of the watch's own compares what came since the last check (or the last
 * drift_window items) with
 *
 *   reference   a stored profile; else the run's own beginning: its first ten checks' data as it
 *               comes, up to one that warns, and once a first epoch has passed the whole of it
 *   validation  (the other way round) the newest validation pass with what was trained on
 *   previous    what the check before looked at
 *
 * and appends drift.csv, replaces profile-reference.json and profile-current.json and raises
 * events: a run's alarm (drift/cusum.h) and a change of the overall verdict that holds for two
 * checks. What the model says (its most likely classes) is compared with what it said at the check
 * before and in a stored profile; the untrained model's word is no reference.
 *
 * All sums are integers, so the watch of a resumed run goes on to the last digit. With several
 * ranks, gather() adds their profiles up before a check and before a checkpoint.
 */
#ifndef LW_TRAIN_DRIFT_WATCH_H
#define LW_TRAIN_DRIFT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/data/loader.h"
#include "engine/drift/compare.h"
#include "engine/run/events.h"

#define LW_DRIFT_STATE "drift.json" /* of a checkpoint */

struct lw_drift_options {
    const char *dir;          /* of the run */
    struct lw_events *events; /* must live longer */
    struct lw_drift_settings settings;
    struct lw_profile_options profile;
    double false_alarm_every; /* checks between two false alarms of a run */
    uint64_t window;          /* items a check looks at, in whole batches; 0: since the last */
    bool partial;             /* no epoch from here on is a first and whole one: generated data */
    const char *reference;    /* file of a stored profile, or NULL */
    lw_profile_namer *name;   /* a word for a token; may be NULL */
    void *name_user;
    /* With several ranks: rank 0's p becomes the sum of all, the others' p is emptied. Called in
     * the training thread, by all ranks at the same places in the same order; NULL alone. */
    int (*gather)(void *user, struct lw_profile *p, struct lw_error *err);
    void *gather_user;
    bool silent; /* not rank 0: compare nothing, write nothing */
};

struct lw_drift_watch;

/* LW_EDATA where the stored profile does not fit what is trained on. keep: size that drift.csv is
 * cut to, 0: it begins anew. */
LW_NODISCARD int lw_drift_watch_open(struct lw_drift_watch **out,
                                     const struct lw_drift_options *options, int64_t keep,
                                     struct lw_error *err);
void lw_drift_watch_close(struct lw_drift_watch *w); /* NULL is fine; ends what is under way */

/* In a loader's thread: notes of batches. What a loader of text is given for them: */
struct lw_loader_notes lw_drift_text_notes(struct lw_drift_watch *w);
/* And one of items of classes, images or texts: */
struct lw_loader_notes lw_drift_items_notes(struct lw_drift_watch *w);
/* ... and for any other loader: room for a note, emptied and filled for each batch. Images as they
 * were before normalisation, and a label each (NULL: none). */
LW_NODISCARD int lw_drift_note_make(struct lw_drift_watch *w, void **note, struct lw_error *err);
LW_NODISCARD int lw_drift_note_images(void *note, const struct lw_images *images,
                                      const int32_t *labels, struct lw_error *err);
void lw_drift_note_drop(void *note);

/* All below in the training thread. */

/* A micro-batch was trained on; it counts once the step is whole. */
LW_NODISCARD int lw_drift_trained(struct lw_drift_watch *w, const void *note, struct lw_error *err);
LW_NODISCARD int lw_drift_step(struct lw_drift_watch *w, bool ends_epoch, struct lw_error *err);

/* A validation pass: begin, its batches, end. One that is broken off leaves the one before. */
void lw_drift_validating(struct lw_drift_watch *w);
LW_NODISCARD int lw_drift_validated(struct lw_drift_watch *w, const void *note,
                                    struct lw_error *err);
LW_NODISCARD int lw_drift_validation_done(struct lw_drift_watch *w, struct lw_error *err);

/* What the model said so far in training: a tally as ops.h has it, growing from when this process
 * began. */
LW_NODISCARD int lw_drift_said(struct lw_drift_watch *w, const uint64_t *table, int classes,
                               struct lw_error *err);

/* A check of what came since the last one, made in the background. Nothing happens where nothing
 * came. */
struct lw_drift_place {
    uint64_t step;
    double epoch, time;
};
LW_NODISCARD int lw_drift_check(struct lw_drift_watch *w, const struct lw_drift_place *place,
                                struct lw_error *err);

/* Wait for checks under way; all rows are on disk, and *offset is the size of drift.csv. */
LW_NODISCARD int lw_drift_sync(struct lw_drift_watch *w, int64_t *offset, struct lw_error *err);

/* All ranks, before one of them saves: rank 0 holds the sums of all from here on. */
LW_NODISCARD int lw_drift_pool(struct lw_drift_watch *w, struct lw_error *err);

/* What ranks must know alike when one of them was loaded. */
struct lw_drift_shared {
    bool in_first_epoch, epoch_whole;
    bool fresh; /* something came since the last check */
    uint64_t checks;
};
struct lw_drift_shared lw_drift_shared(const struct lw_drift_watch *w);
void lw_drift_share(struct lw_drift_watch *w, const struct lw_drift_shared *shared);

/* All that a resumed watch needs, after a sync. */
LW_NODISCARD int lw_drift_save(struct lw_drift_watch *w, const char *path, struct lw_error *err);
LW_NODISCARD int lw_drift_load(struct lw_drift_watch *w, const char *path, struct lw_error *err);

#endif
