/* SPDX-License-Identifier: MIT
 *
 * A plane of dots, several to a cell: 2x4 in braille, 2x2 in blocks, 1x2 in ASCII. One series is
 * drawn on a plane, then the plane is laid over an area: a cell with dots replaces what was there,
 * because a cell has one colour and mixing two series' dots would give one of them the other's.
 */
#ifndef LW_WIDGETS_DOTS_H
#define LW_WIDGETS_DOTS_H

#include "widgets/surface.h"

struct lw_dots {
    int rows, cols;      /* cells */
    int width, height;   /* dots */
    int across, down;    /* dots of a cell */
    bool dashed;         /* leave out every third pair of dot columns */
    unsigned char *bits; /* of each cell: bit y * across + x */
};

/* A plane for an area of this size; owner frees with lw_dots_fini. */
LW_NODISCARD int lw_dots_init(struct lw_dots *dots, struct lw_area a);
void lw_dots_fini(struct lw_dots *dots);
void lw_dots_clear(struct lw_dots *dots);

/* Dot (x, y) counts from the top left; outside is nothing. */
void lw_dots_set(struct lw_dots *dots, int x, int y);

/* A straight line, clipped to the plane. Coordinates in dots, any finite size. */
void lw_dots_line(struct lw_dots *dots, double x0, double y0, double x1, double y1);

/* Lay the plane over the area. mark is drawn in each cell with dots instead of them; 0: the dots.
 */
void lw_dots_paint(const struct lw_dots *dots, struct lw_area a, uint32_t mark,
                   struct lw_style style);

#endif
