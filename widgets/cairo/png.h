/* SPDX-License-Identifier: MIT
 *
 * PNG, written fast: cairo's own writer takes several times as long.
 */
#ifndef LW_WIDGETS_CAIRO_PNG_H
#define LW_WIDGETS_CAIRO_PNG_H

#include <cairo.h>

#include "widgets/picture.h"

/* Write an image surface of format RGB24. NULL, or what went wrong. */
const char *lw_png_write(cairo_surface_t *surface, double dpi, lw_picture_write *write, void *user);

#endif
