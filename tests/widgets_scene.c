/* SPDX-License-Identifier: MIT */
#include "tests/widgets_scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/random.h"
#include "widgets/gauge.h"

#define STEPS_PER_EPOCH 250

static struct curve *curve_of(struct scene *scene, int i)
{
    struct curve *const all[] = {
        &scene->train,  &scene->val,   &scene->perplexity, &scene->accuracy, &scene->rate,
        &scene->before, &scene->after, &scene->time,       &scene->drift,
    };

    return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL;
}

struct scene *scene_new(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct curve *curve;

    for (int i = 0; scene && (curve = curve_of(scene, i)); i++) {
        curve->raw = calloc(SCENE_STEPS, sizeof *curve->raw);
        curve->smooth = calloc(SCENE_STEPS, sizeof *curve->smooth);
        lw_ema_init(&curve->ema, 20);
        if (!curve->raw || !curve->smooth) {
            scene_free(scene);
            return NULL;
        }
    }
    return scene;
}

void scene_free(struct scene *scene)
{
    struct curve *curve;

    for (int i = 0; scene && (curve = curve_of(scene, i)); i++) {
        free(curve->raw);
        free(curve->smooth);
    }
    free(scene);
}

static void add(struct curve *curve, double x, double y)
{
    size_t i = curve->count;

    if (i >= SCENE_STEPS)
        return;
    curve->raw[i] = (struct lw_point){x, y, NAN, NAN};
    curve->smooth[i] = (struct lw_point){x, lw_ema_push(&curve->ema, x, y), NAN, NAN};
    curve->count++;
}

static double noise(int step, int which)
{
    uint32_t word[4];

    lw_philox(7, (uint64_t)which, (uint64_t)step, word);
    return (word[0] + word[1] + word[2] + word[3]) / 4294967296.0 - 2;
}

void scene_run(struct scene *scene, int steps)
{
    for (int i = 0; i < steps && scene->step < SCENE_STEPS; i++) {
        int s = ++scene->step;
        double loss = 1.9 + 3.6 * exp(-s / 220.0) + 1.1 * exp(-s / 1500.0);
        double norm = 0.6 + 2 * exp(-s / 150.0) + 0.25 * fabs(noise(s, 3));
        double rate = s < 200 ? 6e-4 * s / 200 : 6e-4 * 0.5 * (1 + cos(M_PI * (s - 200) / 4800.0));

        if (s % 400 == 170)
            norm += 3;
        add(&scene->train, s, loss + 0.12 * noise(s, 1));
        add(&scene->perplexity, s, exp(loss + 0.12 * noise(s, 1)));
        add(&scene->accuracy, s, 0.62 * (1 - exp(-s / 500.0)) + 0.02 * noise(s, 2));
        add(&scene->rate, s, rate);
        add(&scene->before, s, norm);
        add(&scene->after, s, fmin(norm, 1));
        if (s % STEPS_PER_EPOCH == 0) {
            int epoch = s / STEPS_PER_EPOCH;

            add(&scene->val, s, loss + 0.15 + 0.0001 * s + 0.02 * noise(s, 4));
            add(&scene->time, epoch, 34 + 3 * noise(s, 5) + (epoch == 3 ? 9 : 0));
            add(&scene->drift, epoch, epoch == 3 ? NAN : 0.05 + 0.012 * epoch + 0.02 * noise(s, 6));
        }
    }
}

static const struct lw_point *lowest(const struct curve *curve)
{
    const struct lw_point *best = NULL;

    for (size_t i = 0; i < curve->count; i++)
        if (!best || curve->raw[i].y < best->y)
            best = &curve->raw[i];
    return best;
}

static struct lw_series raw_of(const struct curve *curve, enum lw_ink ink)
{
    return (struct lw_series){
        .ink = ink, .faint = true, .points = curve->raw, .count = curve->count};
}

static struct lw_series smooth_of(const struct curve *curve, const char *name, enum lw_ink ink)
{
    return (struct lw_series){
        .name = name, .ink = ink, .points = curve->smooth, .count = curve->count};
}

static void fit(struct scene *scene, struct curve *keep, struct lw_chart *chart, bool zero)
{
    struct lw_domain seen;

    chart->x.label = chart->x.label ? chart->x.label : "step";
    chart->x.number = LW_NUMBER_INTEGER;
    if (!lw_domain_valid(chart->x.domain))
        chart->x.domain = scene->x;
    seen = lw_chart_extent_y(chart);
    keep->y = lw_domain_fit_y(keep->y, seen.low, seen.high, zero, chart->y.log);
    chart->y.domain = keep->y;
    chart->cursor = scene->cursor;
    chart->cursor_x = scene->step * 0.4;
}

static void put(struct lw_surface *s, const struct scene *scene, const struct lw_layout *layout,
                int i, const char *title, enum lw_widget widget, const void *model)
{
    struct lw_panel panel = {
        .title = title,
        .widget = widget,
        .model = model,
        .message = model ? NULL : "no drift data yet",
        .focused = scene->focus == i,
    };

    lw_panel_draw(lw_area_of(s, layout->panel[i]), &panel);
}

static void paint_training(struct scene *scene, struct lw_surface *s, const struct lw_layout *at)
{
    struct lw_series loss[] = {
        raw_of(&scene->train, LW_INK_BLUE),
        smooth_of(&scene->train, "train", LW_INK_BLUE),
        {.name = "val",
         .ink = LW_INK_ORANGE,
         .points = scene->val.raw,
         .count = scene->val.count,
         .star = lowest(&scene->val)},
    };
    struct lw_series perplexity[] = {
        raw_of(&scene->perplexity, LW_INK_GREEN),
        smooth_of(&scene->perplexity, "train", LW_INK_GREEN),
    };
    struct lw_series accuracy[] = {
        raw_of(&scene->accuracy, LW_INK_BLUE),
        smooth_of(&scene->accuracy, "train", LW_INK_BLUE),
    };
    struct lw_series rate[] = {
        {.name = "lr", .ink = LW_INK_RED, .points = scene->rate.raw, .count = scene->rate.count}};
    struct lw_series norms[] = {
        {.name = "pre",
         .ink = LW_INK_BROWN,
         .points = scene->before.raw,
         .count = scene->before.count},
        {.name = "post",
         .ink = LW_INK_CYAN,
         .points = scene->after.raw,
         .count = scene->after.count},
    };
    struct lw_chart chart = {.series = loss, .series_count = 3};

    fit(scene, &scene->train, &chart, false);
    put(s, scene, at, 0, "Loss", LW_WIDGET_CHART, &chart);
    chart = (struct lw_chart){.series = perplexity, .series_count = 2, .y.log = true};
    fit(scene, &scene->perplexity, &chart, false);
    put(s, scene, at, 1, "Perplexity", LW_WIDGET_CHART, &chart);
    chart = (struct lw_chart){.series = accuracy, .series_count = 2, .y.number = LW_NUMBER_PERCENT};
    fit(scene, &scene->accuracy, &chart, true);
    put(s, scene, at, 2, "Accuracy", LW_WIDGET_CHART, &chart);
    chart = (struct lw_chart){.series = rate, .series_count = 1};
    fit(scene, &scene->rate, &chart, true);
    put(s, scene, at, 3, "Learning rate", LW_WIDGET_CHART, &chart);
    chart = (struct lw_chart){.series = norms, .series_count = 2};
    fit(scene, &scene->before, &chart, true);
    put(s, scene, at, 4, "Gradient norm", LW_WIDGET_CHART, &chart);
}

static void paint_time(struct scene *scene, struct lw_surface *s, const struct lw_layout *at)
{
    struct lw_series time[] = {{.name = "epoch",
                                .kind = LW_SERIES_BAR,
                                .ink = LW_INK_PURPLE,
                                .points = scene->time.raw,
                                .count = scene->time.count}};
    struct lw_level mean = {.name = "mean", .y = 34.2, .ink = LW_INK_DIM};
    struct lw_chart chart = {
        .series = time,
        .series_count = 1,
        .levels = &mean,
        .level_count = 1,
        .x = {.label = "epoch", .number = LW_NUMBER_INTEGER},
        .y.number = LW_NUMBER_DURATION,
    };

    chart.x.domain = (struct lw_domain){0.5, fmax(10, scene->time.count) + 0.5};
    fit(scene, &scene->time, &chart, true);
    chart.cursor = false;
    put(s, scene, at, 5, "Time per epoch", LW_WIDGET_CHART, &chart);
}

static void paint_distributions(struct scene *scene, struct lw_surface *s,
                                const struct lw_layout *at)
{
    static const double edges[] = {0,     51.2,  102.4, 153.6, 204.8, 256,
                                   307.2, 358.4, 409.6, 460.8, 512};
    static const double reference[] = {.05, .1, .2, .25, .15, .1, .06, .04, .03, .02};
    static const double current[] = {.02, .06, .12, .2, .22, .16, .1, .06, .04, .02};
    const struct lw_bar_series series[] = {
        {"Reference", LW_INK_SKY, reference},
        {"Current", LW_INK_CORAL, current},
    };
    struct lw_bars bars = {
        .bins = 10, .edges = edges, .series = series, .series_count = 2, .x_label = "length"};

    put(s, scene, at, 6, "Sequence length", LW_WIDGET_BARS, &bars);
}

static void paint_over_time(struct scene *scene, struct lw_surface *s, const struct lw_layout *at)
{
    struct lw_series score[] = {{.name = "js",
                                 .ink = LW_INK_VIOLET,
                                 .points = scene->drift.raw,
                                 .count = scene->drift.count}};
    static const struct lw_level levels[] = {
        {"warn", 0.1, LW_INK_WARN},
        {"alert", 0.2, LW_INK_ALERT},
    };
    static const struct lw_zone zones[] = {
        {0, 0.1, LW_INK_TINT_OK},
        {0.1, 0.2, LW_INK_TINT_WARN},
        {0.2, 1, LW_INK_TINT_ALERT},
    };
    struct lw_chart chart = {
        .series = score,
        .series_count = 1,
        .levels = levels,
        .level_count = 2,
        .zones = zones,
        .zone_count = 3,
        .x = {.label = "epoch", .domain = {0, 10}, .number = LW_NUMBER_INTEGER},
        .y.domain = {0, 0.25},
    };

    put(s, scene, at, 7, "Drift over time", LW_WIDGET_CHART, &chart);
}

static void paint_heatmap(struct scene *scene, struct lw_surface *s, const struct lw_layout *at)
{
    static const char *const names[] = {"seq_length_js", "token_js", "token_overlap", "output_js",
                                        "max_drift"};
    static const char *const checks[] = {"1", "2", "3", "4", "5", "6"};
    static const enum lw_light states[30] = {1, 1, 1, 2, 2, 3, 1, 1, 1, 1, 1, 2, 4, 4, 1,
                                             1, 1, 1, 0, 1, 1, 5, 1, 1, 1, 1, 1, 2, 2, 3};
    struct lw_heat_cell cells[30];
    struct lw_heatmap map = {.rows = 5,
                             .cols = 6,
                             .row_names = names,
                             .col_names = checks,
                             .cells = cells,
                             .x_label = "check"};

    for (int i = 0; i < 30; i++)
        cells[i].state = states[i];
    put(s, scene, at, 8, "Drift status", LW_WIDGET_HEATMAP, &map);
}

static void summary_cell(const void *context, int row, int column, char *out, size_t size,
                         struct lw_style *style)
{
    static const char *const text[6][3] = {
        {"overall", "0.214", "ALERT"}, {"seq_length_js", "0.214", "ALERT"},
        {"token_js", "0.131", "WARN"}, {"token_overlap", "93.0%", "OK"},
        {"output_js", "0.041", "OK"},  {"max_drift", "0.214", "ALERT"},
    };
    static const enum lw_light states[] = {3, 3, 2, 1, 1, 3};

    (void)context;
    snprintf(out, size, "%s", text[row][column]);
    if (column == 2)
        style->fg = (uint8_t)lw_light_ink(states[row]);
}

static void paint_summary(struct scene *scene, struct lw_surface *s, const struct lw_layout *at)
{
    static const struct lw_column columns[] = {{.title = "Metric"},
                                               {.title = "Value", .width = 8, .right = true},
                                               {.title = "Status", .width = 8}};
    struct lw_table table = {.columns = columns,
                             .column_count = 3,
                             .row_count = 6,
                             .selected = -1,
                             .head = true,
                             .cell = summary_cell};

    put(s, scene, at, 9, "Drift summary", LW_WIDGET_TABLE, &table);
}

static void paint_edges(const struct scene *scene, struct lw_surface *s, const struct lw_layout *at)
{
    struct lw_area head = lw_area_of(s, at->header), foot = lw_area_of(s, at->footer);
    struct lw_gauge gauge = {.share = scene->step / 5000.0, .ink = LW_INK_ACCENT};
    int col;

    lw_fill(lw_area_sub(head, 0, 0, 1, s->cols), LW_STYLE(LW_INK_TEXT, LW_INK_BAR, 0));
    col = 1 + lw_put_text(head, 0, 1, "leeway", LW_STYLE(LW_INK_ACCENT, 0, LW_ATTR_BOLD));
    col += 2 + lw_put_text(head, 0, col + 2, "gpt-tiny", LW_STYLE(LW_INK_TITLE, 0, LW_ATTR_BOLD));
    lw_putf(head, 0, col + 2, LW_INK(LW_INK_TEXT), "running  step %d/5,000", scene->step);
    if (head.rect.rows > 1)
        lw_gauge_draw(lw_area_sub(head, 1, 0, 1, s->cols), &gauge);
    lw_put_text(foot, 0, 1, "q quit  ? help  tab panel  enter zoom", LW_INK(LW_INK_DIM));
}

void scene_paint(struct scene *scene, struct lw_surface *s)
{
    struct lw_layout_want want = {
        .panels = 10, .focus = scene->focus, .split = 6, .zoom = scene->zoom};
    struct lw_layout at;

    lw_surface_clear(s);
    lw_layout_make(s->rows, s->cols, &want, &at);
    scene->x = lw_domain_fit_x(scene->x, 1, scene->step);
    paint_edges(scene, s, &at);
    paint_training(scene, s, &at);
    paint_time(scene, s, &at);
    paint_distributions(scene, s, &at);
    paint_over_time(scene, s, &at);
    paint_heatmap(scene, s, &at);
    paint_summary(scene, s, &at);
}
