/* SPDX-License-Identifier: MIT
 *
 * What makes a score what it is: the largest terms of its divergence. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/drift/bins.h"
#include "engine/drift/compare_parts.h"

#define ROUNDED 1.000001 /* no rounding exceeds this */

struct most {
    size_t bin[LW_WHYS];
    double term[LW_WHYS], sign[LW_WHYS];
    int n;
};

static void put(struct most *m, size_t bin, double term, double sign)
{
    int i = m->n < LW_WHYS ? m->n++ : LW_WHYS - 1;

    if (i == LW_WHYS - 1 && m->n == LW_WHYS && m->term[i] >= term && m->term[i] > 0)
        return;
    for (; i > 0 && m->term[i - 1] < term; i--) {
        m->bin[i] = m->bin[i - 1];
        m->term[i] = m->term[i - 1];
        m->sign[i] = m->sign[i - 1];
    }
    m->bin[i] = bin;
    m->term[i] = term;
    m->sign[i] = sign;
}

/* The largest terms. h(d) is at most ln 2 d^2, which tells for most bins that they are not among
 * them without a logarithm. */
static void find(struct most *most, const uint64_t *a, const uint64_t *b, size_t k)
{
    uint64_t n = lw_bins_sum(a, k), m = lw_bins_sum(b, k);
    double per_n = 1 / (double)n, per_m = 1 / (double)m, d;

    memset(most, 0, sizeof *most);
    for (size_t i = 0; i < k && n && m; i++) {
        double p = (double)(int64_t)a[i] * per_n, q = (double)(int64_t)b[i] * per_m, term;

        if (most->n == LW_WHYS &&
            ROUNDED * M_LN2 / 2 * (p - q) * (p - q) <= most->term[LW_WHYS - 1] * (p + q))
            continue;
        term = lw_js_term(a[i], b[i], n, m, &d);
        if (term > 0 && (most->n < LW_WHYS || term > most->term[LW_WHYS - 1]))
            put(most, i, term, d < 0 ? 1 : -1); /* d < 0: the current side has more */
    }
}

void lw_why_bins(struct lw_score *s, const uint64_t *a, const uint64_t *b, size_t k,
                 const double *edge)
{
    double sum = s->value * s->value; /* of all terms */
    struct most most;

    find(&most, a, b, k);
    for (int i = 0; i < most.n; i++) {
        snprintf(s->why[i].what, sizeof s->why[i].what, "%.4g to %.4g", edge[most.bin[i]],
                 edge[most.bin[i] + 1]);
        s->why[i].share = most.sign[i] * most.term[i] / sum;
    }
    s->whys = most.n;
}

static void name_token(const struct lw_pair *p, uint32_t id, char *out, size_t size)
{
    const char *word = lw_profile_name(p->reference, id);

    if (!word)
        word = lw_profile_name(p->current, id);
    if (word)
        snprintf(out, size, "'%s'", word);
    else
        snprintf(out, size, "token %u", id);
}

void lw_why_ids(struct lw_score *s, const struct lw_pair *p, bool classes, const uint64_t *a,
                const uint64_t *b, const uint32_t *id, size_t k)
{
    double sum = s->value * s->value; /* of all terms */
    struct most most;

    find(&most, a, b, k);
    for (int i = 0; i < most.n; i++) {
        if (classes && p->reference->modality == LW_VISION)
            snprintf(s->why[i].what, sizeof s->why[i].what, "class %u", id[most.bin[i]]);
        else
            name_token(p, id[most.bin[i]], s->why[i].what, sizeof s->why[i].what);
        s->why[i].share = most.sign[i] * most.term[i] / sum;
    }
    s->whys = most.n;
}
