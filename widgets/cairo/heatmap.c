/* SPDX-License-Identifier: MIT */
#include "widgets/heatmap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "widgets/cairo/frame.h"

struct grid {
    struct lw_box cells;
    double last; /* width of the last column */
};

/* Signs for cells too narrow for words. */
static const char *const sign[LW_LIGHT_COUNT] = {
    [LW_LIGHT_NONE] = "-",  [LW_LIGHT_OK] = "+",     [LW_LIGHT_WARN] = "!",
    [LW_LIGHT_ALERT] = "X", [LW_LIGHT_UNSURE] = "?", [LW_LIGHT_UNKNOWN] = "-",
};

static struct lw_box cell_of(const struct lw_heatmap *map, const struct grid *g, int row, int col)
{
    double others = map->cols > 1 ? (g->cells.w - g->last) / (map->cols - 1) : 0;
    double high = g->cells.h / map->rows;
    bool last = col == map->cols - 1;

    return (struct lw_box){g->cells.x + (last ? g->cells.w - g->last : col * others),
                           g->cells.y + row * high, last ? g->last : others, high};
}

static void draw_word(struct lw_canvas *c, struct lw_box cell, enum lw_light light)
{
    struct lw_text_style style = {
        .size = LW_TEXT_TICK, .bold = true, .rgb = LW_RGB_BLACK, .align = LW_ALIGN_MIDDLE};
    const char *words[] = {lw_light_word(light), sign[light]};

    if (light == LW_LIGHT_NONE || light == LW_LIGHT_UNKNOWN || light == LW_LIGHT_UNSURE)
        style.rgb = LW_RGB_GREY;
    for (int i = 0; i < 2; i++)
        if (lw_canvas_width(c, style.size, true, words[i]) + 3 * c->scale <= cell.w &&
            lw_canvas_line(c, style.size) * 0.8 <= cell.h) {
            lw_canvas_text(c, cell.x + cell.w / 2, cell.y + cell.h / 2, &style, words[i]);
            return;
        }
}

static void draw_cell(struct lw_canvas *c, struct lw_box cell, enum lw_light light)
{
    double gap = fmin(1.2 * c->scale, 0.1 * cell.w);
    struct lw_box box = {cell.x + gap / 2, cell.y + gap / 2, cell.w - gap, cell.h - gap};

    light = (unsigned)light < LW_LIGHT_COUNT ? light : LW_LIGHT_UNKNOWN;
    if (light == LW_LIGHT_UNSURE) {
        lw_canvas_ink(c, LW_INK_UNSURE, 1);
        lw_canvas_pen(c, 1);
        cairo_rectangle(c->cr, box.x + 0.5 * c->scale, box.y + 0.5 * c->scale, box.w - 1 * c->scale,
                        box.h - 1 * c->scale);
        cairo_stroke(c->cr);
    } else if (light == LW_LIGHT_NONE || light == LW_LIGHT_UNKNOWN) {
        lw_canvas_color(c, 0xdddddd, 1);
        lw_canvas_fill(c, box);
    } else {
        lw_canvas_ink(c, lw_light_ink(light), 1);
        lw_canvas_fill(c, box);
    }
    draw_word(c, cell, light);
}

static void draw_value(struct lw_canvas *c, struct lw_box cell, const struct lw_heatmap *map,
                       double value)
{
    double share = (value - map->low) / (map->high - map->low);
    int step = (int)lround(fmin(fmax(share, 0), 1) * (LW_HEAT_STEPS - 1));

    if (isnan(share))
        lw_canvas_color(c, 0xdddddd, 1);
    else
        lw_canvas_ink(c, (enum lw_ink)(LW_INK_HEAT + step), 1);
    lw_canvas_fill(c, cell);
}

static void draw_names(struct lw_canvas *c, const struct lw_heatmap *map, const struct grid *g)
{
    struct lw_text_style style = {
        .size = LW_TEXT_TICK, .rgb = LW_RGB_BLACK, .align = LW_ALIGN_RIGHT};
    double free = -1e9, line = lw_canvas_line(c, LW_TEXT_TICK), now, widest = 0;
    int stride = 1;

    for (int r = 0; map->row_names && r < map->rows; r++) {
        struct lw_box cell = cell_of(map, g, r, 0);

        lw_canvas_text(c, g->cells.x - 6 * c->scale, cell.y + cell.h / 2, &style,
                       map->row_names[r]);
    }
    style.align = LW_ALIGN_MIDDLE;
    for (int k = 0; map->col_names && k < map->cols; k++)
        widest = fmax(widest, lw_canvas_width(c, LW_TEXT_TICK, false, map->col_names[k]));
    if (map->cols > 1)
        stride = (int)ceil((widest + 0.6 * LW_TEXT_TICK * c->scale) / cell_of(map, g, 0, 0).w);
    now = map->now ? cell_of(map, g, 0, map->cols - 1).x : INFINITY;
    for (int k = 0; map->col_names && k < map->cols; k++) {
        struct lw_box cell = cell_of(map, g, map->rows - 1, k);
        double middle = cell.x + cell.w / 2;
        double half = lw_canvas_width(c, LW_TEXT_TICK, false, map->col_names[k]) / 2;

        if ((k % stride && k < map->cols - 1) || middle - half < free ||
            (k < map->cols - 1 && middle + half > now))
            continue;
        lw_canvas_text(c, middle, g->cells.y + g->cells.h + 0.7 * line, &style, map->col_names[k]);
        free = middle + half + 0.6 * LW_TEXT_TICK * c->scale;
    }
    if (map->x_label) {
        style.size = LW_TEXT_LABEL;
        lw_canvas_text(c, g->cells.x + g->cells.w / 2,
                       g->cells.y + g->cells.h + (map->col_names ? 1.9 : 0.9) * line, &style,
                       map->x_label);
    }
}

void lw_paint_heatmap(struct lw_canvas *c, struct lw_box box, const void *model)
{
    static const struct lw_entry entry[] = {{"OK", LW_INK_OK, LW_SWATCH_PATCH},
                                            {"Warn", LW_INK_WARN, LW_SWATCH_PATCH},
                                            {"Alert", LW_INK_ALERT, LW_SWATCH_PATCH},
                                            {"Unsure", LW_INK_UNSURE, LW_SWATCH_HOLLOW}};
    const struct lw_heatmap *map = model;
    double line = lw_canvas_line(c, LW_TEXT_TICK), names = 0, word;
    struct grid g = {.cells = box};

    if (map->rows < 1 || map->cols < 1)
        return;
    for (int r = 0; map->row_names && r < map->rows; r++)
        names = fmax(names, lw_canvas_width(c, LW_TEXT_TICK, false, map->row_names[r]));
    names += 10 * c->scale;
    g.cells.x += names;
    g.cells.w = fmax(g.cells.w - names - 4 * c->scale, 1);
    g.cells.h -= (map->col_names ? 1.3 : 0) * line + (map->x_label ? 1.3 : 0) * line +
                 (map->values ? 0 : 2 * line);
    word = lw_canvas_width(c, LW_TEXT_TICK, true, "UNKNOWN") + 10 * c->scale;
    g.last = g.cells.w / map->cols;
    if (map->now && map->cols > 1)
        g.last = fmin(fmax(g.last, word), g.cells.w / 2);
    for (int r = 0; r < map->rows; r++)
        for (int k = 0; k < map->cols; k++) {
            const struct lw_heat_cell *cell = &map->cells[r * map->cols + k];

            if (map->values)
                draw_value(c, cell_of(map, &g, r, k), map, cell->value);
            else
                draw_cell(c, cell_of(map, &g, r, k), cell->state);
        }
    draw_names(c, map, &g);
    if (!map->values)
        lw_legend_below(c, box, box.y + box.h - 0.6 * line, entry, 4);
}
