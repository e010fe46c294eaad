/* SPDX-License-Identifier: MIT
 *
 * A panel: a title line and one widget under it. Widgets are rows of one table, so adding one is a
 * pair of files and a row.
 */
#ifndef LW_WIDGETS_PANEL_H
#define LW_WIDGETS_PANEL_H

#include <stdbool.h>

#include "widgets/surface.h"

enum lw_widget {
    LW_WIDGET_CHART = 0, /* struct lw_chart */
    LW_WIDGET_BARS,      /* struct lw_bars */
    LW_WIDGET_HEATMAP,   /* struct lw_heatmap */
    LW_WIDGET_TABLE,     /* struct lw_table */
    LW_WIDGET_LOG,       /* struct lw_logview */
    LW_WIDGET_CARD,      /* struct lw_card */
    LW_WIDGET_GAUGE,     /* struct lw_gauge */
    LW_WIDGET_SPARK,     /* struct lw_spark */
    LW_WIDGET_COUNT,
};

struct lw_widget_class {
    const char *name;
    void (*draw)(struct lw_area a, const void *model);
    /* Put a legend on the title row, right-aligned, from column from on; returns its first
     * column. NULL: the widget has none. */
    int (*legend)(struct lw_area a, int row, int from, const void *model);
};

extern const struct lw_widget_class lw_widget_classes[LW_WIDGET_COUNT];

struct lw_panel {
    const char *title;
    const char *value;   /* right on the title line instead of the legend; NULL: the legend */
    const char *message; /* shown instead of the widget, dim: "no data yet"; NULL: the widget */
    enum lw_widget widget;
    const void *model; /* what the widget draws; may be NULL with a message */
    bool focused;
};

void lw_panel_draw(struct lw_area a, const struct lw_panel *panel);

/* The part of the area under the title, where the widget goes. */
struct lw_area lw_panel_body(struct lw_area a);

#endif
