/* SPDX-License-Identifier: MIT
 *
 * What the commands that open a console share: finding runs, looking at them, and saying what
 * became of a run afterwards.
 */
#ifndef LW_TUI_SESSION_H
#define LW_TUI_SESSION_H

#include <stdbool.h>

#include "tui/console.h"
#include "tui/verb.h"

/* Open the console on paths (the first one is the main one) and, when it is left, say on stdout
 * how to come back or how the run ended. Returns the exit code. */
int lw_session(const struct lw_verb *self, const char *const *paths, int count,
               const struct lw_look *look);

/* The same, as one frame of text. */
int lw_session_print(const struct lw_verb *self, const char *const *paths, int count,
                     const struct lw_look *look, int rows, int cols);

/* Can a console be shown here: are stdin and stdout terminals that can be drawn on? */
bool lw_session_possible(void);

#endif
