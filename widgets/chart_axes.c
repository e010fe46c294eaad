/* SPDX-License-Identifier: MIT */
#include "widgets/chart_plot.h"

#include <math.h>
#include <string.h>

static int cell_of(double position, int cells)
{
    if (!(position >= -1e-9 && position <= 1 + 1e-9))
        return -1;
    /* The last dot of the last cell is the end of the domain. */
    return (int)fmin(floor(position * cells), cells - 1);
}

int lw_plot_row(const struct lw_plot *plot, double y)
{
    int rows = plot->body.rect.rows;
    int up = cell_of(lw_domain_position(plot->y, plot->chart->y.log, y), rows);

    return up < 0 ? -1 : rows - 1 - up;
}

int lw_plot_col(const struct lw_plot *plot, double x)
{
    double position = lw_domain_position(plot->x, plot->chart->x.log, x);

    return cell_of(position, plot->body.rect.cols);
}

int lw_plot_y_ticks(const struct lw_plot *plot, int rows, struct lw_ticks *ticks)
{
    const struct lw_axis *axis = &plot->chart->y;
    int widest = 0, max = rows < 4 ? 2 : rows < 7 ? 3 : rows < 9 ? 4 : rows < 16 ? 5 : rows / 3;
    char text[LW_NUMBER_SIZE];

    lw_ticks_make(plot->y, axis->log, axis->number, max, ticks);
    for (int i = 0; i < ticks->count; i++) {
        int n = lw_number_tick(ticks->at[i], ticks->step, axis->number, text);

        widest = n > widest ? n : widest;
    }
    return widest;
}

/* Zones tint the plot where the palette has tints that leave the data readable, and in any case
 * the axis. */
static void paint_zones(const struct lw_plot *plot)
{
    int rows = plot->body.rect.rows, cols = plot->body.rect.cols, axis = plot->left.rect.cols - 1;

    for (int r = 0; r < rows; r++) {
        double y = lw_domain_value(plot->y, plot->chart->y.log, (rows - r - 0.5) / rows);

        for (int i = 0; i < plot->chart->zone_count; i++) {
            const struct lw_zone *zone = &plot->chart->zones[i];

            if (!(y >= zone->low && y < zone->high))
                continue;
            lw_tint(lw_area_sub(plot->body, r, 0, 1, cols), (uint8_t)zone->tint);
            lw_put(plot->left, r, axis, plot->left.surface->glyphs->strip,
                   LW_INK(zone->tint - LW_INK_TINT_OK + LW_INK_OK));
        }
    }
}

void lw_plot_levels(const struct lw_plot *plot)
{
    const struct lw_surface *s = plot->body.surface;

    for (int i = 0; i < plot->chart->level_count; i++) {
        const struct lw_level *level = &plot->chart->levels[i];
        int row = lw_plot_row(plot, level->y);

        for (int c = 0; row >= 0 && c < plot->body.rect.cols; c++) {
            const struct lw_cell *under =
                lw_surface_at(s, plot->body.rect.row + row, plot->body.rect.col + c);
            /* Over a bar the bar's colour goes on behind the line. */
            bool bar = under->code == s->glyphs->rise[8] && s->depth != LW_DEPTH_MONO;

            lw_put(plot->body, row, c, s->glyphs->threshold,
                   LW_STYLE(bar ? LW_INK_TITLE : level->ink, bar ? under->style.fg : 0, 0));
        }
    }
}

static void paint_y_axis(const struct lw_plot *plot)
{
    const struct lw_glyphs *g = plot->body.surface->glyphs;
    int axis = plot->left.rect.cols - 1;
    struct lw_ticks ticks;
    char text[LW_NUMBER_SIZE];

    lw_plot_y_ticks(plot, plot->body.rect.rows, &ticks);
    if (axis >= 0)
        lw_rule_down(plot->left, 0, axis, plot->left.rect.rows, g->vertical, LW_INK(LW_INK_GRID));
    for (int i = 0, last = -1; i < ticks.count; i++) {
        int row = lw_plot_row(plot, ticks.at[i]);

        if (row < 0 || row == last)
            continue;
        last = row;
        if (plot->body.rect.rows >= 6)
            lw_rule(plot->body, row, 0, plot->body.rect.cols, g->grid,
                    LW_STYLE(LW_INK_GRID, 0, LW_ATTR_FAINT));
        if (axis < 0)
            continue;
        lw_number_tick(ticks.at[i], ticks.step, plot->chart->y.number, text);
        lw_put_right(plot->left, row, axis, text, LW_INK(LW_INK_DIM));
        if (plot->chart->zone_count == 0)
            lw_put(plot->left, row, axis, g->tick_left, LW_INK(LW_INK_GRID));
    }
}

struct span {
    int start, end; /* columns below the plot; empty where start >= end */
};

/* Where a label centred under a column goes: inside the area. */
static struct span span_of(const struct lw_plot *plot, int col, const char *text)
{
    int width = (int)strlen(text), start = plot->left.rect.cols + col - width / 2;

    if (start + width > plot->below.rect.cols)
        start = plot->below.rect.cols - width;
    start = start < 0 ? 0 : start;
    return (struct span){start, start + width};
}

static bool touch(struct span a, struct span b)
{
    return b.start < b.end && a.start <= b.end && b.start <= a.end;
}

static struct span paint_cursor_label(const struct lw_plot *plot, int row)
{
    const struct lw_chart *chart = plot->chart;
    int col = chart->cursor ? lw_plot_col(plot, chart->cursor_x) : -1;
    char text[LW_NUMBER_SIZE];
    struct span span;

    if (col < 0)
        return (struct span){0, 0};
    if (chart->cursor_x == floor(chart->cursor_x)) /* a step is a whole number: 468, not 468.0 */
        lw_number_tick(chart->cursor_x, 0, chart->x.number, text);
    else
        lw_number_format(chart->cursor_x, chart->x.number, text);
    span = span_of(plot, col, text);
    lw_put_text(plot->below, row, span.start, text, LW_STYLE(LW_INK_ACCENT, 0, LW_ATTR_REVERSE));
    return span;
}

/* Ticks get labels from the left, as long as they touch neither each other nor the cursor's. */
static void paint_x_ticks(const struct lw_plot *plot, int row)
{
    const struct lw_axis *axis = &plot->chart->x;
    struct span cursor = paint_cursor_label(plot, row), last = {0, 0};
    int cols = plot->below.rect.cols, label = axis->label ? lw_text_cells(axis->label) : 0;
    struct lw_ticks ticks;

    lw_ticks_make(plot->x, axis->log, axis->number, plot->body.rect.cols / 8, &ticks);
    for (int i = 0; i < ticks.count; i++) {
        int col = lw_plot_col(plot, ticks.at[i]);
        char text[LW_NUMBER_SIZE];
        struct span span;

        if (col < 0)
            continue;
        if (plot->rule)
            lw_put(plot->below, 0, plot->left.rect.cols + col,
                   plot->body.surface->glyphs->tick_down, LW_INK(LW_INK_GRID));
        lw_number_tick(ticks.at[i], ticks.step, axis->number, text);
        span = span_of(plot, col, text);
        if (touch(span, cursor) || touch(span, last))
            continue;
        lw_put_text(plot->below, row, span.start, text, LW_INK(LW_INK_DIM));
        last = span;
    }
    if (label > 0 && !touch((struct span){cols - label - 1, cols}, last) &&
        !touch((struct span){cols - label - 1, cols}, cursor))
        lw_put_right(plot->below, row, cols, axis->label, LW_STYLE(LW_INK_DIM, 0, LW_ATTR_FAINT));
}

static void paint_x_axis(const struct lw_plot *plot)
{
    const struct lw_glyphs *g = plot->body.surface->glyphs;
    int offset = plot->left.rect.cols;

    if (lw_area_empty(plot->below))
        return;
    if (plot->rule) {
        lw_rule(plot->below, 0, offset, plot->body.rect.cols, g->horizontal, LW_INK(LW_INK_GRID));
        if (offset > 0)
            lw_put(plot->below, 0, offset - 1, g->corner, LW_INK(LW_INK_GRID));
    }
    paint_x_ticks(plot, plot->rule ? 1 : 0);
}

static void paint_marks(const struct lw_plot *plot)
{
    int rows = plot->body.rect.rows, cols = plot->body.rect.cols;

    for (int i = 0; i < plot->chart->mark_count; i++) {
        const struct lw_mark *mark = &plot->chart->marks[i];
        int col = lw_plot_col(plot, mark->x), cells = mark->name ? lw_text_cells(mark->name) : 0;

        if (col < 0)
            continue;
        lw_rule_down(plot->body, 0, col, rows, plot->body.surface->glyphs->cursor,
                     LW_INK(mark->ink));
        if (!cells || rows < 4 || cells + 2 > cols)
            continue;
        lw_put_text(plot->body, 0, col + 1 + cells < cols ? col + 1 : col - cells, mark->name,
                    LW_INK(mark->ink));
    }
}

void lw_plot_axes(const struct lw_plot *plot)
{
    const struct lw_chart *chart = plot->chart;

    paint_y_axis(plot);
    paint_zones(plot);
    paint_x_axis(plot);
    paint_marks(plot);
    if (chart->cursor)
        lw_rule_down(plot->body, 0, lw_plot_col(plot, chart->cursor_x), plot->body.rect.rows,
                     plot->body.surface->glyphs->cursor, LW_INK(LW_INK_ACCENT));
}
