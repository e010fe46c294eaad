/* SPDX-License-Identifier: MIT
 *
 * Writes a run folder's files as an engine would, holding its lock, for tests of the console:
 *     fake_run DIR STEPS [PER_SECOND [OF [text | vision]]]
 * With PER_SECOND 0 (the default) all at once, ending as a finished run; else that many steps a
 * second, paused while DIR/hold exists, until killed or done. With text or vision its data drifts
 * from the middle on, and is checked every 250 steps.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"
#include "engine/run/metrics.h"
#include "engine/run/status.h"
#include "tests/fake_drift.h"

static struct lw_error err;

static void check(int rc)
{
    if (rc) {
        fprintf(stderr, "fake_run: %s\n", err.text);
        exit(1);
    }
}

static double noise(long step, double salt)
{
    double v = sin((double)step * 12.9898 + salt) * 43758.5453;

    return v - floor(v) - 0.5;
}

static double loss_at(long step)
{
    return 1.4 + 4.1 * exp(-(double)step / 300.0) + 0.6 * exp(-(double)step / 3000.0);
}

static void append(struct lw_metrics_writer *w, long step, long of)
{
    double x = (double)step / (double)of, loss = loss_at(step) * (1.0 + 0.04 * noise(step, 0));
    double rate = x < 0.1 ? x * 10.0 : 0.5 * (1.0 + cos(3.14159265 * (x - 0.1) / 0.9));
    double norm = 0.8 + 1.5 * exp(-(double)step / 200.0) + 0.6 * noise(step, 1.0);
    struct lw_metrics_row row;

    lw_metrics_clear(&row);
    lw_metrics_put(&row, LW_METRIC_STEP, (double)step);
    lw_metrics_put(&row, LW_METRIC_EPOCH, (double)step / 250.0);
    lw_metrics_put(&row, LW_METRIC_TIME, (double)step * 0.1);
    lw_metrics_put(&row, LW_METRIC_TRAIN_LOSS, loss);
    lw_metrics_put(&row, LW_METRIC_TRAIN_PERPLEXITY, exp(loss));
    lw_metrics_put(&row, LW_METRIC_TRAIN_ACCURACY, 0.75 - 0.11 * loss);
    lw_metrics_put(&row, LW_METRIC_LEARNING_RATE, 6e-4 * rate);
    lw_metrics_put(&row, LW_METRIC_PRE_CLIP_NORM, norm);
    lw_metrics_put(&row, LW_METRIC_POST_CLIP_NORM, fmin(norm, 1.0));
    lw_metrics_put(&row, LW_METRIC_TOKENS, (double)step * 2048.0);
    lw_metrics_put(&row, LW_METRIC_TOKENS_PER_SECOND, 20480.0 + 900.0 * noise(step, 2.0));
    if (step % 250 == 0)
        lw_metrics_put(&row, LW_METRIC_EPOCH_DURATION, 25.0 + noise(step, 3.0));
    check(lw_metrics_append(w, &row, &err));
    if (step % 250)
        return;
    loss = loss_at(step) + 0.05 + 0.2 * x * x;
    lw_metrics_clear(&row);
    lw_metrics_put(&row, LW_METRIC_STEP, (double)step);
    lw_metrics_put(&row, LW_METRIC_VAL_LOSS, loss);
    lw_metrics_put(&row, LW_METRIC_VAL_PERPLEXITY, exp(loss));
    lw_metrics_put(&row, LW_METRIC_VAL_ACCURACY, 0.74 - 0.11 * loss);
    check(lw_metrics_append(w, &row, &err));
}

static void write_status(const char *dir, long step, long of, enum lw_run_state state)
{
    struct lw_status s;

    lw_status_init(&s);
    s.state = state;
    s.pid = (int)getpid();
    s.step = step;
    s.of = of;
    s.epoch = (double)step / 250.0;
    s.time = (double)step * 0.1;
    s.eta = (double)(of - step) * 0.1;
    s.throughput = 20480.0 + 900.0 * noise(step, 2.0);
    s.train_loss = loss_at(step);
    s.best_step = step / 250 * 250;
    if (s.best_step)
        s.val_loss = s.best_val_loss = loss_at(s.best_step) + 0.05;
    s.updated = lw_clock_wall();
    s.started = s.updated - s.time;
    s.exit_code = lw_state_is_active(state) ? -1 : 0;
    snprintf(s.device, sizeof s.device, "CPU, 2 threads, AVX2");
    check(lw_status_write(dir, &s, &err));
}

/* Ever less of a sample to go by at first, so that checks are unsure too. */
static void check_drift(const char *dir, long step, long steps, enum lw_modality modality)
{
    double x = (double)step / (double)steps;
    struct fake_check made = {
        .modality = modality,
        .step = step,
        .epoch = (double)step / 250.0,
        .time = (double)step * 0.1,
        .items = x < 0.2 ? 70 : 400,
        .shift = fmax(0, x - 0.5),
        .change_step = x > 0.6 ? steps / 2 / 250 * 250 : 0,
    };

    check(fake_drift_check(dir, &made, &err));
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : NULL;
    long steps = argc > 2 ? atol(argv[2]) : 0, rate = argc > 3 ? atol(argv[3]) : 0;
    long of = argc > 4 ? atol(argv[4]) : steps;
    const char *drift = argc > 5 ? argv[5] : NULL;
    struct lw_metrics_writer *w;
    struct lw_events *events;
    char *hold;
    int lock;

    if (!dir || steps < 1 || rate < 0 || of < 1) {
        fprintf(stderr, "usage: fake_run DIR STEPS [PER_SECOND [OF [text | vision]]]\n");
        return 2;
    }
    hold = lw_path_join(dir, "hold");
    check(lw_make_folders(dir, &err));
    check(lw_run_lock(dir, &lock, &err));
    check(lw_events_open(&events, dir, &err));
    check(lw_metrics_open(&w, dir, 0, NULL, &err));
    lw_events_add(events, LW_EVENT_INFO, "training on CPU, 2 threads, AVX2");
    for (long step = 1; step <= steps; step++) {
        while (rate && !access(hold, F_OK))
            usleep(20000);
        append(w, step, of);
        if (step % 250 == 0)
            lw_events_add(events, LW_EVENT_INFO, "validation loss %.3f at step %ld",
                          loss_at(step) + 0.05, step);
        if (drift && step % 250 == 0)
            check_drift(dir, step, of, strcmp(drift, "vision") ? LW_TEXT : LW_VISION);
        if (step == 700)
            lw_events_add(events, LW_EVENT_WARN, "gradient norm 3.1 is 4 times its mean");
        if (rate && (step == 1 || step % rate == 0))
            write_status(dir, step, of, LW_STATE_RUNNING);
        if (rate)
            usleep((useconds_t)(1000000 / rate));
    }
    write_status(dir, steps, of, LW_STATE_FINISHED);
    lw_events_add(events, LW_EVENT_INFO, "finished");
    check(lw_metrics_close(w, &err));
    lw_events_close(events);
    free(hold);
    return 0;
}
