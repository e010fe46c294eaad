/* SPDX-License-Identifier: MIT */
#include "tui/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tui/refine.h"

static struct lw_point point_of(const struct lw_bucket *b, double x, int smoothing)
{
    struct lw_point p = {.x = x, .y = NAN, .low = NAN, .high = NAN};

    if (!b->count)
        return p;
    if (smoothing > 0) {
        p.y = (double)b->smooth[smoothing - 1];
        return p;
    }
    p.y = b->count == 1 ? (double)b->last : (double)b->mean;
    if (b->count > 1) {
        p.low = (double)b->min;
        p.high = (double)b->max;
    }
    return p;
}

/* Put a folded bucket out: its point, and a gap where something in it was not finite. A smoothed
 * line goes on over single ones, and ends where nothing was. */
static size_t emit(const struct lw_bucket *b, double x, int smoothing, struct lw_point *out,
                   size_t n, size_t room)
{
    if (n < room && b->count)
        out[n++] = point_of(b, x, smoothing);
    if (n < room && b->odd && (!smoothing || !b->count))
        out[n++] = (struct lw_point){.x = x, .y = NAN, .low = NAN, .high = NAN};
    return n;
}

size_t lw_fold(const struct lw_pyramid *p, struct lw_walk *walk, struct lw_domain d, int columns,
               int smoothing, struct lw_point *out, size_t room)
{
    double scale = columns / (d.high - d.low), x = 0.0;
    struct lw_bucket open = {0};
    bool any = false;
    long column = 0;
    size_t i = 0, n = 0;

    if (!walk->along) { /* x is the base: begin one bucket before the domain */
        i = lw_pyramid_find(p, d.low);
        i -= i > 0;
    }
    for (; i < p->count; i++) {
        const struct lw_bucket *b = &p->bucket[i];
        double at = lw_walk(walk, b->x1), position = (at - d.low) * scale;
        long c = position < 0.0 ? -1 : position >= columns ? columns : (long)position;

        if (any && c == column && c >= 0) {
            lw_bucket_merge(&open, b);
        } else {
            if (any && (column >= 0 || c >= 0))
                n = emit(&open, x, smoothing, out, n, room);
            open = *b;
            any = true;
        }
        x = at;
        column = c;
        if (c >= columns)
            break;
    }
    if (any && column >= 0)
        n = emit(&open, x, smoothing, out, n, room);
    return n;
}

/* Room for n more points; earlier ones stay where they are, because the chart points at them. */
static struct lw_point *take(struct lw_plot *plot, size_t n)
{
    if (plot->room - plot->used < n)
        return NULL;
    return plot->points + plot->used;
}

static bool make_room(struct lw_plot *plot, size_t n)
{
    struct lw_point *grown;

    plot->used = 0;
    if (plot->room >= n)
        return true;
    grown = realloc(plot->points, n * sizeof *grown);
    if (!grown)
        return false;
    plot->points = grown;
    plot->room = n;
    return true;
}

/* The ink of the k-th of several runs. */
static enum lw_ink run_ink(int k)
{
    static const enum lw_ink inks[LW_PLOT_SOURCES] = {LW_INK_BLUE,   LW_INK_ORANGE, LW_INK_GREEN,
                                                      LW_INK_PURPLE, LW_INK_RED,    LW_INK_CYAN,
                                                      LW_INK_OLIVE,  LW_INK_PINK};

    return inks[k % LW_PLOT_SOURCES];
}

static void add_star(struct lw_plot *plot, struct lw_series *s, const struct lw_line *line,
                     const struct lw_pyramid *p, struct lw_walk *walk)
{
    struct lw_point *star = &plot->star[s - plot->series];

    if (line->best == LW_BEST_NONE || !p->samples)
        return;
    star->low = star->high = NAN;
    star->x = line->best == LW_BEST_LOW ? p->low_x : p->high_x;
    star->y = line->best == LW_BEST_LOW ? (double)p->low : (double)p->high;
    star->x = lw_walk(walk, star->x);
    s->star = star;
}

static void add_series(struct lw_plot *plot, const struct lw_line *line,
                       const struct lw_plot_want *want, int source, bool faint, int smoothing)
{
    const struct lw_source *src = want->source[source];
    const struct lw_track *track = lw_source_track(src, line->column);
    size_t room = (size_t)want->columns * 2 + 4;
    struct lw_series *s;
    const struct lw_pyramid *p;
    struct lw_point *points;
    struct lw_walk walk;
    int k = plot->chart.series_count;

    if (!track || !(track->data.samples + track->data.odd) || k == LW_PLOT_SERIES)
        return;
    p = lw_refined_pyramid(want->refined ? want->refined[source] : NULL, line->column);
    if (!p)
        p = &track->data;
    points = take(plot, room);
    if (!points)
        return;
    s = &plot->series[k];
    *s = (struct lw_series){.kind = line->kind, .points = points, .faint = faint};
    lw_walk_init(&walk, src, want->by);
    s->count = lw_fold(p, &walk, want->x, want->columns, smoothing, points, room);
    plot->used += s->count;
    s->ink = want->sources > 1 ? run_ink(source) : line->ink;
    if (!faint) {
        lw_walk_init(&walk, src, want->by);
        if (want->sources > 1)
            snprintf(plot->name[k], sizeof plot->name[k], "%.30s %.30s", lw_source_short_name(src),
                     line->name);
        else
            snprintf(plot->name[k], sizeof plot->name[k], "%s", line->name);
        s->name = plot->name[k];
        add_star(plot, s, line, &track->data, &walk);
    }
    plot->chart.series_count++;
}

static void add_mean(struct lw_plot *plot, const struct lw_panel_row *row,
                     const struct lw_plot_want *want)
{
    const struct lw_track *track = lw_source_track(want->source[0], row->line[0].column);
    char text[LW_NUMBER_SIZE];
    double sum = 0.0, count = 0.0;

    if (!row->mean || !track || !track->data.samples)
        return;
    for (size_t i = 0; i < track->data.count; i++)
        if (track->data.bucket[i].count) {
            sum += (double)track->data.bucket[i].mean * track->data.bucket[i].count;
            count += track->data.bucket[i].count;
        }
    lw_number_format(sum / count, row->number, text);
    snprintf(plot->mean_name, sizeof plot->mean_name, "mean %s", text);
    plot->level = (struct lw_level){plot->mean_name, sum / count, LW_INK_ACCENT};
    plot->chart.levels = &plot->level;
    plot->chart.level_count = 1;
}

bool lw_plot_make(struct lw_plot *plot, const struct lw_panel_row *row,
                  const struct lw_plot_want *want)
{
    size_t per_series = (size_t)want->columns * 2 + 4;

    plot->chart = (struct lw_chart){.series = plot->series};
    plot->chart.x.domain = want->x;
    plot->chart.y.number = row->number;
    plot->chart.y.log = row->log;
    if (!row->lines || want->columns < 1 || !lw_domain_valid(want->x) ||
        !make_room(plot, per_series * (size_t)(row->lines * want->sources * 2)))
        return false;
    if (want->smoothing && !want->no_raw)
        for (int k = 0; k < want->sources; k++)
            for (int i = 0; i < row->lines; i++)
                if (!row->line[i].sparse)
                    add_series(plot, &row->line[i], want, k, true, 0);
    for (int k = 0; k < want->sources; k++)
        for (int i = 0; i < row->lines; i++)
            add_series(plot, &row->line[i], want, k, false,
                       row->line[i].sparse ? 0 : want->smoothing);
    add_mean(plot, row, want);
    return plot->chart.series_count > 0;
}

struct lw_domain lw_plot_fit_y(const struct lw_panel_row *row, const struct lw_chart *chart,
                               struct lw_domain old)
{
    struct lw_domain extent = lw_chart_extent_y(chart);

    for (int i = 0; i < chart->level_count; i++) {
        extent.low = fmin(extent.low, chart->levels[i].y);
        extent.high = fmax(extent.high, chart->levels[i].y);
    }
    return lw_domain_fit_y(old, extent.low, extent.high, row->zero && !row->log, row->log);
}

void lw_plot_fini(struct lw_plot *plot)
{
    free(plot->points);
    plot->points = NULL;
    plot->room = plot->used = 0;
}
