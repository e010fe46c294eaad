/* SPDX-License-Identifier: MIT
 *
 * Checkpoints, as the training loop sees them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/train/checkpoint.h"
#include "engine/train/rank.h"

static int64_t file_size(const char *dir, const char *name)
{
    char *path = lw_path_join(dir, name);
    struct stat st;
    int64_t size = path && stat(path, &st) == 0 ? st.st_size : 0;

    free(path);
    return size;
}

static int write_checkpoint(struct lw_rank *r, struct lw_error *err)
{
    struct lw_train_state *s = &r->state;
    int rc = lw_recorder_sync(r->recorder, &s->metrics_bytes, err);

    if (rc)
        return rc;
    s->time = lw_rank_time(r);
    s->drift_bytes = file_size(r->dir, LW_RUN_DRIFT);
    if (r->drift &&
        ((rc = lw_rank_said(r, err)) || (rc = lw_drift_sync(r->drift, &s->drift_bytes, err))))
        return rc;
    s->events_bytes = file_size(r->dir, LW_RUN_EVENTS);
    return lw_checkpoint_write(r->dir, s, r->model, r->drift,
                               strcmp(r->config.tokenizer, "bytes") == 0 ? NULL
                                                                         : r->config.tokenizer,
                               lw_tokenizer_separator(r->tokenizer), err);
}

int lw_rank_save(struct lw_rank *r, const char *why, bool *saved, struct lw_error *err)
{
    bool done = false;
    int rc = 0, word;

    lw_comm_at(r->comm, LW_AT_CHECKPOINT, r->state.step);
    if (r->drift && r->comm && !(rc = lw_rank_drain(r, err)) && !(rc = lw_rank_said(r, err)))
        rc = lw_drift_pool(r->drift, err);
    if (!rc)
        rc = r->rank ? lw_rank_drain(r, err) : lw_rank_save_alone(r, why, &done, err);
    word = done;
    if (!rc)
        rc = lw_rank_agree(r, &word, err);
    if (!rc && word)
        r->saved_step = r->state.step;
    if (saved)
        *saved = word;
    return rc;
}

int lw_rank_save_alone(struct lw_rank *r, const char *why, bool *saved, struct lw_error *err)
{
    double start = lw_clock_now();
    struct lw_error failed;
    char reason[sizeof failed.text];
    bool done;
    int rc = lw_rank_drain(r, err);

    if (rc)
        return rc;
    done = r->state.step == r->saved_step;
    if (!done) {
        rc = write_checkpoint(r, &failed);
        if (rc == LW_EBACKEND)
            return lw_fail(err, rc, "%s", failed.text);
        done = !rc;
        if (done) {
            r->saved_step = r->state.step;
            lw_checkpoint_prune(r->dir, r->config.keep_checkpoints, r->state.stop.best_step);
            lw_events_add(r->events, LW_EVENT_INFO, "checkpoint step-%06" PRIu64 " (%s), %.2f s",
                          r->state.step, why, lw_clock_now() - start);
        } else {
            r->refusal = failed;
            lw_rank_refusal(r, reason, sizeof reason);
            if (r->refused_step != r->state.step) /* once for all attempts at it */
                lw_events_add(r->events, LW_EVENT_ERROR,
                              "no checkpoint at step %" PRIu64 " (%s): %s; older ones stay%s",
                              r->state.step, why, reason,
                              r->finishing ? "" : " and the run goes on");
            r->refused_step = r->state.step;
        }
    }
    r->checkpointed = lw_rank_time(r);
    r->mark += lw_clock_now() - start;
    if (saved)
        *saved = done;
    return 0;
}
