/* SPDX-License-Identifier: MIT
 *
 * The terminal while the console owns it: entering and leaving, restoring it on every way out (a
 * crash too), and holding back what other code writes on stderr meanwhile.
 */
#ifndef LW_TUI_TERMINAL_H
#define LW_TUI_TERMINAL_H

#include <stdbool.h>

#include "engine/base/error.h"
#include "widgets/surface_curses.h"

struct lw_terminal {
    struct lw_screen *screen;
    int held_stderr; /* memory file that stands in for stderr, or -1 */
    int real_stderr;
    bool mouse;
};

/* Take over the terminal on stdin and stdout. LW_EUSAGE when it cannot be drawn on. */
LW_NODISCARD int lw_terminal_open(struct lw_terminal *t, const struct lw_screen_options *options,
                                  struct lw_error *err);

/* Give the terminal back and write what was held on stderr. Safe to call twice. */
void lw_terminal_close(struct lw_terminal *t);

/* Report clicks and the wheel, or leave the mouse to the terminal. */
void lw_terminal_mouse(struct lw_terminal *t, bool on);

#endif
