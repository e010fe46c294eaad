/* SPDX-License-Identifier: MIT
 *
 * What the outside asks of a run, and what it is told. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/train/rank.h"

#define TELL_S    0.25 /* between two reports of progress */
#define PAUSED_MS 250  /* a paused rank looks for signals this often */

static volatile sig_atomic_t asked_checkpoint, asked_stop;

static void heard(int signal_number)
{
    if (signal_number == SIGUSR1)
        asked_checkpoint = 1;
    else
        asked_stop = 1;
}

void lw_rank_catch_signals(bool leads)
{
    static const int signals[] = {SIGUSR1, SIGTERM, SIGINT};
    struct sigaction action = {.sa_handler = leads ? heard : SIG_IGN, .sa_flags = SA_RESTART};

    asked_checkpoint = 0;
    asked_stop = 0;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* Tokens a second: of all, of each rank, and which is the slowest. */
static void put_ranks(struct lw_rank *r, struct lw_status *s)
{
    s->ranks = r->ranks < LW_STATUS_RANKS ? r->ranks : LW_STATUS_RANKS;
    if (r->throughput > 0)
        s->throughput = s->rank_throughput[0] = r->throughput;
    for (int i = 0; r->comm && i < s->ranks; i++) {
        double t = lw_comm_told(r->comm, i);

        s->rank_throughput[i] = t > 0 ? t : NAN;
        if (t > 0 && (s->slowest < 0 || t < s->rank_throughput[s->slowest]))
            s->slowest = i;
    }
}

void lw_rank_progress(struct lw_rank *r, enum lw_run_state state, const char *note, bool now)
{
    const struct lw_train_state *t = &r->state;
    double clock = lw_clock_now();
    struct lw_gpu_sample gpu;
    struct lw_status s;

    if (r->rank || (!now && clock - r->told < TELL_S))
        return;
    r->told = clock;
    lw_status_init(&s);
    s.state = state;
    s.step = (int64_t)t->step;
    s.of = (int64_t)r->steps.total;
    s.epoch = t->epoch;
    s.time = r->recorder ? lw_rank_time(r) : t->time;
    s.train_loss = t->train_loss;
    s.val_loss = t->val_loss;
    if (t->stop.best_step) {
        s.best_val_loss = t->stop.best;
        s.best_step = (int64_t)t->stop.best_step;
    }
    snprintf(s.device, sizeof s.device, "%s", r->info.name);
    put_ranks(r, &s);
    if (lw_rank_mfu(r, r->throughput) > 0)
        s.mfu = lw_rank_mfu(r, r->throughput);
    if (lw_gpu_watch_read(r->gpu, &gpu))
        s.gpu = (struct lw_status_gpu){.memory_mb = gpu.memory_mb,
                                       .memory_total_mb = gpu.memory_total_mb,
                                       .utilization = gpu.utilization,
                                       .power_w = gpu.power_w,
                                       .temperature_c = gpu.temperature_c,
                                       .clock_mhz = gpu.clock_mhz};
    if (r->pace > 0 && r->steps.total >= t->step)
        s.eta = r->pace * (double)(r->steps.total - t->step);
    snprintf(s.note, sizeof s.note, "%s", note ? note : "");
    lw_link_progress(r->link, &s);
}

static int save_and_say(struct lw_rank *r, const char *why, char *text, size_t size, bool *saved,
                        struct lw_error *err)
{
    int rc = 0;

    *saved = false;
    if (!r->state.step) {
        snprintf(text, size, "there is nothing to save before the first step");
        return 0;
    }
    rc = lw_rank_save_alone(r, why, saved, err);
    if (*saved)
        snprintf(text, size, "checkpoint step-%06" PRIu64 " is on disk", r->state.step);
    else
        snprintf(text, size, "the checkpoint failed: events.log says why");
    return rc;
}

static int obey(struct lw_rank *r, enum lw_request request, struct lw_error *err)
{
    char text[120];
    bool ok = true;
    int rc = 0;

    switch (request) {
    case LW_REQUEST_PAUSE:
        snprintf(text, sizeof text, "%s after step %" PRIu64,
                 r->paused ? "already paused" : "paused", r->state.step);
        if (!r->paused)
            lw_events_add(r->events, LW_EVENT_INFO, "paused after step %" PRIu64, r->state.step);
        r->paused = true;
        break;
    case LW_REQUEST_CONTINUE:
        snprintf(text, sizeof text, r->paused ? "going on" : "it is not paused");
        if (r->paused)
            lw_events_add(r->events, LW_EVENT_INFO, "continued");
        r->paused = false;
        break;
    case LW_REQUEST_CHECKPOINT:
        rc = save_and_say(r, "asked for", text, sizeof text, &ok, err);
        break;
    case LW_REQUEST_STOP:
        snprintf(text, sizeof text, "stopping at step %" PRIu64 " after a checkpoint",
                 r->state.step);
        r->finishing = true;
        break;
    default:
        snprintf(text, sizeof text, "this is not for a rank");
        ok = false;
    }
    lw_rank_progress(r,
                     r->finishing ? LW_STATE_STOPPING
                     : r->paused  ? LW_STATE_PAUSED
                                  : LW_STATE_RUNNING,
                     NULL, true);
    lw_link_answer(r->link, ok, text); /* after the state: the answer carries it along */
    return rc;
}

static int hear_commands(struct lw_rank *r, struct lw_error *err)
{
    double start = lw_clock_now();
    bool was_paused = false, saved;
    enum lw_request request;
    int rc = 0;

    do {
        if (asked_stop)
            r->finishing = true;
        if (asked_checkpoint && r->state.step) {
            asked_checkpoint = 0;
            rc = lw_rank_save_alone(r, "SIGUSR1", &saved, err);
        }
        request = r->finishing ? LW_REQUEST_NONE : lw_link_poll(r->link, r->paused ? PAUSED_MS : 0);
        if (!rc && request != LW_REQUEST_NONE)
            rc = obey(r, request, err);
        was_paused = was_paused || r->paused;
    } while (!rc && !r->finishing && (r->paused || request != LW_REQUEST_NONE));
    if (was_paused) {
        r->began += lw_clock_now() - start;
        r->mark += lw_clock_now() - start;
    }
    return rc;
}

int lw_rank_commands(struct lw_rank *r, struct lw_error *err)
{
    int rc = r->rank ? 0 : hear_commands(r, err), finishing = r->finishing;

    if (!rc)
        rc = lw_rank_agree(r, &finishing, err);
    r->finishing = finishing;
    return rc;
}
