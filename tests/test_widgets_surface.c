/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "widgets/surface.h"
#include "widgets/surface_text.h"

static const struct lw_style plain = {0};

static struct lw_surface *fresh(int rows, int cols)
{
    struct lw_surface *s = lw_surface_new(rows, cols, LW_CHARSET_BRAILLE, LW_DEPTH_256);

    cr_assert_not_null(s);
    return s;
}

/* The surface as text is this; frees it. */
static void shows(struct lw_surface *s, const char *want)
{
    size_t size = 0;
    char *text = lw_surface_text(s, NULL, &size);

    cr_assert_not_null(text);
    cr_assert_str_eq(text, want);
    cr_assert_eq(size, strlen(want));
    free(text);
    lw_surface_free(s);
}

Test(surface, sizes_are_made_sane)
{
    struct lw_surface *s = fresh(-3, 5000000);

    cr_assert_eq(s->rows, 1);
    cr_assert_eq(s->cols, 1000);
    cr_assert_eq(lw_surface_resize(s, 2, 3), 0);
    cr_assert_eq(s->rows, 2);
    lw_put_text(lw_area_all(s), 1, 0, "abc", plain);
    cr_assert_eq(lw_surface_resize(s, 2, 3), 0);
    shows(s, "\n\n");
}

Test(surface, text_is_clipped_and_counted)
{
    struct lw_surface *s = fresh(2, 5);
    struct lw_area a = lw_area_all(s);

    cr_assert_eq(lw_put_text(a, 0, 3, "abc", plain), 2);
    cr_assert_eq(lw_put_text(a, 1, -2, "abc", plain), 3);
    cr_assert_eq(lw_put_text(a, 7, 0, "abc", plain), 3);
    cr_assert_eq(lw_put_text(a, -1, 9, "abc", plain), 0);
    shows(s, "   ab\nc\n");
}

Test(surface, wide_characters_take_two_cells_or_none)
{
    struct lw_surface *s = fresh(3, 5);
    struct lw_area a = lw_area_all(s);

    cr_assert_eq(lw_put_text(a, 0, 0, "\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97", plain), 6);
    cr_assert_eq(lw_surface_at(s, 0, 1)->code, 0);
    lw_put_text(a, 1, 0, "\xe4\xb8\xad\xe6\x96\x87", plain);
    lw_put(a, 1, 1, 'x', plain); /* over the right half of the first */
    lw_put(a, 1, 2, 'y', plain); /* over the left half of the second */
    lw_put_text(a, 2, 0, "abcde", plain);
    lw_put(a, 2, 1, 0x4e2d, plain);
    lw_put(a, 2, 2, 0x4e2d, plain); /* over the right half of the one before */
    shows(s, "\xe4\xb8\xad\xe6\x96\x87\n xy\na \xe4\xb8\xad"
             "e\n");
}

Test(surface, areas_clip_to_their_parents)
{
    struct lw_surface *s = fresh(4, 8);
    struct lw_area a = lw_area_sub(lw_area_all(s), 1, 2, 2, 4), inner;

    lw_fill(a, plain);
    lw_put_text(a, 0, 0, "abcdefgh", plain);
    inner = lw_area_sub(a, 1, 1, 100, 100);
    cr_assert_eq(inner.rect.rows, 1);
    cr_assert_eq(inner.rect.cols, 3);
    lw_put_text(inner, 0, 0, "123456", plain);
    cr_assert(lw_area_empty(lw_area_sub(a, 5, 5, 1, 1)));
    cr_assert(lw_area_empty(lw_area_sub(a, 0, 0, -1, 2)));
    cr_assert(lw_area_empty(lw_area_sub(a, 2147483647, 0, 2147483647, 2)));
    lw_put_text(lw_area_sub(a, 0, 9, 1, 1), 0, 0, "no", plain);
    shows(s, "\n  abcd\n   123\n\n");
}

Test(surface, no_control_character_gets_in)
{
    struct lw_surface *s = fresh(1, 12);
    struct lw_area a = lw_area_all(s);

    lw_put_text(a, 0, 0, "\x1b[2J\n\xc2\x9b\xff", plain);
    lw_put(a, 0, 8, 0x202e, plain);
    lw_put(a, 0, 9, 0, plain);
    lw_put(a, 0, 10, 0x300, plain);
    shows(s, "?[2J??? ???\n");
}

Test(surface, one_combining_mark_stays_with_its_base)
{
    struct lw_surface *s = fresh(1, 6);

    cr_assert_eq(lw_put_text(lw_area_all(s), 0, 0, "e\xcc\x81\xcc\x82x", plain), 2);
    cr_assert_eq(lw_surface_at(s, 0, 0)->mark, 0x301);
    shows(s, "e\xcc\x81x\n");
}

Test(surface, ascii_surfaces_stay_ascii)
{
    struct lw_surface *s = lw_surface_new(1, 12, LW_CHARSET_ASCII, LW_DEPTH_MONO);

    lw_put_text(lw_area_all(s), 0, 0, "na\xc3\xafve e\xcc\x81 \xe4\xb8\xad", plain);
    shows(s, "na?ve e ?\n");
}

Test(surface, cut_text_ends_in_an_ellipsis)
{
    struct lw_surface *s = fresh(3, 10);
    struct lw_area a = lw_area_all(s);

    cr_assert_eq(lw_put_cut(a, 0, 0, 5, "abcde", plain), 5);
    cr_assert_eq(lw_put_cut(a, 1, 0, 5, "abcdef", plain), 5);
    cr_assert_eq(lw_put_cut(a, 2, 0, 4, "\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97", plain), 3);
    cr_assert_eq(lw_put_cut(a, 2, 0, 0, "abc", plain), 0);
    shows(s, "abcde\nabcd\xe2\x80\xa6\n\xe4\xb8\xad\xe2\x80\xa6\n");
}

Test(surface, backgrounds_are_kept_under_text)
{
    struct lw_surface *s = fresh(1, 4);
    struct lw_area a = lw_area_all(s);

    lw_fill(a, LW_STYLE(LW_INK_TEXT, LW_INK_SELECT, 0));
    lw_put(a, 0, 1, 'x', LW_INK(LW_INK_RED));
    cr_assert_eq(lw_surface_at(s, 0, 1)->style.bg, LW_INK_SELECT);
    cr_assert_eq(lw_surface_at(s, 0, 1)->style.fg, LW_INK_RED);
    lw_tint(a, LW_INK_NONE);
    cr_assert_eq(lw_surface_at(s, 0, 1)->style.bg, LW_INK_NONE);
    cr_assert_null(lw_surface_at(s, 1, 0));
    cr_assert_null(lw_surface_at(s, 0, 4));
    cr_assert_null(lw_surface_at(s, -1, 0));
    lw_surface_free(s);
}

Test(surface, colours_become_escapes_that_end_on_their_line)
{
    struct lw_surface *s = fresh(2, 6);
    struct lw_area a = lw_area_all(s);
    char *text;

    lw_put_text(a, 0, 0, "ab", LW_STYLE(LW_INK_ORANGE, 0, LW_ATTR_BOLD));
    lw_put_text(a, 0, 2, "cd", plain);
    lw_put_text(a, 1, 0, "ef", LW_STYLE(LW_INK_BLACK, LW_INK_OK, 0));
    text = lw_surface_text(s, lw_palette_get(LW_DEPTH_256, false), NULL);
    cr_assert_str_eq(text, "\033[0;1;38;5;208mab\033[0mcd\n\033[0;38;5;16;48;5;41mef\033[0m\n");
    free(text);
    text = lw_surface_text(s, lw_palette_get(LW_DEPTH_MONO, false), NULL);
    cr_assert_str_eq(text, "\033[0;1mab\033[0mcd\nef\n");
    free(text);
    lw_surface_free(s);
}

static uint32_t cube_rgb(int color)
{
    static const uint32_t level[] = {0, 95, 135, 175, 215, 255};
    uint32_t grey;

    if (color >= 232) {
        grey = 8 + 10 * ((uint32_t)color - 232);
        return grey << 16 | grey << 8 | grey;
    }
    color -= 16;
    return level[color / 36] << 16 | level[color / 6 % 6] << 8 | level[color % 6];
}

static long distance(uint32_t a, uint32_t b)
{
    long sum = 0;

    for (int shift = 0; shift <= 16; shift += 8) {
        long d = (long)(a >> shift & 255) - (long)(b >> shift & 255);

        sum += d * d;
    }
    return sum;
}

/* The hues of the terminal are the nearest that 256 colours have to the exported ones. */
Test(palette, is_the_nearest_in_the_cube)
{
    const struct lw_palette *p = lw_palette_get(LW_DEPTH_256, false);

    for (int ink = LW_INK_BLUE; ink <= LW_INK_ALERT; ink++) {
        uint32_t want = lw_ink_rgb((enum lw_ink)ink);
        long best = 1 << 30;

        if (ink == LW_INK_VIOLET)
            continue; /* its nearest is PURPLE's: the next one keeps the two apart */
        for (int color = 16; color < 256; color++)
            best = distance(want, cube_rgb(color)) < best ? distance(want, cube_rgb(color)) : best;
        cr_assert_eq(distance(want, cube_rgb(lw_palette_ink(p, (unsigned)ink).color)), best,
                     "ink %d", ink);
    }
    cr_assert_neq(lw_palette_ink(p, LW_INK_VIOLET).color, lw_palette_ink(p, LW_INK_PURPLE).color);
}

Test(palette, stays_within_its_depth)
{
    static const int colors[] = {
        [LW_DEPTH_MONO] = 0, [LW_DEPTH_8] = 8, [LW_DEPTH_16] = 16, [LW_DEPTH_256] = 256};

    for (int depth = LW_DEPTH_MONO; depth <= LW_DEPTH_256; depth++)
        for (int light = 0; light < 2; light++) {
            const struct lw_palette *p = lw_palette_get((enum lw_depth)depth, light);

            cr_assert_eq((int)p->depth, depth);
            for (int ink = 0; ink < LW_INK_COUNT; ink++) {
                cr_assert(lw_palette_ink(p, (unsigned)ink).color >= -1 &&
                          lw_palette_ink(p, (unsigned)ink).color < colors[depth]);
                cr_assert(lw_palette_ink(p, (unsigned)ink).faint >= -1 &&
                          lw_palette_ink(p, (unsigned)ink).faint < colors[depth]);
            }
        }
}

Test(palette, only_ok_is_shown_as_ok)
{
    for (int state = 0; state < LW_LIGHT_COUNT; state++) {
        cr_assert_eq(lw_light_ink((enum lw_light)state) == LW_INK_OK, state == LW_LIGHT_OK);
        cr_assert_eq(strcmp(lw_light_word((enum lw_light)state), "OK") == 0, state == LW_LIGHT_OK);
    }
    cr_assert_str_eq(lw_light_word((enum lw_light)99), "UNKNOWN");
}
