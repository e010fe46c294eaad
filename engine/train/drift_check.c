/* SPDX-License-Identifier: MIT
 *
 * A check: comparisons, rows, alarms, events, and the reference of the checks to come. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/train/drift_internal.h"

#define ALARM_RATIO 10   /* times the window that a reference must hold for a run's alarm, */
#define ALARM_LEAST 9    /* or nearly: documents are not the same number at each check */
#define SHARED_STEP 1024 /* to this part what checks share is rounded, so that limits are kept */

static const struct {
    const char *name, *words;
} comparisons[COMPARISONS] = {
    [AGAINST_REFERENCE] = {"reference", "training data against the reference"},
    [AGAINST_VALIDATION] = {"validation", "validation data against training data"},
    [AGAINST_PREVIOUS] = {"previous", "training data against the check before"},
};

struct lw_profile lw_drift_with_said(const struct lw_drift_side_profile *side)
{
    struct lw_profile p = side->data;

    if (side->said.total) {
        p.output = LW_OUTPUT_PREDICTIONS;
        p.outputs = side->said;
    }
    return p;
}

static bool is_output(enum lw_score_id s)
{
    return s == LW_SCORE_OUTPUT_JS || s == LW_SCORE_OUTPUT_KL;
}

static void trouble(struct lw_drift_watch *w, const struct lw_error *err)
{
    lw_events_add(w->o.events, LW_EVENT_ERROR, "%s", err->text);
}

/* What a score has on either side: that of which there must be ten times as much for an alarm. */
static uint64_t amount(const struct lw_profile *p, enum lw_score_id s)
{
    return is_output(s)             ? p->outputs.total
           : s == LW_SCORE_TOKEN_JS ? p->text.tokens.total
                                    : p->items;
}

/* " ('the' -31 %, 'und' +12 %)" */
static const char *reasons(const struct lw_score *s, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (int i = 0; i < s->whys && i < 3 && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s %+.0f %%%s", i ? ", " : " (", s->why[i].what,
                              100 * s->why[i].share, i + 1 == s->whys || i == 2 ? ")" : "");
    return out;
}

/* One more z of a score. True: the run's alarm goes off. A shift is told once: the score is armed
 * again when it was quiet for a while. */
static bool take(struct lw_drift_alarm *a, double z, double limit)
{
    if (a->quiet) {
        a->quiet = z <= LW_CUSUM_SLACK ? a->quiet - 1 : QUIET;
        return false;
    }
    if (!lw_cusum_add(&a->sum, z, LW_CUSUM_SLACK, limit, NULL))
        return false;
    a->quiet = QUIET;
    return true;
}

/* The limit of a score's sum: its share of the budget of false alarms, which all scores that have
 * an alarm spend together. */
static double limit_of(struct lw_drift_alarm *a, double budget, int scores, double shared)
{
    shared = round(shared * SHARED_STEP) / SHARED_STEP;
    if (a->scores != scores || a->shared != shared) {
        a->limit = lw_cusum_limit(budget, scores, shared);
        a->scores = scores;
        a->shared = shared;
    }
    return a->limit;
}

/* A run's alarm: sums of small shifts over the checks. */
static void sum_up(struct lw_drift_watch *w, const struct lw_comparison *c,
                   const struct lw_profile *side[2], uint64_t change[LW_SCORES])
{
    bool active[LW_SCORES];
    int scores = 0;

    for (int i = 0; i < LW_SCORES; i++) {
        const struct lw_score *s = &c->score[i];
        enum lw_score_id id = (enum lw_score_id)i;

        active[i] = s->present && s->bounded && !isnan(s->verdict.chance.z) &&
                    amount(side[0], id) >= ALARM_LEAST * amount(side[1], id);
        scores += active[i];
    }
    if (!scores && !w->told_small && w->settled && !w->o.settings.reference) {
        w->told_small = true;
        lw_events_add(w->o.events, LW_EVENT_INFO,
                      "drift: reference too small for a run alarm, which takes %d times what one "
                      "check looks at",
                      ALARM_RATIO);
    }
    for (int i = 0; i < LW_SCORES; i++) {
        const struct lw_chance *now = &c->score[i].verdict.chance;
        struct lw_drift_alarm *a = &w->alarm[i];
        uint64_t since = a->zero_step + 1;
        double z = i == LW_SCORE_TOKEN_JS ? now->z / sqrt(w->uneven) : now->z;
        char why[200];

        if (active[i] && take(a, z, limit_of(a, w->o.false_alarm_every, scores, now->shared))) {
            change[i] = since;
            lw_events_add(w->o.events, LW_EVENT_ALERT,
                          "drift: run alarm at step %" PRIu64
                          ": %s of the training data has been shifting since step %" PRIu64
                          "%s; chance alone says so once in %.0f checks",
                          w->place.step, lw_score_name((enum lw_score_id)i), since,
                          reasons(&c->score[i], why, sizeof why), w->o.false_alarm_every);
        }
        if (a->sum.sum <= 0)
            a->zero_step = w->place.step;
    }
}

static void put_row(struct lw_drift_watch *w, const struct lw_drift_row *row)
{
    struct lw_error err;

    if (lw_drift_log_add(w->log, row, &err))
        trouble(w, &err);
}

static void put_rows(struct lw_drift_watch *w, int which, const struct lw_comparison *c,
                     const uint64_t change[LW_SCORES])
{
    struct lw_drift_row row = {.step = w->place.step,
                               .epoch = w->place.epoch,
                               .time = w->place.time,
                               .comparison = comparisons[which].name,
                               .items = c->items[1]};
    uint64_t earliest = 0;

    for (int i = 0; i < LW_SCORES; i++) {
        const struct lw_score *s = &c->score[i];

        if (!s->present)
            continue;
        row.score = lw_score_name((enum lw_score_id)i);
        row.value = s->value;
        row.low = s->bounded ? s->verdict.low : NAN;
        row.high = s->bounded ? s->verdict.high : NAN;
        row.floor = s->bounded && lw_score_is_js((enum lw_score_id)i) ? s->verdict.floor : NAN;
        row.status = lw_drift_state_name(s->verdict.state);
        row.needed = s->verdict.state == LW_DRIFT_UNSURE ? s->verdict.needed : 0;
        row.change_step = change[i];
        if (change[i] && (!earliest || change[i] < earliest))
            earliest = change[i];
        put_row(w, &row);
    }
    row.score = "overall";
    row.value = c->max_drift;
    row.low = row.high = row.floor = NAN;
    row.status = lw_drift_state_name(c->overall);
    row.needed = 0;
    row.change_step = earliest;
    put_row(w, &row);
}

/* The score behind an overall verdict: of those in this state the largest distance. */
static int worst_score(const struct lw_comparison *c)
{
    int worst = -1;

    for (int i = 0; i < LW_SCORES; i++)
        if (c->score[i].present && c->score[i].verdict.state == c->overall &&
            (worst < 0 || !(c->score[i].value <= c->score[worst].value)))
            worst = i;
    return worst;
}

static bool calls_for_action(enum lw_state s)
{
    return s >= LW_DRIFT_UNKNOWN;
}

/* A verdict that held for two checks is told where it is not the one that was told last, and one of
 * them calls for action: small windows go to and fro between ok and unsure. That what a model says
 * changes while it learns is no alarm. */
static void tell_verdict(struct lw_drift_watch *w, int which, const struct lw_comparison *c)
{
    struct lw_drift_verdict *v = &w->verdict[which];
    enum lw_event_level level = c->overall == LW_DRIFT_ALERT  ? LW_EVENT_ALERT
                                : c->overall == LW_DRIFT_WARN ? LW_EVENT_WARN
                                                              : LW_EVENT_INFO;
    int worst = worst_score(c);
    bool holds = v->last == c->overall;
    char why[200], needed[64];

    v->last = c->overall;
    if (!holds || v->told == c->overall)
        return;
    if (worst >= 0 && is_output((enum lw_score_id)worst))
        level = LW_EVENT_INFO;
    if (!calls_for_action(v->told) && !calls_for_action(c->overall)) {
        v->told = c->overall;
        return;
    }
    v->told = c->overall;
    if (worst < 0 || c->overall == LW_DRIFT_OK) {
        lw_events_add(w->o.events, level, "drift: %s is %s at step %" PRIu64,
                      comparisons[which].words, lw_drift_state_words(c->overall), w->place.step);
        return;
    }
    lw_needed_words(&c->score[worst].verdict, needed);
    reasons(&c->score[worst], why, sizeof why);
    lw_events_add(w->o.events, level, "drift: %s is %s at step %" PRIu64 ": %s %.3f%s%s%s",
                  comparisons[which].words, lw_drift_state_words(c->overall), w->place.step,
                  lw_score_name((enum lw_score_id)worst), c->score[worst].value,
                  needed[0] ? ", " : "", needed, why);
}

/* Compare two profiles in all that follows from it. */
static enum lw_state compare(struct lw_drift_watch *w, int which, const struct lw_profile *from,
                             const struct lw_profile *to)
{
    const struct lw_profile *side[2] = {from, to};
    uint64_t change[LW_SCORES] = {0};
    struct lw_comparison *c = malloc(sizeof *c);
    enum lw_state overall = LW_STATE_NONE;
    struct lw_error err;

    if (!c)
        lw_fail(&err, LW_EMEM, "out of memory comparing profiles");
    if (!c || lw_drift_compare(c, from, to, &w->o.settings, &w->null[which], &err)) {
        trouble(w, &err);
    } else {
        if (which == AGAINST_REFERENCE)
            sum_up(w, c, side, change);
        put_rows(w, which, c, change);
        tell_verdict(w, which, c);
        overall = c->overall;
    }
    free(c);
    return overall;
}

static void replace_reference(struct lw_drift_watch *w)
{
    w->reference_new = true;
    memset(w->alarm, 0, sizeof w->alarm);
    for (int i = 0; i < LW_SCORES; i++)
        w->alarm[i].zero_step = w->place.step;
}

/* The run's own beginning, for the checks to come: ten windows that show no drift, then the whole
 * first epoch. */
static void grow_reference(struct lw_drift_watch *w, enum lw_state overall)
{
    struct lw_error err;
    int rc = 0;

    if (w->settled)
        return;
    if (w->epoch_done && w->epoch_whole) {
        struct lw_profile own = w->reference;

        w->reference = w->epoch;
        w->epoch = own;
        w->settled = true;
        replace_reference(w);
    } else if (w->reference_windows < REFERENCE_WINDOWS && overall < LW_DRIFT_UNKNOWN) {
        rc = lw_profile_merge(&w->reference, &w->current.data, &err);
        w->reference_windows++;
        replace_reference(w);
    }
    if (w->reference_windows == REFERENCE_WINDOWS && !w->epoch_whole)
        w->settled = true;
    if (rc)
        trouble(w, &err);
}

static void write_profile(struct lw_drift_watch *w, const struct lw_profile *p, const char *name)
{
    char *path = lw_path_join(w->o.dir, name);
    struct lw_error err;

    if (!path)
        lw_fail(&err, LW_EMEM, "out of memory");
    if (!path || lw_profile_save(p, path, p->name ? NULL : w->o.name, w->o.name_user, &err))
        trouble(w, &err);
    free(path);
}

static void write_profiles(struct lw_drift_watch *w, const struct lw_profile *current)
{
    write_profile(w, current, LW_RUN_CURRENT);
    if (w->reference_new && lw_drift_size(&w->reference))
        write_profile(w, &w->reference, LW_RUN_REFERENCE);
    w->reference_new = false;
}

void lw_drift_check_now(struct lw_drift_watch *w)
{
    struct lw_profile current, previous, *own = &w->current.data;
    enum lw_state overall = LW_STATE_NONE;
    struct lw_error err;

    if (w->o.name && lw_profile_take_names(own, w->o.name, w->o.name_user, &err))
        trouble(w, &err);
    current = lw_drift_with_said(&w->current);
    previous = lw_drift_with_said(&w->previous);
    if (lw_drift_size(&w->reference))
        overall = compare(w, AGAINST_REFERENCE, &w->reference,
                          w->reference.output == LW_OUTPUT_PREDICTIONS ? &current : own);
    if (w->has_validation)
        compare(w, AGAINST_VALIDATION, own, &w->validation);
    if (w->has_previous)
        compare(w, AGAINST_PREVIOUS, &previous, &current);
    grow_reference(w, overall);
    write_profiles(w, &current);
    w->last_step = w->place.step;
}
