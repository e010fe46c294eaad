/* SPDX-License-Identifier: MIT
 *
 * Pictures and tables are drawn by the program leeway: the engine asks it for them.
 */
#ifndef LW_TRAIN_ASK_CONSOLE_H
#define LW_TRAIN_ASK_CONSOLE_H

#include "engine/base/error.h"

/* Run leeway (beside this program, else in PATH) with these words, NULL at their end. What it
 * prints goes to the file `out`, whole or not at all (NULL: nowhere). Returns its exit code, and
 * then err has the last line that it complained with ("" for none), or a negative code. A code in
 * `good` (digits: "0345") keeps the file. */
int lw_ask_console(const char *const *words, const char *out, const char *good,
                   struct lw_error *err);

#endif
