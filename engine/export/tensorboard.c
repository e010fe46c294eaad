/* SPDX-License-Identifier: MIT */
#include "engine/export/tensorboard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/aside.h"
#include "engine/base/io.h"
#include "engine/drift/profile.h"
#include "engine/export/events.h"
#include "engine/run/csv.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"

#define TAG           (LW_CSV_NAME * 2 + 16)
#define FEATURE_STEPS 64 /* fine bins that make one bar */

/* A table on its way into events. */
struct table {
    struct lw_event_file *file;
    struct lw_tensorboard_counts *counts;
    double start;     /* wall clock at the run's time 0 */
    int64_t last;     /* step of the last row */
    double last_time; /* wall clock of it */
    int columns, step, time, comparison, score, value; /* -1: there is no such column */
    char (*name)[LW_CSV_NAME];
    struct lw_event_scalar *row;
};

static int column(const struct table *t, const char *name)
{
    for (int i = 0; i < t->columns; i++)
        if (!strcmp(t->name[i], name))
            return i;
    return -1;
}

static void columns(void *user, int count, const char *const *names)
{
    struct table *t = user;

    free(t->name);
    free(t->row);
    t->name = calloc((size_t)count, sizeof *t->name);
    t->row = calloc((size_t)count, sizeof *t->row);
    t->columns = t->name && t->row ? count : 0;
    t->file->failed |= t->columns != count;
    for (int i = 0; i < t->columns; i++)
        snprintf(t->name[i], sizeof t->name[i], "%s", names[i]);
    t->step = column(t, "step");
    t->time = column(t, "time");
    t->comparison = column(t, "comparison");
    t->score = column(t, "score");
    t->value = column(t, "value");
}

/* Where the row stands; rows without a number of steps go with the one before. */
static void stand(struct table *t, const struct lw_csv_row *row)
{
    if (t->step >= 0 && row->cell[t->step] == LW_CSV_NUMBER)
        t->last = (int64_t)row->value[t->step];
    if (t->time >= 0 && row->cell[t->time] == LW_CSV_NUMBER)
        t->last_time = t->start + row->value[t->time];
}

static void metrics_row(void *user, const struct lw_csv_row *row)
{
    struct table *t = user;
    int count = 0;

    stand(t, row);
    for (int i = 0; i < t->columns && i < row->count; i++)
        if (i != t->step && i != t->time &&
            (row->cell[i] == LW_CSV_NUMBER || row->cell[i] == LW_CSV_BAD))
            t->row[count++] = (struct lw_event_scalar){t->name[i], (float)row->value[i]};
    lw_event_scalars(t->file, t->last_time, t->last, t->row, count);
    t->counts->scalars += (uint64_t)count;
}

static void drift_row(void *user, const struct lw_csv_row *row)
{
    struct table *t = user;
    const char *comparison, *score;
    char tag[TAG];

    stand(t, row);
    if (t->comparison < 0 || t->score < 0 || t->value < 0 || !row->text)
        return;
    comparison = row->text[t->comparison];
    score = row->text[t->score];
    if (!comparison || !score || row->cell[t->value] != LW_CSV_NUMBER)
        return;
    snprintf(tag, sizeof tag, "drift/%.*s/%.*s", LW_CSV_NAME, comparison, LW_CSV_NAME, score);
    lw_event_scalars(t->file, t->last_time, t->last,
                     &(struct lw_event_scalar){tag, (float)row->value[t->value]}, 1);
    t->counts->scalars++;
}

/* All whole rows of a table of the run; one that is not there has none. */
static int pour(struct table *t, const char *run, const char *name,
                void (*row)(void *user, const struct lw_csv_row *row), struct lw_error *err)
{
    const struct lw_csv_reader reader = {columns, row, t};
    char *path = lw_path_join(run, name);
    struct lw_csv *csv = NULL;
    int rc = path ? 0 : lw_fail(err, LW_EMEM, "out of memory reading %s", run);

    if (!rc && access(path, F_OK) == 0) {
        rc = lw_csv_open(&csv, path, &reader, err);
        while (!rc && (rc = lw_csv_poll(csv, 0, err)) > 0)
            rc = 0;
        lw_csv_close(csv);
    }
    free(t->name);
    free(t->row);
    t->name = NULL;
    t->row = NULL;
    free(path);
    return rc;
}

static void length_histogram(struct table *t, const struct lw_profile *p, const char *tag)
{
    const struct lw_text_profile *x = &p->text;
    double mean = lw_profile_length_mean(p), std = lw_profile_length_std(p);
    double *edge = calloc((size_t)x->length_bins + 1, sizeof *edge);
    double items = (double)p->items;

    t->file->failed |= !edge;
    for (int i = 0; edge && i <= x->length_bins; i++)
        edge[i] = lw_bin_edge(i, x->length_bins, x->length_max);
    if (edge && p->items) {
        lw_event_histogram(t->file, t->last_time, t->last,
                           &(struct lw_event_histogram){
                               tag, edge, x->length_hist, x->length_bins, mean * items,
                               (std * std + mean * mean) * items});
        t->counts->histograms++;
    }
    free(edge);
}

/* Counts of fine bins, gathered; sums are those of the bins' middles. */
static void feature_histogram(struct table *t, const char *tag, const uint64_t *fine, int bins,
                              int step, double max)
{
    const int bars = bins / step;
    double edge[LW_FEATURE_BINS + 1];
    uint64_t count[LW_FEATURE_BINS] = {0};
    struct lw_event_histogram h = {tag, edge, count, bars, 0, 0};

    for (int i = 0; i < bars; i++) {
        double middle = (lw_bin_edge(i, bars, max) + lw_bin_edge(i + 1, bars, max)) / 2;

        edge[i] = lw_bin_edge(i, bars, max);
        for (int j = 0; j < step; j++)
            count[i] += fine[i * step + j];
        h.sum += middle * (double)count[i];
        h.sum_squares += middle * middle * (double)count[i];
    }
    edge[bars] = max;
    lw_event_histogram(t->file, t->last_time, t->last, &h);
    t->counts->histograms++;
}

static void vision_histograms(struct table *t, const struct lw_profile *p, const char *which)
{
    const struct lw_vision_profile *v = &p->vision;
    char tag[TAG];

    if (!v->featured || !v->feature_hist) {
        snprintf(tag, sizeof tag, "drift/brightness/%s", which);
        feature_histogram(t, tag, v->brightness_hist, LW_BRIGHTNESS_BINS, 1, 1);
        return;
    }
    for (int f = 0; f < LW_FEATURES; f++) {
        snprintf(tag, sizeof tag, "drift/%s/%s", lw_feature_name((enum lw_feature)f), which);
        feature_histogram(t, tag, v->feature_hist[f], LW_FEATURE_BINS, FEATURE_STEPS,
                          lw_feature_max((enum lw_feature)f));
    }
}

/* profile-WHICH.json of the run, where there is one. */
static int profile(struct table *t, const char *run, const char *which, struct lw_error *err)
{
    struct lw_profile p = {0};
    char tag[TAG], *path;
    int rc = 0;

    if (asprintf(&path, "%s/profile-%s.json", run, which) < 0)
        return lw_fail(err, LW_EMEM, "out of memory reading %s", run);
    if (access(path, F_OK) == 0 && !(rc = lw_profile_load(&p, path, err))) {
        snprintf(tag, sizeof tag, "drift/length/%s", which);
        if (p.modality == LW_TEXT)
            length_histogram(t, &p, tag);
        else if (p.items)
            vision_histograms(t, &p, which);
    }
    lw_profile_fini(&p);
    free(path);
    return rc;
}

static void first_event(void *user, const struct lw_event *event)
{
    double *start = user;
    struct tm tm = {0};

    if (isnan(*start) && strptime(event->time, "%Y-%m-%dT%H:%M:%S%z", &tm)) {
        long offset = tm.tm_gmtoff; /* timegm() resets it */

        *start = (double)(timegm(&tm) - offset);
    }
}

/* When the run began, by its first event; else when its metrics were last written. */
static double began(const char *run)
{
    struct lw_event_tail *tail;
    struct lw_error ignored;
    double start = NAN;
    struct stat st;
    char *path;

    if (!lw_event_tail_open(&tail, run, &ignored)) {
        if (lw_event_tail_poll(tail, first_event, &start, &ignored))
            start = NAN;
        lw_event_tail_close(tail);
    }
    if (!isnan(start))
        return start;
    path = lw_path_join(run, LW_RUN_METRICS);
    start = path && !stat(path, &st) ? (double)st.st_mtime : 0;
    free(path);
    return start;
}

static int write_events(struct lw_event_file *file, const char *run, double start,
                        struct lw_tensorboard_counts *counts, struct lw_error *err)
{
    struct table t = {.file = file, .counts = counts, .start = start, .last_time = start};
    int rc = profile(&t, run, "reference", err);

    if (!rc)
        rc = pour(&t, run, LW_RUN_METRICS, metrics_row, err);
    if (!rc)
        rc = pour(&t, run, LW_RUN_DRIFT, drift_row, err);
    if (!rc)
        rc = profile(&t, run, "current", err);
    if (!rc && file->failed)
        rc = lw_fail(err, LW_EMEM, "out of memory writing events");
    return rc;
}

int lw_tensorboard_write(const char *folder, const char *run, struct lw_tensorboard_counts *out,
                         struct lw_error *err)
{
    const char *name = strrchr(run, '/') ? strrchr(run, '/') + 1 : run;
    struct lw_event_file file;
    struct lw_aside aside;
    double start = began(run);
    char *path = NULL, *into = lw_path_join(folder, name);
    int rc = 0;

    *out = (struct lw_tensorboard_counts){0};
    if (!into ||
        asprintf(&path, "%s/events.out.tfevents.%.0f.leeway", into, start) < 0) {
        path = NULL;
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", folder);
    } else if (!(rc = lw_make_folders(into, err)) && !(rc = lw_aside_open(&aside, path, err))) {
        lw_event_begin(&file, aside.file, start);
        rc = write_events(&file, run, start, out, err);
        lw_event_end(&file);
        if (rc)
            lw_aside_drop(&aside);
        else
            rc = lw_aside_finish(&aside, err);
    }
    free(into);
    free(path);
    return rc;
}
