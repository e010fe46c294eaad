/* SPDX-License-Identifier: MIT */
#include "widgets/dots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int lw_dots_init(struct lw_dots *dots, struct lw_area a)
{
    enum lw_charset charset = a.surface->glyphs->charset;

    *dots = (struct lw_dots){
        .rows = a.rect.rows,
        .cols = a.rect.cols,
        .across = charset == LW_CHARSET_ASCII ? 1 : 2,
        .down = charset == LW_CHARSET_BRAILLE ? 4 : 2,
    };
    dots->width = dots->cols * dots->across;
    dots->height = dots->rows * dots->down;
    dots->bits = calloc((size_t)dots->rows * (size_t)dots->cols + 1, 1);
    return dots->bits ? 0 : LW_EMEM;
}

void lw_dots_fini(struct lw_dots *dots)
{
    free(dots->bits);
    dots->bits = NULL;
}

void lw_dots_clear(struct lw_dots *dots)
{
    memset(dots->bits, 0, (size_t)dots->rows * (size_t)dots->cols);
}

void lw_dots_set(struct lw_dots *dots, int x, int y)
{
    int cell, bit;

    if (x < 0 || y < 0 || x >= dots->width || y >= dots->height)
        return;
    if (dots->dashed && x / 2 % 3 == 2)
        return;
    cell = y / dots->down * dots->cols + x / dots->across;
    bit = y % dots->down * dots->across + x % dots->across;
    dots->bits[cell] |= (unsigned char)(1u << bit);
}

/* Liang-Barsky: the part of the line inside [0, w] x [0, h]; false if there is none. */
static bool clip(double w, double h, double p[4])
{
    double dx = p[2] - p[0], dy = p[3] - p[1], from = 0, to = 1;
    const double toward[4] = {-dx, dx, -dy, dy}, room[4] = {p[0], w - p[0], p[1], h - p[1]};

    for (int i = 0; i < 4; i++) {
        if (toward[i] == 0) {
            if (room[i] < 0)
                return false;
        } else if (toward[i] < 0) {
            from = fmax(from, room[i] / toward[i]);
        } else {
            to = fmin(to, room[i] / toward[i]);
        }
    }
    if (!(from <= to))
        return false;
    p[2] = p[0] + to * dx;
    p[3] = p[1] + to * dy;
    p[0] += from * dx;
    p[1] += from * dy;
    return true;
}

void lw_dots_line(struct lw_dots *dots, double x0, double y0, double x1, double y1)
{
    double p[4] = {x0, y0, x1, y1};
    int x, y, end_x, end_y, dx, dy, step_x, step_y, error;

    if (!clip(dots->width - 1, dots->height - 1, p))
        return;
    x = (int)lround(p[0]);
    y = (int)lround(p[1]);
    end_x = (int)lround(p[2]);
    end_y = (int)lround(p[3]);
    dx = abs(end_x - x);
    dy = -abs(end_y - y);
    step_x = x < end_x ? 1 : -1;
    step_y = y < end_y ? 1 : -1;
    error = dx + dy; /* Bresenham, all octants */
    for (;;) {
        int twice = 2 * error;

        lw_dots_set(dots, x, y);
        if (x == end_x && y == end_y)
            return;
        if (twice >= dy) {
            error += dy;
            x += step_x;
        }
        if (twice <= dx) {
            error += dx;
            y += step_y;
        }
    }
}

static uint32_t braille_of(unsigned bits)
{
    /* Our bits go row by row; braille's lower row was added to the six dots later. */
    static const unsigned char dot[8] = {0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80};
    uint32_t code = 0x2800;

    for (int i = 0; i < 8; i++)
        if (bits & 1u << i)
            code |= dot[i];
    return code;
}

static uint32_t glyph_of(enum lw_charset charset, unsigned bits)
{
    static const uint32_t quadrants[16] = {
        ' ',    0x2598, 0x259d, 0x2580, 0x2596, 0x258c, 0x259e, 0x259b,
        0x2597, 0x259a, 0x2590, 0x259c, 0x2584, 0x2599, 0x259f, 0x2588,
    };

    switch (charset) {
    case LW_CHARSET_BRAILLE:
        return braille_of(bits);
    case LW_CHARSET_BLOCKS:
        return quadrants[bits & 15];
    case LW_CHARSET_ASCII:
        break;
    }
    return (uint32_t)(" '.:"[bits & 3]);
}

void lw_dots_paint(const struct lw_dots *dots, struct lw_area a, uint32_t mark,
                   struct lw_style style)
{
    for (int r = 0; r < dots->rows; r++) {
        for (int c = 0; c < dots->cols; c++) {
            unsigned bits = dots->bits[r * dots->cols + c];

            if (bits)
                lw_put(a, r, c, mark ? mark : glyph_of(a.surface->glyphs->charset, bits), style);
        }
    }
}
