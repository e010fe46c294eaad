/* SPDX-License-Identifier: MIT */
#include "tui/card.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run/folder.h"
#include "widgets/axis.h"

struct text {
    char *out;
    size_t size, used;
    bool line; /* something is on the line */
};

static void LW_PRINTF(2, 3) add(struct text *t, const char *fmt, ...)
{
    va_list ap;

    if (t->used < t->size && t->line)
        t->used += (size_t)snprintf(t->out + t->used, t->size - t->used, "  |  ");
    va_start(ap, fmt);
    if (t->used < t->size)
        t->used += (size_t)vsnprintf(t->out + t->used, t->size - t->used, fmt, ap);
    va_end(ap);
    t->line = true;
}

static void new_line(struct text *t)
{
    if (t->line && t->used < t->size)
        t->used += (size_t)snprintf(t->out + t->used, t->size - t->used, "\n");
    t->line = false;
}

static void add_number(struct text *t, const char *name, double v, enum lw_number kind)
{
    char number[LW_NUMBER_SIZE];

    lw_number_format(v, kind, number);
    if (isfinite(v))
        add(t, "%s %s", name, number);
}

static double newest(const struct lw_source *s, const char *column)
{
    const struct lw_track *track = lw_source_track(s, column);

    return track && track->data.samples ? (double)track->data.last : NAN;
}

/* The value of a column at x. */
static double value_at(const struct lw_source *s, const char *column, double x)
{
    const struct lw_track *track = lw_source_track(s, column);
    size_t i;

    if (!track || !track->data.samples)
        return NAN;
    i = lw_pyramid_find(&track->data, x);
    if (i >= track->data.count || track->data.bucket[i].x0 > x || !track->data.bucket[i].count)
        return NAN;
    return (double)track->data.bucket[i].last;
}

/* Whole epochs as such, parts of one with two decimals. */
static const char *epoch_text(double epoch, char out[LW_NUMBER_SIZE])
{
    if (epoch == floor(epoch))
        lw_number_format(epoch, LW_NUMBER_INTEGER, out);
    else
        snprintf(out, LW_NUMBER_SIZE, "%.2f", epoch);
    return out;
}

static void add_epochs(struct text *t, double epochs)
{
    char text[LW_NUMBER_SIZE];

    add(t, epochs == 1 ? "%s epoch" : "%s epochs", epoch_text(epochs, text));
}

/* "6e-4", "9.75e-4", "0.01": as people write it, to three digits. */
static const char *rate_text(double rate, char out[LW_NUMBER_SIZE])
{
    char *e;

    snprintf(out, LW_NUMBER_SIZE, "%.3g", rate);
    if (!(rate > 0 && rate < 0.00999))
        return out;
    snprintf(out, LW_NUMBER_SIZE, "%.2e", rate);
    e = strchr(out, 'e');
    *e = '\0';
    snprintf(out, LW_NUMBER_SIZE, "%ge%d", atof(out), atoi(e + 1));
    return out;
}

static void add_settings(struct text *t, const struct lw_source *s)
{
    char rate[LW_NUMBER_SIZE];
    struct lw_error err = {0};
    struct lw_config c;

    if (!lw_config_init(&c, &err) && s->run && !lw_run_load_config(&c, s->path, &err)) {
        add(t, "learning rate %s", rate_text(c.learning_rate, rate));
        if (c.gradient_accumulation_steps > 1)
            add(t, "batch %d x %d", c.batch_size, c.gradient_accumulation_steps);
        else
            add(t, "batch %d", c.batch_size);
        add_epochs(t, c.epochs);
    } else {
        const struct lw_track *track = lw_source_track(s, "learning_rate");

        if (track && track->data.samples) {
            add(t, "learning rate %s", rate_text((double)track->data.high, rate));
        }
        if (isfinite(newest(s, "epoch")))
            add_epochs(t, newest(s, "epoch"));
    }
    lw_config_fini(&c);
}

static void add_best(struct text *t, const struct lw_source *s)
{
    const struct lw_track *loss = lw_source_track(s, "val/loss");
    double x, epoch;
    char text[LW_NUMBER_SIZE], number[LW_NUMBER_SIZE];

    if (!loss || !loss->data.samples)
        return;
    x = loss->data.low_x;
    epoch = value_at(s, "epoch", x);
    lw_number_format(x, LW_NUMBER_INTEGER, text);
    if (isfinite(epoch))
        add(t, "best epoch %s (step %s)", epoch_text(epoch, number), text);
    else
        add(t, "best step %s", text);
    add_number(t, "loss", (double)loss->data.low, LW_NUMBER_FIXED3);
    add_number(t, "perplexity", value_at(s, "val/perplexity", x), LW_NUMBER_COMPACT);
    add_number(t, "accuracy", value_at(s, "val/accuracy", x), LW_NUMBER_PERCENT);
}

void lw_card_text(const struct lw_source *s, char *out, size_t size)
{
    struct text t = {out, size, 0, false};
    double time = s->standing.has_status ? s->standing.time : NAN;

    out[0] = '\0';
    add_settings(&t, s);
    if (isnan(time))
        time = newest(s, "time");
    add_number(&t, "total time", time, LW_NUMBER_DURATION);
    new_line(&t);
    add_best(&t, s);
}
