/* SPDX-License-Identifier: MIT
 *
 * leeway bench console: the real program on a pseudo terminal, on run folders made for the
 * purpose. Counts bytes, processor time and memory, and times the way from a key to its frame.
 */
#ifndef LW_TUI_BENCH_CONSOLE_H
#define LW_TUI_BENCH_CONSOLE_H

#include "tui/verb.h"

/* words: key=value and --json. Returns the exit code. */
int lw_bench_console(const struct lw_verb *self, int count, char **words);

#endif
