/* SPDX-License-Identifier: MIT */
#include "engine/train/rank.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/guard/settle.h"
#include "engine/run/folder.h"
#include "engine/train/checkpoint.h"
#include "engine/verbs.h"

#define LAST_WORD_S 60

static int load_config(struct lw_rank *r, struct lw_error *err)
{
    int rc = lw_run_load_config(&r->config, r->dir, err);

    if (!rc)
        rc = lw_config_finish(&r->config, false, err);
    if (!rc)
        rc = lw_guard_refuse(&r->config, err);
    return rc;
}

static int prepare(struct lw_rank *r, struct lw_error *err)
{
    int rc;

    lw_rank_progress(r, LW_STATE_STARTING, "looking for a checkpoint", true);
    if ((!r->rank && (rc = lw_rank_find(r, err))) || (rc = lw_rank_share_state(r, err)) ||
        (rc = lw_rank_open_device(r, err)) || (rc = lw_rank_join_devices(r, err)))
        return rc;
    lw_rank_progress(r, LW_STATE_STARTING, "opening the data", true);
    if ((rc = lw_rank_open_data_in_turn(r, err)) || (rc = lw_rank_normalise(r, err)))
        return rc;
    lw_rank_progress(r, LW_STATE_STARTING, "making the model", true);
    if ((rc = lw_rank_open_model(r, err)) || (rc = lw_rank_resume(r, err)) ||
        (rc = lw_rank_watch_drift(r, err)) || (rc = lw_rank_plan_steps(r, err)))
        return rc;
    if (!r->rank && !r->resumed && (rc = lw_rank_note(r, err)))
        return rc;
    if (!r->rank) {
        lw_checkpoint_prune(r->dir, 0, 0);
        lw_remove_leftovers(r->dir);
    }
    r->began = lw_clock_now();
    r->mark = r->began;
    r->pace_time = r->time_before;
    r->checkpointed = r->evaluated = r->sampled = r->drifted = r->time_before;
    lw_rank_look_after(r);
    lw_rank_look_for_room(r);
    lw_rank_progress(r, LW_STATE_RUNNING, NULL, true);
    return 0;
}

static void close_rank(struct lw_rank *r)
{
    lw_gpu_watch_stop(r->gpu);
    lw_loader_close(r->loader);
    lw_loader_close(r->val_loader);
    lw_drift_watch_close(r->drift);
    lw_model_free(r->model);
    lw_dataset_close(r->train_data);
    lw_dataset_close(r->val_data);
    lw_items_close(r->train_items);
    lw_items_close(r->val_items);
    lw_tokenizer_close(r->tokenizer);
    if (r->device)
        r->backend->close(r->device);
    lw_comm_close(r->comm);
    lw_events_close(r->events);
    lw_config_fini(&r->config);
    free(r->token_bytes);
    free(r->own_dir);
    free(r->said);
    free(r->resumed);
    free(r);
}

/* From meeting the others to a whole configuration. */
static int begin(struct lw_rank *r, const char *own_config, struct lw_error *err)
{
    int rc = lw_rank_join(r, err);

    if (rc)
        return rc;
    lw_rank_catch_signals(!r->rank);
    rc = lw_config_init(&r->config, err);
    if (!rc && !r->rank && !(rc = lw_events_open(&r->events, r->dir, err)))
        rc = load_config(r, err);
    return rc ? rc : lw_rank_share(r, own_config, err);
}

int lw_train_rank(const char *run_dir, const char *own_config, struct lw_rank_link *link,
                  struct lw_error *err)
{
    struct lw_rank *r = calloc(1, sizeof *r);
    struct lw_error lost;
    int rc;

    if (!r)
        return lw_fail(err, LW_EMEM, "out of memory");
    r->dir = run_dir;
    r->link = link;
    lw_state_init(&r->state);
    lw_watch_init(&r->watch);
    rc = begin(r, own_config, err);
    if (!rc)
        rc = prepare(r, err);
    if (!rc)
        rc = lw_rank_loop(r, err);
    if (lw_recorder_close(r->recorder, &lost) && !rc)
        rc = lw_fail(err, lost.code, "%s", lost.text);
    if (r->comm && rc && rc != LW_ESTOPPED) {
        if (rc == LW_ENAN && r->rank && link->lost)
            sleep(LAST_WORD_S); /* all see it; rank 0 keeps the last good weights, and says so */
        lw_comm_fail(r->comm, err);
    }
    close_rank(r);
    return rc;
}
