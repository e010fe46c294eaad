/* SPDX-License-Identifier: MIT
 *
 * Text of several lines (a list of problems, the end of a stderr) as one that is safe to show.
 */
#ifndef LW_RUN_ONE_LINE_H
#define LW_RUN_ONE_LINE_H

#include <stddef.h>

/* Line breaks become " | ", the rest goes through lw_text_clean. Returns the length. */
size_t lw_one_line(const char *text, char *out, size_t size);

#endif
