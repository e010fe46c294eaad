/* SPDX-License-Identifier: MIT
 *
 * What the files of the training loop share: one rank, from its configuration to its end. Only
 * the training thread touches it.
 *
 * Where several ranks train together, all of them go through the same calls in the same order. Rank
 * 0 alone writes the run folder, hears commands and decides what time decides; the others have no
 * events (NULL) and no recorder (NULL) and follow.
 */
#ifndef LW_TRAIN_RANK_H
#define LW_TRAIN_RANK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/data/loader.h"
#include "engine/data/tokenizer.h"
#include "engine/dist/comm.h"
#include "engine/dist/group.h"
#include "engine/gpu/watch.h"
#include "engine/model/model.h"
#include "engine/ops/ops.h"
#include "engine/run/events.h"
#include "engine/run/rank_link.h"
#include "engine/run/status.h"
#include "engine/train/drift_watch.h"
#include "engine/train/recorder.h"
#include "engine/train/schedule.h"
#include "engine/train/state.h"
#include "engine/train/steps.h"
#include "engine/train/watch.h"

/* A step that was sent to the device and whose numbers are not back yet. */
struct lw_pending {
    uint64_t step;
    double rate;
    double epoch;          /* after the step */
    uint64_t tokens, seen; /* of the step alone, and of the run up to it */
    bool ends_epoch;
};

#define LW_PENDING 2

/* What is trained on, whatever it is. */
struct lw_rank_data {
    const char *path; /* NULL: built in */
    const char *format, *hash;
    const char *unit; /* of count: "tokens", "images", "texts" */
    int64_t bytes, count;
    bool endless;                                 /* generated: count is only an epoch */
    int vocabulary, image_size, classes, padding; /* as in lw_plan_data */
    const char *const *labels;
};

struct lw_rank {
    const char *dir;
    struct lw_rank_link *link;
    struct lw_config config;
    struct lw_events *events;
    struct lw_recorder *recorder;

    struct lw_comm *comm; /* NULL: one rank */
    int rank, ranks;      /* 0, 1 alone */
    char *own_dir;        /* dir, where rank 0 told it */
    struct lw_group group;
    struct lw_reducer reducer;

    const struct lw_backend *backend;
    struct lw_device *device;
    struct lw_device_info info;
    struct lw_gpu_watch *gpu; /* NULL: not a GPU, or no telemetry */
    struct lw_model *model;
    double flops_per_token;

    struct lw_tokenizer *tokenizer;
    struct lw_dataset *train_data,
        *val_data; /* of a language model; val_data NULL: no evaluation */
    struct lw_items *train_items, *val_items; /* of a classifier; likewise */
    struct lw_rank_data data;
    struct lw_loader *loader, *val_loader;
    uint16_t *token_bytes; /* by id, for bits per byte; NULL where ids stand for no known bytes */

    struct lw_steps steps;
    struct lw_rate_schedule rate;
    struct lw_adamw adamw;
    struct lw_watch watch;
    struct lw_drift_watch *drift; /* NULL: drift_every is off */
    uint64_t *said;               /* room for what the model said, [vocabulary + 1][4] */
    struct lw_train_state state;  /* as of the last step sent; updates and losses as collected */
    struct lw_pending pending[LW_PENDING];
    int outstanding;
    int skipped; /* steps in a row that the NaN guard left out */
    int own_gradient; /* of the last of them, as in lw_result */

    double began;       /* monotonic: start of this session, moved on by pauses */
    double time_before; /* run time of earlier sessions */
    double mark; /* monotonic: when the last numbers came, moved on by all that isn't training */
    double pace; /* run time of a step with everything in it, lately; 0: not known */
    double pace_time;      /* run time at the last step */
    double throughput;     /* tokens a second of all, lately; 0: not known */
    double own_throughput; /* of this rank while it did not wait for others */
    double waited;         /* for others, until the last numbers */
    double told;           /* monotonic: last progress told */
    double checkpointed, evaluated, sampled, drifted; /* run time of the last one */
    uint64_t saved_step;     /* of the newest checkpoint; 0: none */
    uint64_t refused_step;   /* of the last one that could not be written; 0: none */
    struct lw_error refusal; /* why */
    char *resumed; /* checkpoint that this session goes on from, or NULL */
    enum lw_save_asked { LW_SAVE_NOT, LW_SAVE_REQUEST, LW_SAVE_SIGNAL } save_asked;
    bool finishing; /* asked to stop */
    bool paused;
};

/* exp(loss), capped at exp(20); NaN stays NaN. */
double lw_perplexity(double loss);

/* The share of the device's dense peak that this many tokens a second are; 0 where the peak is not
 * known. */
double lw_rank_mfu(const struct lw_rank *r, double tokens_per_second);

/* Seconds of run time. */
double lw_rank_time(const struct lw_rank *r);

/* resume.c: find the checkpoint to go on from (r->resumed, r->state) and cut what was logged after
 * it; then, with a model and data, take it up. */
LW_NODISCARD int lw_rank_find(struct lw_rank *r, struct lw_error *err);
LW_NODISCARD int lw_rank_resume(struct lw_rank *r, struct lw_error *err);

/* setup.c: where generated data begins to drift: what is used up to shift_at, counted in items of
 * `size` (tokens of a sequence; 1). Further than anybody trains where that has too many digits. */
int64_t lw_rank_shift_from(const struct lw_rank *r, int64_t size);

/* setup.c: everything else up to the first step; each part needs those before it. */
LW_NODISCARD int lw_rank_open_device(struct lw_rank *r, struct lw_error *err);
LW_NODISCARD int lw_rank_open_data(struct lw_rank *r, struct lw_error *err);
LW_NODISCARD int lw_rank_open_items(struct lw_rank *r, struct lw_error *err); /* items.c */
/* normalise.c: the training images' own mean and deviation, where image_mean or image_std is data;
 * and what a model normalises by, in the configuration. */
LW_NODISCARD int lw_rank_normalise(struct lw_rank *r, struct lw_error *err);
LW_NODISCARD int lw_rank_note_normalised(struct lw_config *c, const struct lw_model_spec *s,
                                         const char *why, struct lw_error *err);
LW_NODISCARD int lw_rank_open_model(struct lw_rank *r, struct lw_error *err);
LW_NODISCARD int lw_rank_plan_steps(struct lw_rank *r, struct lw_error *err);
/* Note in config.yaml what data and init_from decided. */
LW_NODISCARD int lw_rank_note(struct lw_rank *r, struct lw_error *err);

/* loop.c: steps, evaluations, samples and checkpoints until the end. LW_ESTOPPED: on request. */
LW_NODISCARD int lw_rank_loop(struct lw_rank *r, struct lw_error *err);

/* step.c: one optimizer step, and the numbers of earlier ones. LW_ESTOPPED when somebody asked to
 * stop before it was complete: it then never happened. LW_ENAN: too many were skipped in a row. */
LW_NODISCARD int lw_rank_step(struct lw_rank *r, bool *ends_epoch, struct lw_error *err);
/* Wait for all outstanding numbers. */
LW_NODISCARD int lw_rank_drain(struct lw_rank *r, struct lw_error *err);

/* evaluate.c: the whole validation set; *better: the lowest loss so far. LW_ESTOPPED as above. */
LW_NODISCARD int lw_rank_evaluate(struct lw_rank *r, bool *better, struct lw_error *err);
/* Write what the model says to sample_prompt into events.log. */
LW_NODISCARD int lw_rank_sample(struct lw_rank *r, struct lw_error *err);

/* together.c: several ranks. open and close are fine alone; share gives all ranks rank 0's folder
 * and configuration, and compares own (a file, or NULL) with it. */
LW_NODISCARD int lw_rank_join(struct lw_rank *r, struct lw_error *err);
LW_NODISCARD int lw_rank_share(struct lw_rank *r, const char *own, struct lw_error *err);
/* From here on the others notice when this rank hangs or is late. */
void lw_rank_look_after(struct lw_rank *r);
/* Rank 0's word becomes everybody's. */
LW_NODISCARD int lw_rank_agree(struct lw_rank *r, int *word, struct lw_error *err);
/* The same kind of device everywhere, and one group of them. */
LW_NODISCARD int lw_rank_join_devices(struct lw_rank *r, struct lw_error *err);
/* Rank 0 first, which leaves tokens in the cache for the others; then the same data on all. */
LW_NODISCARD int lw_rank_open_data_in_turn(struct lw_rank *r, struct lw_error *err);
/* Rank 0's checkpoint state, and then its weights and moments, for all. */
LW_NODISCARD int lw_rank_share_state(struct lw_rank *r, struct lw_error *err);
LW_NODISCARD int lw_rank_share_model(struct lw_rank *r, struct lw_error *err);

/* drift.c: the watch over the data, made before the loaders; NULL where drift_every is off. */
LW_NODISCARD int lw_rank_watch_drift(struct lw_rank *r, struct lw_error *err);
/* A check of what came since the last one. */
LW_NODISCARD int lw_rank_check_drift(struct lw_rank *r, struct lw_error *err);
/* Hand on what the model said so far. */
LW_NODISCARD int lw_rank_said(struct lw_rank *r, struct lw_error *err);

/* save.c: a checkpoint of the last complete step, unless it is there; why is for events.log. A
 * disk that refuses is no error of the run: it is said, and *saved is false (saved may be NULL). */
LW_NODISCARD int lw_rank_save(struct lw_rank *r, const char *why, bool *saved,
                              struct lw_error *err);
/* The same by rank 0 without the others, who neither call nor wait. */
LW_NODISCARD int lw_rank_save_alone(struct lw_rank *r, const char *why, bool *saved,
                                    struct lw_error *err);

/* room.c: the checkpoint at an end of the run, for which it waits where the disk refuses: until it
 * is written, for an hour (ten minutes of a run that was asked to stop; LEEWAY_DISK_SECONDS), or
 * until the run is asked to stop (once more). LW_EIO, with `done` before what is missing, when it
 * is given up. */
LW_NODISCARD int lw_rank_save_at_last(struct lw_rank *r, const char *why, const char *done,
                                      struct lw_error *err);
/* Why there is no checkpoint: "it takes 3.0 GB, 1.2 GB are free in DIR", or what the system said
 * (r->refusal) where that is not the reason. */
void lw_rank_refusal(const struct lw_rank *r, char *out, size_t size);
/* Warn of a disk with no room for a checkpoint, before the first step. */
void lw_rank_look_for_room(struct lw_rank *r);

/* bundle_run.c: the bundle of a run that has come to its end. */
LW_NODISCARD int lw_rank_export(struct lw_rank *r, struct lw_error *err);

/* command.c: hear and answer what came over the link and by signals; blocks while paused. Sets
 * r->finishing. Only a failing device is an error. */
void lw_rank_catch_signals(bool leads); /* the others ignore them: rank 0 hears them too */
LW_NODISCARD int lw_rank_commands(struct lw_rank *r, struct lw_error *err);
/* Rank 0 is stopping: was it asked to once more? */
bool lw_rank_asked_again(struct lw_rank *r);
/* Tell the supervisor how it stands; at most a few times a second unless `now`. */
void lw_rank_progress(struct lw_rank *r, enum lw_run_state state, const char *note, bool now);

#endif
