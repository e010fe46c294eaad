/* SPDX-License-Identifier: MIT
 *
 * The characters that widgets draw with, in three sets: Unicode with braille plots, Unicode with
 * block plots, and plain ASCII. Never the terminal's line-drawing mode (ACS).
 */
#ifndef LW_WIDGETS_GLYPHS_H
#define LW_WIDGETS_GLYPHS_H

#include <stdint.h>

enum lw_charset { LW_CHARSET_BRAILLE, LW_CHARSET_BLOCKS, LW_CHARSET_ASCII };

struct lw_glyphs {
    enum lw_charset charset;
    uint32_t horizontal, vertical;             /* rules and axes */
    uint32_t corner;                           /* where the axes meet */
    uint32_t tick_left, tick_down;             /* axis ticks */
    uint32_t grid, threshold, cursor;          /* dotted line, dashed line, vertical line */
    uint32_t star, gap, point, bullet, swatch; /* best, not finite, point, list, legend */
    uint32_t ellipsis, times;
    uint32_t up, down, left, right; /* arrows */
    uint32_t focus;                 /* left of a focused title */
    uint32_t strip;                 /* an axis with zones */
    uint32_t error_bar;             /* bounds of a point */
    uint32_t rise[9];               /* vertical eighths, [0] is a space */
    uint32_t bar, half_bar;         /* a gauge's full and half cell */
    uint32_t track;                 /* the empty part of a gauge */
    uint32_t upper_half;            /* 0 where there is none */
    uint32_t state[6];              /* one sign for each enum lw_light */
    uint32_t series[6];             /* series marks where colour cannot tell */
    uint32_t shade[10];             /* mono ramp, [0] is a space */
};

/* The set for a charset; static. */
const struct lw_glyphs *lw_glyphs_get(enum lw_charset charset);

#endif
