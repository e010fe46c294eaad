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
    const struct lw_glyphs *g = plot->body.surface->glyphs;

    for (int i = 0; i < plot->chart->level_count; i++) {
        const struct lw_level *level = &plot->chart->levels[i];
        int row = lw_plot_row(plot, level->y);

        if (row >= 0)
            lw_rule(plot->body, row, 0, plot->body.rect.cols, g->threshold, LW_INK(level->ink));
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

/* The label of a tick, centred under it but inside the area; skipped where it would touch the one
 * before. Returns the first column that is free again. */
static int put_label(const struct lw_plot *plot, int row, int col, int from, const char *text,
                     struct lw_style style)
{
    int width = (int)strlen(text), start = col - width / 2;

    if (start + width > plot->below.rect.cols)
        start = plot->below.rect.cols - width;
    if (start < from)
        return from;
    lw_put_text(plot->below, row, start, text, style);
    return start + width + 2;
}

static void paint_cursor_label(const struct lw_plot *plot, int row, int offset)
{
    const struct lw_chart *chart = plot->chart;
    int col = lw_plot_col(plot, chart->cursor_x), width, start;
    char text[LW_NUMBER_SIZE];

    if (!chart->cursor || col < 0)
        return;
    width = lw_number_format(chart->cursor_x, chart->x.number, text);
    start = offset + col - width / 2;
    if (start + width > plot->below.rect.cols)
        start = plot->below.rect.cols - width;
    start = start < 0 ? 0 : start;
    lw_put_text(plot->below, row, start, text, LW_STYLE(LW_INK_ACCENT, 0, LW_ATTR_REVERSE));
}

static void paint_x_axis(const struct lw_plot *plot)
{
    const struct lw_glyphs *g = plot->body.surface->glyphs;
    const struct lw_axis *axis = &plot->chart->x;
    int offset = plot->left.rect.cols, row = plot->rule ? 1 : 0, free = 0;
    int room = plot->below.rect.cols - offset, max = room / 8;
    const char *label = axis->label;
    struct lw_ticks ticks;

    if (lw_area_empty(plot->below))
        return;
    if (plot->rule) {
        lw_rule(plot->below, 0, offset, room, g->horizontal, LW_INK(LW_INK_GRID));
        if (offset > 0)
            lw_put(plot->below, 0, offset - 1, g->corner, LW_INK(LW_INK_GRID));
    }
    lw_ticks_make(plot->x, axis->log, axis->number, max, &ticks);
    for (int i = 0; i < ticks.count; i++) {
        int col = lw_plot_col(plot, ticks.at[i]);
        char text[LW_NUMBER_SIZE];

        if (col < 0)
            continue;
        lw_number_tick(ticks.at[i], ticks.step, axis->number, text);
        free = put_label(plot, row, offset + col, free, text, LW_INK(LW_INK_DIM));
        if (plot->rule)
            lw_put(plot->below, 0, offset + col, g->tick_down, LW_INK(LW_INK_GRID));
    }
    if (label && free + lw_text_cells(label) <= plot->below.rect.cols)
        lw_put_right(plot->below, row, plot->below.rect.cols, label,
                     LW_STYLE(LW_INK_DIM, 0, LW_ATTR_FAINT));
    paint_cursor_label(plot, row, offset);
}

void lw_plot_axes(const struct lw_plot *plot)
{
    const struct lw_chart *chart = plot->chart;

    paint_y_axis(plot);
    paint_zones(plot);
    paint_x_axis(plot);
    if (chart->cursor)
        lw_rule_down(plot->body, 0, lw_plot_col(plot, chart->cursor_x), plot->body.rect.rows,
                     plot->body.surface->glyphs->cursor, LW_INK(LW_INK_ACCENT));
}
