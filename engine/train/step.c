/* SPDX-License-Identifier: MIT
 *
 * One optimizer step: a window of micro-batches, an update, and the numbers of steps before it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/train/rank.h"

#define SKIPS_IN_A_ROW 3
#define RECENT_S       5.0  /* throughput is told over about this long */
#define PACE_S         30.0 /* and the time left is estimated over this */

double lw_rank_time(const struct lw_rank *r)
{
    return r->time_before + lw_clock_now() - r->began;
}

double lw_perplexity(double loss)
{
    return exp(loss > 20.0 ? 20.0 : loss);
}

/* A mean in which what is older than `memory` seconds has little weight. */
static double recent(double old, double x, double seconds, double memory)
{
    double share = old > 0 ? 1.0 - exp(-seconds / memory) : 1.0;

    return old + share * (x - old);
}

double lw_rank_mfu(const struct lw_rank *r, double tokens_per_second)
{
    double peak = r->info.peak_flops * r->ranks;

    return peak > 0 ? r->flops_per_token * tokens_per_second / peak : 0;
}

static void put_known(struct lw_metrics_row *row, enum lw_metric metric, double value)
{
    if (isfinite(value))
        lw_metrics_put(row, metric, value);
}

/* The newest sample of the card, which may be a second old. */
static void put_gpu(struct lw_rank *r, struct lw_metrics_row *row)
{
    struct lw_gpu_sample s;

    if (!lw_gpu_watch_read(r->gpu, &s))
        return;
    put_known(row, LW_METRIC_GPU_MEMORY_MB, s.memory_mb);
    put_known(row, LW_METRIC_GPU_UTILIZATION, s.utilization);
    put_known(row, LW_METRIC_GPU_POWER_W, s.power_w);
    put_known(row, LW_METRIC_GPU_TEMPERATURE_C, s.temperature_c);
    put_known(row, LW_METRIC_GPU_CLOCK_MHZ, s.clock_mhz);
}

static void put_row(struct lw_rank *r, const struct lw_pending *p, const struct lw_result *result,
                    double loss, double time, double rate)
{
    struct lw_metrics_row row;

    if (!r->recorder)
        return;
    lw_metrics_clear(&row);
    lw_metrics_put(&row, LW_METRIC_STEP, (double)p->step);
    lw_metrics_put(&row, LW_METRIC_EPOCH, p->epoch);
    lw_metrics_put(&row, LW_METRIC_TIME, time);
    lw_metrics_put(&row, LW_METRIC_TRAIN_LOSS, loss);
    if (r->train_data)
        lw_metrics_put(&row, LW_METRIC_TRAIN_PERPLEXITY, lw_perplexity(loss));
    lw_metrics_put(&row, LW_METRIC_TRAIN_ACCURACY, result->correct / result->targets);
    if (r->data.classes > 5)
        lw_metrics_put(&row, LW_METRIC_TRAIN_TOP5_ACCURACY, result->top5 / result->targets);
    lw_metrics_put(&row, LW_METRIC_LEARNING_RATE, p->rate);
    lw_metrics_put(&row, LW_METRIC_PRE_CLIP_NORM, result->norm);
    lw_metrics_put(&row, LW_METRIC_POST_CLIP_NORM, result->norm_clipped);
    if (p->ends_epoch)
        lw_metrics_put(&row, LW_METRIC_EPOCH_DURATION, time - r->state.epoch_began);
    lw_metrics_put(&row, LW_METRIC_TOKENS, (double)p->seen);
    if (rate > 0)
        lw_metrics_put(&row, LW_METRIC_TOKENS_PER_SECOND, rate);
    if (lw_rank_mfu(r, rate) > 0)
        lw_metrics_put(&row, LW_METRIC_MFU, lw_rank_mfu(r, rate));
    put_gpu(r, &row);
    lw_recorder_put(r->recorder, &row);
}

static int guard(struct lw_rank *r, const struct lw_pending *p, const struct lw_result *result,
                 double loss, struct lw_error *err)
{
    if (!result->skipped) {
        if (r->skipped && r->comm)
            lw_comm_tell_broken(r->comm, false);
        r->skipped = 0;
        r->group.look = false;
        return 0;
    }
    r->skipped++;
    r->group.look = true; /* the steps that follow tell on which rank it begins */
    r->own_gradient = result->own_gradient;
    if (r->comm && (!isfinite(result->own_loss_sum) || result->own_gradient < 0))
        lw_comm_tell_broken(r->comm, true);
    lw_events_add(r->events, LW_EVENT_ALERT,
                  "step %" PRIu64
                  " is skipped: the %s is not finite; the weights stay as they were",
                  p->step, isfinite(loss) ? "gradient" : "loss");
    if (r->skipped < SKIPS_IN_A_ROW)
        return 0;
    return lw_fail(
        err, LW_ENAN,
        "the loss or the gradient was not finite in %d steps in a row, up to step %" PRIu64
        ": lower learning_rate (it is %g now) or max_grad_norm, then resume",
        r->skipped, p->step, p->rate);
}

/* How fast this rank would be if it never waited for the others: who is slowest shows in that. */
static void tell_own(struct lw_rank *r, double tokens, double seconds)
{
    double waited = lw_comm_waited(r->comm), busy = seconds - (waited - r->waited);

    r->waited = waited;
    if (busy < seconds / 100)
        busy = seconds / 100;
    if (busy > 0)
        r->own_throughput = recent(r->own_throughput, tokens / busy, seconds, RECENT_S);
    lw_comm_tell(r->comm, r->own_throughput);
    lw_comm_took(r->comm, seconds);
}

/* The numbers of the oldest outstanding step. */
static int take(struct lw_rank *r, const struct lw_result *result, struct lw_error *err)
{
    struct lw_pending p = r->pending[0];
    double now = lw_clock_now(), seconds = now - r->mark, time = lw_rank_time(r), rate;
    double loss = result->targets > 0 ? result->loss_sum / result->targets : NAN;
    char text[240];

    memmove(r->pending, r->pending + 1, sizeof r->pending - sizeof *r->pending);
    r->outstanding--;
    r->mark = now;
    rate = seconds > 0 ? (double)p.tokens / seconds : 0;
    r->throughput = recent(r->throughput, rate, seconds, RECENT_S);
    if (r->comm)
        tell_own(r, (double)p.tokens / r->ranks, seconds);
    r->pace = recent(r->pace, time - r->pace_time, time - r->pace_time, PACE_S);
    r->pace_time = time;
    r->state.updates = result->updates;
    r->state.train_loss = loss;
    put_row(r, &p, result, loss, time, rate);
    if (p.ends_epoch)
        r->state.epoch_began = time;
    if (lw_watch_step(&r->watch, p.step, loss, result->norm, seconds, text, sizeof text))
        lw_events_add(r->events, LW_EVENT_WARN, "%s", text);
    return guard(r, &p, result, loss, err);
}

static int collect(struct lw_rank *r, bool wait, struct lw_error *err)
{
    struct lw_result result;
    int rc;

    lw_comm_waits(r->comm, true); /* a GPU that sums over ranks waits for theirs */
    rc = r->backend->collect(r->device, wait, &result, err);
    lw_comm_waits(r->comm, false);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return wait ? lw_fail(err, LW_EBACKEND, "%s gave no numbers for step %" PRIu64,
                              r->backend->name, r->pending[0].step)
                    : 0;
    rc = take(r, &result, err);
    return rc ? rc : 1;
}

int lw_rank_drain(struct lw_rank *r, struct lw_error *err)
{
    int rc = 0;

    while (r->outstanding && rc >= 0)
        rc = collect(r, true, err);
    if (rc < 0)
        return rc;
    lw_comm_waits(r->comm, true);
    rc = r->backend->wait(r->device, err);
    lw_comm_waits(r->comm, false);
    return rc;
}

static void send(struct lw_rank *r, const struct lw_step *step, const struct lw_batch *b,
                 uint64_t tokens)
{
    struct lw_train_state *s = &r->state;

    s->step = step->step;
    s->loader = b->after;
    s->epoch = b->epoch;
    s->tokens += tokens;
    r->pending[r->outstanding++] = (struct lw_pending){.step = step->step,
                                                       .rate = step->learning_rate,
                                                       .epoch = b->epoch,
                                                       .tokens = tokens,
                                                       .seen = s->tokens,
                                                       .ends_epoch = b->last};
}

int lw_rank_step(struct lw_rank *r, bool *ends_epoch, struct lw_error *err)
{
    struct lw_step step = {.step = r->state.step + 1,
                           .seed = (uint64_t)r->config.random_seed,
                           .micro = (uint32_t)r->rank};
    const struct lw_batch *b;
    uint64_t tokens = 0;
    int micro = 0;
    bool last;
    int rc;

    step.learning_rate = (float)lw_rate_at(&r->rate, step.step);
    do {
        rc = lw_rank_commands(r, err);
        if (rc)
            return rc;
        if (r->finishing)
            return LW_ESTOPPED;
        lw_comm_at(r->comm, LW_AT_DATA, step.step);
        rc = lw_loader_next(r->loader, &b, err);
        if (rc)
            return rc;
        lw_comm_at(r->comm, LW_AT_STEP, step.step);
        last = b->last || micro + 1 == r->config.gradient_accumulation_steps;
        rc = lw_model_train(r->model, &step, lw_batch_input(b), b->targets, micro > 0, last, err);
        if (!rc && r->drift)
            rc = lw_drift_trained(r->drift, b->note, err);
        if (rc)
            return rc;
        tokens += (uint64_t)b->rows * (uint64_t)b->length * (uint64_t)r->ranks;
        step.micro += (uint32_t)r->ranks;
        micro++;
    } while (!last);
    rc = lw_model_update(r->model, &r->adamw, err);
    if (!rc && r->drift)
        rc = lw_drift_step(r->drift, b->last, err);
    if (rc)
        return rc;
    r->backend->finish(r->device);
    *ends_epoch = b->last;
    send(r, &step, b, tokens);
    do /* several ranks see the numbers of a step at the same place, not when they happen to come */
        rc = r->outstanding == LW_PENDING || !r->comm
                 ? collect(r, r->outstanding == LW_PENDING, err)
                 : 0;
    while (rc > 0 && r->outstanding);
    return rc < 0 ? rc : 0;
}
