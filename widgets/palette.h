/* SPDX-License-Identifier: MIT
 *
 * Inks: what a colour is for, or which hue a series has. Widgets use inks only; a painter looks
 * them up in the palette of its colour depth. What a hue stands for is the caller's business.
 */
#ifndef LW_WIDGETS_PALETTE_H
#define LW_WIDGETS_PALETTE_H

#include <stdbool.h>
#include <stdint.h>

enum lw_ink {
    LW_INK_NONE = 0, /* the terminal's own foreground; as a background: keep what is there */
    LW_INK_TEXT,     /* ordinary text */
    LW_INK_DIM,      /* labels, units, help */
    LW_INK_GRID,     /* axes, rules, grid lines */
    LW_INK_TITLE,    /* panel titles */
    LW_INK_ACCENT,   /* focus, keys, cursor */
    LW_INK_BAR,      /* background of the header line and of table heads, export #34495e */
    LW_INK_SELECT,   /* background of the selected row */
    LW_INK_BLACK,    /* text on a bright background */
    LW_INK_BLUE,     /* #1f77b4 */
    LW_INK_ORANGE,   /* #ff7f0e */
    LW_INK_GREEN,    /* #2ca02c */
    LW_INK_RED,      /* #d62728 */
    LW_INK_PURPLE,   /* #9467bd */
    LW_INK_BROWN,    /* #8c564b */
    LW_INK_PINK,     /* #e377c2 */
    LW_INK_OLIVE,    /* #bcbd22 */
    LW_INK_CYAN,     /* #17becf */
    LW_INK_SKY,      /* #3498db */
    LW_INK_CORAL,    /* #e74c3c */
    LW_INK_VIOLET,   /* #9b59b6 */
    LW_INK_OK,       /* #2ecc71 */
    LW_INK_WARN,     /* #f39c12 */
    LW_INK_ALERT,    /* #e74c3c */
    LW_INK_UNSURE,   /* grey, hollow in heat maps */
    LW_INK_TINT_OK,  /* faint backgrounds of zones */
    LW_INK_TINT_WARN,
    LW_INK_TINT_ALERT,
    LW_INK_HEAT, /* first of LW_HEAT_STEPS backgrounds, low to high */
    LW_INK_COUNT = LW_INK_HEAT + 16,
};

#define LW_HEAT_STEPS 16

#define LW_ATTR_BOLD      1u
#define LW_ATTR_REVERSE   2u
#define LW_ATTR_UNDERLINE 4u
#define LW_ATTR_FAINT     8u

enum lw_depth {
    LW_DEPTH_MONO, /* no colour: attributes and glyphs only */
    LW_DEPTH_8,
    LW_DEPTH_16,
    LW_DEPTH_256,
};

/* What a traffic light may show. Only LW_LIGHT_OK is ever painted as good. */
enum lw_light {
    LW_LIGHT_NONE = 0, /* no data */
    LW_LIGHT_OK,
    LW_LIGHT_WARN,
    LW_LIGHT_ALERT,
    LW_LIGHT_UNSURE,
    LW_LIGHT_UNKNOWN,
    LW_LIGHT_COUNT,
};

/* Terminal colour numbers of an ink: -1 is the terminal's default. */
struct lw_palette_entry {
    int16_t color;
    int16_t faint; /* with LW_ATTR_FAINT */
    uint8_t attr;  /* LW_ATTR_... it needs besides, where colours are few */
};

struct lw_palette {
    enum lw_depth depth;
    bool light;
};

/* The palette of a depth, for dark or light terminals; static. */
const struct lw_palette *lw_palette_get(enum lw_depth depth, bool light);

/* What an ink (any number; one that is none is LW_INK_NONE) is in it. */
struct lw_palette_entry lw_palette_ink(const struct lw_palette *palette, unsigned ink);

/* 0xRRGGBB for painters that have true colours. LW_INK_NONE and LW_INK_TEXT are 0x000000. */
uint32_t lw_ink_rgb(enum lw_ink ink);

/* The ink of a state, and its word: "OK", "WARN", "ALERT", "UNSURE", "NO DATA", "UNKNOWN". */
enum lw_ink lw_light_ink(enum lw_light light);
const char *lw_light_word(enum lw_light light);

#endif
