/* SPDX-License-Identifier: MIT
 *
 * 128-bit sums, and how they are written: as decimal text.
 */
#ifndef LW_DRIFT_WIDE_H
#define LW_DRIFT_WIDE_H

#include <stddef.h>

__extension__ typedef unsigned __int128 lw_wide;

#define LW_WIDE_TEXT 40 /* room for any, with its NUL */

/* Write x in decimal; returns out's first digit. */
char *lw_wide_text(lw_wide x, char out[LW_WIDE_TEXT]);

/* Read decimal digits, nothing else; -1 where there is anything else or too much. */
int lw_wide_read(const char *text, lw_wide *x);

#endif
