/* SPDX-License-Identifier: MIT
 *
 * A thin progress bar of one row, in halves of a cell, and a sparkline.
 */
#ifndef LW_WIDGETS_GAUGE_H
#define LW_WIDGETS_GAUGE_H

#include <stddef.h>

#include "widgets/surface.h"

struct lw_gauge {
    double share; /* 0 to 1, clamped; NaN: an empty track */
    enum lw_ink ink;
    const char *label; /* left of the bar; NULL: none */
    const char *text;  /* right of the bar; NULL: none */
};

void lw_gauge_draw(struct lw_area a, const struct lw_gauge *gauge);

struct lw_spark {
    const double *values; /* one a cell, the last ones where room is short; NaN: a gap */
    size_t count;
    double low, high; /* low >= high: fitted */
    enum lw_ink ink;
};

void lw_spark_draw(struct lw_area a, const struct lw_spark *spark);

#endif
