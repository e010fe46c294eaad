/* SPDX-License-Identifier: MIT */
#include "widgets/chart.h"

#include <math.h>

#include "widgets/chart_plot.h"

static struct lw_domain widen(struct lw_domain d, double v)
{
    if (!isfinite(v))
        return d;
    return (struct lw_domain){isnan(d.low) ? v : fmin(d.low, v),
                              isnan(d.high) ? v : fmax(d.high, v)};
}

struct lw_domain lw_chart_extent_x(const struct lw_chart *chart)
{
    struct lw_domain d = {NAN, NAN};

    for (int s = 0; s < chart->series_count; s++) {
        const struct lw_series *series = &chart->series[s];

        for (size_t i = 0; i < series->count; i++)
            if (!chart->x.log || series->points[i].x > 0)
                d = widen(d, series->points[i].x);
    }
    return d;
}

struct lw_domain lw_chart_extent_y(const struct lw_chart *chart)
{
    struct lw_domain d = {NAN, NAN}, x = chart->x.domain;
    bool all = !lw_domain_valid(x);

    for (int s = 0; s < chart->series_count; s++) {
        const struct lw_series *series = &chart->series[s];

        for (size_t i = 0; i < series->count; i++) {
            const struct lw_point *p = &series->points[i];
            const double values[] = {p->y, p->low, p->high};

            if (!isfinite(p->y) || !(all || (p->x >= x.low && p->x <= x.high)))
                continue;
            for (int v = 0; v < 3; v++)
                if (!chart->y.log || values[v] > 0)
                    d = widen(d, values[v]);
        }
    }
    return d;
}

const struct lw_point *lw_series_near(const struct lw_series *series, double x)
{
    const struct lw_point *best = NULL;
    double distance = INFINITY;

    for (size_t i = 0; i < series->count; i++) {
        double here = fabs(series->points[i].x - x);

        if (isfinite(series->points[i].y) && here < distance) {
            distance = here;
            best = &series->points[i];
        }
    }
    return best;
}

static bool has_bars(const struct lw_chart *chart)
{
    for (int i = 0; i < chart->series_count; i++)
        if (chart->series[i].kind == LW_SERIES_BAR)
            return true;
    return false;
}

static void choose_domains(struct lw_plot *plot)
{
    const struct lw_chart *chart = plot->chart;
    struct lw_domain none = {0, 0}, seen;
    struct lw_chart shown = *chart;

    plot->x = chart->x.domain;
    if (!lw_domain_valid(plot->x) || (chart->x.log && plot->x.low <= 0)) {
        seen = lw_chart_extent_x(chart);
        plot->x = chart->x.log ? lw_domain_fit_y(none, seen.low, seen.high, false, true)
                               : lw_domain_fit_x(none, seen.low, seen.high);
    }
    if (!lw_domain_valid(plot->x))
        plot->x = (struct lw_domain){chart->x.log ? 1 : 0, chart->x.log ? 10 : 1};
    shown.x.domain = plot->x;
    plot->y = chart->y.domain;
    if (!lw_domain_valid(plot->y) || (chart->y.log && plot->y.low <= 0)) {
        seen = lw_chart_extent_y(&shown);
        plot->y = lw_domain_fit_y(none, seen.low, seen.high, has_bars(chart), chart->y.log);
    }
    if (!lw_domain_valid(plot->y))
        plot->y = (struct lw_domain){chart->y.log ? 1 : 0, chart->y.log ? 10 : 1};
}

/* Labels of less room than this are left out, so that something of the data is left. */
#define LEAST_COLS 16
#define LEAST_ROWS 4
#define RULE_ROWS  8

/* Wide enough for most labels, so that the axes of panels under each other line up. */
#define LABEL_COLS 5

static void place(struct lw_plot *plot, struct lw_area a)
{
    int rows = a.rect.rows, cols = a.rect.cols;
    int under = rows >= RULE_ROWS ? 2 : rows >= LEAST_ROWS ? 1 : 0, beside = 0;

    if (cols >= LEAST_COLS && rows >= 2) {
        struct lw_ticks ticks;
        int label = lw_plot_y_ticks(plot, rows - under, &ticks);

        beside = (label > LABEL_COLS ? label : LABEL_COLS) + 1;
    }
    plot->rule = under == 2;
    plot->body = lw_area_sub(a, 0, beside, rows - under, cols - beside);
    plot->left = lw_area_sub(a, 0, 0, rows - under, beside);
    plot->below = lw_area_sub(a, rows - under, 0, under, cols);
}

void lw_chart_draw(struct lw_area a, const struct lw_chart *chart)
{
    struct lw_plot plot = {.chart = chart};

    if (lw_area_empty(a))
        return;
    choose_domains(&plot);
    place(&plot, a);
    lw_plot_axes(&plot);
    lw_plot_series(&plot);
}
