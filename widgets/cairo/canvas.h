/* SPDX-License-Identifier: MIT
 *
 * Where pictures are drawn: cairo with this project's inks, text that is placed by its edges, and
 * lines that fall on whole dots. All lengths are points (1/72 inch).
 */
#ifndef LW_WIDGETS_CAIRO_CANVAS_H
#define LW_WIDGETS_CAIRO_CANVAS_H

#include <cairo.h>
#include <stdbool.h>

#include "widgets/palette.h"
#include "widgets/picture.h"

struct lw_box {
    double x, y, w, h; /* y grows downwards */
};

struct lw_canvas {
    cairo_t *cr;
    double scale; /* of texts and lines: 1 on a page of usual size */
    double dot;   /* size of a dot in points; 0: there are none */
    const struct lw_picture *picture;
};

/* Sizes of text in points, before canvas->scale. */
#define LW_TEXT_PAGE     18.0
#define LW_TEXT_SUBTITLE 12.0
#define LW_TEXT_TITLE    12.5
#define LW_TEXT_LABEL    10.5
#define LW_TEXT_TICK     9.5

enum lw_align { LW_ALIGN_LEFT, LW_ALIGN_MIDDLE, LW_ALIGN_RIGHT };

struct lw_text_style {
    double size; /* LW_TEXT_... */
    bool bold;
    unsigned rgb;
    enum lw_align align; /* which part of the text lies at x */
    bool up;             /* written upwards; x and y swap their roles */
};

#define LW_RGB_BLACK 0x222222u
#define LW_RGB_GREY  0x777777u
#define LW_RGB_WHITE 0xffffffu

void lw_canvas_color(struct lw_canvas *c, unsigned rgb, double alpha);
void lw_canvas_ink(struct lw_canvas *c, enum lw_ink ink, double alpha);

/* Line width in points, before scale. */
void lw_canvas_pen(struct lw_canvas *c, double width);

/* A text whose middle is at y (that of its capitals). */
void lw_canvas_text(struct lw_canvas *c, double x, double y, const struct lw_text_style *style,
                    const char *text);

/* Width of a text; and the height that a line of this size takes. */
double lw_canvas_width(struct lw_canvas *c, double size, bool bold, const char *text);
double lw_canvas_line(const struct lw_canvas *c, double size);

/* The text, or as much of it as fits with an ellipsis, into out. */
const char *lw_canvas_fit(struct lw_canvas *c, double size, bool bold, double room,
                          const char *text, char *out, size_t out_size);

/* A level or upright line that is sharp whatever the resolution. */
void lw_canvas_level(struct lw_canvas *c, double x0, double x1, double y);
void lw_canvas_upright(struct lw_canvas *c, double x, double y0, double y1);

/* A filled rectangle with edges on whole dots. */
void lw_canvas_fill(struct lw_canvas *c, struct lw_box box);

void lw_canvas_dash(struct lw_canvas *c, double on, double off); /* 0, 0: a whole line */

bool lw_canvas_has_font(void);

#endif
