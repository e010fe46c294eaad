/* SPDX-License-Identifier: MIT */
#include "widgets/chart.h"

#include <math.h>

#include "widgets/cairo/frame.h"

#define ENTRIES 16

/* Farther outside than this a line looks the same, and cairo's fixed point stays whole. */
#define FAR 20000.0

/* Segments that are stroked at once: one path of many that cross themselves takes far longer. */
#define STROKE 64

struct plot {
    struct lw_frame frame;
    const struct lw_chart *chart;
};

static double far(double v)
{
    return fmin(fmax(v, -FAR), FAR);
}

static bool locate(const struct plot *p, double vx, double vy, double *x, double *y)
{
    *x = lw_frame_x(&p->frame, vx);
    *y = lw_frame_y(&p->frame, vy);
    if (!isfinite(vy) || isnan(*x) || isnan(*y))
        return false;
    *x = far(*x);
    *y = far(*y);
    return true;
}

static void paint_zones(struct lw_canvas *c, const struct plot *p)
{
    double top = p->frame.plot.y, bottom = top + p->frame.plot.h;

    for (int i = 0; i < p->chart->zone_count; i++) {
        const struct lw_zone *zone = &p->chart->zones[i];
        double from = fmax(lw_frame_y(&p->frame, zone->high), top);
        double to = fmin(lw_frame_y(&p->frame, zone->low), bottom);

        if (!(to > from))
            continue;
        lw_canvas_ink(c, zone->tint, 1);
        lw_canvas_fill(c, (struct lw_box){p->frame.plot.x, from, p->frame.plot.w, to - from});
    }
}

static void paint_levels(struct lw_canvas *c, const struct plot *p)
{
    struct lw_box box = p->frame.plot;

    lw_canvas_pen(c, 1.4);
    lw_canvas_dash(c, 6, 4);
    for (int i = 0; i < p->chart->level_count; i++) {
        double y = lw_frame_y(&p->frame, p->chart->levels[i].y);

        if (!(y >= box.y && y <= box.y + box.h))
            continue;
        lw_canvas_ink(c, p->chart->levels[i].ink, 1);
        lw_canvas_level(c, box.x, box.x + box.w, y);
    }
    lw_canvas_dash(c, 0, 0);
}

/* The name stands beside the line, upwards: there it is least in the way of legend and data. */
static void paint_marks(struct lw_canvas *c, const struct plot *p)
{
    struct lw_box box = p->frame.plot;
    double line = lw_canvas_line(c, LW_TEXT_TICK), taken = -INFINITY;

    for (int i = 0; i < p->chart->mark_count; i++) {
        const struct lw_mark *mark = &p->chart->marks[i];
        struct lw_text_style style = {.size = LW_TEXT_TICK,
                                      .rgb = lw_ink_rgb(mark->ink),
                                      .align = LW_ALIGN_MIDDLE,
                                      .up = true};
        double x = lw_frame_x(&p->frame, mark->x);

        if (!(x >= box.x && x <= box.x + box.w))
            continue;
        lw_canvas_ink(c, mark->ink, 1);
        lw_canvas_pen(c, 1.4);
        lw_canvas_dash(c, 2, 3);
        lw_canvas_upright(c, x, box.y, box.y + box.h);
        lw_canvas_dash(c, 0, 0);
        if (!mark->name || x < taken)
            continue;
        lw_canvas_text(c, x + (x - line > box.x ? -0.6 : 0.6) * line, box.y + 0.55 * box.h, &style,
                       mark->name);
        taken = x + 1.5 * line;
    }
}

/* What buckets hold besides their mean: a band as long as they follow one another. */
static void paint_bands(struct lw_canvas *c, const struct plot *p, const struct lw_series *s)
{
    double x, low, high;

    lw_canvas_ink(c, s->ink, s->faint ? 0.15 : 0.25);
    for (size_t i = 0; i < s->count; i++) {
        size_t end = i;

        while (end < s->count && isfinite(s->points[end].low) && isfinite(s->points[end].high) &&
               locate(p, s->points[end].x, s->points[end].low, &x, &low) &&
               locate(p, s->points[end].x, s->points[end].high, &x, &high))
            end++;
        for (size_t k = i; k < end; k++)
            if (locate(p, s->points[k].x, s->points[k].high, &x, &high))
                cairo_line_to(c->cr, x, high);
        for (size_t k = end; k > i; k--)
            if (locate(p, s->points[k - 1].x, s->points[k - 1].low, &x, &low))
                cairo_line_to(c->cr, x, low);
        if (end > i + 1)
            cairo_fill(c->cr);
        cairo_new_path(c->cr);
        i = end;
    }
}

static void paint_dot(struct lw_canvas *c, double x, double y, double radius)
{
    cairo_arc(c->cr, x, y, radius * c->scale, 0, 2 * M_PI);
    cairo_fill(c->cr);
}

/* A line, broken where values are missing; a point that stands alone is a dot. */
static void paint_line(struct lw_canvas *c, const struct plot *p, const struct lw_series *s)
{
    double x = 0, y = 0, last_x = 0, last_y = 0;
    bool joined = false, alone = false;
    int segments = 0;

    lw_canvas_ink(c, s->ink, s->faint ? 0.35 : 1);
    lw_canvas_pen(c, s->faint ? 0.8 : 1.7);
    for (size_t i = 0; i < s->count; i++) {
        bool here = locate(p, s->points[i].x, s->points[i].y, &x, &y);

        if (here && joined) {
            if (s->kind == LW_SERIES_STEP)
                cairo_line_to(c->cr, x, last_y);
            cairo_line_to(c->cr, x, y);
            alone = false;
            if (++segments >= STROKE) {
                cairo_stroke(c->cr);
                cairo_move_to(c->cr, x, y);
                segments = 0;
            }
        } else if (here) {
            cairo_move_to(c->cr, x, y);
            alone = true;
        } else if (joined) {
            cairo_stroke(c->cr);
            segments = 0;
            if (alone)
                paint_dot(c, last_x, last_y, 2.5);
        }
        joined = here;
        if (here) {
            last_x = x;
            last_y = y;
        }
    }
    cairo_stroke(c->cr);
    if (joined && alone)
        paint_dot(c, last_x, last_y, 2.5);
}

static void paint_points(struct lw_canvas *c, const struct plot *p, const struct lw_series *s)
{
    double cap = 3 * c->scale, x, y, low, high;
    bool few = s->count <= p->frame.plot.w / (6 * c->scale);

    lw_canvas_ink(c, s->ink, few ? 0.9 : 0.4);
    lw_canvas_pen(c, 1);
    for (size_t i = 0; i < s->count; i++) {
        const struct lw_point *q = &s->points[i];

        if (!locate(p, q->x, q->low, &x, &low) || !locate(p, q->x, q->high, &x, &high))
            continue;
        lw_canvas_upright(c, x, low, high);
        if (few) {
            lw_canvas_level(c, x - cap, x + cap, low);
            lw_canvas_level(c, x - cap, x + cap, high);
        }
    }
    for (size_t i = 0; few && i < s->count; i++)
        if (locate(p, s->points[i].x, s->points[i].y, &x, &y))
            paint_dot(c, x, y, 2.8);
}

/* How wide the bars of a series are, and how far to the left of their points: where the last one
 * stands at the edge, all stand on what came before their points. */
static double bar_width(const struct plot *p, const struct lw_series *s, double *shift)
{
    double apart = p->frame.plot.w / 3, x = NAN, last = NAN;

    for (size_t i = 0; i < s->count; i++) {
        x = lw_frame_x(&p->frame, s->points[i].x);
        if (x > last)
            apart = fmin(apart, x - last);
        last = x;
    }
    *shift = x + 0.4 * apart > p->frame.plot.x + p->frame.plot.w ? apart / 2 : 0;
    return 0.8 * apart;
}

static void paint_bars(struct lw_canvas *c, const struct plot *p, const struct lw_series *s)
{
    double bottom = p->frame.plot.y + p->frame.plot.h, x, y, shift, wide = bar_width(p, s, &shift);

    lw_canvas_ink(c, s->ink, 0.85);
    for (size_t i = 0; i < s->count; i++)
        if (locate(p, s->points[i].x, s->points[i].y, &x, &y))
            lw_canvas_fill(
                c, (struct lw_box){x - wide / 2 - shift, y, fmax(wide, c->dot), bottom - y});
}

/* Something that is not finite leaves a sign at the bottom. */
static void mark_gaps(struct lw_canvas *c, const struct plot *p, const struct lw_series *s)
{
    double half = 3 * c->scale, bottom = p->frame.plot.y + p->frame.plot.h - 2 * half, last = -1e9;

    lw_canvas_ink(c, LW_INK_ALERT, 1);
    lw_canvas_pen(c, 1.3);
    for (size_t i = 0; i < s->count; i++) {
        double x = lw_frame_x(&p->frame, s->points[i].x);

        if (isfinite(s->points[i].y) || isnan(x) || x < last + 2 * half)
            continue;
        cairo_move_to(c->cr, x - half, bottom - half);
        cairo_line_to(c->cr, x + half, bottom + half);
        cairo_move_to(c->cr, x - half, bottom + half);
        cairo_line_to(c->cr, x + half, bottom - half);
        cairo_stroke(c->cr);
        last = x;
    }
}

static void mark_best(struct lw_canvas *c, const struct plot *p, const struct lw_series *s)
{
    double x, y;

    if (!s->star || !locate(p, s->star->x, s->star->y, &x, &y))
        return;
    for (int i = 0; i < 10; i++) {
        double r = (i % 2 ? 2.6 : 6.5) * c->scale, angle = M_PI * (i / 5.0 - 0.5);

        cairo_line_to(c->cr, x + r * cos(angle), y + r * sin(angle));
    }
    cairo_close_path(c->cr);
    lw_canvas_ink(c, s->ink, 1);
    cairo_fill_preserve(c->cr);
    lw_canvas_color(c, LW_RGB_BLACK, 1);
    lw_canvas_pen(c, 0.7);
    cairo_stroke(c->cr);
}

/* How many points lie in a box, stars counting more. */
static double busy(const void *context, struct lw_box box)
{
    const struct plot *p = context;
    double n = 0;

    for (int s = 0; s < p->chart->series_count; s++) {
        const struct lw_series *series = &p->chart->series[s];
        double wide = 0, shift = 0;

        if (series->kind == LW_SERIES_BAR)
            wide = bar_width(p, series, &shift);
        for (size_t i = 0; i < series->count; i++) {
            double x = lw_frame_x(&p->frame, series->points[i].x);
            double y = lw_frame_y(&p->frame, series->points[i].y);

            double high = lw_frame_y(&p->frame, series->points[i].low);
            double low = lw_frame_y(&p->frame, series->points[i].high);

            if (isnan(low) || isnan(high))
                low = high = y;
            if (series->kind == LW_SERIES_BAR)
                high = INFINITY; /* it reaches down to the axis */
            n += x - shift + wide / 2 >= box.x && x - shift - wide / 2 <= box.x + box.w &&
                 low <= box.y + box.h && high >= box.y;
        }
    }
    return n;
}

static void paint_legend(struct lw_canvas *c, const struct plot *p)
{
    const struct lw_chart *chart = p->chart;
    struct lw_entry entry[ENTRIES];
    int n = 0;

    for (int i = 0; i < chart->series_count && n < ENTRIES; i++)
        if (chart->series[i].name)
            entry[n++] = (struct lw_entry){chart->series[i].name, chart->series[i].ink,
                                           chart->series[i].kind == LW_SERIES_BAR ? LW_SWATCH_PATCH
                                                                                  : LW_SWATCH_LINE};
    for (int i = 0; i < chart->level_count && n < ENTRIES; i++)
        if (chart->levels[i].name)
            entry[n++] =
                (struct lw_entry){chart->levels[i].name, chart->levels[i].ink, LW_SWATCH_DASHED};
    lw_legend_inside(c, p->frame.plot, entry, n, busy, p);
}

static void paint_series(struct lw_canvas *c, const struct plot *p, const struct lw_series *s)
{
    if (s->kind == LW_SERIES_BAR) {
        paint_bars(c, p, s);
    } else if (s->kind == LW_SERIES_POINT) {
        paint_points(c, p, s);
    } else {
        paint_bands(c, p, s);
        paint_line(c, p, s);
    }
}

void lw_paint_chart(struct lw_canvas *c, struct lw_box box, const void *model)
{
    const struct lw_chart *chart = model;
    struct plot p = {.chart = chart};

    p.frame.x = (struct lw_frame_axis){
        .number = chart->x.number, .log = chart->x.log, .label = chart->x.label};
    p.frame.y = (struct lw_frame_axis){
        .number = chart->y.number, .log = chart->y.log, .label = chart->y.label};
    lw_chart_domains(chart, &p.frame.x.domain, &p.frame.y.domain);
    lw_frame_place(c, &p.frame, box);
    paint_zones(c, &p);
    lw_frame_ground(c, &p.frame);
    cairo_save(c->cr);
    cairo_rectangle(c->cr, p.frame.plot.x, p.frame.plot.y, p.frame.plot.w, p.frame.plot.h);
    cairo_clip(c->cr);
    for (int i = 0; i < chart->series_count; i++)
        if (chart->series[i].kind == LW_SERIES_BAR)
            paint_series(c, &p, &chart->series[i]);
    paint_levels(c, &p);
    for (int i = 0; i < chart->series_count; i++)
        if (chart->series[i].kind != LW_SERIES_BAR)
            paint_series(c, &p, &chart->series[i]);
    for (int i = 0; i < chart->series_count; i++)
        mark_gaps(c, &p, &chart->series[i]);
    paint_marks(c, &p);
    cairo_restore(c->cr);
    for (int i = 0; i < chart->series_count; i++)
        mark_best(c, &p, &chart->series[i]);
    lw_frame_axes(c, &p.frame);
    paint_legend(c, &p);
}
