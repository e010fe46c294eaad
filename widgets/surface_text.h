/* SPDX-License-Identifier: MIT
 *
 * A surface as text: one line a row, trailing blanks cut.
 */
#ifndef LW_WIDGETS_SURFACE_TEXT_H
#define LW_WIDGETS_SURFACE_TEXT_H

#include <stddef.h>

#include "widgets/surface.h"

/* UTF-8 in memory the caller frees, NUL-terminated; *size (may be NULL) without the NUL. With a
 * palette, colours as ANSI escapes, ended on each line; without (NULL), plain text. NULL when out
 * of memory. */
char *lw_surface_text(const struct lw_surface *s, const struct lw_palette *palette, size_t *size);

#endif
