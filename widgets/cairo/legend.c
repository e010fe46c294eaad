/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "widgets/cairo/frame.h"

#define SWATCH 20.0 /* width of a swatch */
#define PAD    5.0

static double entry_width(struct lw_canvas *c, const struct lw_entry *e)
{
    return (SWATCH + PAD) * c->scale + lw_canvas_width(c, LW_TEXT_TICK, false, e->name);
}

static void draw_entry(struct lw_canvas *c, double x, double y, const struct lw_entry *e)
{
    static const struct lw_text_style style = {.size = LW_TEXT_TICK, .rgb = LW_RGB_BLACK};
    double width = SWATCH * c->scale, half = 0.38 * LW_TEXT_TICK * c->scale;
    struct lw_box patch = {x, y - half, width, 2 * half};

    lw_canvas_ink(c, e->ink, 1);
    lw_canvas_pen(c, 1.8);
    if (e->swatch == LW_SWATCH_PATCH) {
        lw_canvas_fill(c, patch);
    } else if (e->swatch == LW_SWATCH_HOLLOW) {
        lw_canvas_pen(c, 1);
        cairo_rectangle(c->cr, patch.x, patch.y, patch.w, patch.h);
        cairo_stroke(c->cr);
    } else {
        if (e->swatch == LW_SWATCH_DASHED)
            lw_canvas_dash(c, 5, 3);
        lw_canvas_level(c, x, x + width, y);
        lw_canvas_dash(c, 0, 0);
    }
    lw_canvas_text(c, x + width + PAD * c->scale, y, &style, e->name);
}

void lw_legend_inside(struct lw_canvas *c, struct lw_box plot, const struct lw_entry *entry,
                      int count, double (*busy)(const void *context, struct lw_box box),
                      const void *context)
{
    double line = lw_canvas_line(c, LW_TEXT_TICK), pad = PAD * c->scale, width = 0,
           least = INFINITY;
    struct lw_box at = {0, 0, 0, 0};

    if (!count)
        return;
    for (int i = 0; i < count; i++)
        width = fmax(width, entry_width(c, &entry[i]));
    width += 2 * pad;
    /* Upper right, upper left, lower right, lower left: the first of the emptiest. */
    for (int corner = 0; corner < 4; corner++) {
        struct lw_box box = {corner % 2 ? plot.x + pad : plot.x + plot.w - width - pad,
                             corner / 2 ? plot.y + plot.h - count * line - 2 * pad : plot.y + pad,
                             width, count * line + pad};
        double here = busy(context, box);

        if (here < least - 1e-9) {
            least = here;
            at = box;
        }
    }
    lw_canvas_color(c, LW_RGB_WHITE, 0.85);
    lw_canvas_fill(c, at);
    lw_canvas_color(c, 0xcccccc, 1);
    lw_canvas_pen(c, 0.7);
    cairo_rectangle(c->cr, at.x, at.y, at.w, at.h);
    cairo_stroke(c->cr);
    for (int i = 0; i < count; i++)
        draw_entry(c, at.x + pad, at.y + pad / 2 + (i + 0.5) * line, &entry[i]);
}

void lw_legend_below(struct lw_canvas *c, struct lw_box box, double y, const struct lw_entry *entry,
                     int count)
{
    double width = 0, gap = 3 * PAD * c->scale, x;

    for (int i = 0; i < count; i++)
        width += entry_width(c, &entry[i]) + (i ? gap : 0);
    x = box.x + fmax(0, (box.w - width) / 2);
    for (int i = 0; i < count; i++) {
        if (x + entry_width(c, &entry[i]) > box.x + box.w + 1)
            break;
        draw_entry(c, x, y, &entry[i]);
        x += entry_width(c, &entry[i]) + gap;
    }
}
