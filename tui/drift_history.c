/* SPDX-License-Identifier: MIT */
#include "tui/drift_history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

enum column {
    STEP,
    EPOCH,
    TIME,
    COMPARISON,
    SCORE,
    VALUE,
    LOW,
    HIGH,
    FLOOR,
    ITEMS,
    STATUS,
    NEEDED,
    CHANGE_STEP,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    "step", "epoch", "time",  "comparison", "score",  "value",       "low",
    "high", "floor", "items", "status",     "needed", "change_step",
};

static const char *const against_names[LW_AGAINSTS] = {"reference", "validation", "previous"};

const char *lw_against_name(enum lw_against a)
{
    return against_names[a];
}

const char *lw_scored_name(int score)
{
    return score == LW_SCORE_OVERALL ? "overall" : lw_score_name((enum lw_score_id)score);
}

int lw_checks_count(const struct lw_checks *c)
{
    return c->count + c->any;
}

const struct lw_check *lw_checks_at(const struct lw_checks *c, int i)
{
    return i < c->count ? &c->check[i] : &c->newest;
}

/* How bad a score of a check is, for choosing between two. */
static bool worse(const struct lw_scored *a, const struct lw_scored *b)
{
    if (a->present != b->present)
        return a->present;
    if (a->state != b->state)
        return lw_drift_worse((enum lw_state)a->state, (enum lw_state)b->state) ==
               (enum lw_state)a->state;
    return a->value > b->value || isnan(b->value);
}

/* Let one check stand for two: it lies where the later one lies. */
static void merge(struct lw_check *into, const struct lw_check *from)
{
    struct lw_check both = *from;

    for (int i = 0; i <= LW_SCORES; i++)
        if (worse(&into->score[i], &from->score[i]))
            both.score[i] = into->score[i];
    *into = both;
}

/* The newest check is over: keep it among the others. */
static bool settle(struct lw_checks *c)
{
    if (!c->any)
        return true;
    if (!c->check && !(c->check = calloc(LW_DRIFT_CHECKS, sizeof *c->check)))
        return false;
    if (c->count && c->filled < c->width) {
        merge(&c->check[c->count - 1], &c->newest);
        c->filled++;
        return true;
    }
    if (c->count == LW_DRIFT_CHECKS) {
        for (int i = 0; i < LW_DRIFT_CHECKS / 2; i++) {
            merge(&c->check[2 * i], &c->check[2 * i + 1]);
            c->check[i] = c->check[2 * i];
        }
        c->count = LW_DRIFT_CHECKS / 2;
        c->width *= 2;
    }
    c->check[c->count++] = c->newest;
    c->filled = 1;
    return true;
}

static void begin_check(struct lw_checks *c, double step, double epoch, double time)
{
    memset(&c->newest, 0, sizeof c->newest);
    c->newest.step = step;
    c->newest.epoch = (float)epoch;
    c->newest.time = (float)time;
    c->newest.items = NAN;
    c->any = true;
    c->seen++;
}

static void forget(struct lw_drift_history *log)
{
    for (int a = 0; a < LW_AGAINSTS; a++) {
        free(log->checks[a].check);
        log->checks[a] = (struct lw_checks){.width = 1};
    }
    log->changes = 0;
    log->rows = 0;
    log->generation++;
    log->broken = false;
}

static void on_columns(void *user, int count, const char *const *names)
{
    struct lw_drift_history *log = user;

    forget(log);
    for (int k = 0; k < COLUMNS; k++) {
        log->column[k] = -1;
        for (int i = 0; i < count; i++)
            if (!strcmp(names[i], column_names[k]))
                log->column[k] = i;
    }
    if (log->column[COMPARISON] < 0 || log->column[SCORE] < 0 || log->column[STEP] < 0) {
        snprintf(log->problem, sizeof log->problem,
                 "drift.csv has no column step, comparison or score");
        log->broken = true;
    }
}

static double number(const struct lw_drift_history *log, const struct lw_csv_row *row,
                     enum column k)
{
    int i = log->column[k];

    return i >= 0 && i < row->count ? row->value[i] : NAN;
}

static const char *word(const struct lw_drift_history *log, const struct lw_csv_row *row,
                        enum column k)
{
    int i = log->column[k];

    return i >= 0 && i < row->count && row->text && row->text[i] ? row->text[i] : "";
}

static int state_of(const char *name)
{
    for (int s = LW_STATE_NONE; s <= LW_DRIFT_ALERT; s++)
        if (!strcmp(name, lw_drift_state_name((enum lw_state)s)))
            return s;
    return LW_DRIFT_UNKNOWN;
}

static void add_change(struct lw_drift_history *log, struct lw_change change)
{
    for (int i = 0; i < log->changes; i++)
        if (log->change[i].step == change.step && log->change[i].against == change.against &&
            log->change[i].score == change.score)
            return;
    if (log->changes == LW_DRIFT_CHANGES)
        memmove(&log->change[0], &log->change[1], --log->changes * sizeof log->change[0]);
    log->change[log->changes++] = change;
}

/* Rows of what this version does not know are left out. */
static void on_row(void *user, const struct lw_csv_row *row)
{
    struct lw_drift_history *log = user;
    const char *name = word(log, row, SCORE), *against = word(log, row, COMPARISON);
    double step = number(log, row, STEP), needed = number(log, row, NEEDED);
    int a = 0, score = !strcmp(name, "overall") ? LW_SCORE_OVERALL : lw_score_find(name);
    struct lw_scored *s;
    struct lw_checks *c;

    while (a < LW_AGAINSTS && strcmp(against, against_names[a]) != 0)
        a++;
    if (log->broken || score < 0 || a == LW_AGAINSTS || isnan(step))
        return;
    log->rows++;
    c = &log->checks[a];
    if (!c->any || c->newest.step != step) {
        if (!settle(c)) {
            snprintf(log->problem, sizeof log->problem, "out of memory for drift.csv");
            log->broken = true;
            return;
        }
        begin_check(c, step, number(log, row, EPOCH), number(log, row, TIME));
    }
    if (isfinite(number(log, row, ITEMS)))
        c->newest.items = number(log, row, ITEMS);
    s = &c->newest.score[score];
    *s = (struct lw_scored){
        .present = true,
        .state = (unsigned char)state_of(word(log, row, STATUS)),
        .value = (float)number(log, row, VALUE),
        .low = (float)number(log, row, LOW),
        .high = (float)number(log, row, HIGH),
        .floor = (float)number(log, row, FLOOR),
        .needed = isnan(needed) ? 0 : (int32_t)fmax(fmin(needed, INT32_MAX), -2.0),
    };
    if (isfinite(number(log, row, CHANGE_STEP)))
        add_change(log,
                   (struct lw_change){number(log, row, CHANGE_STEP), (enum lw_against)a, score});
}

int lw_drift_history_open(struct lw_drift_history *log, const char *path, struct lw_error *err)
{
    struct lw_csv_reader reader = {on_columns, on_row, log};

    memset(log, 0, sizeof *log);
    forget(log);
    return lw_csv_open(&log->csv, path, &reader, err);
}

void lw_drift_history_close(struct lw_drift_history *log)
{
    forget(log);
    if (log->csv)
        lw_csv_close(log->csv);
    log->csv = NULL;
}

int lw_drift_history_poll(struct lw_drift_history *log, size_t max_bytes, bool *changed)
{
    int64_t rows = log->rows;
    int generation = log->generation;
    struct lw_error err = {0};
    int rc;

    *changed = false;
    if (!log->csv)
        return 0;
    if (!log->broken)
        log->problem[0] = '\0';
    rc = lw_csv_poll(log->csv, max_bytes, &err);
    if (rc < 0)
        lw_text_clean(err.text, strlen(err.text), log->problem, sizeof log->problem);
    *changed = rows != log->rows || generation != log->generation;
    return rc;
}

int lw_drift_history_add(struct lw_drift_history *log, enum lw_against against,
                         const struct lw_comparison *c, struct lw_error *err)
{
    struct lw_checks *checks = &log->checks[against];
    struct lw_scored *all;

    if (!checks->width)
        checks->width = 1;
    if (!settle(checks))
        return lw_fail(err, LW_EMEM, "out of memory");
    begin_check(checks, (double)checks->seen + 1, NAN, NAN);
    checks->newest.items = (double)c->items[1];
    for (int i = 0; i < LW_SCORES; i++) {
        const struct lw_score *s = &c->score[i];
        bool bounded = s->bounded;

        if (s->present)
            checks->newest.score[i] = (struct lw_scored){
                .present = true,
                .state = (unsigned char)s->verdict.state,
                .value = (float)s->value,
                .low = bounded ? (float)s->verdict.low : NAN,
                .high = bounded ? (float)s->verdict.high : NAN,
                .floor = bounded ? (float)s->verdict.floor : NAN,
                .needed = s->verdict.needed > INT32_MAX ? INT32_MAX : (int32_t)s->verdict.needed,
            };
    }
    all = &checks->newest.score[LW_SCORE_OVERALL];
    *all = (struct lw_scored){.present = true,
                              .state = (unsigned char)c->overall,
                              .value = (float)c->max_drift,
                              .low = NAN,
                              .high = NAN,
                              .floor = NAN};
    return 0;
}
