/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drift/compare_parts.h"
#include "engine/drift/cusum.h"
#include "engine/drift/draw.h"
#include "engine/drift/simulate.h"

#define SEED       20251122u
#define SCORES     7
#define BRIGHTNESS 5
#define DOCUMENT   16  /* tokens */
#define OWN        9.0 /* a document's taste: its k-th token repeats one of its own in k of k + 9 */
#define LEAST_RUNS 200
#define QUIET_RUN  1000 /* budgets, after which a run is broken off */

/* One score of a run, with its reference. */
struct watched {
    struct lw_shares before, now;
    uint64_t reference[LW_SHARES_LIMIT];
    struct lw_tally tokens[2]; /* of documents: the reference's and a window's */
    struct lw_cusum sum;
    double limit;
};

static int draw_documents(struct lw_random *r, const struct lw_shares *p, uint64_t n,
                          struct lw_tally *t, struct lw_error *err)
{
    int32_t id[DOCUMENT];
    int rc = 0;

    lw_tally_clear(t);
    for (; !rc && n; n--) {
        for (int i = 0; i < DOCUMENT; i++)
            id[i] = lw_random_unit(r) * (i + OWN) < i ? id[lw_random_below(r, (uint32_t)i)]
                                                      : lw_draw_one(r, p);
        rc = lw_tally_add(t, id, DOCUMENT, err);
    }
    return rc;
}

/* One check, by the way that a comparison takes. */
static int check_tokens(struct lw_random *r, struct watched *w, uint64_t window,
                        struct lw_chance *out, struct lw_error *err)
{
    static const struct lw_profile none;
    const struct lw_tally *units[2] = {&w->tokens[0], &w->tokens[1]};
    struct lw_drift_settings settings;
    struct lw_comparison c;
    struct lw_pair p = {&none, &none, &settings, NULL, &c};
    double effect;
    int rc = draw_documents(r, &w->now, window, &w->tokens[1], err);

    lw_drift_settings_init(&settings, false, 0.1, 0.2);
    settings.alarm = true;
    memset(&c, 0, sizeof c);
    if (!rc)
        rc = lw_compare_tallies(&p, LW_SCORE_TOKEN_JS, units[0], units[1], units, &effect, NULL,
                                err);
    *out = c.score[LW_SCORE_TOKEN_JS].verdict.chance;
    return rc;
}

static int check(struct lw_random *r, struct watched *w, const struct lw_alarm_setting *s,
                 struct lw_chance *out, struct lw_error *err)
{
    uint64_t b[LW_SHARES_LIMIT];

    if (s->data == LW_ALARM_TOKENS)
        return check_tokens(r, w, s->window, out, err);
    lw_draw_counts(r, &w->now, s->window, b);
    *out = lw_chance(w->reference, b, (size_t)w->now.k, true, 1);
    return 0;
}

/* A reference, and the limit that goes with it. One that has no score to watch is drawn anew. */
static int begin(struct lw_random *r, struct watched *w, const struct lw_alarm_setting *s,
                 int scores, struct lw_error *err)
{
    struct lw_chance first;
    int rc = 0;

    memset(&w->sum, 0, sizeof w->sum);
    do {
        if (s->data == LW_ALARM_TOKENS)
            rc = draw_documents(r, &w->before, s->window * s->ratio, &w->tokens[0], err);
        else
            lw_draw_counts(r, &w->before, s->window * s->ratio, w->reference);
        if (!rc)
            rc = check(r, w, s, &first, err);
    } while (!rc && isnan(first.z));
    w->limit = lw_cusum_limit(s->budget, scores, first.shared);
    return rc;
}

/* Checks until the first of the scores alarms, 0 where something failed. */
static double run(struct lw_random *r, struct watched *w, int scores,
                  const struct lw_alarm_setting *s, struct lw_error *err)
{
    struct lw_chance now;
    bool alarm = false;
    double checks = 0;
    int rc = 0;

    for (int i = 0; !rc && i < scores; i++)
        rc = begin(r, &w[i], s, scores, err);
    while (!rc && !alarm && checks < QUIET_RUN * s->budget) {
        checks++;
        for (int i = 0; !rc && i < scores; i++) {
            rc = check(r, &w[i], s, &now, err);
            alarm |= !rc && lw_cusum_add(&w[i].sum, now.z, LW_CUSUM_SLACK, w[i].limit, NULL);
        }
    }
    return rc ? 0 : checks;
}

static void set_shares(struct watched *w, int score, const struct lw_alarm_setting *s)
{
    switch (s->data) {
    case LW_ALARM_LENGTHS:
        lw_shares_lengths(&w->before, s->bins, 0);
        lw_shares_lengths(&w->now, s->bins, s->distance);
        break;
    case LW_ALARM_IMAGES:
        lw_shares_even(&w->before, score ? LW_QUANTILES : BRIGHTNESS);
        w->now = w->before;
        break;
    case LW_ALARM_TOKENS:
        lw_shares_zipf(&w->before, s->bins);
        w->now = w->before;
        break;
    }
}

int lw_simulate_alarm(const struct lw_alarm_setting *s, double precision, int runs,
                      struct lw_alarm_result *out, struct lw_error *err)
{
    int scores = s->data == LW_ALARM_IMAGES ? SCORES : 1;
    struct watched *w = calloc((size_t)scores, sizeof *w);
    double sum = 0, squares = 0, checks = 1;
    struct lw_random r;

    *out = (struct lw_alarm_result){0};
    if (!w)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (int i = 0; i < scores; i++)
        set_shares(&w[i], i, s);
    lw_random_init(&r, SEED, s->window * 1000003 + s->ratio * 1009 + (uint64_t)s->bins);
    while (out->runs < runs && (out->runs < LEAST_RUNS || out->error > precision * out->mean) &&
           (checks = run(&r, w, scores, s, err)) > 0) {
        sum += checks;
        squares += checks * checks;
        out->runs++;
        out->mean = sum / out->runs;
        out->error = sqrt(fmax(squares / out->runs - out->mean * out->mean, 0) / out->runs);
    }
    for (int i = 0; i < scores; i++) {
        lw_tally_fini(&w[i].tokens[0]);
        lw_tally_fini(&w[i].tokens[1]);
    }
    free(w);
    return checks > 0 ? 0 : err->code;
}
