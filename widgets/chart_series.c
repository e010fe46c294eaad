/* SPDX-License-Identifier: MIT */
#include "widgets/chart_plot.h"

#include <math.h>
#include <stdlib.h>

/* Farther outside the plot than this makes no difference to a line inside it. */
#define FAR 1e7

/* Where a point falls, in dots from the top left; false where it has no position. */
static bool locate(const struct lw_plot *plot, const struct lw_dots *dots, double x, double y,
                   double *dot_x, double *dot_y)
{
    double px = lw_domain_position(plot->x, plot->chart->x.log, x);
    double py = lw_domain_position(plot->y, plot->chart->y.log, y);

    if (isnan(px) || isnan(py))
        return false;
    *dot_x = fmin(fmax(px * dots->width - 0.5, -FAR), FAR);
    *dot_y = fmin(fmax((1 - py) * dots->height - 0.5, -FAR), FAR);
    /* The ends of the domain are the middle of a dot, not the edge between two. */
    if (px >= 0 && px <= 1)
        *dot_x = fmin(fmax(floor(*dot_x + 0.5), 0), dots->width - 1);
    if (py >= 0 && py <= 1)
        *dot_y = fmin(fmax(floor(*dot_y + 0.5), 0), dots->height - 1);
    return true;
}

static void draw_extent(const struct lw_plot *plot, struct lw_dots *dots, const struct lw_point *p)
{
    double x, low, high;

    if (!isfinite(p->low) || !isfinite(p->high) || p->low == p->high)
        return;
    if (locate(plot, dots, p->x, p->low, &x, &low) && locate(plot, dots, p->x, p->high, &x, &high))
        lw_dots_line(dots, x, low, x, high);
}

static void draw_line(const struct lw_plot *plot, struct lw_dots *dots,
                      const struct lw_series *series)
{
    double last_x = 0, last_y = 0;
    bool joined = false;

    for (size_t i = 0; i < series->count; i++) {
        const struct lw_point *p = &series->points[i];
        double x, y;

        if (!isfinite(p->y) || !locate(plot, dots, p->x, p->y, &x, &y)) {
            joined = false;
            continue;
        }
        draw_extent(plot, dots, p);
        if (!joined) {
            lw_dots_line(dots, x, y, x, y);
        } else if (series->kind == LW_SERIES_STEP) {
            lw_dots_line(dots, last_x, last_y, x, last_y);
            lw_dots_line(dots, x, last_y, x, y);
        } else {
            lw_dots_line(dots, last_x, last_y, x, y);
        }
        joined = true;
        last_x = x;
        last_y = y;
    }
}

static bool shown_at(const struct lw_plot *plot, const struct lw_point *p, int *row, int *col)
{
    *row = lw_plot_row(plot, p->y);
    *col = lw_plot_col(plot, p->x);
    return *row >= 0 && *col >= 0;
}

/* A point glyph where lines would not show: single points between gaps, and points far apart. */
static void draw_points(const struct lw_plot *plot, const struct lw_series *series, bool all,
                        uint32_t mark, struct lw_style style)
{
    for (size_t i = 0; i < series->count; i++) {
        bool before = i > 0 && isfinite(series->points[i - 1].y);
        bool after = i + 1 < series->count && isfinite(series->points[i + 1].y);
        int row, col;

        if (!isfinite(series->points[i].y) || (!all && (before || after)))
            continue;
        if (shown_at(plot, &series->points[i], &row, &col))
            lw_put(plot->body, row, col, mark, style);
    }
}

/* The smallest distance between two points of a series, in cells of the plot. */
static double spacing(const struct lw_plot *plot, const struct lw_series *series)
{
    double least = INFINITY, last = NAN;

    for (size_t i = 0; i < series->count; i++) {
        double at = lw_domain_position(plot->x, plot->chart->x.log, series->points[i].x);

        if (at > last)
            least = fmin(least, at - last);
        if (!isnan(at))
            last = at;
    }
    return least * plot->body.rect.cols;
}

/* The height of the bar that covers a column, in eighths of a cell; 0: none. */
static int bar_height(const struct lw_plot *plot, const struct lw_series *series, int col,
                      double half)
{
    double best = 0;

    for (size_t i = 0; i < series->count; i++) {
        const struct lw_point *p = &series->points[i];
        double at = lw_domain_position(plot->x, plot->chart->x.log, p->x) * plot->body.rect.cols;
        double up = lw_domain_position(plot->y, plot->chart->y.log, p->y);

        if (!isfinite(p->y) || !(up > 0) || !(fabs(at - (col + 0.5)) <= half))
            continue;
        best = fmax(best, fmin(up, 1));
    }
    /* Anything above zero shows. */
    return best > 0 ? (int)fmax(1, lround(best * plot->body.rect.rows * 8)) : 0;
}

static void draw_bars(const struct lw_plot *plot, const struct lw_series *series,
                      struct lw_style style)
{
    const struct lw_glyphs *g = plot->body.surface->glyphs;
    int rows = plot->body.rect.rows;
    double apart = fmin(spacing(plot, series), plot->body.rect.cols / 4.0);
    /* Narrow bars touch: gaps of changing width would be all one sees. */
    double half =
        apart < 1 ? 0.5 : (apart < 3.5 ? apart * 1.0001 : fmin(apart - 1, apart * 0.8)) / 2;

    for (int c = 0; c < plot->body.rect.cols; c++) {
        int height = bar_height(plot, series, c, half);

        for (int r = rows - 1; r >= 0 && height > 0; r--, height -= 8)
            lw_put(plot->body, r, c, g->rise[height > 8 ? 8 : height], style);
    }
}

/* Where something was not finite: a sign at the bottom of the plot. */
static void mark_gaps(const struct lw_plot *plot, const struct lw_series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        int col = lw_plot_col(plot, series->points[i].x);

        if (!isfinite(series->points[i].y) && col >= 0)
            lw_put(plot->body, plot->body.rect.rows - 1, col, plot->body.surface->glyphs->gap,
                   LW_STYLE(LW_INK_ALERT, 0, LW_ATTR_BOLD));
    }
}

static void mark_best(const struct lw_plot *plot, const struct lw_series *series)
{
    int row, col;

    if (series->star && shown_at(plot, series->star, &row, &col))
        lw_put(plot->body, row, col, plot->body.surface->glyphs->star,
               LW_STYLE(series->ink, 0, LW_ATTR_BOLD));
}

/* The point that the legend speaks of, which may lie beside the cursor. */
static void mark_cursor(const struct lw_plot *plot, const struct lw_series *series)
{
    const struct lw_point *p;
    int row, col;

    if (!plot->chart->cursor || series->faint)
        return;
    p = lw_series_near(series, plot->chart->cursor_x);
    if (p && shown_at(plot, p, &row, &col))
        lw_put(plot->body, row, col, plot->body.surface->glyphs->point,
               LW_STYLE(series->ink, 0, LW_ATTR_BOLD));
}

uint32_t lw_series_mark(const struct lw_chart *chart, int index, const struct lw_surface *s,
                        bool *dashed)
{
    int before = 0;

    *dashed = false;
    for (int i = 0; i < index; i++)
        before += !chart->series[i].faint;
    if (s->depth != LW_DEPTH_MONO || before == 0 || chart->series[index].faint)
        return 0;
    if (s->glyphs->charset == LW_CHARSET_ASCII || before > 1)
        return s->glyphs->series[before % 6];
    *dashed = true;
    return 0;
}

/* Few colours cannot show raw data behind its own smoothed curve: both would look the same. */
static bool hidden(const struct lw_plot *plot, const struct lw_series *series)
{
    if (!series->faint || plot->body.surface->depth > LW_DEPTH_8)
        return false;
    for (int i = 0; i < plot->chart->series_count; i++)
        if (plot->chart->series[i].ink == series->ink && !plot->chart->series[i].faint)
            return true;
    return false;
}

static void draw_series(const struct lw_plot *plot, struct lw_dots *dots, int index)
{
    const struct lw_series *series = &plot->chart->series[index];
    struct lw_style style = LW_STYLE(series->ink, 0, series->faint ? LW_ATTR_FAINT : 0);
    uint32_t point = plot->body.surface->glyphs->point, mark;
    bool apart;

    if (series->count == 0 || hidden(plot, series))
        return;
    if (series->kind == LW_SERIES_BAR) {
        draw_bars(plot, series, style);
        return;
    }
    mark = lw_series_mark(plot->chart, index, plot->body.surface, &dots->dashed);
    lw_dots_clear(dots);
    if (series->kind == LW_SERIES_POINT)
        for (size_t i = 0; i < series->count; i++)
            draw_extent(plot, dots, &series->points[i]);
    else
        draw_line(plot, dots, series);
    lw_dots_paint(dots, plot->body, mark, style);
    apart = series->kind == LW_SERIES_POINT ||
            (series->kind == LW_SERIES_LINE && spacing(plot, series) >= 6);
    draw_points(plot, series, apart && !series->faint, mark ? mark : point, style);
}

void lw_plot_series(const struct lw_plot *plot)
{
    const struct lw_chart *chart = plot->chart;
    struct lw_dots dots;

    if (lw_dots_init(&dots, plot->body) < 0)
        return;
    for (int i = 0; i < chart->series_count; i++)
        if (chart->series[i].kind == LW_SERIES_BAR)
            draw_series(plot, &dots, i);
    lw_plot_levels(plot);
    for (int i = 0; i < chart->series_count; i++)
        if (chart->series[i].kind != LW_SERIES_BAR)
            draw_series(plot, &dots, i);
    for (int i = 0; i < chart->series_count; i++)
        mark_gaps(plot, &chart->series[i]);
    for (int i = 0; i < chart->series_count; i++)
        mark_cursor(plot, &chart->series[i]);
    for (int i = 0; i < chart->series_count; i++) /* last: the cursor only rests on the best */
        mark_best(plot, &chart->series[i]);
    lw_dots_fini(&dots);
}
