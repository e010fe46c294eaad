/* SPDX-License-Identifier: MIT
 *
 * A grid of states or values: rows have names, columns are checks or scores. The word is in the
 * cell where it fits, a sign where it does not: colour never stands alone. More rows than there is
 * room: values share cells, two rows in one; states end in a line that says how many are missing.
 */
#ifndef LW_WIDGETS_HEATMAP_H
#define LW_WIDGETS_HEATMAP_H

#include "widgets/axis.h"
#include "widgets/surface.h"

struct lw_heat_cell {
    enum lw_light state; /* used where the map shows states */
    double value;        /* NaN: not known */
};

/* Rows of the screen that a row of the map takes at most. Two are one and a blank; of three a state
 * or value fills the middle one and half of the others. */
enum { LW_HEAT_TALLEST = 3 };

struct lw_heatmap {
    int rows, cols;
    const char *const *row_names;     /* rows of them */
    const char *const *col_names;     /* cols of them, or NULL */
    const struct lw_heat_cell *cells; /* rows x cols; where there are more columns than room, the
                                         last ones are shown */
    bool now;    /* of states: the last column is wide enough for its words, the others share */
    bool values; /* colour by value on the ramp from low to high, else by state */
    double low, high;
    const char *x_label; /* NULL: none */
};

void lw_heatmap_draw(struct lw_area a, const struct lw_heatmap *map);

#endif
