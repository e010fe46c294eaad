/* SPDX-License-Identifier: MIT */
#include "widgets/glyphs.h"

#include <stddef.h>

/* clang-format off */
#define UNICODE_GLYPHS                                                                            \
    .horizontal = 0x2500, .vertical = 0x2502, .corner = 0x2514,                                   \
    .tick_left = 0x2524, .tick_down = 0x252c,                                                     \
    .grid = 0x2508, .threshold = 0x2504, .cursor = 0x2502,                                        \
    .star = 0x2605, .gap = 0x00d7, .point = 0x2022, .bullet = 0x00b7, .swatch = 0x2501,           \
    .ellipsis = 0x2026, .times = 0x00d7,                                                          \
    .up = 0x2191, .down = 0x2193, .left = 0x2190, .right = 0x2192,                                \
    .focus = 0x258c, .error_bar = 0x2502,                                                         \
    .rise = {' ', 0x2581, 0x2582, 0x2583, 0x2584, 0x2585, 0x2586, 0x2587, 0x2588},                \
    .bar = 0x2501, .half_bar = 0x2578, .strip = 0x258c,                                            \
    .track = 0x2500, .upper_half = 0x2580,                                                        \
    .state = {0x00b7, 0x2713, '!', 0x2717, '?', '-'},                                             \
    .series = {0x2022, '+', 'o', 'x', '#', '%'},                                                  \
    .shade = {' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'}
/* clang-format on */

static const struct lw_glyphs braille = {.charset = LW_CHARSET_BRAILLE, UNICODE_GLYPHS};
static const struct lw_glyphs blocks = {.charset = LW_CHARSET_BLOCKS, UNICODE_GLYPHS};

static const struct lw_glyphs ascii = {
    .charset = LW_CHARSET_ASCII,
    .horizontal = '-',
    .vertical = '|',
    .corner = '+',
    .tick_left = '+',
    .tick_down = '+',
    .grid = '.',
    .threshold = '-',
    .cursor = '|',
    .star = '*',
    .gap = 'x',
    .point = 'o',
    .bullet = '-',
    .swatch = '-',
    .ellipsis = '~',
    .times = 'x',
    .up = '^',
    .down = 'v',
    .left = '<',
    .right = '>',
    .focus = '>',
    .error_bar = '|',
    .rise = {' ', '_', '_', '.', '.', '-', '=', '#', '#'},
    .bar = '=',
    .half_bar = '-',
    .strip = '#',
    .track = '.',
    .upper_half = 0,
    .state = {'.', '+', '!', 'X', '?', '-'},
    .series = {'o', '+', '*', 'x', '#', '%'},
    .shade = {' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'},
};

const struct lw_glyphs *lw_glyphs_get(enum lw_charset charset)
{
    switch (charset) {
    case LW_CHARSET_BRAILLE:
        return &braille;
    case LW_CHARSET_BLOCKS:
        return &blocks;
    case LW_CHARSET_ASCII:
        break;
    }
    return &ascii;
}
