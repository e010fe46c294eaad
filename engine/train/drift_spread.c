/* SPDX-License-Identifier: MIT
 *
 * How unevenly chance falls on tokens. A text is about something: the words of a story come
 * together or not at all, so that some groups of tokens vary far more from step to step than
 * others. The distance of two windows is then as large as their mean design effect makes it, but it
 * varies more: with eigenvalues l of the tokens' covariance (each over its share), by k sum l^2 /
 * (sum l)^2 times (Rao and Scott 1981, second order). sum l is what one step differs from the mean
 * by, sum l^2 what two steps have in common, squared: no covariance has to be kept.
 */
#include <math.h>

#include "engine/train/drift_internal.h"

#define BEGUN  100  /* steps that tell the tokens' shares; */
#define LEAST  100  /* then pairs of steps before anything is said of them, */
#define ENOUGH 2000 /* and after which no more is asked: what drifts later shall not hide itself */
#define HALF   2    /* tokens rarer than once in so many steps stand together */

static bool stands_alone(uint64_t count)
{
    return HALF * count >= BEGUN;
}

/* Bins: those that stand alone, and one for all others where there are any. */
static uint64_t bins_of(const struct lw_tally *first, uint64_t *rest)
{
    uint64_t bins = 0;

    *rest = 0;
    for (uint32_t id = 0; id < first->rows; id++) {
        bins += stands_alone(first->row[id].count);
        *rest += stands_alone(first->row[id].count) ? 0 : first->row[id].count;
    }
    return bins + (*rest > 0);
}

/* sum over bins of (x - n p) (y - m p) / p, for the steps x of n tokens and y of m. */
static double common(const struct lw_tally *first, uint64_t rest, const struct lw_tally *x,
                     const struct lw_tally *y)
{
    double all = (double)first->total, sum = 0;
    uint64_t x_rest = x->total, y_rest = y->total;

    for (uint32_t i = 0; i < y->sees; i++)
        if (stands_alone(lw_tally_count(first, y->seen[i])))
            y_rest -= y->row[y->seen[i]].count;
    for (uint32_t i = 0; i < x->sees; i++) {
        uint32_t id = x->seen[i];
        uint64_t share = lw_tally_count(first, id);

        if (!stands_alone(share))
            continue;
        x_rest -= x->row[id].count;
        sum += (double)x->row[id].count * (double)lw_tally_count(y, id) * all / (double)share;
    }
    if (rest)
        sum += (double)x_rest * (double)y_rest * all / (double)rest;
    return sum - (double)x->total * (double)y->total;
}

int lw_drift_spread_add(struct lw_drift_watch *w, struct lw_error *err)
{
    struct lw_drift_spread *s = &w->spread;
    const struct lw_tally *now = &w->step.text.tokens, *before = &w->last.text.tokens;
    const struct lw_tally *first = &w->first.text.tokens;
    struct lw_profile last = w->last;
    double n, own;

    if (w->step.modality != LW_TEXT || !now->total || s->pairs >= ENOUGH)
        return 0;
    if (s->begun < BEGUN) {
        s->begun++;
        return lw_profile_merge(&w->first, &w->step, err);
    }
    if (!s->bins)
        s->bins = bins_of(first, &s->rest);
    if (before->total) {
        n = (double)now->total;
        own = common(first, s->rest, now, before) / sqrt(n * (double)before->total);
        s->pairs++;
        s->common += own;
        s->common_squared += own * own;
        s->own += common(first, s->rest, now, now) / n;
    }
    w->last = w->step; /* the caller clears what it gets for it */
    w->step = last;
    return 0;
}

double lw_drift_spread(const struct lw_drift_watch *w)
{
    const struct lw_drift_spread *s = &w->spread;
    double pairs = (double)s->pairs, mean = s->common / pairs, own = s->own / pairs, spread;
    uint64_t rest, bins = s->bins ? s->bins : bins_of(&w->first.text.tokens, &rest);

    if (s->pairs < LEAST || bins < 2)
        return 1;
    spread = (double)(bins - 1) * (s->common_squared / pairs - mean * mean) / (own * own);
    return spread > 1 ? spread : 1;
}
