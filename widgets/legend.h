/* SPDX-License-Identifier: MIT
 *
 * A legend of one row, shortened until it fits: first the names go, then the last entries.
 */
#ifndef LW_WIDGETS_LEGEND_H
#define LW_WIDGETS_LEGEND_H

#include "widgets/surface.h"

struct lw_legend_entry {
    uint32_t swatch;
    const char *name;  /* NULL: none */
    const char *value; /* NULL: none */
    enum lw_ink ink;
};

/* Right-aligned on a row, from column from on; returns the first column used, or the area's width
 * where nothing fits. */
int lw_legend_draw(struct lw_area a, int row, int from, const struct lw_legend_entry *entries,
                   int count);

#endif
