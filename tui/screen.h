/* SPDX-License-Identifier: MIT
 *
 * The terminal while the console owns it: entering and leaving curses, restoring it on every way
 * out (a crash too), and holding back what other code writes on stderr meanwhile.
 */
#ifndef LW_TUI_SCREEN_H
#define LW_TUI_SCREEN_H

#include "engine/base/error.h"

struct lw_screen {
    void *terminal;   /* SCREEN of ncurses */
    int held_stderr;  /* memory file that stands in for stderr, or -1 */
    int real_stderr;
    int mouse;
};

/* Take over the terminal on stdin and stdout. LW_EUSAGE when TERM is unknown or unset. */
LW_NODISCARD int lw_screen_open(struct lw_screen *s, struct lw_error *err);

/* Give the terminal back and write what was held on stderr. Safe to call twice. */
void lw_screen_close(struct lw_screen *s);

/* Report clicks and the wheel, or leave the mouse to the terminal. */
void lw_screen_mouse(struct lw_screen *s, int on);

#endif
