/* SPDX-License-Identifier: MIT */
#include "tui/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "widgets/axis.h"
#include "widgets/panel.h"

#define LABELLED 40 /* cells from which on an x axis says what it counts */

/* Points folded along x: two a cell, which is what a braille cell resolves. */
static int columns_of(const struct lw_rect *r)
{
    return r->cols > 1 ? 2 * r->cols : 2;
}

/* A panel of drift; without data the line that says so. */
static void draw_drift(struct lw_view *v, struct lw_area area, int row, struct lw_domain x,
                       struct lw_panel *panel)
{
    struct lw_drift_want want = {
        .what = v->row[row].drift,
        .score = -1,
        .by = v->by,
        .x = x,
        .cols = area.rect.cols,
        .checks = area.rect.cols,
        .selected = -1,
    };

    if (want.what == LW_DRIFT_TABLE)
        area = lw_view_draw_reasons(v, area);
    if (lw_view_draw_drift_panel(v, area, &want, panel))
        return;
    panel->message = v->source[0]->loading ? "reading ..." : v->row[row].nothing;
    lw_panel_draw(area, panel);
}

/* Why a panel is empty. Until the first epoch is through, its panel says how long one will take. */
static const char *why_empty(const struct lw_view *v, int row, char *out, size_t size)
{
    const struct lw_standing *s = &v->source[0]->standing;
    char text[LW_NUMBER_SIZE];

    if (v->source[0]->loading)
        return "reading ...";
    if (strcmp(v->row[row].line[0].column, "epoch_duration") != 0 || !s->has_status)
        return v->row[row].nothing;
    if (!s->active)
        return "no epoch was through";
    if (!(s->epoch >= 0.01) || !(s->time > 0) || v->slow)
        return v->row[row].nothing;
    lw_number_format(lw_number_about(s->time / s->epoch), LW_NUMBER_DURATION, text);
    snprintf(out, size, "an epoch takes about %s", text);
    return out;
}

/* The panel at index i of those shown. */
static void draw_panel(struct lw_view *v, struct lw_surface *s, int i, struct lw_domain x)
{
    const struct lw_rect *rect = &v->layout.panel[i];
    int row = v->shown[i];
    struct lw_panel panel = {.title = v->row[row].title, .widget = LW_WIDGET_CHART};
    struct lw_plot_want want = {
        .source = (const struct lw_source *const *)v->source,
        .refined = v->refined,
        .sources = lw_view_visible(v),
        .by = v->by,
        .smoothing = v->smoothing,
        .x = x,
        .columns = columns_of(rect),
        .no_raw = v->slow,
    };
    struct lw_area area = lw_area_of(s, *rect);
    char empty[64];

    panel.focused = i == v->focus && v->page == LW_PAGE_DASHBOARD;
    if (v->row[row].drift) {
        draw_drift(v, area, row, x, &panel);
        return;
    }
    panel.focused = i == v->focus && v->page == LW_PAGE_DASHBOARD;
    if (lw_plot_make(&v->plot, &v->row[row], &want)) {
        struct lw_chart *chart = &v->plot.chart;

        if (rect->cols >= LABELLED)
            chart->x.label = lw_source_by_name(v->source[0], v->by);
        chart->x.number = v->by == LW_BY_TIME ? LW_NUMBER_DURATION : LW_NUMBER_COMPACT;
        chart->cursor = v->cursor;
        chart->cursor_x = v->by == LW_BY_STEP ? round(v->cursor_x) : v->cursor_x;
        v->y[row] = lw_plot_fit_y(&v->row[row], chart, v->y[row]);
        chart->y.domain = v->y[row];
        panel.model = chart;
    } else {
        panel.message = why_empty(v, row, empty, sizeof empty);
    }
    if (i == v->focus)
        v->plot_rect = lw_panel_body(area).rect;
    lw_panel_draw(area, &panel);
}

void lw_view_draw_charts(struct lw_view *v, struct lw_surface *s)
{
    struct lw_domain x;

    if (!v->sources)
        return;
    x = lw_view_domain(v);
    for (int i = v->layout.first; i < v->layout.first + v->layout.count; i++)
        draw_panel(v, s, i, x);
    if (!v->shown_count)
        lw_panel_draw(lw_area_of(s, v->layout.body),
                      &(struct lw_panel){.title = v->source[0]->name,
                                         .message = v->filter[0] ? "no panel matches the filter"
                                                    : v->source[0]->problem[0]
                                                        ? v->source[0]->problem
                                                        : "no columns with numbers yet"});
}
