/* SPDX-License-Identifier: MIT */
#include "widgets/palette.h"

/* Colour numbers are chosen, never redefined: the entries of the xterm-256 cube nearest to the
 * exact values in ink_rgb, which every 256-colour terminal shows alike. */
/* The darkest colours of the cube would drown what is drawn on them, so tints are for light
 * terminals only. */
static const struct lw_palette dark_256 = {
    .depth = LW_DEPTH_256,
    .ink =
        {
            [LW_INK_NONE] = {-1, -1, 0},
            [LW_INK_TEXT] = {-1, 245, 0},
            [LW_INK_DIM] = {245, 240, 0},
            [LW_INK_GRID] = {239, 236, 0},
            [LW_INK_TITLE] = {255, 250, 0},
            [LW_INK_ACCENT] = {80, 37, 0},
            [LW_INK_BAR] = {238, 236, 0},
            [LW_INK_SELECT] = {237, 236, 0},
            [LW_INK_BLACK] = {16, 16, 0},
            [LW_INK_BLUE] = {31, 24, 0},
            [LW_INK_ORANGE] = {208, 94, 0},
            [LW_INK_GREEN] = {34, 22, 0},
            [LW_INK_RED] = {160, 52, 0},
            [LW_INK_PURPLE] = {97, 60, 0},
            [LW_INK_BROWN] = {95, 59, 0},
            [LW_INK_PINK] = {175, 96, 0},
            [LW_INK_OLIVE] = {142, 58, 0},
            [LW_INK_CYAN] = {38, 23, 0},
            [LW_INK_SKY] = {68, 60, 0},
            [LW_INK_CORAL] = {167, 95, 0},
            [LW_INK_VIOLET] = {133, 53, 0},
            [LW_INK_OK] = {41, 29, 0},
            [LW_INK_WARN] = {214, 136, 0},
            [LW_INK_ALERT] = {167, 95, 0},
            [LW_INK_UNSURE] = {246, 240, 0},
            [LW_INK_TINT_OK] = {-1, -1, 0},
            [LW_INK_TINT_WARN] = {-1, -1, 0},
            [LW_INK_TINT_ALERT] = {-1, -1, 0},
            [LW_INK_HEAT] = {53, 53, 0},
            {54, 54, 0},
            {60, 60, 0},
            {61, 61, 0},
            {24, 24, 0},
            {30, 30, 0},
            {31, 31, 0},
            {36, 36, 0},
            {35, 35, 0},
            {72, 72, 0},
            {71, 71, 0},
            {77, 77, 0},
            {113, 113, 0},
            {149, 149, 0},
            {184, 184, 0},
            {220, 220, 0},
        },
};

static const struct lw_palette light_256 = {
    .depth = LW_DEPTH_256,
    .ink =
        {
            [LW_INK_NONE] = {-1, -1, 0},
            [LW_INK_TEXT] = {-1, 243, 0},
            [LW_INK_DIM] = {242, 248, 0},
            [LW_INK_GRID] = {250, 254, 0},
            [LW_INK_TITLE] = {16, 238, 0},
            [LW_INK_ACCENT] = {30, 37, 0},
            [LW_INK_BAR] = {252, 254, 0},
            [LW_INK_SELECT] = {254, 255, 0},
            [LW_INK_BLACK] = {16, 16, 0},
            [LW_INK_BLUE] = {31, 153, 0},
            [LW_INK_ORANGE] = {208, 223, 0},
            [LW_INK_GREEN] = {34, 157, 0},
            [LW_INK_RED] = {160, 217, 0},
            [LW_INK_PURPLE] = {97, 183, 0},
            [LW_INK_BROWN] = {95, 181, 0},
            [LW_INK_PINK] = {175, 225, 0},
            [LW_INK_OLIVE] = {142, 229, 0},
            [LW_INK_CYAN] = {38, 159, 0},
            [LW_INK_SKY] = {68, 153, 0},
            [LW_INK_CORAL] = {167, 217, 0},
            [LW_INK_VIOLET] = {133, 183, 0},
            [LW_INK_OK] = {35, 151, 0},
            [LW_INK_WARN] = {172, 222, 0},
            [LW_INK_ALERT] = {167, 217, 0},
            [LW_INK_UNSURE] = {244, 250, 0},
            [LW_INK_TINT_OK] = {194, 194, 0},
            [LW_INK_TINT_WARN] = {230, 230, 0},
            [LW_INK_TINT_ALERT] = {224, 224, 0},
            [LW_INK_HEAT] = {53, 53, 0},
            {54, 54, 0},
            {60, 60, 0},
            {61, 61, 0},
            {24, 24, 0},
            {30, 30, 0},
            {31, 31, 0},
            {36, 36, 0},
            {35, 35, 0},
            {72, 72, 0},
            {71, 71, 0},
            {77, 77, 0},
            {113, 113, 0},
            {149, 149, 0},
            {184, 184, 0},
            {220, 220, 0},
        },
};

/* Plain blue is unreadable on most dark terminals, so blues are cyan or bright here. */
static const struct lw_palette basic_16 = {
    .depth = LW_DEPTH_16,
    .ink =
        {
            [LW_INK_NONE] = {-1, -1, 0},
            [LW_INK_TEXT] = {-1, 8, 0},
            [LW_INK_DIM] = {7, 8, 0},
            [LW_INK_GRID] = {8, 8, 0},
            [LW_INK_TITLE] = {15, 7, 0},
            [LW_INK_ACCENT] = {14, 6, 0},
            [LW_INK_BAR] = {-1, -1, LW_ATTR_REVERSE},
            [LW_INK_SELECT] = {-1, -1, LW_ATTR_REVERSE},
            [LW_INK_BLACK] = {0, 0, 0},
            [LW_INK_BLUE] = {12, 4, 0},
            [LW_INK_ORANGE] = {3, 8, 0},
            [LW_INK_GREEN] = {2, 8, 0},
            [LW_INK_RED] = {9, 1, 0},
            [LW_INK_PURPLE] = {5, 8, 0},
            [LW_INK_BROWN] = {1, 8, 0},
            [LW_INK_PINK] = {13, 5, 0},
            [LW_INK_OLIVE] = {11, 3, 0},
            [LW_INK_CYAN] = {6, 8, 0},
            [LW_INK_SKY] = {12, 4, 0},
            [LW_INK_CORAL] = {9, 1, 0},
            [LW_INK_VIOLET] = {13, 5, 0},
            [LW_INK_OK] = {10, 2, 0},
            [LW_INK_WARN] = {11, 3, 0},
            [LW_INK_ALERT] = {9, 1, 0},
            [LW_INK_UNSURE] = {7, 8, 0},
            [LW_INK_TINT_OK] = {-1, -1, 0},
            [LW_INK_TINT_WARN] = {-1, -1, 0},
            [LW_INK_TINT_ALERT] = {-1, -1, 0},
            [LW_INK_HEAT] = {4, 4, 0},
            {4, 4, 0},
            {4, 4, 0},
            {12, 12, 0},
            {12, 12, 0},
            {6, 6, 0},
            {6, 6, 0},
            {14, 14, 0},
            {14, 14, 0},
            {2, 2, 0},
            {2, 2, 0},
            {10, 10, 0},
            {10, 10, 0},
            {3, 3, 0},
            {11, 11, 0},
            {11, 11, 0},
        },
};

static const struct lw_palette basic_8 = {
    .depth = LW_DEPTH_8,
    .ink =
        {
            [LW_INK_NONE] = {-1, -1, 0},
            [LW_INK_TEXT] = {-1, -1, 0},
            [LW_INK_DIM] = {-1, -1, LW_ATTR_FAINT},
            [LW_INK_GRID] = {-1, -1, LW_ATTR_FAINT},
            [LW_INK_TITLE] = {-1, -1, 0},
            [LW_INK_ACCENT] = {6, 6, 0},
            [LW_INK_BAR] = {-1, -1, LW_ATTR_REVERSE},
            [LW_INK_SELECT] = {-1, -1, LW_ATTR_REVERSE},
            [LW_INK_BLACK] = {0, 0, 0},
            [LW_INK_BLUE] = {6, 6, 0},
            [LW_INK_ORANGE] = {3, 3, 0},
            [LW_INK_GREEN] = {2, 2, 0},
            [LW_INK_RED] = {1, 1, 0},
            [LW_INK_PURPLE] = {5, 5, 0},
            [LW_INK_BROWN] = {1, 1, 0},
            [LW_INK_PINK] = {5, 5, 0},
            [LW_INK_OLIVE] = {3, 3, 0},
            [LW_INK_CYAN] = {6, 6, 0},
            [LW_INK_SKY] = {6, 6, 0},
            [LW_INK_CORAL] = {1, 1, 0},
            [LW_INK_VIOLET] = {5, 5, 0},
            [LW_INK_OK] = {2, 2, 0},
            [LW_INK_WARN] = {3, 3, 0},
            [LW_INK_ALERT] = {1, 1, 0},
            [LW_INK_UNSURE] = {-1, -1, 0},
            [LW_INK_TINT_OK] = {-1, -1, 0},
            [LW_INK_TINT_WARN] = {-1, -1, 0},
            [LW_INK_TINT_ALERT] = {-1, -1, 0},
            [LW_INK_HEAT] = {4, 4, 0},
            {4, 4, 0},
            {4, 4, 0},
            {4, 4, 0},
            {6, 6, 0},
            {6, 6, 0},
            {6, 6, 0},
            {6, 6, 0},
            {2, 2, 0},
            {2, 2, 0},
            {2, 2, 0},
            {2, 2, 0},
            {3, 3, 0},
            {3, 3, 0},
            {3, 3, 0},
            {3, 3, 0},
        },
};

/* Heat has no colour here: the heat map draws its own ramp of characters. */
static const struct lw_palette mono = {
    .depth = LW_DEPTH_MONO,
    .ink =
        {
            [LW_INK_NONE... LW_INK_TITLE] = {-1, -1, 0},
            [LW_INK_ACCENT] = {-1, -1, LW_ATTR_BOLD},
            [LW_INK_BAR] = {-1, -1, LW_ATTR_REVERSE},
            [LW_INK_SELECT] = {-1, -1, LW_ATTR_REVERSE},
            [LW_INK_BLACK... LW_INK_WARN] = {-1, -1, 0},
            [LW_INK_ALERT] = {-1, -1, LW_ATTR_BOLD},
            [LW_INK_UNSURE... LW_INK_COUNT - 1] = {-1, -1, 0},
        },
};

static const uint32_t ink_rgb[LW_INK_COUNT] = {
    [LW_INK_DIM] = 0x7f7f7f,       [LW_INK_GRID] = 0xd0d0d0,      [LW_INK_ACCENT] = 0x17becf,
    [LW_INK_BAR] = 0x34495e,       [LW_INK_SELECT] = 0xe4e4e4,    [LW_INK_BLUE] = 0x1f77b4,
    [LW_INK_ORANGE] = 0xff7f0e,    [LW_INK_GREEN] = 0x2ca02c,     [LW_INK_RED] = 0xd62728,
    [LW_INK_PURPLE] = 0x9467bd,    [LW_INK_BROWN] = 0x8c564b,     [LW_INK_PINK] = 0xe377c2,
    [LW_INK_OLIVE] = 0xbcbd22,     [LW_INK_CYAN] = 0x17becf,      [LW_INK_SKY] = 0x3498db,
    [LW_INK_CORAL] = 0xe74c3c,     [LW_INK_VIOLET] = 0x9b59b6,    [LW_INK_OK] = 0x2ecc71,
    [LW_INK_WARN] = 0xf39c12,      [LW_INK_ALERT] = 0xe74c3c,     [LW_INK_UNSURE] = 0x7f8c8d,
    [LW_INK_TINT_OK] = 0xe3f7eb,   [LW_INK_TINT_WARN] = 0xfdf0da, [LW_INK_TINT_ALERT] = 0xfbe2df,
    [LW_INK_HEAT] = 0x440154,      [LW_INK_HEAT + 1] = 0x481a6c,  [LW_INK_HEAT + 2] = 0x472f7d,
    [LW_INK_HEAT + 3] = 0x414487,  [LW_INK_HEAT + 4] = 0x39568c,  [LW_INK_HEAT + 5] = 0x31688e,
    [LW_INK_HEAT + 6] = 0x2a788e,  [LW_INK_HEAT + 7] = 0x23888e,  [LW_INK_HEAT + 8] = 0x1f988b,
    [LW_INK_HEAT + 9] = 0x22a884,  [LW_INK_HEAT + 10] = 0x35b779, [LW_INK_HEAT + 11] = 0x54c568,
    [LW_INK_HEAT + 12] = 0x7ad151, [LW_INK_HEAT + 13] = 0xa5db36, [LW_INK_HEAT + 14] = 0xd2e21b,
    [LW_INK_HEAT + 15] = 0xfde725,
};

const struct lw_palette *lw_palette_get(enum lw_depth depth, bool light)
{
    switch (depth) {
    case LW_DEPTH_256:
        return light ? &light_256 : &dark_256;
    case LW_DEPTH_16:
        return &basic_16;
    case LW_DEPTH_8:
        return &basic_8;
    case LW_DEPTH_MONO:
        break;
    }
    return &mono;
}

uint32_t lw_ink_rgb(enum lw_ink ink)
{
    return (unsigned)ink < LW_INK_COUNT ? ink_rgb[ink] : 0;
}

enum lw_ink lw_state_ink(enum lw_state state)
{
    static const enum lw_ink inks[LW_STATE_COUNT] = {
        [LW_STATE_NONE] = LW_INK_DIM,      [LW_STATE_OK] = LW_INK_OK,
        [LW_STATE_WARN] = LW_INK_WARN,     [LW_STATE_ALERT] = LW_INK_ALERT,
        [LW_STATE_UNSURE] = LW_INK_UNSURE, [LW_STATE_UNKNOWN] = LW_INK_DIM,
    };

    return (unsigned)state < LW_STATE_COUNT ? inks[state] : LW_INK_DIM;
}

const char *lw_state_word(enum lw_state state)
{
    static const char *const words[LW_STATE_COUNT] = {
        [LW_STATE_NONE] = "NO DATA", [LW_STATE_OK] = "OK",         [LW_STATE_WARN] = "WARN",
        [LW_STATE_ALERT] = "ALERT",  [LW_STATE_UNSURE] = "UNSURE", [LW_STATE_UNKNOWN] = "UNKNOWN",
    };

    return (unsigned)state < LW_STATE_COUNT ? words[state] : "UNKNOWN";
}
