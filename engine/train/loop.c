/* SPDX-License-Identifier: MIT
 *
 * From the first step to the last: what happens between steps, and how a run ends. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/train/rank.h"

#define LAST_BEAT_US 1200000

/* Is something due after a step, given when it was done last? */
static int due(struct lw_rank *r, struct lw_every every, double last, bool ends_epoch, bool *out,
               struct lw_error *err)
{
    int word, rc = 0;

    *out = false;
    switch (every.unit) {
    case LW_EVERY_EPOCH:
        *out = ends_epoch;
        break;
    case LW_EVERY_STEPS:
        *out = r->state.step % (uint64_t)every.value == 0;
        break;
    case LW_EVERY_SECONDS: /* by rank 0's clock */
        word = lw_rank_time(r) - last >= (double)every.value;
        rc = lw_rank_agree(r, &word, err);
        *out = word;
        break;
    default:
        break;
    }
    return rc;
}

/* *better: the best so far. */
static int evaluate(struct lw_rank *r, bool *better, struct lw_error *err)
{
    lw_rank_progress(r, LW_STATE_RUNNING, "evaluating", true);
    return lw_rank_evaluate(r, better, err);
}

/* What is due of an evaluation, a check of drift and a checkpoint, unless it was done at this step.
 * A checkpoint comes last: whoever goes on from it has the rest. *enough: early stopping says so.
 */
static int look_and_save(struct lw_rank *r, bool ends_epoch, bool *enough, struct lw_error *err)
{
    const struct lw_config *c = &r->config;
    bool now = false, better = false;
    int rc = 0;

    if (r->val_loader && r->state.evaluated != r->state.step)
        rc = due(r, c->evaluate_every, r->evaluated, ends_epoch, &now, err);
    if (!rc && now) {
        rc = evaluate(r, &better, err);
        *enough = !rc && lw_early_stop_due(&r->state.stop);
    }
    if (!rc && r->drift)
        rc = due(r, c->drift_every, r->drifted, ends_epoch, &now, err);
    if (!rc && r->drift && now)
        rc = lw_rank_check_drift(r, err);
    if (!rc)
        rc = due(r, c->checkpoint_every, r->checkpointed, ends_epoch, &now, err);
    if (!rc && (better || now))
        rc = lw_rank_save(r, better ? "best validation loss" : "regular", NULL, err);
    return rc;
}

/* A sample comes before all that may save, and so neither twice nor never. */
static int between_steps(struct lw_rank *r, bool ends_epoch, bool *enough, struct lw_error *err)
{
    bool now;
    int rc = due(r, r->config.sample_every, r->sampled, ends_epoch, &now, err);

    if (!rc && now && !r->rank)
        rc = lw_rank_sample(r, err);
    return rc ? rc : look_and_save(r, ends_epoch, enough, err);
}

static int finish(struct lw_rank *r, bool early, struct lw_error *err)
{
    const struct lw_train_state *s = &r->state;
    char val[80] = "", done[80];
    bool better;
    int rc = lw_rank_drain(r, err);

    if (!rc && r->val_loader && s->evaluated != s->step)
        rc = evaluate(r, &better, err);
    if (!rc) {
        snprintf(done, sizeof done, "all %" PRIu64 " steps are done", s->step);
        rc = lw_rank_save_at_last(r, "the end", done, err);
    }
    /* A run too short for a check gets one. Behind the checkpoint: what goes on from it checks when
     * due. */
    if (!rc && r->drift && !lw_drift_shared(r->drift).checks)
        rc = lw_rank_check_drift(r, err);
    if (rc)
        return rc;
    lw_comm_at(r->comm, LW_AT_END, s->step);
    if (s->stop.best_step)
        snprintf(val, sizeof val, ", best validation loss %.4f at step %" PRIu64, s->stop.best,
                 s->stop.best_step);
    lw_events_add(r->events, LW_EVENT_INFO,
                  "finished%s after %" PRIu64 " steps, %" PRIu64 " %s, %.0f s: loss %.4f%s",
                  early ? " early (no better validation loss for early_stopping_patience)" : "",
                  s->step, s->tokens, r->data.image_size ? "images" : "tokens", lw_rank_time(r),
                  s->train_loss, val);
    return r->config.export_bundle && !r->rank ? lw_rank_export(r, err) : 0;
}

/* The end on request: what is done so far is kept. */
static int stop(struct lw_rank *r, struct lw_error *err)
{
    char done[80];
    int rc = 0;

    lw_rank_progress(r, LW_STATE_STOPPING, "writing a checkpoint", true);
    snprintf(done, sizeof done, "stopped at step %" PRIu64, r->state.step);
    if (r->state.step)
        rc = lw_rank_save_at_last(r, "stop", done, err);
    if (rc)
        return rc;
    lw_events_add(r->events, LW_EVENT_INFO, "stopped on request after step %" PRIu64,
                  r->state.step);
    return lw_fail(err, LW_ESTOPPED, "stopped on request after step %" PRIu64, r->state.step);
}

/* Three steps in a row were not finite. The weights are those from before them: they are kept
 * where no checkpoint has any. */
static int give_up(struct lw_rank *r, struct lw_error *err)
{
    struct lw_error ignored;
    char host[64];
    int broken;

    if (r->comm && !r->rank) {
        usleep(LAST_BEAT_US); /* every rank has said by then what it saw */
        broken = lw_comm_broken(r->comm, host);
        if (broken >= 0)
            lw_wrap(err, "rank %d on %s", broken, host);
        else
            lw_fail(err, LW_ENAN, "%s (%s)", err->text,
                    r->own_gradient ? "each rank's was finite, and their sum was not"
                                    : "seen after the sum over ranks: it may be any rank's");
    }
    if (!r->rank && !r->saved_step && r->state.updates &&
        lw_rank_save_alone(r, "the last finite weights", NULL, &ignored))
        r->saved_step = 0;
    if (r->saved_step)
        lw_events_add(r->events, LW_EVENT_ERROR, "the last good checkpoint is step-%06" PRIu64,
                      r->saved_step);
    return lw_fail(err, LW_ENAN, "%s", err->text);
}

int lw_rank_loop(struct lw_rank *r, struct lw_error *err)
{
    bool ends_epoch, enough = lw_early_stop_due(&r->state.stop);
    int rc = 0;

    if (r->resumed && !enough) /* its checkpoint may be one from within an evaluation */
        rc = look_and_save(r, r->state.loader.index == 0, &enough, err);
    while (!rc && !enough && r->state.step < r->steps.total) {
        rc = lw_rank_step(r, &ends_epoch, err);
        if (!rc)
            rc = between_steps(r, ends_epoch, &enough, err);
        if (!rc)
            lw_rank_progress(r, LW_STATE_RUNNING, NULL, false);
    }
    if (!rc)
        rc = finish(r, enough, err);
    lw_comm_at(r->comm, LW_AT_END, r->state.step);
    if (rc == LW_ESTOPPED)
        rc = stop(r, err);
    else if (rc == LW_ENAN)
        rc = give_up(r, err);
    /* The last word on how far it came: progress in between may have been left out. */
    lw_rank_progress(r,
                     !rc                 ? LW_STATE_FINISHED
                     : rc == LW_ESTOPPED ? LW_STATE_STOPPED
                                         : LW_STATE_FAILED,
                     NULL, true);
    return rc;
}
