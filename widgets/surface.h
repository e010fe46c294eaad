/* SPDX-License-Identifier: MIT
 *
 * A surface of character cells, and areas of it to draw in. Widgets paint here; surface_curses.h
 * puts a surface on a terminal and surface_text.h turns it into text. Every function clips, every
 * size from 1x1 is fine, and no control character can enter a cell.
 */
#ifndef LW_WIDGETS_SURFACE_H
#define LW_WIDGETS_SURFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "widgets/glyphs.h"
#include "widgets/palette.h"

struct lw_style {
    uint8_t fg, bg; /* enum lw_ink; bg LW_INK_NONE keeps the background that is there */
    uint8_t attr;   /* LW_ATTR_... */
};

#define LW_STYLE(fg, bg, attr) ((struct lw_style){(uint8_t)(fg), (uint8_t)(bg), (uint8_t)(attr)})
#define LW_INK(fg)             LW_STYLE(fg, LW_INK_NONE, 0)

struct lw_cell {
    uint32_t code; /* code point; 0 in the right half of a wide character */
    uint16_t mark; /* one combining mark, or 0 */
    struct lw_style style;
};

struct lw_surface {
    int rows, cols;
    enum lw_depth depth; /* widgets ask it where colour cannot tell things apart */
    const struct lw_glyphs *glyphs;
    struct lw_cell *cells; /* rows x cols */
};

/* Owner frees with lw_surface_free. Cells start blank. rows and cols are raised to 1 at least and
 * cut at 1000. NULL when out of memory. */
struct lw_surface *lw_surface_new(int rows, int cols, enum lw_charset charset, enum lw_depth depth);
void lw_surface_free(struct lw_surface *s);

/* Blank, with the terminal's own colours. */
void lw_surface_clear(struct lw_surface *s);

/* Change the size; the content is lost. The old surface stays whole on failure. */
LW_NODISCARD int lw_surface_resize(struct lw_surface *s, int rows, int cols);

struct lw_rect {
    int row, col, rows, cols; /* empty where rows or cols <= 0 */
};

/* A rectangle of a surface; its coordinates start at 0,0. Passed by value, owns nothing. */
struct lw_area {
    struct lw_surface *surface;
    struct lw_rect rect; /* always inside the surface, maybe empty */
};

struct lw_area lw_area_all(struct lw_surface *s);
struct lw_area lw_area_of(struct lw_surface *s, struct lw_rect rect);               /* clipped */
struct lw_area lw_area_sub(struct lw_area a, int row, int col, int rows, int cols); /* clipped */
bool lw_area_empty(struct lw_area a);

/* One code point at row, col; a wide one that does not fit becomes a blank, one that may not be
 * shown becomes '?'. On an ASCII surface everything else becomes '?'. Returns its width. */
int lw_put(struct lw_area a, int row, int col, uint32_t code, struct lw_style style);

/* UTF-8 text from row, col; stops at the right edge. Returns the cells used. */
int lw_put_text(struct lw_area a, int row, int col, const char *text, struct lw_style style);
int lw_putf(struct lw_area a, int row, int col, struct lw_style style, const char *fmt, ...)
    LW_PRINTF(5, 6);

/* At most max cells; text that is longer ends in an ellipsis. Returns the cells used. */
int lw_put_cut(struct lw_area a, int row, int col, int max, const char *text,
               struct lw_style style);

/* Ending just left of column end. Returns the first column. */
int lw_put_right(struct lw_area a, int row, int end, const char *text, struct lw_style style);

/* Set every cell of the area to blanks of this style (bg LW_INK_NONE: the terminal's own). */
void lw_fill(struct lw_area a, struct lw_style style);

/* Only change the background, or add attributes, of cells that are there. */
void lw_tint(struct lw_area a, uint8_t bg);
void lw_add_attr(struct lw_area a, uint8_t attr);

/* count cells of one code point to the right, or down. */
void lw_rule(struct lw_area a, int row, int col, int count, uint32_t code, struct lw_style style);
void lw_rule_down(struct lw_area a, int row, int col, int count, uint32_t code,
                  struct lw_style style);

/* The cell at row, col of the surface, NULL outside. */
const struct lw_cell *lw_surface_at(const struct lw_surface *s, int row, int col);

/* Cells that UTF-8 text takes on a surface. */
int lw_text_cells(const char *text);

#endif
