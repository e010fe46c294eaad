/* SPDX-License-Identifier: MIT
 *
 * Panels as a picture: the same descriptions that the terminal gets, on a page of paper. The
 * painter is a module of its own, opened when a picture is asked for, so that a console carries no
 * fonts.
 */
#ifndef LW_WIDGETS_PICTURE_H
#define LW_WIDGETS_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "widgets/panel.h"

enum lw_picture_format { LW_PICTURE_PNG, LW_PICTURE_SVG, LW_PICTURE_PDF };

enum { LW_PICTURE_ROWS = 8 };

/* Limits of a page: inches, dots an inch, and dots in all. */
#define LW_PICTURE_INCHES 200.0
#define LW_PICTURE_DPI    2400.0
#define LW_PICTURE_DOTS   400e6

struct lw_picture {
    double width, height; /* inches */
    double dpi;           /* of a PNG */
    const char *title;    /* NULL: none */
    const char *subtitle; /* lines under it; NULL: none */
    const struct lw_panel *panel;
    int panels;
    int across[LW_PICTURE_ROWS]; /* panels in each row, ended by a 0 */

    /* Told where each text was put, in points from the top left; NULL: nobody wants to know. */
    void (*text)(void *user, const char *text, double x, double y, double width, double height);
    void *text_user;
};

/* Take bytes of the file; returns whether to go on. */
typedef bool lw_picture_write(void *user, const void *data, size_t size);

struct lw_painter {
    int version; /* LW_PAINTER_VERSION */

    /* NULL, or what went wrong (a constant). */
    const char *(*paint)(const struct lw_picture *picture, enum lw_picture_format format,
                         lw_picture_write *write, void *user);

    /* Is there a font? Without one text is drawn with strokes of the painter's own. */
    bool (*has_font)(void);
};

#define LW_PAINTER_VERSION 1

/* What the module exports: a struct lw_painter of this name. */
#define LW_PAINTER_SYMBOL "lw_painter_module"

#endif
