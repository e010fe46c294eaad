/* SPDX-License-Identifier: MIT */
#include "widgets/bars.h"

#include <math.h>

#include "widgets/cairo/frame.h"

struct plot {
    struct lw_frame frame;
    const struct lw_bars *bars;
};

static double start_of(const struct lw_bars *b, int bin)
{
    return b->edges ? b->edges[bin] : bin;
}

static double largest(const struct lw_bars *b)
{
    double max = 0;

    for (int s = 0; s < b->series_count; s++)
        for (int i = 0; i < b->bins; i++)
            if (isfinite(b->series[s].values[i]))
                max = fmax(max, b->series[s].values[i]);
    return max;
}

/* The bar of a series in a bin: beside the others', all centred on the bin. */
static struct lw_box bar_of(const struct plot *p, int series, int bin)
{
    double from = lw_frame_x(&p->frame, start_of(p->bars, bin));
    double to = lw_frame_x(&p->frame, start_of(p->bars, bin + 1));
    double wide = 0.84 * (to - from) / p->bars->series_count;
    double y = lw_frame_y(&p->frame, p->bars->series[series].values[bin]);

    return (struct lw_box){from + 0.08 * (to - from) + series * wide, y, wide,
                           p->frame.plot.y + p->frame.plot.h - y};
}

static double busy(const void *context, struct lw_box box)
{
    const struct plot *p = context;
    double n = 0;

    for (int s = 0; s < p->bars->series_count; s++)
        for (int i = 0; i < p->bars->bins; i++) {
            struct lw_box bar = bar_of(p, s, i);
            double wide = fmin(bar.x + bar.w, box.x + box.w) - fmax(bar.x, box.x);
            double high = fmin(bar.y + bar.h, box.y + box.h) - fmax(bar.y, box.y);

            if (wide > 0 && high > 0)
                n += wide * high;
        }
    return n;
}

void lw_paint_bars(struct lw_canvas *c, struct lw_box box, const void *model)
{
    const struct lw_bars *b = model;
    struct lw_entry entry[2];
    struct plot p = {.bars = b};
    double middles[64];
    int n = 0;

    if (b->bins < 1 || b->series_count < 1)
        return;
    p.frame.x = (struct lw_frame_axis){.domain = {start_of(b, 0), start_of(b, b->bins)},
                                       .label = b->x_label};
    p.frame.y = (struct lw_frame_axis){.number = b->number, .label = b->y_label};
    p.frame.y.domain =
        b->top > 0 ? (struct lw_domain){0, b->top}
                   : lw_domain_fit_y((struct lw_domain){0, 0}, 0, largest(b) * 1.05, true, false);
    if (!b->edges && b->labels && b->bins <= 64) {
        for (int i = 0; i < b->bins; i++)
            middles[i] = i + 0.5;
        p.frame.x.at = middles;
        p.frame.x.word = b->labels;
        p.frame.x.words = b->bins;
    }
    lw_frame_place(c, &p.frame, box);
    lw_frame_ground(c, &p.frame);
    for (int s = 0; s < b->series_count; s++) {
        lw_canvas_ink(c, b->series[s].ink, 0.9);
        for (int i = 0; i < b->bins; i++)
            if (isfinite(b->series[s].values[i]) && b->series[s].values[i] > 0)
                lw_canvas_fill(c, bar_of(&p, s, i));
    }
    lw_frame_axes(c, &p.frame);
    for (int s = 0; s < b->series_count && s < 2; s++)
        if (b->series[s].name)
            entry[n++] = (struct lw_entry){b->series[s].name, b->series[s].ink, LW_SWATCH_PATCH};
    lw_legend_inside(c, p.frame.plot, entry, n, busy, &p);
}
