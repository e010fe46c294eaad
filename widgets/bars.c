/* SPDX-License-Identifier: MIT */
#include "widgets/bars.h"

#include <math.h>

#include "widgets/legend.h"

#define LABEL_COLS 5

struct frame {
    struct lw_area left, body, below;
    struct lw_domain y;
    int slot;   /* cells of a bin */
    int bar;    /* cells of one bar */
    int margin; /* left of the first bar of a bin */
};

static bool shows(double v)
{
    return isfinite(v) && v >= 0;
}

static double largest(const struct lw_bars *bars)
{
    double max = 0;

    for (int s = 0; s < bars->series_count; s++)
        for (int i = 0; i < bars->bins; i++)
            if (shows(bars->series[s].values[i]))
                max = fmax(max, bars->series[s].values[i]);
    return max;
}

static int y_ticks(const struct frame *f, const struct lw_bars *bars, int rows,
                   struct lw_ticks *ticks)
{
    char text[LW_NUMBER_SIZE];
    int widest = 0;

    lw_ticks_make(f->y, false, bars->number, rows < 4 ? 2 : rows < 7 ? 3 : rows < 9 ? 4 : 5, ticks);
    for (int i = 0; i < ticks->count; i++) {
        int n = lw_number_tick(ticks->at[i], ticks->step, bars->number, text);

        widest = n > widest ? n : widest;
    }
    return widest;
}

static void place(const struct lw_bars *bars, struct lw_area a, struct frame *f)
{
    int rows = a.rect.rows, cols = a.rect.cols, beside = 0;
    int under = rows >= 8 ? 2 : rows >= 4 ? 1 : 0, spare;
    struct lw_ticks ticks;

    f->y = bars->top > 0 ? (struct lw_domain){0, bars->top}
                         : lw_domain_fit_y((struct lw_domain){0, 0}, 0, largest(bars), true, false);
    if (cols >= 16 && rows >= 2) {
        beside = y_ticks(f, bars, rows - under, &ticks);
        beside = (beside > LABEL_COLS ? beside : LABEL_COLS) + 1;
    }
    f->left = lw_area_sub(a, 0, 0, rows - under, beside);
    f->body = lw_area_sub(a, 0, beside, rows - under, cols - beside);
    f->below = lw_area_sub(a, rows - under, 0, under, cols);
    f->slot = f->body.rect.cols / bars->bins;
    spare = f->slot > 2 ? 1 + (f->slot > 7) : 0;
    f->bar = (f->slot - spare) / bars->series_count;
    f->bar = f->bar < 1 ? 1 : f->bar;
    f->margin = (f->slot - f->bar * bars->series_count) / 2;
}

/* The column where a bin's part of the plot begins; more bins than cells share them. */
static int bin_start(const struct lw_bars *bars, const struct frame *f, int bin)
{
    if (f->slot > 0)
        return bin * f->slot;
    return (int)((long long)bin * f->body.rect.cols / bars->bins);
}

static void draw_bar(const struct frame *f, int col, double value, const struct lw_bar_series *s,
                     uint32_t full)
{
    const struct lw_glyphs *g = f->body.surface->glyphs;
    int rows = f->body.rect.rows, height;

    if (!shows(value) || value == 0)
        return;
    height = (int)lround(fmin(value / f->y.high, 1) * rows * 8);
    height = height < 1 ? 1 : height;
    for (int r = rows - 1; r >= 0 && height > 0; r--, height -= 8)
        for (int c = 0; c < f->bar; c++)
            lw_put(f->body, r, col + c,
                   height >= 8 && full ? full : g->rise[height > 8 ? 8 : height], LW_INK(s->ink));
}

/* Without colour the second series is drawn in its own character. */
static uint32_t full_of(const struct lw_surface *s, int series)
{
    return s->depth == LW_DEPTH_MONO && series > 0 ? ':' : 0;
}

static void draw_axes(const struct lw_bars *bars, const struct frame *f)
{
    const struct lw_glyphs *g = f->body.surface->glyphs;
    int axis = f->left.rect.cols - 1, rows = f->body.rect.rows;
    struct lw_ticks ticks;
    char text[LW_NUMBER_SIZE];

    y_ticks(f, bars, rows, &ticks);
    lw_rule_down(f->left, 0, axis, rows, g->vertical, LW_INK(LW_INK_GRID));
    for (int i = 0, last = -1; i < ticks.count; i++) {
        int up = (int)fmin(floor(ticks.at[i] / f->y.high * rows), rows - 1), row = rows - 1 - up;

        if (row == last || row < 0)
            continue;
        last = row;
        if (rows >= 6)
            lw_rule(f->body, row, 0, f->body.rect.cols, g->grid,
                    LW_STYLE(LW_INK_GRID, 0, LW_ATTR_FAINT));
        lw_number_tick(ticks.at[i], ticks.step, bars->number, text);
        lw_put_right(f->left, row, axis, text, LW_INK(LW_INK_DIM));
        lw_put(f->left, row, axis, g->tick_left, LW_INK(LW_INK_GRID));
    }
    if (f->below.rect.rows > 1) {
        lw_rule(f->below, 0, axis + 1, f->body.rect.cols, g->horizontal, LW_INK(LW_INK_GRID));
        lw_put(f->below, 0, axis, g->corner, LW_INK(LW_INK_GRID));
    }
}

/* A label under column col, unless it would touch its neighbour. */
static int put_label(const struct frame *f, int col, int from, const char *text)
{
    int cells = lw_text_cells(text), start = f->left.rect.cols + col - cells / 2;
    int end = f->below.rect.cols;

    start = start < 0 ? 0 : start;
    if (start + cells > end)
        start = end - cells;
    if (start < from || cells == 0)
        return from;
    lw_put_text(f->below, f->below.rect.rows - 1, start, text, LW_INK(LW_INK_DIM));
    return start + cells + 2;
}

/* Every how manieth edge can be labelled without two labels touching. */
static int label_stride(const struct lw_bars *bars, const struct frame *f, double step)
{
    static const int strides[] = {1, 2, 5, 10, 20, 50, 100};
    char text[LW_NUMBER_SIZE];
    int widest = 0;

    for (int i = 0; i <= bars->bins; i++) {
        int n = lw_number_tick(bars->edges[i], step, LW_NUMBER_COMPACT, text);

        widest = n > widest ? n : widest;
    }
    for (int i = 0; i < 7; i++)
        if (bin_start(bars, f, strides[i]) >= widest + 2)
            return strides[i];
    return bars->bins;
}

static void draw_labels(const struct lw_bars *bars, const struct frame *f)
{
    int free = 0, end = f->below.rect.cols, stride = 1;
    double step = 0;

    if (lw_area_empty(f->below))
        return;
    if (bars->edges) {
        step = (bars->edges[bars->bins] - bars->edges[0]) / bars->bins;
        stride = label_stride(bars, f, step);
    }
    for (int i = 0; i <= bars->bins; i += stride) {
        int start = bin_start(bars, f, i);
        char text[LW_NUMBER_SIZE];

        if (bars->edges) {
            lw_number_tick(bars->edges[i], step * stride, LW_NUMBER_COMPACT, text);
            free = put_label(f, start, free, text);
        } else if (bars->labels && i < bars->bins && bars->labels[i]) {
            free = put_label(f, start + f->slot / 2, free, bars->labels[i]);
        }
    }
    if (bars->x_label && free + lw_text_cells(bars->x_label) <= end)
        lw_put_right(f->below, f->below.rect.rows - 1, end, bars->x_label,
                     LW_STYLE(LW_INK_DIM, 0, LW_ATTR_FAINT));
}

void lw_bars_draw(struct lw_area a, const struct lw_bars *bars)
{
    struct frame f;

    if (lw_area_empty(a) || bars->bins <= 0 || bars->series_count <= 0)
        return;
    place(bars, a, &f);
    draw_axes(bars, &f);
    for (int s = 0; s < bars->series_count; s++)
        for (int i = 0; i < bars->bins; i++)
            draw_bar(&f, bin_start(bars, &f, i) + f.margin + s * f.bar, bars->series[s].values[i],
                     &bars->series[s], full_of(a.surface, s));
    draw_labels(bars, &f);
}

int lw_bars_legend(struct lw_area a, int row, int from, const struct lw_bars *bars)
{
    struct lw_legend_entry entries[8];
    int count = 0;

    for (int i = 0; i < bars->series_count && count < 8; i++)
        if (bars->series[i].name)
            entries[count++] = (struct lw_legend_entry){
                .swatch =
                    full_of(a.surface, i) ? full_of(a.surface, i) : a.surface->glyphs->rise[8],
                .name = bars->series[i].name,
                .ink = bars->series[i].ink,
            };
    return lw_legend_draw(a, row, from, entries, count);
}
