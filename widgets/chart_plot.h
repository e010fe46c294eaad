/* SPDX-License-Identifier: MIT
 *
 * Inside the chart painter: a chart whose domains are known and whose plot has its place.
 */
#ifndef LW_WIDGETS_CHART_PLOT_H
#define LW_WIDGETS_CHART_PLOT_H

#include "widgets/chart.h"
#include "widgets/dots.h"

struct lw_plot {
    const struct lw_chart *chart;
    struct lw_domain x, y; /* valid */
    struct lw_area body;   /* where the data goes; not empty */
    struct lw_area left;   /* labels and the axis left of it; empty: none */
    struct lw_area below;  /* axis and labels below it, as wide as left and body; empty: none */
    bool rule;             /* the x axis has a line over its labels */
};

/* Row or column of the body for a value; -1 outside or without a position. */
int lw_plot_row(const struct lw_plot *plot, double y);
int lw_plot_col(const struct lw_plot *plot, double x);

/* Ticks for the y axis of a plot this high, and the widest of their labels. */
int lw_plot_y_ticks(const struct lw_plot *plot, int rows, struct lw_ticks *ticks);

/* Grid, axes, labels; then every series, levels over the bars and under the lines; then what lies
 * on top. */
void lw_plot_axes(const struct lw_plot *plot);
void lw_plot_levels(const struct lw_plot *plot);
void lw_plot_series(const struct lw_plot *plot);

/* How a series is told apart from the others where colour cannot: a mark for its cells (0: dots)
 * and whether its line is dashed. */
uint32_t lw_series_mark(const struct lw_chart *chart, int index, const struct lw_surface *s,
                        bool *dashed);

#endif
