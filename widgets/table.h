/* SPDX-License-Identifier: MIT
 *
 * A table with a head, a selected row and a scroll position. Rows are asked for as they are
 * drawn, so a table of any length costs what is on the screen.
 */
#ifndef LW_WIDGETS_TABLE_H
#define LW_WIDGETS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "widgets/surface.h"

struct lw_column {
    const char *title;
    int width;  /* cells; 0: takes what the others leave, shared evenly */
    bool right; /* right-aligned: numbers */
    int keep;   /* columns with the lowest keep are left out first where room is short; 0: never */
};

struct lw_table {
    const struct lw_column *columns;
    int column_count;
    int row_count;
    int top;      /* first row shown; see lw_table_scroll */
    int selected; /* -1: none */
    bool head;
    /* Write the text of a cell to out (size bytes, UTF-8) and change *style if it should look
     * different. */
    void (*cell)(const void *context, int row, int column, char *out, size_t size,
                 struct lw_style *style);
    const void *context;
};

void lw_table_draw(struct lw_area a, const struct lw_table *table);

/* The top that keeps selected visible in shown rows, moved as little as possible from top. */
int lw_table_scroll(int top, int selected, int row_count, int shown);

#endif
