/* SPDX-License-Identifier: MIT */
#include "widgets/surface.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

#define SIDE_MAX 1000

static int at_most(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

void lw_surface_clear(struct lw_surface *s)
{
    const struct lw_cell blank = {.code = ' '};

    for (int i = 0; i < s->rows * s->cols; i++)
        s->cells[i] = blank;
}

int lw_surface_resize(struct lw_surface *s, int rows, int cols)
{
    struct lw_cell *cells;

    rows = at_most(rows, 1, SIDE_MAX);
    cols = at_most(cols, 1, SIDE_MAX);
    if (rows != s->rows || cols != s->cols) {
        cells = realloc(s->cells, (size_t)rows * (size_t)cols * sizeof *cells);
        if (!cells)
            return LW_EMEM;
        s->cells = cells;
        s->rows = rows;
        s->cols = cols;
    }
    lw_surface_clear(s);
    return 0;
}

struct lw_surface *lw_surface_new(int rows, int cols, enum lw_charset charset, enum lw_depth depth)
{
    struct lw_surface *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->glyphs = lw_glyphs_get(charset);
    s->depth = depth;
    if (lw_surface_resize(s, rows, cols) < 0) {
        free(s);
        return NULL;
    }
    return s;
}

void lw_surface_free(struct lw_surface *s)
{
    if (s)
        free(s->cells);
    free(s);
}

/* The part of [start, start + count) inside [0, limit), without overflow. */
static void clip(int *start, int *count, int limit)
{
    long long low = *start, high = low + (*count > 0 ? *count : 0);

    low = low < 0 ? 0 : low > limit ? limit : low;
    high = high < low ? low : high > limit ? limit : high;
    *start = (int)low;
    *count = (int)(high - low);
}

struct lw_area lw_area_of(struct lw_surface *s, struct lw_rect rect)
{
    clip(&rect.row, &rect.rows, s->rows);
    clip(&rect.col, &rect.cols, s->cols);
    return (struct lw_area){.surface = s, .rect = rect};
}

struct lw_area lw_area_all(struct lw_surface *s)
{
    return (struct lw_area){.surface = s, .rect = {0, 0, s->rows, s->cols}};
}

struct lw_area lw_area_sub(struct lw_area a, int row, int col, int rows, int cols)
{
    clip(&row, &rows, a.rect.rows);
    clip(&col, &cols, a.rect.cols);
    return (struct lw_area){
        .surface = a.surface,
        .rect = {a.rect.row + row, a.rect.col + col, rows, cols},
    };
}

bool lw_area_empty(struct lw_area a)
{
    return a.rect.rows <= 0 || a.rect.cols <= 0;
}

const struct lw_cell *lw_surface_at(const struct lw_surface *s, int row, int col)
{
    if (row < 0 || col < 0 || row >= s->rows || col >= s->cols)
        return NULL;
    return &s->cells[row * s->cols + col];
}

static struct lw_cell *cell_at(struct lw_area a, int row, int col)
{
    if (row < 0 || col < 0 || row >= a.rect.rows || col >= a.rect.cols)
        return NULL;
    return &a.surface->cells[(a.rect.row + row) * a.surface->cols + a.rect.col + col];
}

static bool is_wide(const struct lw_cell *cell)
{
    return cell->code >= 0x1100 && lw_utf8_width(cell->code) == 2;
}

/* Overwriting one half of a wide character leaves a blank in the other. The other half may lie
 * outside the area that is drawn in. */
static void split(const struct lw_surface *s, struct lw_cell *cell)
{
    ptrdiff_t col = (cell - s->cells) % s->cols;

    if (cell->code == 0 && col > 0)
        cell[-1].code = ' ';
    else if (col + 1 < s->cols && cell[1].code == 0 && is_wide(cell))
        cell[1].code = ' ';
}

static void set_cell(const struct lw_surface *s, struct lw_cell *cell, uint32_t code,
                     struct lw_style style)
{
    split(s, cell);
    if (style.bg == LW_INK_NONE)
        style.bg = cell->style.bg;
    *cell = (struct lw_cell){.code = code, .style = style};
}

int lw_put(struct lw_area a, int row, int col, uint32_t code, struct lw_style style)
{
    struct lw_cell *cell = cell_at(a, row, col), *next;
    int width = lw_utf8_width(code);

    if (width <= 0 || (code >= 0x80 && a.surface->glyphs->charset == LW_CHARSET_ASCII)) {
        code = '?';
        width = 1;
    }
    if (width == 1) {
        if (cell)
            set_cell(a.surface, cell, code, style);
        return 1;
    }
    next = cell_at(a, row, col + 1);
    if (cell)
        set_cell(a.surface, cell, next ? code : ' ', style);
    if (next) {
        set_cell(a.surface, next, cell ? 0 : ' ', style);
        if (cell)
            cell->code = code; /* the line above saw an old half and blanked it */
    }
    return 2;
}

/* The next character of a string that may hold anything: invalid bytes become '?'. */
static uint32_t next_code(const char **text)
{
    uint32_t code;
    size_t used = lw_utf8_decode(*text, strnlen(*text, 4), &code);

    *text += used ? used : 1;
    return used ? code : '?';
}

int lw_put_text(struct lw_area a, int row, int col, const char *text, struct lw_style style)
{
    int start = col, last = -1;

    while (*text && col < a.rect.cols) {
        uint32_t code = next_code(&text);

        if (lw_utf8_width(code) == 0) {
            struct lw_cell *base = last < 0 ? NULL : cell_at(a, row, last);

            if (base && code < 0x10000 && a.surface->glyphs->charset != LW_CHARSET_ASCII)
                base->mark = (uint16_t)code;
            last = -1;
            continue;
        }
        last = col;
        col += lw_put(a, row, col, code, style);
    }
    return col - start;
}

int lw_putf(struct lw_area a, int row, int col, struct lw_style style, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return lw_put_text(a, row, col, text, style);
}

int lw_text_cells(const char *text)
{
    int cells = 0;

    while (*text && cells < SIDE_MAX * SIDE_MAX) {
        int width = lw_utf8_width(next_code(&text));

        cells += width < 0 ? 1 : width;
    }
    return cells;
}

int lw_put_cut(struct lw_area a, int row, int col, int max, const char *text, struct lw_style style)
{
    int used = 0;

    if (max <= 0)
        return 0;
    if (lw_text_cells(text) <= max)
        return lw_put_text(a, row, col, text, style);
    while (*text) {
        uint32_t code = next_code(&text);
        int width = lw_utf8_width(code);

        if (width == 0)
            continue;
        if (used + (width < 0 ? 1 : width) > max - 1)
            break;
        used += lw_put(a, row, col + used, code, style);
    }
    lw_put(a, row, col + used, a.surface->glyphs->ellipsis, style);
    return used + 1;
}

int lw_put_right(struct lw_area a, int row, int end, const char *text, struct lw_style style)
{
    int col = end - lw_text_cells(text);

    lw_put_text(a, row, col, text, style);
    return col;
}

void lw_fill(struct lw_area a, struct lw_style style)
{
    for (int r = 0; r < a.rect.rows; r++) {
        for (int c = 0; c < a.rect.cols; c++) {
            struct lw_cell *cell = cell_at(a, r, c);

            split(a.surface, cell);
            *cell = (struct lw_cell){.code = ' ', .style = style};
        }
    }
}

void lw_tint(struct lw_area a, uint8_t bg)
{
    for (int r = 0; r < a.rect.rows; r++)
        for (int c = 0; c < a.rect.cols; c++)
            cell_at(a, r, c)->style.bg = bg;
}

void lw_add_attr(struct lw_area a, uint8_t attr)
{
    for (int r = 0; r < a.rect.rows; r++)
        for (int c = 0; c < a.rect.cols; c++)
            cell_at(a, r, c)->style.attr |= attr;
}

void lw_rule(struct lw_area a, int row, int col, int count, uint32_t code, struct lw_style style)
{
    clip(&col, &count, a.rect.cols);
    for (int i = 0; i < count; i++)
        lw_put(a, row, col + i, code, style);
}

void lw_rule_down(struct lw_area a, int row, int col, int count, uint32_t code,
                  struct lw_style style)
{
    clip(&row, &count, a.rect.rows);
    for (int i = 0; i < count; i++)
        lw_put(a, row + i, col, code, style);
}
