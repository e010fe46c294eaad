/* SPDX-License-Identifier: MIT
 *
 * Two histograms side by side over the same bins.
 */
#ifndef LW_WIDGETS_BARS_H
#define LW_WIDGETS_BARS_H

#include "widgets/axis.h"
#include "widgets/surface.h"

struct lw_bar_series {
    const char *name;
    enum lw_ink ink;
    const double *values; /* one a bin; NaN or negative: none */
};

struct lw_bars {
    int bins;
    const double *edges;       /* bins + 1, or NULL */
    const char *const *labels; /* bins of them, where edges is NULL; may be NULL too */
    const struct lw_bar_series *series;
    int series_count;              /* 1 or 2 */
    const char *x_label, *y_label; /* NULL: none */
    enum lw_number number;         /* of values */
    double top;                    /* the y axis' end; <= 0: fitted */
};

void lw_bars_draw(struct lw_area a, const struct lw_bars *bars);
int lw_bars_legend(struct lw_area a, int row, int from, const struct lw_bars *bars);

#endif
