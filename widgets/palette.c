/* SPDX-License-Identifier: MIT */
#include "widgets/palette.h"

/* The hue of an ink where colours are many enough, and the same when it is faint. */
struct shades {
    int16_t plain, faint;
};

/* An ink: its true colour, and what stands for it at each depth. Colour numbers are chosen, never
 * redefined: in 256 colours the entries of the xterm cube nearest to the true ones, which every
 * such terminal shows alike. */
struct ink {
    uint32_t rgb;
    struct shades dark, light; /* of 256 colours, by the terminal's background */
    struct shades sixteen;
    int16_t eight;
    struct {
        uint8_t sixteen, eight, mono;
    } attr; /* needed besides */
};

#define REV  LW_ATTR_REVERSE
#define BOLD LW_ATTR_BOLD
#define FNT  LW_ATTR_FAINT

/* The darkest colours of the cube would drown what is drawn on them, so tints are for light
 * terminals only. With 16 and 8 colours blues are cyan or bright: plain blue is unreadable on most
 * dark terminals. Without colour the heat map draws its own ramp of characters. */
/* clang-format off */
static const struct ink inks[LW_INK_COUNT] = {
    /*                rgb        dark        light       16        8   attributes: 16, 8, mono */
    [LW_INK_NONE]       = {0x000000, { -1,  -1}, { -1,  -1}, {-1, -1}, -1, {  0,   0,    0}},
    [LW_INK_TEXT]       = {0x000000, { -1, 245}, { -1, 243}, {-1,  8}, -1, {  0,   0,    0}},
    [LW_INK_DIM]        = {0x7f7f7f, {245, 240}, {242, 248}, { 7,  8}, -1, {  0, FNT,    0}},
    [LW_INK_GRID]       = {0xd0d0d0, {239, 236}, {250, 254}, { 8,  8}, -1, {  0, FNT,    0}},
    [LW_INK_TITLE]      = {0x000000, {255, 250}, { 16, 238}, {15,  7}, -1, {  0,   0,    0}},
    [LW_INK_ACCENT]     = {0x17becf, { 80,  37}, { 30,  37}, {14,  6},  6, {  0,   0, BOLD}},
    [LW_INK_BAR]        = {0x34495e, {238, 236}, {252, 254}, {-1, -1}, -1, {REV, REV,  REV}},
    [LW_INK_SELECT]     = {0xe4e4e4, {237, 236}, {254, 255}, {-1, -1}, -1, {REV, REV,  REV}},
    [LW_INK_BLACK]      = {0x000000, { 16,  16}, { 16,  16}, { 0,  0},  0, {  0,   0,    0}},
    [LW_INK_BLUE]       = {0x1f77b4, { 31,  24}, { 31, 153}, {12,  4},  6, {  0,   0,    0}},
    [LW_INK_ORANGE]     = {0xff7f0e, {208,  94}, {208, 223}, { 3,  8},  3, {  0,   0,    0}},
    [LW_INK_GREEN]      = {0x2ca02c, { 34,  22}, { 34, 157}, { 2,  8},  2, {  0,   0,    0}},
    [LW_INK_RED]        = {0xd62728, {160,  52}, {160, 217}, { 9,  1},  1, {  0,   0,    0}},
    [LW_INK_PURPLE]     = {0x9467bd, { 97,  60}, { 97, 183}, { 5,  8},  5, {  0,   0,    0}},
    [LW_INK_BROWN]      = {0x8c564b, { 95,  59}, { 95, 181}, { 1,  8},  1, {  0,   0,    0}},
    [LW_INK_PINK]       = {0xe377c2, {175,  96}, {175, 225}, {13,  5},  5, {  0,   0,    0}},
    [LW_INK_OLIVE]      = {0xbcbd22, {142,  58}, {142, 229}, {11,  3},  3, {  0,   0,    0}},
    [LW_INK_CYAN]       = {0x17becf, { 38,  23}, { 38, 159}, { 6,  8},  6, {  0,   0,    0}},
    [LW_INK_SKY]        = {0x3498db, { 68,  60}, { 68, 153}, {12,  4},  6, {  0,   0,    0}},
    [LW_INK_CORAL]      = {0xe74c3c, {167,  95}, {167, 217}, { 9,  1},  1, {  0,   0,    0}},
    [LW_INK_VIOLET]     = {0x9b59b6, {133,  53}, {133, 183}, {13,  5},  5, {  0,   0,    0}},
    [LW_INK_OK]         = {0x2ecc71, { 41,  29}, { 35, 151}, {10,  2},  2, {  0,   0,    0}},
    [LW_INK_WARN]       = {0xf39c12, {214, 136}, {172, 222}, {11,  3},  3, {  0,   0,    0}},
    [LW_INK_ALERT]      = {0xe74c3c, {167,  95}, {167, 217}, { 9,  1},  1, {  0,   0, BOLD}},
    [LW_INK_UNSURE]     = {0x7f8c8d, {246, 240}, {244, 250}, { 7,  8}, -1, {  0,   0,    0}},
    [LW_INK_TINT_OK]    = {0xe3f7eb, { -1,  -1}, {194, 194}, {-1, -1}, -1, {  0,   0,    0}},
    [LW_INK_TINT_WARN]  = {0xfdf0da, { -1,  -1}, {230, 230}, {-1, -1}, -1, {  0,   0,    0}},
    [LW_INK_TINT_ALERT] = {0xfbe2df, { -1,  -1}, {224, 224}, {-1, -1}, -1, {  0,   0,    0}},
    [LW_INK_HEAT]       = {0x440154, { 53,  53}, { 53,  53}, { 4,  4},  4, {  0,   0,    0}},
    [LW_INK_HEAT + 1]   = {0x481a6c, { 54,  54}, { 54,  54}, { 4,  4},  4, {  0,   0,    0}},
    [LW_INK_HEAT + 2]   = {0x472f7d, { 60,  60}, { 60,  60}, { 4,  4},  4, {  0,   0,    0}},
    [LW_INK_HEAT + 3]   = {0x414487, { 61,  61}, { 61,  61}, {12, 12},  4, {  0,   0,    0}},
    [LW_INK_HEAT + 4]   = {0x39568c, { 24,  24}, { 24,  24}, {12, 12},  6, {  0,   0,    0}},
    [LW_INK_HEAT + 5]   = {0x31688e, { 30,  30}, { 30,  30}, { 6,  6},  6, {  0,   0,    0}},
    [LW_INK_HEAT + 6]   = {0x2a788e, { 31,  31}, { 31,  31}, { 6,  6},  6, {  0,   0,    0}},
    [LW_INK_HEAT + 7]   = {0x23888e, { 36,  36}, { 36,  36}, {14, 14},  6, {  0,   0,    0}},
    [LW_INK_HEAT + 8]   = {0x1f988b, { 35,  35}, { 35,  35}, {14, 14},  2, {  0,   0,    0}},
    [LW_INK_HEAT + 9]   = {0x22a884, { 72,  72}, { 72,  72}, { 2,  2},  2, {  0,   0,    0}},
    [LW_INK_HEAT + 10]  = {0x35b779, { 71,  71}, { 71,  71}, { 2,  2},  2, {  0,   0,    0}},
    [LW_INK_HEAT + 11]  = {0x54c568, { 77,  77}, { 77,  77}, {10, 10},  2, {  0,   0,    0}},
    [LW_INK_HEAT + 12]  = {0x7ad151, {113, 113}, {113, 113}, {10, 10},  3, {  0,   0,    0}},
    [LW_INK_HEAT + 13]  = {0xa5db36, {149, 149}, {149, 149}, { 3,  3},  3, {  0,   0,    0}},
    [LW_INK_HEAT + 14]  = {0xd2e21b, {184, 184}, {184, 184}, {11, 11},  3, {  0,   0,    0}},
    [LW_INK_HEAT + 15]  = {0xfde725, {220, 220}, {220, 220}, {11, 11},  3, {  0,   0,    0}},
};
/* clang-format on */

const struct lw_palette *lw_palette_get(enum lw_depth depth, bool light)
{
    static const struct lw_palette dark[] = {
        {LW_DEPTH_MONO, false}, {LW_DEPTH_8, false}, {LW_DEPTH_16, false}, {LW_DEPTH_256, false}};
    static const struct lw_palette bright = {LW_DEPTH_256, true};

    if ((unsigned)depth > LW_DEPTH_256)
        depth = LW_DEPTH_MONO;
    return light && depth == LW_DEPTH_256 ? &bright : &dark[depth];
}

struct lw_palette_entry lw_palette_ink(const struct lw_palette *palette, unsigned ink)
{
    const struct ink *i = &inks[ink < LW_INK_COUNT ? ink : LW_INK_NONE];
    const struct shades *cube = palette->light ? &i->light : &i->dark;

    switch (palette->depth) {
    case LW_DEPTH_256:
        return (struct lw_palette_entry){cube->plain, cube->faint, 0};
    case LW_DEPTH_16:
        return (struct lw_palette_entry){i->sixteen.plain, i->sixteen.faint, i->attr.sixteen};
    case LW_DEPTH_8:
        return (struct lw_palette_entry){i->eight, i->eight, i->attr.eight};
    case LW_DEPTH_MONO:
        break;
    }
    return (struct lw_palette_entry){-1, -1, i->attr.mono};
}

uint32_t lw_ink_rgb(enum lw_ink ink)
{
    return (unsigned)ink < LW_INK_COUNT ? inks[ink].rgb : 0;
}

enum lw_ink lw_light_ink(enum lw_light light)
{
    static const enum lw_ink of[LW_LIGHT_COUNT] = {
        [LW_LIGHT_NONE] = LW_INK_DIM,      [LW_LIGHT_OK] = LW_INK_OK,
        [LW_LIGHT_WARN] = LW_INK_WARN,     [LW_LIGHT_ALERT] = LW_INK_ALERT,
        [LW_LIGHT_UNSURE] = LW_INK_UNSURE, [LW_LIGHT_UNKNOWN] = LW_INK_DIM,
    };

    return (unsigned)light < LW_LIGHT_COUNT ? of[light] : LW_INK_DIM;
}

const char *lw_light_word(enum lw_light light)
{
    static const char *const words[LW_LIGHT_COUNT] = {
        [LW_LIGHT_NONE] = "NO DATA", [LW_LIGHT_OK] = "OK",         [LW_LIGHT_WARN] = "WARN",
        [LW_LIGHT_ALERT] = "ALERT",  [LW_LIGHT_UNSURE] = "UNSURE", [LW_LIGHT_UNKNOWN] = "UNKNOWN",
    };

    return (unsigned)light < LW_LIGHT_COUNT ? words[light] : "UNKNOWN";
}
