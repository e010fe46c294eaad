/* SPDX-License-Identifier: MIT */
#include "widgets/heatmap.h"

#include <math.h>
#include <string.h>

#define NAME_MAX_COLS 24
#define CELL_MAX_COLS 12
#define NOW_COLS      9 /* "NO DATA", "UNKNOWN" and a blank on either side */

struct grid {
    struct lw_area names, cells, below;
    int first, cols; /* map columns shown */
    int width;       /* of one, in cells */
    int last;        /* of the last one, which may be wider */
    int height;      /* of a row; the second of two stays blank, the middle one of three speaks */
    int gap;         /* blank columns between them */
    int rows;        /* map rows shown */
    bool halves;     /* two map rows share a cell */
};

static int widest_name(const struct lw_heatmap *map)
{
    int widest = 0;

    for (int r = 0; r < map->rows; r++) {
        int n = map->row_names && map->row_names[r] ? lw_text_cells(map->row_names[r]) : 0;

        widest = n > widest ? n : widest;
    }
    return widest > NAME_MAX_COLS ? NAME_MAX_COLS : widest;
}

/* Columns as wide as there is room, the last one wider where it is now. */
static void share_columns(const struct lw_heatmap *map, int room, struct grid *grid)
{
    bool now = map->now && map->cols > 1 && room > NOW_COLS;
    int others = now ? map->cols - 1 : map->cols, left = now ? room - NOW_COLS : room;

    others = others < left ? others : left;
    grid->cols = others + now;
    grid->first = map->cols - grid->cols;
    grid->width = others > 0 ? left / others : 0;
    grid->width = grid->width > CELL_MAX_COLS ? CELL_MAX_COLS : grid->width;
    grid->gap = grid->width >= 4 ? 1 : 0;
    grid->last = now && grid->width < NOW_COLS ? NOW_COLS : grid->width;
}

static int width_of(const struct grid *grid, int col)
{
    return col == grid->cols - 1 ? grid->last : grid->width;
}

static void place(const struct lw_heatmap *map, struct lw_area a, struct grid *grid)
{
    int names = widest_name(map), room, below;

    /* Names never take more than half of the width. */
    names = names + 2 > a.rect.cols / 2 ? a.rect.cols / 2 - 2 : names;
    names = names < 3 ? 0 : names + 2;
    grid->rows = map->rows;
    grid->halves = map->rows > a.rect.rows && map->values && a.surface->glyphs->upper_half != 0 &&
                   a.surface->depth > LW_DEPTH_MONO;
    if (grid->halves && map->rows > 2 * a.rect.rows)
        grid->rows = 2 * a.rect.rows;
    else if (!grid->halves && map->rows > a.rect.rows)
        grid->rows = a.rect.rows - 1; /* the last one says how many are missing */
    below = (map->col_names || map->x_label) && a.rect.rows > map->rows ? 1 : 0;
    room = a.rect.cols - names;
    share_columns(map, room, grid);
    grid->height = (a.rect.rows - below) / (map->rows > 0 ? map->rows : 1);
    grid->height = grid->height < 1                 ? 1
                   : grid->height > LW_HEAT_TALLEST ? LW_HEAT_TALLEST
                                                    : grid->height;
    grid->names = lw_area_sub(a, 0, 0, a.rect.rows - below, names);
    grid->cells = lw_area_sub(a, 0, names, a.rect.rows - below, room);
    grid->below = lw_area_sub(a, map->rows * grid->height, names, below, room);
}

/* The word where it fits, short ones with a gap behind (OKOKOK reads badly), else its sign. */
static void put_word(struct lw_area cell, const char *word, uint32_t sign, struct lw_style style)
{
    int cols = cell.rect.cols, n = (int)strlen(word);

    if (n < cols || (n == cols && n > 4))
        lw_put_text(cell, 0, (cols - n) / 2, word, style);
    else
        lw_put(cell, 0, (cols - 1) / 2, sign, style);
}

/* The row of a cell that says something. Of three rows the others add half a row of the ink each,
 * so that cells neither touch nor leave a blank line between them. */
static struct lw_area middle_of(struct lw_area cell, enum lw_ink ink, bool solid)
{
    const struct lw_glyphs *g = cell.surface->glyphs;

    if (cell.rect.rows < 3)
        return cell;
    if (solid && g->upper_half && cell.surface->depth != LW_DEPTH_MONO) {
        lw_rule(cell, 0, 0, cell.rect.cols, g->rise[4], LW_INK(ink));
        lw_rule(cell, 2, 0, cell.rect.cols, g->upper_half, LW_INK(ink));
    }
    return lw_area_sub(cell, 1, 0, 1, cell.rect.cols);
}

static void draw_state(struct lw_area cell, const struct lw_heat_cell *data)
{
    enum lw_light state = (unsigned)data->state < LW_LIGHT_COUNT ? data->state : LW_LIGHT_UNKNOWN;
    const struct lw_surface *s = cell.surface;
    enum lw_ink ink = lw_light_ink(state);
    bool solid = state == LW_LIGHT_OK || state == LW_LIGHT_WARN || state == LW_LIGHT_ALERT;
    struct lw_style style = LW_INK(ink);

    cell = middle_of(cell, ink, solid);
    if (solid && s->depth != LW_DEPTH_MONO) {
        style = LW_STYLE(LW_INK_BLACK, ink, 0);
        lw_fill(cell, style);
    } else if (state == LW_LIGHT_ALERT) {
        style.attr = LW_ATTR_REVERSE;
        lw_fill(cell, style);
    }
    put_word(cell, lw_light_word(state), s->glyphs->state[state], style);
}

/* The step of the ramp for a value, of so many; -1 where it has none. */
static int step_of(const struct lw_heatmap *map, double value, int steps)
{
    double share = (value - map->low) / (map->high - map->low);

    return isfinite(share) ? (int)lround(fmin(fmax(share, 0), 1) * (steps - 1)) : -1;
}

static void draw_value(struct lw_area cell, const struct lw_heatmap *map, double value)
{
    const struct lw_surface *s = cell.surface;
    bool mono = s->depth == LW_DEPTH_MONO;
    int step = step_of(map, value, mono ? 10 : LW_HEAT_STEPS), n;
    char text[LW_NUMBER_SIZE];
    struct lw_style style = LW_INK(LW_INK_TEXT);

    cell = middle_of(cell, (enum lw_ink)(LW_INK_HEAT + step), step >= 0);
    if (step < 0) {
        put_word(cell, "--", s->glyphs->state[LW_LIGHT_UNKNOWN], LW_INK(LW_INK_DIM));
        return;
    }
    if (mono) {
        lw_rule(cell, 0, 0, cell.rect.cols, s->glyphs->shade[step], style);
    } else {
        style = LW_STYLE(step >= LW_HEAT_STEPS / 2 ? LW_INK_BLACK : LW_INK_TITLE,
                         LW_INK_HEAT + step, 0);
        lw_fill(cell, style);
    }
    n = lw_number_format(value, LW_NUMBER_COMPACT, text);
    if (n + 2 * mono <= cell.rect.cols)
        lw_put_text(cell, 0, (cell.rect.cols - n) / 2, text, style);
}

/* The upper half of a cell in the foreground, the lower one in the background. */
static void draw_halves(const struct lw_heatmap *map, const struct grid *grid, int row, int col)
{
    const struct lw_heat_cell *upper = &map->cells[row * map->cols + grid->first + col];
    int above = step_of(map, upper->value, LW_HEAT_STEPS), below = -1;
    struct lw_style style;

    if (row + 1 < map->rows)
        below = step_of(map, upper[map->cols].value, LW_HEAT_STEPS);
    style = LW_STYLE(above < 0 ? LW_INK_GRID : LW_INK_HEAT + above,
                     below < 0 ? LW_INK_NONE : LW_INK_HEAT + below, 0);
    lw_rule(lw_area_sub(grid->cells, row / 2, col * grid->width, 1, grid->width), 0, 0, grid->width,
            grid->cells.surface->glyphs->upper_half, style);
}

static void draw_cell(const struct lw_heatmap *map, const struct grid *grid, int row, int col)
{
    const struct lw_heat_cell *data = &map->cells[row * map->cols + grid->first + col];
    bool wide = width_of(grid, col) > grid->width;
    struct lw_area cell =
        lw_area_sub(grid->cells, row * grid->height, col * grid->width + wide,
                    grid->height < 3 ? 1 : 3, width_of(grid, col) - (wide || grid->gap));

    if (lw_area_empty(cell))
        return;
    if (map->values)
        draw_value(cell, map, data->value);
    else
        draw_state(cell, data);
}

static void draw_names(const struct lw_heatmap *map, const struct grid *grid)
{
    int room = grid->names.rect.cols - 2;

    for (int r = 0; r < grid->rows; r += 1 + grid->halves)
        if (map->row_names && map->row_names[r])
            lw_put_cut(grid->names, grid->halves ? r / 2 : r * grid->height + grid->height / 3, 1,
                       room, map->row_names[r], LW_INK(LW_INK_DIM));
    if (!grid->halves && grid->rows < map->rows)
        lw_putf(grid->cells, grid->rows, 0, LW_STYLE(LW_INK_DIM, 0, LW_ATTR_FAINT), "and %d more",
                map->rows - grid->rows);
}

static void draw_below(const struct lw_heatmap *map, const struct grid *grid)
{
    int free = 0, end = grid->below.rect.cols;

    for (int c = 0; map->col_names && c < grid->cols; c++) {
        const char *name = map->col_names[grid->first + c];
        int cells = name ? lw_text_cells(name) : 0;
        int col = c * grid->width + (width_of(grid, c) - grid->gap - cells) / 2;

        col = col < free ? c * grid->width : col;
        if (cells == 0 || col < free || col + cells > end ||
            (grid->last > grid->width && c < grid->cols - 1 &&
             col + cells > (grid->cols - 1) * grid->width))
            continue;
        lw_put_text(grid->below, 0, col, name, LW_INK(LW_INK_DIM));
        free = col + cells + 1;
    }
    if (map->x_label && free + 1 + lw_text_cells(map->x_label) <= end)
        lw_put_right(grid->below, 0, end, map->x_label, LW_STYLE(LW_INK_DIM, 0, LW_ATTR_FAINT));
}

void lw_heatmap_draw(struct lw_area a, const struct lw_heatmap *map)
{
    struct grid grid;

    if (lw_area_empty(a) || map->rows <= 0 || map->cols <= 0)
        return;
    place(map, a, &grid);
    draw_names(map, &grid);
    for (int r = 0; r < grid.rows; r += 1 + grid.halves) {
        for (int c = 0; c < grid.cols; c++) {
            if (grid.halves)
                draw_halves(map, &grid, r, c);
            else
                draw_cell(map, &grid, r, c);
        }
    }
    draw_below(map, &grid);
}
