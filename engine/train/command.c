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

static void tell_state(struct lw_rank *r)
{
    lw_rank_progress(r,
                     r->finishing ? LW_STATE_STOPPING
                     : r->paused  ? LW_STATE_PAUSED
                                  : LW_STATE_RUNNING,
                     NULL, true);
}

/* A checkpoint that was asked for, which all ranks take part in. */
static int save_asked(struct lw_rank *r, struct lw_error *err)
{
    bool answer = r->save_asked == LW_SAVE_REQUEST, saved = false;
    char text[120];
    int rc = 0;

    if (!r->state.step)
        snprintf(text, sizeof text, "there is nothing to save before the first step");
    else
        rc = lw_rank_save(r, answer ? "asked for" : "SIGUSR1", &saved, err);
    r->save_asked = LW_SAVE_NOT;
    if (saved)
        snprintf(text, sizeof text, "checkpoint step-%06" PRIu64 " is on disk", r->state.step);
    else if (r->state.step)
        snprintf(text, sizeof text, "the checkpoint failed: events.log says why");
    if (answer && !rc) {
        tell_state(r);
        lw_link_answer(r->link, saved || !r->state.step, text);
    }
    return rc;
}

/* Answer a request; a checkpoint is answered when it is made. */
static void obey(struct lw_rank *r, enum lw_request request)
{
    char text[120];
    bool ok = true;

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
        r->save_asked = LW_SAVE_REQUEST;
        return;
    case LW_REQUEST_STOP:
        snprintf(text, sizeof text, "stopping at step %" PRIu64 " after a checkpoint",
                 r->state.step);
        r->finishing = true;
        break;
    default:
        snprintf(text, sizeof text, "this is not for a rank");
        ok = false;
    }
    tell_state(r);
    lw_link_answer(r->link, ok, text); /* after the state: the answer carries it along */
}

/* Hear what is asked, as long as it takes nobody else. */
static void hear_commands(struct lw_rank *r)
{
    double start = lw_clock_now();
    bool was_paused = false;
    enum lw_request request;

    do {
        if (asked_stop)
            r->finishing = true;
        asked_stop = 0;
        request = r->finishing ? LW_REQUEST_NONE : lw_link_poll(r->link, r->paused ? PAUSED_MS : 0);
        if (request != LW_REQUEST_NONE)
            obey(r, request);
        if (!r->save_asked && asked_checkpoint && r->state.step) {
            asked_checkpoint = 0;
            r->save_asked = LW_SAVE_SIGNAL;
        }
        if (r->paused)
            lw_comm_at(r->comm, LW_AT_PAUSE, r->state.step);
        was_paused = was_paused || r->paused;
    } while (!r->finishing && !r->save_asked && (r->paused || request != LW_REQUEST_NONE));
    if (was_paused) {
        r->began += lw_clock_now() - start;
        r->mark += lw_clock_now() - start;
    }
}

bool lw_rank_asked_again(struct lw_rank *r)
{
    bool again = asked_stop;
    enum lw_request request;

    while ((request = lw_link_poll(r->link, 0)) != LW_REQUEST_NONE) {
        again = again || request == LW_REQUEST_STOP;
        lw_link_answer(r->link, request == LW_REQUEST_STOP,
                       request == LW_REQUEST_STOP ? "stopping now, with or without a checkpoint"
                                                  : "the run is stopping already");
    }
    return again;
}

int lw_rank_commands(struct lw_rank *r, struct lw_error *err)
{
    struct {
        int finishing, saving, paused;
    } word;
    int rc;

    do {
        if (!r->rank)
            hear_commands(r);
        word.finishing = r->finishing;
        word.saving = r->save_asked;
        word.paused = r->paused;
        rc = r->comm ? lw_comm_broadcast(r->comm, &word, sizeof word, err) : 0;
        if (rc)
            return rc;
        r->finishing = word.finishing;
        r->save_asked = (enum lw_save_asked)word.saving;
        if (r->save_asked)
            rc = save_asked(r, err);
    } while (!rc && !r->finishing && (word.saving || word.paused));
    return rc;
}
