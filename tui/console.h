/* SPDX-License-Identifier: MIT
 *
 * The console: a view on a terminal. One thread waits for keys, files and the clock; a frame is
 * drawn once a second at most for data, at once for a key, and not at all when nothing changed.
 */
#ifndef LW_TUI_CONSOLE_H
#define LW_TUI_CONSOLE_H

#include <stdbool.h>

#include "engine/base/error.h"
#include "tui/args.h"
#include "tui/view.h"
#include "widgets/surface_curses.h"

struct lw_look {
    enum lw_color_mode color;
    bool ascii;
    bool low_bandwidth; /* 16 colours or ASCII, a frame in 5 s, no clocks */
    bool fresh;         /* the run was just started: leave when it fails before its first step */
};

/* --color, --ascii, NO_COLOR, LEEWAY_ASCII and, where the command has it, --low-bandwidth. */
LW_NODISCARD int lw_look_parse(struct lw_look *look, const struct lw_args *args,
                               struct lw_error *err);

/* Run the console until it is left. 0, or a negative code when the terminal cannot be used. *sig
 * is the signal that ended it, 0 for a key. */
LW_NODISCARD int lw_console_run(struct lw_view *v, const struct lw_look *look, int *sig,
                                struct lw_error *err);

/* One frame as text on stdout; color: with escape sequences. */
LW_NODISCARD int lw_console_print(struct lw_view *v, const struct lw_look *look, int rows, int cols,
                                  struct lw_error *err);

#endif
