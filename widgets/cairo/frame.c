/* SPDX-License-Identifier: MIT */
#include "widgets/cairo/frame.h"

#include <math.h>
#include <string.h>

#define TICK 4.0 /* length of a tick */
#define GAP  3.0 /* between a tick and its label */

static const struct lw_text_style tick_style = {.size = LW_TEXT_TICK, .rgb = 0x444444};

static int tick_count(const struct lw_frame_axis *a, const struct lw_ticks *t)
{
    return a->at ? a->words : t->count;
}

static double tick_at(const struct lw_frame_axis *a, const struct lw_ticks *t, int i)
{
    return a->at ? a->at[i] : t->at[i];
}

static const char *tick_text(const struct lw_frame_axis *a, const struct lw_ticks *t, int i,
                             char out[LW_NUMBER_SIZE])
{
    if (a->at)
        return a->word[i];
    lw_number_tick(t->at[i], t->step, a->number, out);
    return out;
}

static double widest(struct lw_canvas *c, const struct lw_frame_axis *a, const struct lw_ticks *t)
{
    char text[LW_NUMBER_SIZE];
    double w = 0;

    for (int i = 0; i < tick_count(a, t); i++)
        w = fmax(w, lw_canvas_width(c, LW_TEXT_TICK, false, tick_text(a, t, i, text)));
    return w;
}

void lw_frame_place(struct lw_canvas *c, struct lw_frame *f, struct lw_box box)
{
    double line = lw_canvas_line(c, LW_TEXT_TICK), beside = (TICK + GAP) * c->scale, right;
    double label = lw_canvas_line(c, LW_TEXT_LABEL) * 1.25;
    int most;

    f->plot = box;
    f->plot.h -= beside + line + (f->x.label ? label : 0);
    f->plot.h = fmax(f->plot.h, 1);
    if (!f->y.at)
        lw_ticks_make(f->y.domain, f->y.log, f->y.number,
                      (int)fmin(fmax(f->plot.h / (2.6 * line), 2), 8), &f->y_ticks);
    beside += widest(c, &f->y, &f->y_ticks) + (f->y.label ? label : 0);
    f->plot.x += beside;
    f->plot.w = fmax(f->plot.w - beside, 1);
    /* As many ticks as their labels leave room for; the last one may stand out a little. */
    for (most = 10; most >= 2 && !f->x.at; most--) {
        lw_ticks_make(f->x.domain, f->x.log, f->x.number, most, &f->x_ticks);
        right = widest(c, &f->x, &f->x_ticks);
        if ((right + 1.2 * line) * f->x_ticks.count <= f->plot.w)
            break;
    }
    right = widest(c, &f->x, &f->x_ticks) / 2;
    f->plot.w = fmax(f->plot.w - right, 1);
}

double lw_frame_x(const struct lw_frame *f, double v)
{
    return f->plot.x + f->plot.w * lw_domain_position(f->x.domain, f->x.log, v);
}

double lw_frame_y(const struct lw_frame *f, double v)
{
    return f->plot.y + f->plot.h * (1 - lw_domain_position(f->y.domain, f->y.log, v));
}

void lw_frame_ground(struct lw_canvas *c, const struct lw_frame *f)
{
    lw_canvas_color(c, 0xe6e6e6, 1);
    lw_canvas_pen(c, 0.7);
    for (int i = 0; i < tick_count(&f->y, &f->y_ticks); i++)
        lw_canvas_level(c, f->plot.x, f->plot.x + f->plot.w,
                        lw_frame_y(f, tick_at(&f->y, &f->y_ticks, i)));
    for (int i = 0; i < tick_count(&f->x, &f->x_ticks); i++)
        lw_canvas_upright(c, lw_frame_x(f, tick_at(&f->x, &f->x_ticks, i)), f->plot.y,
                          f->plot.y + f->plot.h);
}

static void x_ticks(struct lw_canvas *c, const struct lw_frame *f)
{
    struct lw_text_style style = tick_style;
    double bottom = f->plot.y + f->plot.h, tick = TICK * c->scale, free = -1e9;
    double middle = bottom + tick + GAP * c->scale + lw_canvas_line(c, LW_TEXT_TICK) / 2;

    style.align = LW_ALIGN_MIDDLE;
    for (int i = 0; i < tick_count(&f->x, &f->x_ticks); i++) {
        double x = lw_frame_x(f, tick_at(&f->x, &f->x_ticks, i)), half;
        char text[LW_NUMBER_SIZE];
        const char *word = tick_text(&f->x, &f->x_ticks, i, text);

        if (!(x >= f->plot.x - 0.5 && x <= f->plot.x + f->plot.w + 0.5))
            continue;
        half = lw_canvas_width(c, LW_TEXT_TICK, false, word) / 2;
        lw_canvas_color(c, 0x444444, 1);
        lw_canvas_pen(c, 0.8);
        lw_canvas_upright(c, x, bottom, bottom + tick);
        if (x - half < free)
            continue;
        lw_canvas_text(c, x, middle, &style, word);
        free = x + half + 0.5 * LW_TEXT_TICK * c->scale;
    }
}

static void y_ticks(struct lw_canvas *c, const struct lw_frame *f)
{
    struct lw_text_style style = tick_style;
    double tick = TICK * c->scale;

    style.align = LW_ALIGN_RIGHT;
    for (int i = 0; i < tick_count(&f->y, &f->y_ticks); i++) {
        double y = lw_frame_y(f, tick_at(&f->y, &f->y_ticks, i));
        char text[LW_NUMBER_SIZE];

        if (!(y >= f->plot.y - 0.5 && y <= f->plot.y + f->plot.h + 0.5))
            continue;
        lw_canvas_color(c, 0x444444, 1);
        lw_canvas_pen(c, 0.8);
        lw_canvas_level(c, f->plot.x - tick, f->plot.x, y);
        lw_canvas_text(c, f->plot.x - tick - GAP * c->scale, y, &style,
                       tick_text(&f->y, &f->y_ticks, i, text));
    }
}

void lw_frame_axes(struct lw_canvas *c, const struct lw_frame *f)
{
    struct lw_text_style label = {
        .size = LW_TEXT_LABEL, .rgb = LW_RGB_BLACK, .align = LW_ALIGN_MIDDLE};
    double line = lw_canvas_line(c, LW_TEXT_TICK), right = f->plot.x + f->plot.w;
    double bottom = f->plot.y + f->plot.h, beside = (TICK + GAP) * c->scale;
    double half = lw_canvas_line(c, LW_TEXT_LABEL) * 0.7;

    lw_canvas_dash(c, 0, 0);
    lw_canvas_color(c, 0x444444, 1);
    lw_canvas_pen(c, 0.8);
    lw_canvas_level(c, f->plot.x, right, bottom);
    lw_canvas_level(c, f->plot.x, right, f->plot.y);
    lw_canvas_upright(c, f->plot.x, f->plot.y, bottom);
    lw_canvas_upright(c, right, f->plot.y, bottom);
    x_ticks(c, f);
    y_ticks(c, f);
    if (f->x.label)
        lw_canvas_text(c, f->plot.x + f->plot.w / 2, bottom + beside + line + half, &label,
                       f->x.label);
    label.up = true;
    if (f->y.label)
        lw_canvas_text(c, f->plot.x - beside - widest(c, &f->y, &f->y_ticks) - half,
                       f->plot.y + f->plot.h / 2, &label, f->y.label);
}
