/* SPDX-License-Identifier: MIT */
#include "engine/drift/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drift/bins.h"
#include "engine/drift/compare_parts.h"

#define EPSILON 1e-12 /* the reference implementation's, on counts */
#define HALF    0.5

static const struct {
    const char *name;
    bool js;
    bool theirs; /* the reference implementation has it */
} scores[LW_SCORES] = {
    [LW_SCORE_LENGTH_JS] = {"seq_length_js", true, true},
    [LW_SCORE_LENGTH_W1] = {"seq_length_w1", false, false},
    [LW_SCORE_TOKEN_OVERLAP] = {"token_overlap", false, true},
    [LW_SCORE_TOKEN_JS] = {"token_js", true, false},
    [LW_SCORE_TOKEN_OOV] = {"token_oov", false, false},
    [LW_SCORE_BRIGHTNESS_JS] = {"brightness_js", true, true},
    [LW_SCORE_CHANNEL_DISTANCE] = {"channel_mean_distance", false, true},
    [LW_SCORE_FEATURE_BRIGHTNESS] = {"fine_brightness_js", true, false},
    [LW_SCORE_FEATURE_CONTRAST] = {"contrast_js", true, false},
    [LW_SCORE_FEATURE_EDGE] = {"edge_js", true, false},
    [LW_SCORE_FEATURE_LAPLACIAN] = {"laplacian_js", true, false},
    [LW_SCORE_FEATURE_DARK] = {"dark_js", true, false},
    [LW_SCORE_FEATURE_SATURATED] = {"saturated_js", true, false},
    [LW_SCORE_OUTPUT_KL] = {"output_kl", false, true},
    [LW_SCORE_OUTPUT_JS] = {"output_js", true, true},
};

const char *lw_score_name(enum lw_score_id s)
{
    return scores[s].name;
}

bool lw_score_is_js(enum lw_score_id s)
{
    return scores[s].js;
}

int lw_score_find(const char *name)
{
    for (int s = 0; s < LW_SCORES; s++)
        if (!strcmp(scores[s].name, name))
            return s;
    return -1;
}

void lw_drift_settings_init(struct lw_drift_settings *s, bool reference, double warn, double alert)
{
    s->reference = reference;
    s->alarm = false;
    for (int i = 0; i < LW_SCORES; i++) {
        s->warn[i] = warn;
        s->alert[i] = alert;
    }
    s->warn[LW_SCORE_TOKEN_OVERLAP] = 0.9;
    s->alert[LW_SCORE_TOKEN_OVERLAP] = 0.7;
}

static int fits(const struct lw_profile *a, const struct lw_profile *b, struct lw_error *err)
{
    if (a->modality != b->modality)
        return lw_fail(err, LW_EDATA, "the reference is a profile of %s, the current one of %s",
                       lw_modality_name(a->modality), lw_modality_name(b->modality));
    if (a->modality == LW_TEXT &&
        (a->text.length_bins != b->text.length_bins || a->text.length_max != b->text.length_max))
        return lw_fail(err, LW_EDATA,
                       "the reference has %d bins of lengths up to %d, the current profile %d up "
                       "to %d: make both with the same length_bins and length_max",
                       a->text.length_bins, a->text.length_max, b->text.length_bins,
                       b->text.length_max);
    return 0;
}

/* A score of two histograms in order, with its verdict and the bins behind it. Works on copies,
 * since merging is done in place. */
static int score_bins(struct lw_pair *p, enum lw_score_id id, const uint64_t *a, const uint64_t *b,
                      size_t k, const double *edge, double z, struct lw_error *err)
{
    struct lw_score *s = &p->out->score[id];
    uint64_t *copy = malloc(2 * k * sizeof *copy);
    struct lw_js_rule rule = {p->settings->warn[id], p->settings->alert[id], z, 1, 0, NULL};

    if (!copy)
        return lw_fail(err, LW_EMEM, "out of memory");
    memcpy(copy, a, k * sizeof *copy);
    memcpy(copy + k, b, k * sizeof *copy);
    s->present = true;
    s->value = lw_js(a, b, k);
    if (!lw_bins_sum(a, k) || !lw_bins_sum(b, k)) {
        s->verdict.state = LW_DRIFT_NO_DATA;
    } else if (!p->settings->reference) {
        rule.filled = lw_bins_filled(a, b, k);
        s->verdict = lw_judge_js(copy, copy + k, lw_bins_merge(copy, copy + k, k, NULL), &rule);
        if (p->settings->alarm)
            s->verdict.chance = lw_chance(a, b, k, true, 1);
        s->bounded = true;
    } else if (scores[id].theirs) {
        s->verdict.state = lw_classify(s->value, rule.warn, rule.alert);
    }
    if (s->verdict.state > LW_DRIFT_NO_DATA)
        lw_why_bins(s, a, b, k, edge);
    free(copy);
    return 0;
}

static int compare_lengths(struct lw_pair *p, struct lw_error *err)
{
    const struct lw_text_profile *a = &p->reference->text, *b = &p->current->text;
    struct lw_score *js = &p->out->score[LW_SCORE_LENGTH_JS];
    struct lw_score *w1 = &p->out->score[LW_SCORE_LENGTH_W1];
    double edge[LW_LENGTH_BINS_LIMIT + 1];
    int rc;

    for (int i = 0; i <= a->length_bins; i++)
        edge[i] = lw_bin_edge(i, a->length_bins, a->length_max);
    rc = score_bins(p, LW_SCORE_LENGTH_JS, a->length_hist, b->length_hist, (size_t)a->length_bins,
                    edge, LW_Z_ONE, err);
    if (rc)
        return rc;
    w1->present = true;
    w1->value = lw_w1(a->length_hist, b->length_hist, (size_t)a->length_bins, edge[1]);
    if (isnan(w1->value))
        w1->verdict.state = LW_DRIFT_NO_DATA;
    if (p->settings->reference ||
        (p->reference->items >= LW_PROFILE_DOCUMENTS && p->current->items >= LW_PROFILE_DOCUMENTS))
        return 0;
    *js = (struct lw_score){.present = true,
                            .value = js->value,
                            .absent = "under 64 documents say nothing about lengths",
                            .verdict = {.state = LW_DRIFT_NO_DATA}};
    return 0;
}

static int compare_feature(struct lw_pair *p, enum lw_feature f, struct lw_error *err)
{
    const uint64_t *fine[2] = {p->reference->vision.feature_hist[f],
                               p->current->vision.feature_hist[f]};
    uint64_t coarse[2][LW_QUANTILES];
    double edge[LW_QUANTILES + 1];
    size_t k = lw_quantile_bins(fine, lw_feature_max(f), coarse, edge);
    enum lw_score_id id = (enum lw_score_id)(LW_SCORE_FEATURE_BRIGHTNESS + (int)f);

    return score_bins(p, id, coarse[0], coarse[1], k, edge, LW_Z_SIX, err);
}

static void compare_means(struct lw_pair *p)
{
    static const char *const names[3] = {"red", "green", "blue"};
    struct lw_score *s = &p->out->score[LW_SCORE_CHANNEL_DISTANCE];
    const struct lw_profile *side[2] = {p->reference, p->current};
    double mean[2][3], covariance[2][3][3], square = 0, warn, alert;

    for (int i = 0; i < 2; i++)
        for (int a = 0; a < 3; a++) {
            mean[i][a] = lw_profile_channel_mean(side[i], a);
            for (int b = 0; b < 3; b++) /* n - 1: the sample's variance, not the population's */
                covariance[i][a][b] = lw_profile_channel_covariance(side[i], a, b) *
                                      (double)side[i]->items / ((double)side[i]->items - 1);
        }
    for (int a = 0; a < 3; a++)
        square += (mean[1][a] - mean[0][a]) * (mean[1][a] - mean[0][a]);
    warn = p->settings->warn[LW_SCORE_CHANNEL_DISTANCE];
    alert = p->settings->alert[LW_SCORE_CHANNEL_DISTANCE];
    s->present = true;
    s->value = sqrt(square);
    if (!side[0]->items || !side[1]->items) {
        s->verdict.state = LW_DRIFT_NO_DATA;
        return;
    }
    s->bounded = !p->settings->reference;
    if (s->bounded)
        s->verdict = lw_judge_means((const double(*)[3])mean, (const double(*)[3][3])covariance,
                                    side[0]->items, side[1]->items, warn, alert);
    else
        s->verdict.state = lw_classify(s->value, warn, alert);
    for (int a = 0; a < 3 && square > 0; a++) {
        double d = mean[1][a] - mean[0][a];

        snprintf(s->why[a].what, sizeof s->why[a].what, "%s", names[a]);
        s->why[a].share = copysign(d * d / square, d);
        s->whys = 3;
    }
}

static int compare_vision(struct lw_pair *p, struct lw_error *err)
{
    static const char none[] = "one profile has no image features";
    double edge[LW_BRIGHTNESS_BINS + 1];
    bool featured[2] = {p->reference->vision.featured > 0, p->current->vision.featured > 0};
    int rc;

    for (int i = 0; i <= LW_BRIGHTNESS_BINS; i++)
        edge[i] = lw_bin_edge(i, LW_BRIGHTNESS_BINS, 1);
    rc = score_bins(p, LW_SCORE_BRIGHTNESS_JS, p->reference->vision.brightness_hist,
                    p->current->vision.brightness_hist, LW_BRIGHTNESS_BINS, edge, LW_Z_ONE, err);
    compare_means(p);
    for (int f = 0; !rc && f < LW_FEATURES; f++) {
        if (featured[0] && featured[1])
            rc = compare_feature(p, (enum lw_feature)f, err);
        else if (featured[0] || featured[1])
            p->out->score[LW_SCORE_FEATURE_BRIGHTNESS + f].absent = none;
    }
    return rc;
}

static int compare_tokens(struct lw_pair *p, struct lw_error *err)
{
    const struct lw_tally *a = &p->reference->text.tokens, *b = &p->current->text.tokens;
    bool by_document =
        p->reference->items >= LW_PROFILE_DOCUMENTS && p->current->items >= LW_PROFILE_DOCUMENTS;
    const struct lw_tally *units[2] = {a, b};
    struct lw_tops tops;
    double effect = 1;
    int rc;

    if (!by_document) {
        units[0] = p->reference->text.blocks.total ? &p->reference->text.blocks : a;
        units[1] = p->current->text.blocks.total ? &p->current->text.blocks : b;
    }
    rc = lw_compare_tallies(p, LW_SCORE_TOKEN_JS, a, b, units, &effect, &tops, err);
    if (!rc)
        rc = lw_compare_overlap(p, a, b, effect, &tops, err);
    return rc;
}

static int compare_outputs(struct lw_pair *p, struct lw_error *err)
{
    const struct lw_tally *a = &p->reference->outputs, *b = &p->current->outputs;
    const struct lw_tally *units[2] = {a, b};
    struct lw_score *kl = &p->out->score[LW_SCORE_OUTPUT_KL];
    struct lw_score *js = &p->out->score[LW_SCORE_OUTPUT_JS];
    double effect, warn, alert;
    int rc;

    if (p->reference->output == LW_OUTPUT_NONE && p->current->output == LW_OUTPUT_NONE)
        return 0;
    if (p->reference->output == LW_OUTPUT_NONE || p->current->output == LW_OUTPUT_NONE)
        kl->absent = js->absent = "only one profile has outputs";
    else if (p->reference->output != p->current->output)
        kl->absent = js->absent = "predictions are not compared with labels";
    if (js->absent)
        return 0;
    rc = lw_compare_tallies(p, LW_SCORE_OUTPUT_JS, a, b, units, &effect, NULL, err);
    if (rc)
        return rc;
    warn = p->settings->warn[LW_SCORE_OUTPUT_KL];
    alert = p->settings->alert[LW_SCORE_OUTPUT_KL];
    kl->present = true;
    rc = lw_tallies_kl(a, b, p->settings->reference ? EPSILON : HALF, &kl->value, err);
    if (!a->total || !b->total)
        kl->verdict.state = LW_DRIFT_NO_DATA;
    else if (p->settings->reference)
        kl->verdict.state = lw_classify(kl->value, warn, alert);
    return rc;
}

/* The worst state, and the largest of the scores on one scale. */
static void sum_up(struct lw_comparison *c)
{
    c->overall = LW_STATE_NONE;
    c->max_drift = NAN;
    for (int i = 0; i < LW_SCORES; i++) {
        const struct lw_score *s = &c->score[i];
        double x = s->value;

        if (!s->present)
            continue;
        c->overall = lw_drift_worse(c->overall, s->verdict.state);
        if (i == LW_SCORE_LENGTH_W1 || i == LW_SCORE_TOKEN_OOV || isnan(x) ||
            s->verdict.state == LW_DRIFT_NO_DATA || (c->reference_mode && !scores[i].theirs))
            continue;
        if (i == LW_SCORE_TOKEN_OVERLAP)
            x = 1 - x;
        if (i == LW_SCORE_OUTPUT_KL)
            x = fmin(x, 1);
        if (!(c->max_drift >= x)) {
            c->max_drift = x;
            c->worst = (enum lw_score_id)i;
        }
    }
    if (c->overall == LW_STATE_NONE)
        c->overall = LW_DRIFT_NO_DATA;
}

int lw_drift_compare(struct lw_comparison *c, const struct lw_profile *reference,
                     const struct lw_profile *current, const struct lw_drift_settings *settings,
                     struct lw_overlap_null *cache, struct lw_error *err)
{
    struct lw_pair p = {reference, current, settings, cache, c};
    int rc;

    memset(c, 0, sizeof *c);
    if ((rc = fits(reference, current, err)))
        return rc;
    c->modality = reference->modality;
    c->reference_mode = settings->reference;
    c->items[0] = reference->items;
    c->items[1] = current->items;
    for (int i = 0; i < LW_SCORES; i++)
        c->score[i] = (struct lw_score){.value = NAN, .verdict.chance = {NAN, NAN}};
    if (c->modality == LW_VISION) {
        rc = compare_vision(&p, err);
    } else if (!(rc = compare_lengths(&p, err))) {
        rc = compare_tokens(&p, err);
    }
    if (!rc)
        rc = compare_outputs(&p, err);
    if (!rc)
        sum_up(c);
    return rc;
}

const char *lw_needed_words(const struct lw_verdict *v, char out[64])
{
    out[0] = '\0';
    if (v->state != LW_DRIFT_UNSURE)
        return out;
    if (v->needed > 0)
        snprintf(out, 64, "needs about %" PRId64 " more items", v->needed);
    else if (v->needed == LW_NEED_REFERENCE)
        snprintf(out, 64, "the reference is too small");
    else if (v->needed == LW_NEED_THRESHOLD)
        snprintf(out, 64, "it is at the threshold");
    else
        snprintf(out, 64, "too little data");
    return out;
}
