/* SPDX-License-Identifier: MIT
 *
 * What of a chart every painter needs: where its data lies and where its axes end. */
#include "widgets/chart.h"

#include <math.h>

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

void lw_chart_domains(const struct lw_chart *chart, struct lw_domain *x, struct lw_domain *y)
{
    struct lw_domain none = {0, 0}, seen;
    struct lw_chart shown = *chart;

    *x = chart->x.domain;
    if (!lw_domain_valid(*x) || (chart->x.log && x->low <= 0)) {
        seen = lw_chart_extent_x(chart);
        *x = chart->x.log ? lw_domain_fit_y(none, seen.low, seen.high, false, true)
                          : lw_domain_fit_x(none, seen.low, seen.high);
    }
    if (!lw_domain_valid(*x))
        *x = (struct lw_domain){chart->x.log ? 1 : 0, chart->x.log ? 10 : 1};
    shown.x.domain = *x;
    *y = chart->y.domain;
    if (!lw_domain_valid(*y) || (chart->y.log && y->low <= 0)) {
        seen = lw_chart_extent_y(&shown);
        *y = lw_domain_fit_y(none, seen.low, seen.high, has_bars(chart), chart->y.log);
    }
    if (!lw_domain_valid(*y))
        *y = (struct lw_domain){chart->y.log ? 1 : 0, chart->y.log ? 10 : 1};
}
