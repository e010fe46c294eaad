/* SPDX-License-Identifier: MIT
 *
 * Scores of what is counted by id: tokens and classes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drift/bins.h"
#include "engine/drift/compare_parts.h"
#include "engine/drift/divergence.h"

#define UNITS_ENOUGH 30 /* that a side's own design effect takes */

/* Two tallies side by side: ids that either has. All in one piece of memory, which the next
 * comparison gets again: pages that are given back and forth cost more than what is in them. */
struct joined {
    uint64_t *a, *b;
    uint32_t *id;
    size_t k;
};

static void part(struct joined *j)
{
    free(j->a);
}

static inline void put(struct joined *j, uint32_t id, uint64_t a, uint64_t b)
{
    j->a[j->k] = a;
    j->b[j->k] = b;
    j->id[j->k] = id;
    j->k += (a | b) != 0;
}

static int join(struct joined *j, const struct lw_tally *a, const struct lw_tally *b,
                struct lw_error *err)
{
    uint32_t rows = a->rows > b->rows ? a->rows : b->rows;
    uint32_t both = a->rows < b->rows ? a->rows : b->rows;
    size_t room = rows ? rows : 1;

    *j = (struct joined){.a = malloc(room * (2 * sizeof *j->a + sizeof *j->id))};
    if (!j->a)
        return lw_fail(err, LW_EMEM, "out of memory");
    j->b = j->a + room;
    j->id = (uint32_t *)(void *)(j->b + room);
    for (uint32_t id = 0; id < both; id++)
        put(j, id, a->row[id].count, b->row[id].count);
    for (uint32_t id = both; id < a->rows; id++)
        put(j, id, a->row[id].count, 0);
    for (uint32_t id = both; id < b->rows; id++)
        put(j, id, 0, b->row[id].count);
    return 0;
}

/* lw_divergence_effects without vectors. */
static void sum_effects(const struct lw_tally *t, const uint32_t *id, size_t k, double out[2])
{
    double per_n = 1 / (double)t->total, spread = per_n * per_n * (double)t->unit_squares;

    out[0] = out[1] = 0;
    for (size_t i = 0; i < k; i++) { /* lw_tally_effect, its (1 - p) cancelled by the weight's */
        const struct lw_tally_row *r = id[i] < t->rows ? &t->row[id[i]] : NULL;
        double n, x;

        if (!r || !r->count || r->count == t->total)
            continue;
        n = (double)r->count;
        x = (double)r->square / n - 2 * per_n * (double)r->cross + n * spread;
        out[0] += x > 0 ? x : 0;
        out[1] += 1 - n * per_n;
    }
}

/* Mean design effect of ids that stand alone: Rao and Scott's first-order correction. At least 1:
 * what looks less than independent is chance. NaN where no id tells. */
static double mean_effect(const struct lw_tally *t, const uint32_t *id, size_t k)
{
    double units = (double)t->units, sum[2];

    if (t->units < 2)
        return NAN;
    if (t->unit_squares < LW_DIVERGENCE_LIMIT && lw_divergence_ready())
        lw_divergence_effects(t, id, k, sum);
    else
        sum_effects(t, id, k, sum);
    return sum[1] > 0 ? fmax(units / (units - 1) * sum[0] / sum[1], 1) : NAN;
}

/* The effect for both sides together: each weighs as its share of the variance. A side with few
 * units takes the other's. */
static double joint_effect(const struct lw_tally *const units[2], const uint32_t *id, size_t k)
{
    double f[2], w[2];

    for (int i = 0; i < 2; i++) {
        f[i] = mean_effect(units[i], id, k);
        w[i] = 1 / (double)units[i]->total;
    }
    if (isnan(f[1]) || (units[1]->units < UNITS_ENOUGH && units[0]->units > units[1]->units))
        return f[0];
    if (isnan(f[0]) || units[0]->units < UNITS_ENOUGH)
        return f[1];
    return (f[0] * w[0] + f[1] * w[1]) / (w[0] + w[1]);
}

/* The effect of one source that both sides are drawn from, by ids of which there are enough: each
 * side's weighs by its units, so that a large reference makes it steady. some: room
 * for k. */
static double common_effect(const struct lw_tally *const units[2], const struct joined *j,
                            double enough, uint32_t *some)
{
    double sum = 0, weight = 0;
    size_t k = 0;

    for (size_t i = 0; i < j->k; i++) {
        some[k] = j->id[i];
        k += (double)(int64_t)(j->a[i] + j->b[i]) >= enough;
    }
    for (int i = 0; i < 2; i++) {
        double f = mean_effect(units[i], some, k), w = (double)units[i]->units;

        if (!isnan(f)) {
            sum += f * w;
            weight += w;
        }
    }
    return sum / weight;
}

/* How far out without drift. Ids are rare by what their items are worth. */
static int judge_chance(const struct lw_tally *const units[2], const struct joined *j,
                        struct lw_chance *out, struct lw_error *err)
{
    double n = (double)lw_bins_sum(j->a, j->k), m = (double)lw_bins_sum(j->b, j->k), f;
    uint32_t *some = malloc((j->k + 1) * sizeof *some);

    if (!some)
        return lw_fail(err, LW_EMEM, "out of memory");
    f = common_effect(units, j, lw_chance_enough(n, m, 1), some);
    f = common_effect(units, j, lw_chance_enough(n, m, f), some);
    *out = lw_chance(j->a, j->b, j->k, false, f);
    free(some);
    return 0;
}

/* Tokens needed are told in items. */
static void need_items(struct lw_verdict *v, const struct lw_pair *p, uint64_t total)
{
    double each = p->current->items ? (double)total / (double)p->current->items : 1;

    if (v->needed > 0)
        v->needed = (int64_t)fmax(1, ceil((double)v->needed / each));
}

/* Pooling has changed the histograms by now. */
static int why(struct lw_score *s, const struct lw_pair *p, enum lw_score_id id,
               const struct lw_tally *a, const struct lw_tally *b, struct lw_error *err)
{
    struct joined j;
    int rc = join(&j, a, b, err);

    if (rc)
        return rc;
    lw_why_ids(s, p, id == LW_SCORE_OUTPUT_JS, j.a, j.b, j.id, j.k);
    part(&j);
    return 0;
}

/* The most frequent of ids that are not pooled yet. */
static int find_top(const uint64_t *count, const uint32_t *id, size_t k, struct lw_id_count *room)
{
    struct lw_top top;
    uint64_t least = 0; /* most are too rare for the list, which is seen at once */

    lw_top_start(&top, room, LW_PROFILE_TOP);
    for (size_t i = 0; i < k; i++) {
        if (count[i] <= least)
            continue;
        lw_top_put(&top, id[i], count[i]);
        least = top.n < LW_PROFILE_TOP ? 0 : room[0].count;
    }
    return lw_top_end(&top);
}

static void find_tops(struct lw_tops *t, const struct joined *j)
{
    t->n = find_top(j->a, j->id, j->k, t->reference);
    t->m = find_top(j->b, j->id, j->k, t->current);
    t->unseen = 0;
    for (size_t i = 0; i < j->k; i++)
        t->unseen += j->a[i] ? 0 : j->b[i];
}

/* The divergence of all ids, and the one that is left when rare ones are a pool: the last of k
 * bins, which took the place of the first of them, the others lying behind it. Both share most
 * bins. */
static double divergences(const struct joined *j, size_t k, bool pooled, lw_wide n, lw_wide m,
                          double *pool)
{
    size_t alone = k - pooled, rest = j->k - k;
    double sum = lw_js_divergence_of(j->a, j->b, alone, n, m), d;
    uint64_t a, b;

    *pool = sum;
    if (!pooled)
        return sum;
    *pool += lw_js_term(j->a[alone], j->b[alone], n, m, &d);
    a = j->a[alone] - lw_bins_sum(j->a + k, rest);
    b = j->b[alone] - lw_bins_sum(j->b + k, rest);
    return sum + lw_js_term(a, b, n, m, &d) + lw_js_divergence_of(j->a + k, j->b + k, rest, n, m);
}

int lw_compare_tallies(struct lw_pair *p, enum lw_score_id id, const struct lw_tally *a,
                       const struct lw_tally *b, const struct lw_tally *const units[2],
                       double *effect, struct lw_tops *tops, struct lw_error *err)
{
    struct lw_score *s = &p->out->score[id];
    struct lw_js_rule rule = {p->settings->warn[id], p->settings->alert[id], LW_Z_ONE, 1, 0, NULL};
    struct lw_chance without_drift = {NAN, NAN};
    double divergence;
    struct joined j;
    int rc = join(&j, a, b, err), pooled;
    size_t k;

    if (rc)
        return rc;
    s->present = true;
    *effect = 1;
    if (tops)
        find_tops(tops, &j);
    if (!a->total || !b->total) {
        s->verdict.state = LW_DRIFT_NO_DATA;
        goto out;
    }
    if (p->settings->reference) {
        s->value = sqrt(lw_js_divergence_of(j.a, j.b, j.k, a->total, b->total));
        if (id == LW_SCORE_OUTPUT_JS)
            s->verdict.state = lw_classify(s->value, rule.warn, rule.alert);
        goto out;
    }
    rule.filled = j.k;
    if (p->settings->alarm && (rc = judge_chance(units, &j, &without_drift, err))) {
        part(&j);
        return rc;
    }
    k = lw_bins_pool(j.a, j.b, j.id, j.k, &pooled);
    s->value = sqrt(divergences(&j, k, pooled, a->total, b->total, &divergence));
    rule.divergence = &divergence;
    *effect = rule.effect = joint_effect(units, j.id, k - (size_t)pooled);
    s->verdict = lw_judge_js(j.a, j.b, k, &rule);
    s->verdict.chance = without_drift;
    s->bounded = true;
    need_items(&s->verdict, p, b->total);
out:
    part(&j);
    return s->verdict.state > LW_DRIFT_NO_DATA ? why(s, p, id, a, b, err) : 0;
}

int lw_tallies_kl(const struct lw_tally *a, const struct lw_tally *b, double added, double *kl,
                  struct lw_error *err)
{
    struct joined j;
    int rc = join(&j, a, b, err);

    if (rc)
        return rc;
    *kl = lw_kl(j.a, j.b, j.k, added);
    part(&j);
    return 0;
}

/* Frequent tokens of the reference that are no longer frequent. */
static void why_overlap(struct lw_score *s, const struct lw_pair *p, const struct lw_tops *tops)
{
    const struct lw_id_count *top = tops->reference, *now = tops->current;
    int n = tops->n, m = tops->m;

    for (int i = 0; i < n && s->whys < LW_WHYS; i++) {
        const char *word = lw_profile_name(p->reference, top[i].id);
        struct lw_why *why = &s->why[s->whys];
        int k = 0;

        while (k < m && now[k].id != top[i].id)
            k++;
        if (k < m)
            continue;
        if (word)
            snprintf(why->what, sizeof why->what, "'%s'", word);
        else
            snprintf(why->what, sizeof why->what, "token %u", top[i].id);
        why->share = -1.0 / n;
        s->whys++;
    }
}

static int judge_overlap(struct lw_pair *p, struct lw_score *s, const struct lw_tally *a,
                         const struct lw_tally *b, double effect, struct lw_error *err)
{
    struct lw_overlap_null own, *null = p->cache ? p->cache : &own;
    double n = (double)a->total, m = (double)b->total;
    uint64_t tokens;
    int rc = 0;

    if (isnan(effect)) {
        s->verdict.state = LW_DRIFT_UNSURE;
        return 0;
    }
    /* Both sides are samples: their difference varies like one sample of this size. */
    tokens = (uint64_t)fmax(1, n * m / (n + m) / effect);
    if (!p->cache || null->reference != a->total || null->tokens != tokens)
        rc = lw_overlap_null(null, a, tokens, err);
    if (rc)
        return rc;
    s->verdict = lw_judge_share(s->value, null->mean, null->deviation, b->total,
                                p->settings->warn[LW_SCORE_TOKEN_OVERLAP],
                                p->settings->alert[LW_SCORE_TOKEN_OVERLAP]);
    s->bounded = true;
    need_items(&s->verdict, p, b->total);
    return 0;
}

int lw_compare_overlap(struct lw_pair *p, const struct lw_tally *a, const struct lw_tally *b,
                       double effect, const struct lw_tops *tops, struct lw_error *err)
{
    struct lw_score *s = &p->out->score[LW_SCORE_TOKEN_OVERLAP];
    struct lw_score *oov = &p->out->score[LW_SCORE_TOKEN_OOV];
    int rc = 0;

    s->present = oov->present = true;
    if (!tops->n || !tops->m) {
        s->verdict.state = oov->verdict.state = LW_DRIFT_NO_DATA;
        return 0;
    }
    oov->value = (double)tops->unseen / (double)b->total;
    s->value = lw_overlap(tops->reference, tops->n, tops->current, tops->m);
    if (p->settings->reference)
        s->verdict.state = lw_classify_high(s->value, p->settings->warn[LW_SCORE_TOKEN_OVERLAP],
                                            p->settings->alert[LW_SCORE_TOKEN_OVERLAP]);
    else
        rc = judge_overlap(p, s, a, b, effect, err);
    if (s->verdict.state != LW_DRIFT_OK)
        why_overlap(s, p, tops);
    return rc;
}
