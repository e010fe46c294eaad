/* SPDX-License-Identifier: MIT */
#include "widgets/chart.h"

#include <math.h>

#include "widgets/chart_plot.h"
#include "widgets/legend.h"

#define ENTRIES 12

/* What the legend says of a series: its value at the cursor, else its latest. */
static double value_of(const struct lw_chart *chart, const struct lw_series *series)
{
    if (chart->cursor) {
        const struct lw_point *p = lw_series_near(series, chart->cursor_x);

        return p ? p->y : NAN;
    }
    return series->count > 0 ? series->points[series->count - 1].y : NAN;
}

int lw_chart_legend(struct lw_area a, int row, int from, const struct lw_chart *chart)
{
    const struct lw_glyphs *g = a.surface->glyphs;
    struct lw_legend_entry entries[ENTRIES];
    char values[ENTRIES][LW_NUMBER_SIZE];
    int count = 0;

    for (int i = 0; i < chart->series_count && count < ENTRIES; i++) {
        const struct lw_series *series = &chart->series[i];
        uint32_t mark;
        bool dashed;

        if (!series->name)
            continue;
        mark = lw_series_mark(chart, i, a.surface, &dashed);
        lw_number_format(value_of(chart, series), chart->y.number, values[count]);
        entries[count] = (struct lw_legend_entry){
            .swatch = mark     ? mark
                      : dashed ? g->threshold
                               : g->swatch,
            .name = series->name,
            .value = values[count],
            .ink = series->ink,
        };
        count++;
    }
    for (int i = 0; i < chart->level_count && count < ENTRIES; i++)
        if (chart->levels[i].name)
            entries[count++] = (struct lw_legend_entry){
                .swatch = g->threshold,
                .name = chart->levels[i].name,
                .ink = chart->levels[i].ink,
            };
    return lw_legend_draw(a, row, from, entries, count);
}
