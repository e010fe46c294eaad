/* SPDX-License-Identifier: MIT */
#include "engine/drift/overlap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/drift/profile.h"

#define DRAWS  100
#define SEED   0x6c656577617900u
#define FAR    6.0  /* deviations beyond which an id neither enters nor leaves the list */
#define NORMAL 40.0 /* from this mean on a Poisson count is drawn as a rounded normal */

double lw_overlap(const struct lw_id_count *reference, int n, const struct lw_id_count *current,
                  int m)
{
    int both = 0;

    if (!n || !m)
        return NAN;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            both += reference[i].id == current[k].id;
    return (double)both / n;
}

struct draw {
    struct lw_random random;
    struct lw_id_count *candidate; /* [candidates], by rank */
    size_t candidates;
    double *below; /* running sums of shares, for drawing single tokens; NULL for counts */
    uint32_t *count;
    double scale; /* tokens drawn to a token counted */
    uint64_t tokens;
};

static uint64_t poisson(struct lw_random *r, double mean)
{
    double p, u;
    uint64_t x = 0;

    if (mean >= NORMAL) {
        double radius = sqrt(-2 * log(1 - lw_random_unit(r)));

        p = mean + sqrt(mean) * radius * cos(2 * M_PI * lw_random_unit(r));
        return p > 0 ? (uint64_t)(p + 0.5) : 0;
    }
    p = exp(-mean);
    u = lw_random_unit(r);
    while (u > p && x < 1000) {
        u -= p;
        p *= mean / (double)++x;
    }
    return x;
}

static void draw_counts(struct draw *d, struct lw_top *top)
{
    for (size_t i = 0; i < d->candidates; i++)
        lw_top_put(top, d->candidate[i].id,
                   poisson(&d->random, (double)d->candidate[i].count * d->scale));
}

static void draw_tokens(struct draw *d, struct lw_top *top)
{
    memset(d->count, 0, d->candidates * sizeof *d->count);
    for (uint64_t t = 0; t < d->tokens; t++) {
        double u = lw_random_unit(&d->random) * d->below[d->candidates - 1];
        size_t low = 0, high = d->candidates - 1;

        while (low < high) {
            size_t middle = (low + high) / 2;

            if (d->below[middle] > u)
                high = middle;
            else
                low = middle + 1;
        }
        d->count[low]++;
    }
    for (size_t i = 0; i < d->candidates; i++)
        lw_top_put(top, d->candidate[i].id, d->count[i]);
}

static int by_rank(const void *a, const void *b)
{
    const struct lw_id_count *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Ids that may be on a drawn list: those that lie within reach of the last place. */
static int find_candidates(struct draw *d, const struct lw_tally *t, uint32_t distinct,
                           struct lw_error *err)
{
    double last, reach;

    d->candidate = malloc(distinct * sizeof *d->candidate);
    if (!d->candidate)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (uint32_t id = 0; id < t->rows; id++)
        if (t->row[id].count)
            d->candidate[d->candidates++] = (struct lw_id_count){id, t->row[id].count};
    qsort(d->candidate, d->candidates, sizeof *d->candidate, by_rank);
    if (d->candidates <= LW_PROFILE_TOP)
        return 0;
    last = (double)d->candidate[LW_PROFILE_TOP - 1].count * d->scale;
    reach = last - FAR * sqrt(last) - FAR;
    while (d->candidates > LW_PROFILE_TOP) {
        double mean = (double)d->candidate[d->candidates - 1].count * d->scale;

        if (mean + FAR * sqrt(mean) >= reach)
            break;
        d->candidates--;
    }
    return 0;
}

/* With fewer tokens than ids it is quicker to draw tokens than counts. */
static int prefer_tokens(struct draw *d, struct lw_error *err)
{
    double sum = 0;

    if (d->tokens >= d->candidates)
        return 0;
    d->below = malloc(d->candidates * sizeof *d->below);
    d->count = malloc(d->candidates * sizeof *d->count);
    if (!d->below || !d->count)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (size_t i = 0; i < d->candidates; i++)
        d->below[i] = sum += (double)d->candidate[i].count;
    return 0;
}

int lw_overlap_null(struct lw_overlap_null *null, const struct lw_tally *reference, uint64_t tokens,
                    struct lw_error *err)
{
    struct lw_id_count own[LW_PROFILE_TOP], drawn[LW_PROFILE_TOP];
    struct draw d = {.tokens = tokens};
    double sum = 0, squares = 0;
    int n = lw_tally_top(reference, own, LW_PROFILE_TOP), rc;

    *null = (struct lw_overlap_null){reference->total, tokens, NAN, NAN};
    if (!n || !tokens)
        return 0;
    d.scale = (double)tokens / (double)reference->total;
    lw_random_init(&d.random, SEED, tokens);
    if ((rc = find_candidates(&d, reference, lw_tally_distinct(reference), err)) ||
        (rc = prefer_tokens(&d, err)))
        goto out;
    for (int i = 0; i < DRAWS; i++) {
        struct lw_top top;
        double share;
        int m;

        lw_top_start(&top, drawn, LW_PROFILE_TOP);
        if (d.below)
            draw_tokens(&d, &top);
        else
            draw_counts(&d, &top);
        m = lw_top_end(&top);
        share = m ? lw_overlap(own, n, drawn, m) : 0;
        sum += share;
        squares += share * share;
    }
    null->mean = sum / DRAWS;
    null->deviation = sqrt(fmax(squares - sum * sum / DRAWS, 0) / (DRAWS - 1));
out:
    free(d.candidate);
    free(d.below);
    free(d.count);
    return rc;
}
