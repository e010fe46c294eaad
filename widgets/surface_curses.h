/* SPDX-License-Identifier: MIT
 *
 * A surface on a terminal, through ncurses (wide). Only cells that changed since the last frame
 * are handed to ncurses, so an unchanged frame writes nothing. This file owns the screen's modes;
 * keys are read by the caller with getch().
 */
#ifndef LW_WIDGETS_SURFACE_CURSES_H
#define LW_WIDGETS_SURFACE_CURSES_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/base/error.h"
#include "widgets/surface.h"

enum lw_color_mode {
    LW_COLOR_AUTO, /* what terminfo says, none with a non-empty NO_COLOR */
    LW_COLOR_NEVER,
    LW_COLOR_8,
    LW_COLOR_16,
    LW_COLOR_256,
};

struct lw_screen_options {
    const char *term; /* NULL: $TERM */
    FILE *out, *in;   /* NULL: stdout, stdin */
    enum lw_color_mode color;
    bool ascii;  /* else by locale: UTF-8 or not, and whether each glyph is one cell wide */
    bool blocks; /* no braille */
    bool light;  /* palette for a light background */
};

struct lw_screen;

/* Take the terminal over: alternate screen, cbreak, noecho, keypad, no cursor, non-blocking keys,
 * 25 ms escape delay. setlocale(LC_CTYPE, "") is the caller's, before. One screen at a time. */
LW_NODISCARD int lw_screen_open(const struct lw_screen_options *options, struct lw_screen **screen,
                                struct lw_error *err);

/* Give the terminal back (endwin) and free. NULL is fine. */
void lw_screen_close(struct lw_screen *screen);

/* What surfaces for this screen should be made with. */
enum lw_depth lw_screen_depth(const struct lw_screen *screen);
enum lw_charset lw_screen_charset(const struct lw_screen *screen);

/* Switch glyph set (key) or palette; surfaces must be repainted by the caller. */
void lw_screen_set_charset(struct lw_screen *screen, enum lw_charset charset);
void lw_screen_set_light(struct lw_screen *screen, bool light);

/* Size as ncurses knows it now (after KEY_RESIZE). */
void lw_screen_size(const struct lw_screen *screen, int *rows, int *cols);

/* Put the surface on the terminal: the changed cells, one update. */
void lw_screen_show(struct lw_screen *screen, const struct lw_surface *s);

/* The next lw_screen_show repaints everything (Ctrl-L, SIGCONT, foreign writes, resize). */
void lw_screen_forget(struct lw_screen *screen);

#endif
