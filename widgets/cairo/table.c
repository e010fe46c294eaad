/* SPDX-License-Identifier: MIT */
#include "widgets/table.h"

#include <math.h>
#include <stdio.h>

#include "widgets/cairo/frame.h"

enum { COLUMNS = 16 };

#define PAD 8.0

struct plan {
    double width[COLUMNS]; /* 0: left out */
    double row, size;      /* height of a row, size of text */
    int shown;             /* rows */
};

static void cell_text(const struct lw_table *t, int row, int col, char *out, size_t size,
                      struct lw_style *style)
{
    *style = LW_INK(LW_INK_TEXT);
    out[0] = '\0';
    t->cell(t->context, row, col, out, size, style);
}

static bool is_light(unsigned ink)
{
    return ink == LW_INK_OK || ink == LW_INK_WARN || ink == LW_INK_ALERT || ink == LW_INK_UNSURE;
}

/* The column that is wanted least of those there is no room for; -1: all fit, or must stay. */
static int too_many(const struct lw_table *t, const struct plan *p, double room)
{
    double all = 0;
    int least = -1;

    for (int i = 0; i < t->column_count; i++) {
        all += p->width[i];
        if (p->width[i] > 0 && t->columns[i].keep > 0 &&
            (least < 0 || t->columns[i].keep <= t->columns[least].keep))
            least = i;
    }
    return all > room ? least : -1;
}

static void make_plan(struct lw_canvas *c, const struct lw_table *t, struct lw_box box,
                      struct plan *p)
{
    int rows = t->row_count + t->head, drop;
    double line, all = 0;

    p->size = LW_TEXT_LABEL;
    line = 1.7 * lw_canvas_line(c, p->size);
    p->row = fmin(line, box.h / rows);
    /* Letters get smaller before rows are left out. */
    if (p->row < 0.75 * line)
        p->size = fmax(LW_TEXT_LABEL * p->row / (0.75 * line), 0.62 * LW_TEXT_LABEL);
    p->row = fmax(p->row, 1.1 * lw_canvas_line(c, p->size));
    p->shown = (int)fmin(floor(box.h / p->row + 1e-6) - t->head, t->row_count);
    for (int i = 0; i < t->column_count && i < COLUMNS; i++) {
        const char *title = t->columns[i].title ? t->columns[i].title : "";

        p->width[i] = *title ? lw_canvas_width(c, p->size, true, title) : 0;
        for (int r = 0; r < t->row_count; r++) {
            struct lw_style style;
            char text[256];

            cell_text(t, r, i, text, sizeof text, &style);
            if (text[0])
                p->width[i] = fmax(p->width[i], lw_canvas_width(c, p->size, true, text));
        }
        if (p->width[i] > 0)
            p->width[i] += 2 * PAD * c->scale;
    }
    /* Smaller letters rather than fewer columns, within reason. */
    for (int i = 0; i < t->column_count; i++)
        all += p->width[i];
    if (all > box.w) {
        double less = fmax(box.w / all, 0.8);

        p->size *= less;
        for (int i = 0; i < t->column_count; i++)
            p->width[i] *= less;
    }
    all = 0;
    while ((drop = too_many(t, p, box.w + 0.5)) >= 0)
        p->width[drop] = 0;
    for (int i = 0; i < t->column_count; i++)
        all += p->width[i];
    /* Spread over the width, or squeezed into it. */
    for (int i = 0; i < t->column_count && all > 0; i++)
        p->width[i] *= box.w / all;
}

static void put(struct lw_canvas *c, struct lw_box cell, const struct lw_text_style *base,
                bool right, const char *text)
{
    struct lw_text_style style = *base;
    double pad = PAD * c->scale * 0.6;
    char cut[256];

    style.align = right ? LW_ALIGN_RIGHT : LW_ALIGN_LEFT;
    lw_canvas_text(
        c, right ? cell.x + cell.w - pad : cell.x + pad, cell.y + cell.h / 2, &style,
        lw_canvas_fit(c, style.size, style.bold, cell.w - 2 * pad, text, cut, sizeof cut));
}

/* A verdict is a cell of its colour, one that is unsure an empty one. */
static void draw_light(struct lw_canvas *c, struct lw_box cell, unsigned ink)
{
    double gap = 0.12 * cell.h;
    struct lw_box box = {cell.x + 1, cell.y + gap, cell.w - 2, cell.h - 2 * gap};

    lw_canvas_ink(c, (enum lw_ink)ink, 1);
    if (ink != LW_INK_UNSURE) {
        lw_canvas_fill(c, box);
        return;
    }
    lw_canvas_pen(c, 1);
    cairo_rectangle(c->cr, box.x, box.y, box.w, box.h);
    cairo_stroke(c->cr);
}

static void draw_row(struct lw_canvas *c, const struct lw_table *t, const struct plan *p,
                     struct lw_box line, int row)
{
    struct lw_box cell = line;

    if (row % 2) {
        lw_canvas_color(c, 0xf4f5f7, 1);
        lw_canvas_fill(c, line);
    }
    for (int i = 0; i < t->column_count && i < COLUMNS; i++) {
        struct lw_text_style text_style = {.size = p->size};
        struct lw_style style;
        char text[256];

        cell.w = p->width[i];
        if (cell.w <= 0)
            continue;
        cell_text(t, row, i, text, sizeof text, &style);
        text_style.bold = (style.attr & LW_ATTR_BOLD) != 0;
        text_style.rgb = style.fg == LW_INK_DIM ? LW_RGB_GREY : LW_RGB_BLACK;
        if (text[0] && is_light(style.fg))
            draw_light(c, cell, style.fg);
        if (text[0])
            put(c, cell, &text_style, t->columns[i].right, text);
        cell.x += cell.w;
    }
}

void lw_paint_table(struct lw_canvas *c, struct lw_box box, const void *model)
{
    const struct lw_table *t = model;
    struct plan p = {0};
    struct lw_box line = box;

    if (t->column_count < 1 || t->column_count > COLUMNS || t->row_count < 1)
        return;
    make_plan(c, t, box, &p);
    line.h = p.row;
    if (t->head) {
        struct lw_text_style style = {.size = p.size, .bold = true, .rgb = LW_RGB_WHITE};
        struct lw_box cell = line;

        lw_canvas_ink(c, LW_INK_BAR, 1);
        lw_canvas_fill(c, line);
        for (int i = 0; i < t->column_count; i++) {
            cell.w = p.width[i];
            if (cell.w > 0 && t->columns[i].title)
                put(c, cell, &style, t->columns[i].right, t->columns[i].title);
            cell.x += cell.w;
        }
        line.y += line.h;
    }
    for (int r = 0; r < p.shown; r++) {
        draw_row(c, t, &p, line, r);
        line.y += line.h;
    }
}
