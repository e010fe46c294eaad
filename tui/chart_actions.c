/* SPDX-License-Identifier: MIT */
#include "tui/chart_actions.h"

#include <math.h>
#include <stdlib.h>

void lw_look_next(struct lw_view *v, int by)
{
    if (v->shown_count)
        v->focus = (v->focus + by + v->shown_count) % v->shown_count;
}

void lw_look_toward(struct lw_view *v, int down, int right)
{
    const struct lw_rect *from = &v->layout.panel[v->focus];
    int best = -1, best_cost = 0;

    for (int i = 0; i < v->shown_count; i++) {
        const struct lw_rect *to = &v->layout.panel[i];
        int dy = 2 * to->row + to->rows - 2 * from->row - from->rows;
        int dx = 2 * to->col + to->cols - 2 * from->col - from->cols;
        int ahead = down ? down * dy : right * dx, aside = down ? abs(dx) : abs(dy) * 4, cost;

        if (i == v->focus || to->rows <= 0 || ahead <= 0 || (right && abs(dy) > from->rows))
            continue;
        cost = ahead + aside;
        if (best < 0 || cost < best_cost) {
            best = i;
            best_cost = cost;
        }
    }
    if (best >= 0)
        v->focus = best;
    else
        lw_look_next(v, down ? down : right);
}

static void keep_cursor_inside(struct lw_view *v)
{
    struct lw_domain d = lw_view_domain(v);

    if (!lw_domain_valid(d))
        return;
    v->cursor_x = fmin(fmax(v->cursor_x, d.low), d.high);
}

/* Whole steps only, where a cell is no less than a step. */
static void snap_cursor(struct lw_view *v, double cell)
{
    if (v->by == LW_BY_STEP && cell >= 1.0)
        v->cursor_x = round(v->cursor_x);
}

void lw_look_cursor(struct lw_view *v)
{
    struct lw_domain d = lw_view_domain(v), extent = lw_view_extent(v);

    v->cursor = !v->cursor && lw_domain_valid(d);
    if (v->cursor)
        v->cursor_x = fmin(d.high, extent.high);
}

void lw_look_move_cursor(struct lw_view *v, int cells)
{
    struct lw_domain d = lw_view_domain(v);
    int across = v->plot_rect.cols > 8 ? v->plot_rect.cols : 64;

    if (lw_domain_valid(d)) {
        v->cursor_x += cells * (d.high - d.low) / across;
        snap_cursor(v, (d.high - d.low) / across);
    }
    keep_cursor_inside(v);
}

void lw_look_pan(struct lw_view *v, double share)
{
    struct lw_domain extent = lw_view_extent(v);

    if (!lw_domain_valid(v->zoom)) {
        lw_view_say(v, "this is the whole run: + zooms in");
        return;
    }
    v->zoom = lw_domain_pan(v->zoom, share, extent);
    v->follow = v->zoom.high >= extent.high;
    keep_cursor_inside(v);
    lw_view_refine(v);
}

void lw_look_zoom(struct lw_view *v, double factor)
{
    struct lw_domain d = lw_view_domain(v), extent = lw_view_extent(v);
    double centre;

    if (!lw_domain_valid(d))
        return;
    if (!lw_domain_valid(v->zoom))
        v->follow = !v->cursor;
    d.high = fmin(d.high, extent.high);
    centre = v->cursor ? v->cursor_x : v->follow ? d.high : (d.low + d.high) / 2.0;
    v->zoom = lw_domain_zoom(d, centre, factor, extent);
    if (factor > 1.0 && v->zoom.low <= extent.low && v->zoom.high >= extent.high)
        v->zoom = (struct lw_domain){0.0, 0.0};
    lw_view_refine(v);
}

void lw_look_whole(struct lw_view *v)
{
    v->zoom = (struct lw_domain){0.0, 0.0};
    v->follow = true;
    lw_view_refine(v);
}

void lw_look_axis(struct lw_view *v)
{
    int by = v->by;

    for (int i = 0; i < LW_BYS; i++) {
        bool all = true;

        by = (by + 1) % LW_BYS;
        for (int k = 0; k < lw_view_visible(v); k++)
            all = all && lw_source_has(v->source[k], (enum lw_by)by);
        if (all)
            break;
    }
    if (by == (int)v->by) {
        lw_view_say(v, "there is no other x axis in this data");
        return;
    }
    v->by = (enum lw_by)by;
    v->cursor = false;
    lw_look_whole(v);
}

void lw_look_log(struct lw_view *v)
{
    int i;

    if (!v->shown_count)
        return;
    i = v->shown[v->focus];
    v->row[i].log = !v->row[i].log;
    v->y[i] = (struct lw_domain){0.0, 0.0};
}

void lw_look_smooth(struct lw_view *v, int by)
{
    int now = v->smoothing + by;

    v->smoothing_chosen = true;
    v->smoothing = now < 0 ? 0 : now > LW_SMOOTHINGS ? LW_SMOOTHINGS : now;
    if (v->smoothing)
        lw_view_say(v, "smoothing %g", lw_smooth_weight[v->smoothing - 1]);
    else
        lw_view_say(v, "no smoothing");
}
