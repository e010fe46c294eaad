/* SPDX-License-Identifier: MIT */
#include "widgets/gauge.h"

#include <math.h>

/* A bar shorter than this gives its place to the text. */
#define LEAST_BAR 4

void lw_gauge_draw(struct lw_area a, const struct lw_gauge *gauge)
{
    const struct lw_glyphs *g = a.surface->glyphs;
    double share = gauge->share > 0 ? fmin(gauge->share, 1) : 0;
    int from = 0, end = a.rect.cols, cells, halves;

    if (lw_area_empty(a))
        return;
    if (gauge->text && lw_text_cells(gauge->text) + 1 + LEAST_BAR <= end)
        end = lw_put_right(a, 0, end, gauge->text, LW_INK(LW_INK_TEXT)) - 1;
    if (gauge->label && lw_text_cells(gauge->label) + 1 + LEAST_BAR <= end)
        from = lw_put_text(a, 0, 0, gauge->label, LW_INK(LW_INK_DIM)) + 1;
    cells = end - from;
    halves = (int)floor(share * cells * 2 + 1e-9);
    lw_rule(a, 0, from, cells, g->track, LW_INK(LW_INK_GRID));
    lw_rule(a, 0, from, halves / 2, g->bar, LW_INK(gauge->ink));
    if (halves % 2)
        lw_put(a, 0, from + halves / 2, g->half_bar, LW_INK(gauge->ink));
}

static void extent(const double *values, size_t count, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i])) {
            *low = fmin(*low, values[i]);
            *high = fmax(*high, values[i]);
        }
    }
}

void lw_spark_draw(struct lw_area a, const struct lw_spark *spark)
{
    const struct lw_glyphs *g = a.surface->glyphs;
    size_t room = a.rect.cols > 0 ? (size_t)a.rect.cols : 0;
    size_t count = spark->count < room ? spark->count : room;
    const double *values = count ? spark->values + (spark->count - count) : NULL;
    double low = spark->low, high = spark->high;
    int row = a.rect.rows - 1;

    if (!(low < high))
        extent(values, count, &low, &high);
    for (size_t i = 0; i < count; i++) {
        /* Halves, so that the largest differences do not overflow. */
        double share = low < high ? (values[i] / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
        int step = 1 + (int)lround(fmin(fmax(share, 0), 1) * 7);

        if (isfinite(values[i]))
            lw_put(a, row, (int)i, g->rise[step], LW_INK(spark->ink));
        else
            lw_put(a, row, (int)i, g->gap, LW_INK(LW_INK_ALERT));
    }
}
