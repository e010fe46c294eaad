/* SPDX-License-Identifier: MIT */
#include "tui/drift_panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The smallest and the largest end of a distance's axis, and what its end is rounded up to. */
#define AXIS_LEAST 0.25
#define AXIS_MOST  1.0
#define AXIS_STEP  0.05

/* Cells from which on the title of the distributions has room for both names beside it, and for
 * both in short: which colour is which must be said. */
#define BARS_FULL  50
#define BARS_BRIEF 40

enum lw_light lw_drift_light(enum lw_state state)
{
    static const enum lw_light lights[] = {
        [LW_STATE_NONE] = LW_LIGHT_NONE,       [LW_DRIFT_OK] = LW_LIGHT_OK,
        [LW_DRIFT_NO_DATA] = LW_LIGHT_NONE,    [LW_DRIFT_UNSURE] = LW_LIGHT_UNSURE,
        [LW_DRIFT_UNKNOWN] = LW_LIGHT_UNKNOWN, [LW_DRIFT_WARN] = LW_LIGHT_WARN,
        [LW_DRIFT_ALERT] = LW_LIGHT_ALERT,
    };

    return (unsigned)state <= LW_DRIFT_ALERT ? lights[state] : LW_LIGHT_UNKNOWN;
}

static const struct lw_checks *checks_of(const struct lw_drift_art *art)
{
    return &art->drift->log.checks[art->want.against];
}

static bool in_picture(const struct lw_drift_art *art)
{
    return art->want.cols == 0;
}

int lw_drift_rows(const struct lw_drift *d, enum lw_against against, int *score)
{
    const struct lw_checks *c = &d->log.checks[against];
    int n = 0;

    if (!c->any)
        return 0;
    score[n++] = LW_SCORE_OVERALL;
    for (int s = 0; s < LW_SCORES; s++)
        if (c->newest.score[s].present)
            score[n++] = s;
    return n;
}

static void describe_bars(struct lw_drift_art *art, struct lw_panel *panel)
{
    const struct lw_distribution *d = &art->drift->distribution;
    bool text = art->drift->modality == LW_TEXT;

    int cols = art->want.cols;
    bool brief = !in_picture(art) && cols < BARS_FULL;

    if (in_picture(art))
        panel->title =
            text ? "Sequence Length Distribution Shift" : "Brightness Distribution Shift";
    else if (cols < BARS_BRIEF)
        panel->title = text ? "Lengths" : "Brightness";
    else
        panel->title = text ? "Length distribution" : "Brightness distribution";
    if (!d->bins) {
        panel->title = in_picture(art) ? "Distribution Shift" : "Drift distributions";
        panel->message =
            art->drift->problem[0] ? art->drift->problem : "no profiles to compare yet";
        return;
    }
    art->bar[0] = (struct lw_bar_series){brief ? "ref" : "Reference", LW_INK_SKY, d->share[0]};
    art->bar[1] = (struct lw_bar_series){brief ? "cur" : "Current", LW_INK_CORAL, d->share[1]};
    art->model.bars = (struct lw_bars){
        .bins = d->bins,
        .edges = d->edges,
        .series = art->bar,
        .series_count = 2,
        .x_label = text ? "Sequence Length" : "Brightness",
        .y_label = "Relative Frequency",
    };
    panel->widget = LW_WIDGET_BARS;
    panel->model = &art->model;
}

static double x_of(const struct lw_check *check, enum lw_by by)
{
    return by == LW_BY_EPOCH  ? (double)check->epoch
           : by == LW_BY_TIME ? (double)check->time
                              : check->step;
}

/* Where a step lies on the axis: between the checks around it. */
static double x_of_step(const struct lw_checks *c, enum lw_by by, double step)
{
    const struct lw_check *before = NULL;

    for (int i = 0; i < lw_checks_count(c); i++) {
        const struct lw_check *check = lw_checks_at(c, i);

        if (by == LW_BY_STEP || check->step == step)
            return by == LW_BY_STEP ? step : x_of(check, by);
        if (check->step > step) {
            double share =
                before ? (step - before->step) / (check->step - before->step) : step / check->step;
            double from = before ? x_of(before, by) : 0;

            return from + share * (x_of(check, by) - from);
        }
        before = check;
    }
    return NAN;
}

/* A score less what chance adds to it, where that is known. What too little data made says
 * nothing: it is a gap. */
static double debiased(int score, const struct lw_scored *s)
{
    double value = (double)s->value, floor = (double)s->floor;

    if (s->state == LW_DRIFT_NO_DATA)
        return NAN;
    if (isnan(floor))
        return value;
    if (score == LW_SCORE_TOKEN_OVERLAP)
        return fmin(value + 1 - floor, 1);
    return sqrt(fmax(0, value * value - floor * floor));
}

static void add_points(struct lw_drift_art *art, int score, double *top)
{
    const struct lw_checks *c = checks_of(art);
    struct lw_series *line = &art->series[0], *bounds = &art->series[1];
    double highest = 0, extent = 0;

    for (int i = 0; i < lw_checks_count(c); i++) {
        const struct lw_check *check = lw_checks_at(c, i);
        const struct lw_scored *s = &check->score[score];
        struct lw_point p = {x_of(check, art->want.by), NAN, NAN, NAN};

        if (isnan(p.x))
            continue;
        if (s->present)
            p.y = debiased(score, s);
        art->line[line->count++] = p;
        if (isfinite(p.y) && isfinite(s->low) && isfinite(s->high) && s->present) {
            p.low = (double)s->low;
            p.high = (double)s->high;
            art->bounds[bounds->count++] = p;
            extent = fmax(extent, p.high);
        }
        highest = fmax(highest, isfinite(p.y) ? p.y : 0);
    }
    *top = fmax(1.2 * highest, 1.02 * extent);
}

static void add_thresholds(struct lw_drift_art *art, int score, double top)
{
    static const char *const words[2][2] = {{"warn", "alert"},
                                            {"Warn Threshold", "Alert Threshold"}};
    const struct lw_drift_settings *s = &art->drift->settings;
    struct lw_chart *chart = &art->model.chart;
    bool high = score == LW_SCORE_TOKEN_OVERLAP;
    int of = score == LW_SCORE_OVERALL ? LW_SCORE_LENGTH_JS : score;
    double at[2] = {s->warn[of], s->alert[of]};

    for (int i = 0; i < 2; i++) {
        snprintf(art->level_text[i], sizeof art->level_text[i],
                 in_picture(art) ? "%s (%g)" : "%s %g", words[in_picture(art)][i], at[i]);
        art->level[i] =
            (struct lw_level){art->level_text[i], at[i], i ? LW_INK_ALERT : LW_INK_WARN};
    }
    art->zone[0] = (struct lw_zone){high ? at[0] : 0, high ? top : at[0], LW_INK_TINT_OK};
    art->zone[1] = (struct lw_zone){fmin(at[0], at[1]), fmax(at[0], at[1]), LW_INK_TINT_WARN};
    art->zone[2] =
        (struct lw_zone){high ? 0 : at[1], high ? at[1] : fmax(top, at[1]), LW_INK_TINT_ALERT};
    chart->levels = art->level;
    chart->level_count = 2;
    chart->zones = art->zone;
    chart->zone_count = 3;
}

static void add_changes(struct lw_drift_art *art, int score)
{
    const struct lw_drift_history *log = &art->drift->log;
    struct lw_chart *chart = &art->model.chart;

    for (int i = 0; i < log->changes; i++) {
        const struct lw_change *c = &log->change[i];
        double x = x_of_step(checks_of(art), art->want.by, c->step);

        if (c->against == art->want.against && isfinite(x) &&
            (c->score == score || c->score == LW_SCORE_OVERALL || score == LW_SCORE_OVERALL))
            art->mark[chart->mark_count++] = (struct lw_mark){"change", x, LW_INK_ALERT};
    }
    chart->marks = art->mark;
}

static bool judged(const struct lw_checks *c, int score)
{
    for (int i = 0; i < lw_checks_count(c); i++)
        if (lw_checks_at(c, i)->score[score].state != LW_STATE_NONE)
            return true;
    return false;
}

int lw_drift_heat_rows(const struct lw_drift *d, enum lw_against against)
{
    int score[LW_SCORES + 1], all = lw_drift_rows(d, against, score), rows = 0;

    for (int i = 0; i < all; i++)
        rows += judged(&d->log.checks[against], score[i]);
    return rows;
}

static void describe_time(struct lw_drift_art *art, struct lw_panel *panel)
{
    struct lw_chart *chart = &art->model.chart;
    int score = art->want.score;
    double top;

    if (score < 0)
        score = lw_drift_primary(art->drift, art->want.against);
    if (in_picture(art))
        panel->title = "Drift Score Over Time";
    else
        panel->title = "Drift over time";
    *chart = (struct lw_chart){.series = art->series, .series_count = 2};
    art->series[0] =
        (struct lw_series){.name = score == LW_SCORE_OVERALL ? "max_drift" : lw_scored_name(score),
                           .kind = LW_SERIES_LINE,
                           .ink = LW_INK_VIOLET,
                           .points = art->line};
    art->series[1] =
        (struct lw_series){.kind = LW_SERIES_POINT, .ink = LW_INK_VIOLET, .points = art->bounds};
    add_points(art, score, &top);
    if (!art->series[0].count) {
        panel->message = "no check yet";
        return;
    }
    if (score == LW_SCORE_TOKEN_OVERLAP || score == LW_SCORE_TOKEN_OOV)
        chart->y.number = LW_NUMBER_PERCENT;
    if (score != LW_SCORE_LENGTH_W1) {
        top = ceil(fmin(fmax(top, AXIS_LEAST), AXIS_MOST) / AXIS_STEP - 1e-9) * AXIS_STEP;
        if (score == LW_SCORE_TOKEN_OVERLAP)
            top = 1.0;
        if (score == LW_SCORE_OUTPUT_KL)
            top = fmax(top, art->series[0].points[0].y);
        chart->y.domain = (struct lw_domain){0, top};
    }
    if (judged(checks_of(art), score))
        add_thresholds(art, score, top);
    add_changes(art, score);
    chart->x.domain = art->want.x;
    chart->x.number = art->want.by == LW_BY_TIME ? LW_NUMBER_DURATION : LW_NUMBER_COMPACT;
    if (!art->drift->path)
        chart->x.number = LW_NUMBER_INTEGER;
    if (!in_picture(art) && art->want.cols >= 40)
        chart->x.label = art->want.by == LW_BY_EPOCH  ? "epoch"
                         : art->want.by == LW_BY_TIME ? "time"
                                                      : "step";
    if (in_picture(art)) {
        chart->x.label = art->want.by == LW_BY_EPOCH  ? "Epoch"
                         : art->want.by == LW_BY_TIME ? "Time"
                         : art->drift->path           ? "Step"
                                                      : "Check";
        chart->y.label = score == LW_SCORE_TOKEN_OVERLAP ? "Overlap" : "JS Distance";
    }
    panel->widget = LW_WIDGET_CHART;
    panel->model = &art->model;
}

/* Decimals that the epochs of checks first to first + count are written with: as few as tell the
 * closest two apart, at most three. */
static int epoch_decimals(const struct lw_checks *c, int first, int count)
{
    double least = 1;

    for (int k = 1; k < count; k++) {
        double apart =
            (double)(lw_checks_at(c, first + k)->epoch - lw_checks_at(c, first + k - 1)->epoch);

        if (apart > 0)
            least = fmin(least, apart);
    }
    return least > 0.99 ? 0 : least > 0.099 ? 1 : least > 0.0099 ? 2 : 3;
}

static void describe_heat(struct lw_drift_art *art, struct lw_panel *panel)
{
    const struct lw_checks *c = checks_of(art);
    int score[LW_SCORES + 1], all = lw_drift_rows(art->drift, art->want.against, score), rows = 0;
    int cols = lw_checks_count(c), most = art->want.checks, first, decimals;

    panel->title = in_picture(art) ? "Drift Status Heatmap" : "Drift heatmap";
    most = most < 1 ? 1 : most > LW_DRIFT_HEAT_CHECKS ? LW_DRIFT_HEAT_CHECKS : most;
    first = cols > most ? cols - most : 0;
    cols -= first;
    for (int i = 0; i < all; i++) {
        if (!judged(c, score[i]))
            continue;
        art->row_name[rows] = lw_scored_name(score[i]);
        for (int k = 0; k < cols; k++) {
            const struct lw_scored *s = &lw_checks_at(c, first + k)->score[score[i]];

            art->cell[rows * cols + k] = (struct lw_heat_cell){
                s->present ? lw_drift_light((enum lw_state)s->state) : LW_LIGHT_NONE,
                (double)s->value};
        }
        rows++;
    }
    if (!rows) {
        panel->message = "no check yet";
        return;
    }
    decimals = epoch_decimals(c, first, cols);
    for (int k = 0; k < cols; k++) {
        const struct lw_check *check = lw_checks_at(c, first + k);

        if (art->want.by == LW_BY_EPOCH)
            snprintf(art->col_text[k], sizeof art->col_text[k], "%.*f", decimals,
                     x_of(check, LW_BY_EPOCH));
        else
            lw_number_tick(x_of(check, art->want.by), 0,
                           art->want.by == LW_BY_TIME ? LW_NUMBER_DURATION : LW_NUMBER_COMPACT,
                           art->col_text[k]);
        art->col_name[k] = art->col_text[k];
    }
    art->col_name[cols - 1] = "now";
    art->model.heatmap = (struct lw_heatmap){
        .rows = rows,
        .cols = cols,
        .row_names = art->row_name,
        .col_names = art->col_name,
        .cells = art->cell,
        .now = true,
        .x_label = in_picture(art) && cols > 1
                       ? (art->want.by == LW_BY_EPOCH ? "Checks, by epoch" : "Checks, by step")
                   : in_picture(art) ? "Status"
                                     : NULL,
    };
    panel->widget = LW_WIDGET_HEATMAP;
    panel->model = &art->model;
}

void lw_drift_panel(struct lw_drift_art *art, const struct lw_drift *d,
                    const struct lw_drift_want *want, struct lw_panel *panel)
{
    static void (*const describe[])(struct lw_drift_art *, struct lw_panel *) = {
        [LW_DRIFT_BARS] = describe_bars,        [LW_DRIFT_TIME] = describe_time,
        [LW_DRIFT_HEAT] = describe_heat,        [LW_DRIFT_TABLE] = lw_drift_describe_table,
        [LW_DRIFT_WHY] = lw_drift_describe_why,
    };

    art->drift = d;
    art->want = *want;
    panel->model = NULL;
    panel->message = NULL;
    describe[want->what](art, panel);
    if (panel->message && !d->log.rows && d->log.problem[0])
        panel->message = d->log.problem;
}
