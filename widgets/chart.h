/* SPDX-License-Identifier: MIT
 *
 * A chart as data: what to draw, not how. This painter draws it in cells; another may draw the
 * same description elsewhere. All pointers are borrowed for the call. A zeroed chart is valid.
 */
#ifndef LW_WIDGETS_CHART_H
#define LW_WIDGETS_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "widgets/axis.h"
#include "widgets/smooth.h"
#include "widgets/surface.h"

enum lw_series_kind {
    LW_SERIES_LINE = 0, /* joined; a bucket's extent is drawn whole */
    LW_SERIES_STEP,     /* holds its value until the next point */
    LW_SERIES_BAR,      /* from the bottom of the plot, as wide as the points are apart */
    LW_SERIES_POINT,    /* not joined; low and high are drawn as error bars */
};

struct lw_series {
    const char *name; /* in the legend; NULL: not listed */
    enum lw_series_kind kind;
    enum lw_ink ink;
    bool faint;                    /* raw data behind its smoothed curve */
    const struct lw_point *points; /* in order of x */
    size_t count;
    const struct lw_point *star; /* the best one, marked; NULL: none */
};

struct lw_axis {
    const char *label;       /* NULL: none */
    struct lw_domain domain; /* not valid: fitted to the data, anew each time */
    enum lw_number number;
    bool log;
};

/* A horizontal line: a threshold or a mean. */
struct lw_level {
    const char *name; /* in the legend; NULL: not listed */
    double y;
    enum lw_ink ink;
};

/* A vertical line: a moment. */
struct lw_mark {
    const char *name; /* beside it; NULL: none */
    double x;
    enum lw_ink ink;
};

/* A tinted band of y. */
struct lw_zone {
    double low, high;
    enum lw_ink tint; /* LW_INK_TINT_... */
};

struct lw_chart {
    struct lw_axis x, y;
    const struct lw_series *series; /* painted in this order, later ones on top */
    int series_count;
    const struct lw_level *levels;
    int level_count;
    const struct lw_zone *zones;
    int zone_count;
    const struct lw_mark *marks;
    int mark_count;
    bool cursor; /* a vertical line at cursor_x, with the values there */
    double cursor_x;
};

/* The extent of the data that falls into the x domain (an invalid one: all of it), levels left
 * out; NaN where there is none, which lw_domain_fit_y and lw_domain_fit_x leave alone. */
struct lw_domain lw_chart_extent_x(const struct lw_chart *chart);
struct lw_domain lw_chart_extent_y(const struct lw_chart *chart);

/* Where the axes begin and end: as the chart has it, else fitted to the data. Always valid. */
void lw_chart_domains(const struct lw_chart *chart, struct lw_domain *x, struct lw_domain *y);

/* The point of a series nearest to x, NULL where it has none that is finite. */
const struct lw_point *lw_series_near(const struct lw_series *series, double x);

/* Plot, axes and labels into the area. */
void lw_chart_draw(struct lw_area a, const struct lw_chart *chart);

/* Names and values (at the cursor, else the latest) in the series' inks, right-aligned on one
 * row from column from on, shortened until it fits. Returns the first column used. */
int lw_chart_legend(struct lw_area a, int row, int from, const struct lw_chart *chart);

#endif
