/* SPDX-License-Identifier: MIT */
#include "widgets/surface_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

/* A cell's longest output: an escape with both colours and every attribute, a character, a mark. */
#define CELL_BYTES 64

struct look {
    int fg, bg;
    unsigned attr;
};

static struct look look_of(struct lw_style style, const struct lw_palette *palette)
{
    struct lw_palette_entry fg = lw_palette_ink(palette, style.fg);
    struct lw_palette_entry bg = lw_palette_ink(palette, style.bg);
    struct look look = {
        .fg = style.attr & LW_ATTR_FAINT ? fg.faint : fg.color,
        .bg = bg.color,
        .attr = (style.attr & ~LW_ATTR_FAINT) | fg.attr | bg.attr,
    };

    /* Where a background is the foreground reversed, colours would turn up as backgrounds. */
    if ((style.fg == LW_INK_BLACK && look.bg < 0) || bg.attr & LW_ATTR_REVERSE)
        look.fg = -1;
    return look;
}

static int put_color(char *out, size_t size, int color, int base)
{
    if (color < 0)
        return 0;
    if (color < 8)
        return snprintf(out, size, ";%d", base + color);
    if (color < 16)
        return snprintf(out, size, ";%d", base + 60 + color - 8);
    return snprintf(out, size, ";%d;5;%d", base + 8, color);
}

static size_t put_look(char *out, size_t size, struct look look)
{
    size_t n = (size_t)snprintf(out, size, "\033[0%s%s%s%s", look.attr & LW_ATTR_BOLD ? ";1" : "",
                                look.attr & LW_ATTR_FAINT ? ";2" : "",
                                look.attr & LW_ATTR_UNDERLINE ? ";4" : "",
                                look.attr & LW_ATTR_REVERSE ? ";7" : "");

    n += (size_t)put_color(out + n, size - n, look.fg, 30);
    n += (size_t)put_color(out + n, size - n, look.bg, 40);
    n += (size_t)snprintf(out + n, size - n, "m");
    return n;
}

/* Cells of a row up to the last that shows anything. */
static int row_end(const struct lw_cell *row, int cols, const struct lw_palette *palette)
{
    for (; cols > 0; cols--) {
        const struct lw_cell *cell = &row[cols - 1];

        if (cell->code != ' ')
            break;
        if (palette) {
            struct look look = look_of(cell->style, palette);

            if (look.bg >= 0 || (look.attr & (LW_ATTR_REVERSE | LW_ATTR_UNDERLINE)))
                break;
        }
    }
    return cols;
}

static size_t put_row(char *out, const struct lw_cell *row, int end,
                      const struct lw_palette *palette)
{
    static const struct look plain = {-1, -1, 0};
    struct look now = plain;
    size_t n = 0;

    for (int c = 0; c < end; c++) {
        if (row[c].code == 0)
            continue;
        if (palette) {
            struct look look = look_of(row[c].style, palette);

            if (look.fg != now.fg || look.bg != now.bg || look.attr != now.attr)
                n += put_look(out + n, CELL_BYTES, look);
            now = look;
        }
        n += lw_utf8_encode(row[c].code, out + n);
        if (row[c].mark)
            n += lw_utf8_encode(row[c].mark, out + n);
    }
    if (now.fg != plain.fg || now.bg != plain.bg || now.attr != plain.attr) {
        memcpy(out + n, "\033[0m", 4);
        n += 4;
    }
    out[n++] = '\n';
    return n;
}

char *lw_surface_text(const struct lw_surface *s, const struct lw_palette *palette, size_t *size)
{
    size_t cell = palette ? CELL_BYTES : 8, n = 0;
    size_t room = (size_t)s->rows * ((size_t)s->cols * cell + 8) + 1;
    char *out = malloc(room), *fit;

    if (!out)
        return NULL;
    for (int r = 0; r < s->rows; r++) {
        const struct lw_cell *row = s->cells + (size_t)r * (size_t)s->cols;

        n += put_row(out + n, row, row_end(row, s->cols, palette), palette);
    }
    out[n] = '\0';
    if (size)
        *size = n;
    fit = realloc(out, n + 1);
    return fit ? fit : out;
}
