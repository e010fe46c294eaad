/* SPDX-License-Identifier: MIT */
#include "widgets/chart.h"

#include "widgets/chart_plot.h"

/* Labels of less room than this are left out, so that something of the data is left. */
#define LEAST_COLS 16
#define LEAST_ROWS 4
#define RULE_ROWS  8

/* Wide enough for most labels, so that the axes of panels under each other line up. */
#define LABEL_COLS 5

static void place(struct lw_plot *plot, struct lw_area a)
{
    int rows = a.rect.rows, cols = a.rect.cols;
    int under = rows >= RULE_ROWS ? 2 : rows >= LEAST_ROWS ? 1 : 0, beside = 0;

    if (cols >= LEAST_COLS && rows >= 2) {
        struct lw_ticks ticks;
        int label = lw_plot_y_ticks(plot, rows - under, &ticks);

        beside = (label > LABEL_COLS ? label : LABEL_COLS) + 1;
    }
    plot->rule = under == 2;
    plot->body = lw_area_sub(a, 0, beside, rows - under, cols - beside);
    plot->left = lw_area_sub(a, 0, 0, rows - under, beside);
    plot->below = lw_area_sub(a, rows - under, 0, under, cols);
}

void lw_chart_draw(struct lw_area a, const struct lw_chart *chart)
{
    struct lw_plot plot = {.chart = chart};

    if (lw_area_empty(a))
        return;
    lw_chart_domains(chart, &plot.x, &plot.y);
    place(&plot, a);
    lw_plot_axes(&plot);
    lw_plot_series(&plot);
}
