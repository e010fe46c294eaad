/* SPDX-License-Identifier: MIT
 *
 * What the painters of widgets share: a plot with axes, and a legend inside of it.
 */
#ifndef LW_WIDGETS_CAIRO_FRAME_H
#define LW_WIDGETS_CAIRO_FRAME_H

#include "widgets/axis.h"
#include "widgets/cairo/canvas.h"

/* An axis and how its ticks are written; bounds inside its box are made by lw_frame_place. */
struct lw_frame_axis {
    struct lw_domain domain;
    enum lw_number number;
    bool log;
    const char *label; /* NULL: none */
    /* Ticks at these places with these words instead of round numbers; NULL: round numbers. */
    const double *at;
    const char *const *word;
    int words;
};

struct lw_frame {
    struct lw_frame_axis x, y;
    struct lw_box plot; /* where the data goes */
    struct lw_ticks x_ticks, y_ticks;
};

/* Choose ticks and the plot inside the box. */
void lw_frame_place(struct lw_canvas *c, struct lw_frame *f, struct lw_box box);

/* White ground and grid lines; later, over the data, axes, ticks and labels. */
void lw_frame_ground(struct lw_canvas *c, const struct lw_frame *f);
void lw_frame_axes(struct lw_canvas *c, const struct lw_frame *f);

/* Points of the page for values; NaN where there is no such place. */
double lw_frame_x(const struct lw_frame *f, double v);
double lw_frame_y(const struct lw_frame *f, double v);

enum lw_swatch { LW_SWATCH_LINE, LW_SWATCH_DASHED, LW_SWATCH_PATCH, LW_SWATCH_HOLLOW };

struct lw_entry {
    const char *name;
    enum lw_ink ink;
    enum lw_swatch swatch;
};

/* A legend in the corner of the plot where it hides the least: busy says how much of the data lies
 * in a box. */
void lw_legend_inside(struct lw_canvas *c, struct lw_box plot, const struct lw_entry *entry,
                      int count, double (*busy)(const void *context, struct lw_box box),
                      const void *context);

/* The same in a row, in the middle of a line whose middle is y. */
void lw_legend_below(struct lw_canvas *c, struct lw_box box, double y, const struct lw_entry *entry,
                     int count);

/* One per widget: paint the model into the box. */
void lw_paint_chart(struct lw_canvas *c, struct lw_box box, const void *model);
void lw_paint_bars(struct lw_canvas *c, struct lw_box box, const void *model);
void lw_paint_heatmap(struct lw_canvas *c, struct lw_box box, const void *model);
void lw_paint_table(struct lw_canvas *c, struct lw_box box, const void *model);

#endif
