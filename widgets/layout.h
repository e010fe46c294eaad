/* SPDX-License-Identifier: MIT
 *
 * Where things go: a pure function of the terminal's size. No rectangle that is shown is empty,
 * leaves the screen or overlaps another.
 */
#ifndef LW_WIDGETS_LAYOUT_H
#define LW_WIDGETS_LAYOUT_H

#include <stdbool.h>

#include "widgets/surface.h"

#define LW_LAYOUT_PANELS 16

enum lw_layout_mode {
    LW_LAYOUT_STATUS, /* under 20x5: header is the one line there is */
    LW_LAYOUT_SINGLE, /* under 60x15: one panel, the focused one */
    LW_LAYOUT_GRID,
};

struct lw_layout_want {
    int panels; /* 0 to LW_LAYOUT_PANELS */
    int focus;  /* the panel that must be shown */
    int split;  /* where not all fit: pages are cut here first (0: anywhere). Ten panels with
                   split 6 become 6 and 4 */
    bool zoom;  /* only the focused panel */
};

struct lw_layout {
    enum lw_layout_mode mode;
    struct lw_rect header, footer;          /* empty where there is no room */
    struct lw_rect body;                    /* all between them */
    struct lw_rect panel[LW_LAYOUT_PANELS]; /* empty: not on this page */
    int first, count;                       /* panels shown: first to first + count - 1 */
    int page, pages;
};

void lw_layout_make(int rows, int cols, const struct lw_layout_want *want, struct lw_layout *out);

#endif
