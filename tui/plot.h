/* SPDX-License-Identifier: MIT
 *
 * From pyramids to a chart: folds the part of a series that is seen into at most two points a
 * cell, raw or smoothed, and puts a panel's lines, best points and mean together.
 */
#ifndef LW_TUI_PLOT_H
#define LW_TUI_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/panels.h"
#include "tui/source.h"
#include "widgets/chart.h"

enum { LW_PLOT_SOURCES = 8, LW_PLOT_SERIES = 2 * LW_PANEL_LINES * LW_PLOT_SOURCES };

/* Where a column's buckets come from: the source's own, or ones refined for a zoom. */
struct lw_refined;

struct lw_plot_want {
    const struct lw_source *const *source;
    struct lw_refined *const *refined; /* one a source, each may be NULL */
    int sources;                       /* more than one: an ink a run, not a line */
    enum lw_by by;
    int smoothing; /* 0: none, else 1 to LW_SMOOTHINGS */
    struct lw_domain x;
    int columns; /* points along x: two a cell is plenty */
    bool no_raw; /* smoothed curves without the raw data behind them */
};

struct lw_plot {
    struct lw_chart chart;
    struct lw_series series[LW_PLOT_SERIES];
    struct lw_point star[LW_PLOT_SERIES];
    struct lw_level level;
    char mean_name[32];
    char name[LW_PLOT_SERIES][64];
    struct lw_point *points; /* scratch, grown as needed */
    size_t room, used;
};

/* Fold the buckets of p that lie in d into at most columns points plus gaps, in order of x, with
 * one more on either side so that lines run out of the plot. smoothing as in lw_plot_want.
 * out has room elements; returns how many were written. */
size_t lw_fold(const struct lw_pyramid *p, struct lw_walk *walk, struct lw_domain d, int columns,
               int smoothing, struct lw_point *out, size_t room);

/* Fill plot->chart with the lines of a panel; its y domain is left to the caller. False when no
 * line has any data. A zeroed plot is valid; the chart borrows from it until the next call. */
bool lw_plot_make(struct lw_plot *plot, const struct lw_panel_row *row,
                  const struct lw_plot_want *want);
/* The value axis for what is seen, kept as it was (old) where it can be. */
struct lw_domain lw_plot_fit_y(const struct lw_panel_row *row, const struct lw_chart *chart,
                               struct lw_domain old);
void lw_plot_fini(struct lw_plot *plot);

#endif
