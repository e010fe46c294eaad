/* SPDX-License-Identifier: MIT */
#include "engine/drift/profile.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drift/vectors.h"

#define FEATURES_BINS (LW_FEATURES * LW_FEATURE_BINS)

static const struct {
    const char *name;
    double max;
} features[LW_FEATURES] = {
    [LW_FEATURE_BRIGHTNESS] = {"brightness", 1},
    [LW_FEATURE_CONTRAST] = {"contrast", 0.5},
    [LW_FEATURE_EDGE] = {"edge", 2},
    [LW_FEATURE_LAPLACIAN] = {"laplacian", 4},
    [LW_FEATURE_DARK] = {"dark", 1},
    [LW_FEATURE_SATURATED] = {"saturated", 1},
};

double lw_feature_max(enum lw_feature f)
{
    return features[f].max;
}

const char *lw_feature_name(enum lw_feature f)
{
    return features[f].name;
}

const char *lw_modality_name(enum lw_modality m)
{
    return m == LW_VISION ? "vision" : "text";
}

const char *lw_output_name(enum lw_output o)
{
    return o == LW_OUTPUT_PREDICTIONS ? "predictions" : o == LW_OUTPUT_LABELS ? "labels" : "none";
}

double lw_bin_edge(int i, int bins, double max)
{
    return i == bins ? max : i * (max / bins);
}

int lw_bin_of(double x, int bins, double max)
{
    int i;

    if (!(x > 0))
        return 0;
    if (x >= max)
        return bins - 1;
    i = (int)(x / max * bins);
    i = i < bins ? i : bins - 1;
    while (i > 0 && x < lw_bin_edge(i, bins, max))
        i--;
    while (i < bins - 1 && x >= lw_bin_edge(i + 1, bins, max))
        i++;
    return i;
}

int lw_profile_init(struct lw_profile *p, const struct lw_profile_options *options,
                    struct lw_error *err)
{
    struct lw_text_profile *t = &p->text;

    *p = (struct lw_profile){.modality = options->modality,
                             .limit = options->limit,
                             .reference_only = options->reference_only};
    t->tokens.sparse = t->blocks.sparse = p->outputs.sparse = options->sparse;
    if (p->modality == LW_VISION) {
        struct lw_vision_profile *v = &p->vision;

        v->feature_hist = calloc(LW_FEATURES, sizeof *v->feature_hist);
        v->met = options->sparse ? malloc(FEATURES_BINS * sizeof *v->met) : NULL;
        if (v->feature_hist && (v->met || !options->sparse))
            return 0;
        free(v->feature_hist);
        free(v->met);
        *p = (struct lw_profile){0};
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    t->length_bins = options->length_bins ? options->length_bins : 10;
    t->length_max = options->length_max ? options->length_max : 512;
    t->block = options->block ? options->block : 1024;
    if (t->length_bins < 1 || t->length_bins > LW_LENGTH_BINS_LIMIT || t->length_max < 1 ||
        t->block < 1)
        return lw_fail(err, LW_EUSAGE, "a profile cannot have %d bins of lengths up to %d",
                       t->length_bins, t->length_max);
    t->length_hist = calloc((size_t)t->length_bins, sizeof *t->length_hist);
    return t->length_hist ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

void lw_profile_fini(struct lw_profile *p)
{
    free(p->text.length_hist);
    free(p->vision.feature_hist);
    free(p->vision.met);
    free(p->name);
    lw_tally_fini(&p->text.tokens);
    lw_tally_fini(&p->text.blocks);
    lw_tally_fini(&p->outputs);
    *p = (struct lw_profile){0};
}

void lw_profile_clear(struct lw_profile *p)
{
    struct lw_text_profile *t = &p->text;
    struct lw_vision_profile *v = &p->vision;
    uint64_t(*hist)[LW_FEATURE_BINS] = v->feature_hist;
    uint16_t *met = v->met;

    p->items = 0;
    if (t->length_hist)
        memset(t->length_hist, 0, (size_t)t->length_bins * sizeof *t->length_hist);
    t->length_sum = t->length_squares = t->over = 0;
    lw_tally_clear(&t->tokens);
    lw_tally_clear(&t->blocks);
    for (int i = 0; met && i < v->mets; i++)
        hist[met[i] / LW_FEATURE_BINS][met[i] % LW_FEATURE_BINS] = 0;
    if (hist && !met)
        memset(hist, 0, LW_FEATURES * sizeof *hist);
    *v = (struct lw_vision_profile){.feature_hist = hist, .met = met};
    p->output = LW_OUTPUT_NONE;
    lw_tally_clear(&p->outputs);
}

/* A new item has come: it may be the one from which documents speak for themselves. */
static void count_items(struct lw_profile *p, uint64_t n)
{
    p->items += n;
    if (p->modality == LW_TEXT && p->items >= LW_PROFILE_DOCUMENTS && p->text.blocks.total)
        lw_tally_clear(&p->text.blocks);
}

static void add_length(struct lw_text_profile *t, uint64_t n)
{
    t->length_hist[lw_bin_of((double)n, t->length_bins, t->length_max)]++;
    t->length_sum += n;
    t->length_squares += (lw_wide)n * n;
    t->over += n > (uint64_t)t->length_max;
}

#define PART   4096  /* lengths at a time: they stay in the cache, and their sums fit 64 bits */
#define TABLES 4     /* neighbours are counted apart, see count_u16 in tally.c */
#define FINE   16384 /* the longest length_max that has such tables */

static void count_part(uint32_t *table, const uint16_t *length, size_t n, size_t step)
{
    uint32_t *second = table + step, *third = second + step, *fourth = third + step;
    size_t i = 0;

    for (; i + TABLES <= n; i += TABLES) {
        uint64_t four;

        memcpy(&four, length + i, sizeof four);
        table[four & 0xFFFF]++;
        second[four >> 16 & 0xFFFF]++;
        third[four >> 32 & 0xFFFF]++;
        fourth[four >> 48]++;
    }
    for (; i < n; i++)
        table[length[i]]++;
}

/* Counts by length become counts by bin. */
static void fold_table(struct lw_text_profile *t, const uint32_t *table)
{
    size_t step = (size_t)t->length_max + 1;

    for (size_t x = 0; x < step; x++) {
        uint64_t n = 0;

        for (size_t k = 0; k < TABLES; k++)
            n += table[k * step + x];
        if (n)
            t->length_hist[lw_bin_of((double)x, t->length_bins, t->length_max)] += n;
    }
}

static int impossible(int32_t length, struct lw_error *err)
{
    return lw_fail(err, LW_EDATA, "a length of %" PRId32 " is not possible", length);
}

/* Fewer than 2^32 lengths, by the table. Nothing is added before all of them were looked at. */
static int add_many(struct lw_text_profile *t, const int32_t *length, size_t n,
                    struct lw_error *err)
{
    size_t size = TABLES * ((size_t)t->length_max + 1);
    uint32_t *table = calloc(size, sizeof *table);
    lw_wide sum = 0, squares = 0;
    uint16_t clamped[PART];
    uint64_t over = 0;
    int rc = table ? 0 : lw_fail(err, LW_EMEM, "out of memory");

    for (size_t i = 0; !rc && i < n; i += PART) {
        size_t part = n - i < PART ? n - i : PART;
        struct lw_length_sums s;

        lw_vectors_lengths(length + i, part, t->length_max, clamped, &s);
        if (s.least < 0) {
            rc = impossible(s.least, err);
            break;
        }
        sum += s.sum;
        squares += (lw_wide)s.high * ((uint64_t)1 << 32) + s.low;
        over += s.over;
        count_part(table, clamped, part, (size_t)t->length_max + 1);
    }
    if (!rc) {
        fold_table(t, table);
        t->length_sum += sum;
        t->length_squares += squares;
        t->over += over;
    }
    free(table);
    return rc;
}

int lw_profile_lengths(struct lw_profile *p, const int32_t *length, size_t n, struct lw_error *err)
{
    struct lw_text_profile *t = &p->text;
    int rc = 0;

    if (p->limit && n > p->limit - (p->items < p->limit ? p->items : p->limit))
        n = (size_t)(p->limit - (p->items < p->limit ? p->items : p->limit));
    if (n >= PART && n <= UINT32_MAX && t->length_max <= FINE) {
        rc = add_many(t, length, n, err);
    } else {
        for (size_t i = 0; i < n; i++)
            if (length[i] < 0)
                return impossible(length[i], err);
        for (size_t i = 0; i < n; i++)
            add_length(t, (uint64_t)length[i]);
    }
    if (!rc)
        count_items(p, n);
    return rc;
}

int lw_profile_tokens(struct lw_profile *p, const int32_t *ids, size_t n, struct lw_error *err)
{
    struct lw_text_profile *t = &p->text;
    size_t block = (size_t)t->block;
    int rc = lw_tally_add(&t->tokens, ids, n, err);

    if (rc || p->items >= LW_PROFILE_DOCUMENTS)
        return rc;
    for (size_t i = 0; !rc && i < n; i += block)
        rc = lw_tally_add(&t->blocks, ids + i, n - i < block ? n - i : block, err);
    return rc;
}

int lw_profile_document(struct lw_profile *p, const int32_t *ids, size_t n, struct lw_error *err)
{
    uint64_t length = 0;
    int rc;

    if (p->limit && p->items >= p->limit)
        return 0;
    if ((rc = lw_profile_tokens(p, ids, n, err)))
        return rc;
    for (size_t i = 0; i < n; i++)
        length += ids[i] >= 0;
    add_length(&p->text, length);
    count_items(p, 1);
    return 0;
}

int lw_profile_outputs(struct lw_profile *p, enum lw_output output, const int32_t *classes,
                       size_t n, struct lw_error *err)
{
    if (p->output != output && p->outputs.total)
        return lw_fail(err, LW_EUSAGE, "outputs of a profile are %s, and these are %s",
                       lw_output_name(p->output), lw_output_name(output));
    p->output = output;
    return lw_tally_add(&p->outputs, classes, n, err);
}

static int fits(const struct lw_profile *p, const struct lw_profile *from, struct lw_error *err)
{
    const struct lw_text_profile *a = &p->text, *b = &from->text;
    const struct lw_vision_profile *v = &p->vision, *w = &from->vision;

    if (p->modality != from->modality)
        return lw_fail(err, LW_EDATA, "one profile is of %s, the other of %s",
                       lw_modality_name(p->modality), lw_modality_name(from->modality));
    if (a->length_bins != b->length_bins || a->length_max != b->length_max)
        return lw_fail(err, LW_EDATA,
                       "one profile has %d bins of lengths up to %d, the other %d up to %d",
                       a->length_bins, a->length_max, b->length_bins, b->length_max);
    if (a->block != b->block)
        return lw_fail(err, LW_EDATA, "one profile has blocks of %d tokens, the other of %d",
                       a->block, b->block);
    if (v->white != w->white && v->white && w->white)
        return lw_fail(err, LW_EDATA, "white is %u in one profile and %u in the other", v->white,
                       w->white);
    if (p->output != from->output && p->outputs.total && from->outputs.total)
        return lw_fail(err, LW_EDATA, "outputs are %s in one profile and %s in the other",
                       lw_output_name(p->output), lw_output_name(from->output));
    return 0;
}

void lw_feature_add(struct lw_vision_profile *v, int bin, uint64_t n)
{
    uint64_t *at = &v->feature_hist[bin / LW_FEATURE_BINS][bin % LW_FEATURE_BINS];

    if (v->met && !*at && n)
        v->met[v->mets++] = (uint16_t)bin;
    *at += n;
}

static void merge_features(struct lw_vision_profile *v, const struct lw_vision_profile *w)
{
    for (int i = 0; w->met && i < w->mets; i++)
        lw_feature_add(v, w->met[i],
                       w->feature_hist[w->met[i] / LW_FEATURE_BINS][w->met[i] % LW_FEATURE_BINS]);
    for (int f = 0; !w->met && f < LW_FEATURES; f++)
        for (int i = 0; i < LW_FEATURE_BINS; i++)
            lw_feature_add(v, f * LW_FEATURE_BINS + i, w->feature_hist[f][i]);
}

static void merge_vision(struct lw_vision_profile *v, const struct lw_vision_profile *w)
{
    v->white = v->white ? v->white : w->white;
    v->pixels += w->pixels;
    for (int i = 0; i < 3; i++) {
        v->mean_sum[i] += w->mean_sum[i];
        v->pixel_sum[i] += w->pixel_sum[i];
        v->pixel_squares[i] += w->pixel_squares[i];
    }
    for (int i = 0; i < 6; i++)
        v->mean_cross[i] += w->mean_cross[i];
    for (int i = 0; i < LW_BRIGHTNESS_BINS; i++)
        v->brightness_hist[i] += w->brightness_hist[i];
    v->featured += w->featured;
    merge_features(v, w);
}

int lw_profile_merge(struct lw_profile *p, const struct lw_profile *from, struct lw_error *err)
{
    struct lw_text_profile *t = &p->text;
    bool blocks = p->items + from->items < LW_PROFILE_DOCUMENTS;
    int rc = fits(p, from, err);

    if (rc || (rc = lw_tally_reserve(&t->tokens, from->text.tokens.rows, err)) ||
        (rc = lw_tally_reserve(&p->outputs, from->outputs.rows, err)) ||
        (rc = lw_tally_merge(&t->blocks, &from->text.blocks, err)) ||
        (rc = lw_tally_merge(&t->tokens, &from->text.tokens, err)) ||
        (rc = lw_tally_merge(&p->outputs, &from->outputs, err)))
        return rc;
    if (!blocks)
        lw_tally_clear(&t->blocks);
    if (from->outputs.total)
        p->output = from->output;
    p->items += from->items;
    if (p->modality == LW_VISION) {
        merge_vision(&p->vision, &from->vision);
        return 0;
    }
    for (int i = 0; i < t->length_bins; i++)
        t->length_hist[i] += from->text.length_hist[i];
    t->length_sum += from->text.length_sum;
    t->length_squares += from->text.length_squares;
    t->over += from->text.over;
    return 0;
}
