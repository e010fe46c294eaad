/* SPDX-License-Identifier: MIT */
#include "tui/view.h"

#include <math.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

#define STEER_TIMEOUT_S 2.0

static void say(struct lw_view *v, const char *fmt, ...) LW_PRINTF(2, 3);

static void say(struct lw_view *v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(v->message, sizeof v->message, fmt, ap);
    va_end(ap);
}

static bool on_charts(const struct lw_view *v)
{
    return v->page == LW_PAGE_DASHBOARD || v->page == LW_PAGE_PANEL;
}

static void go_to(struct lw_view *v, enum lw_page page)
{
    if (page == LW_PAGE_HELP && v->page != LW_PAGE_HELP)
        v->before = v->page;
    v->page = page;
    v->top = v->selected = 0;
    if (page == LW_PAGE_RUNS)
        lw_view_read_runs(v);
}

/* One page back or on among the four that have numbers. */
static void turn_page(struct lw_view *v, int by)
{
    int at = v->page == LW_PAGE_HELP ? (int)v->before : (int)v->page;

    go_to(v, (enum lw_page)((at + by + LW_PAGE_HELP) % LW_PAGE_HELP));
}

static void focus_step(struct lw_view *v, int by)
{
    if (v->shown_count)
        v->focus = (v->focus + by + v->shown_count) % v->shown_count;
}

/* Focus the panel that lies next in a direction; at the page's edge, go on in table order. */
static void focus_toward(struct lw_view *v, int down, int right)
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
        focus_step(v, down ? down : right);
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

static void toggle_cursor(struct lw_view *v)
{
    struct lw_domain d = lw_view_domain(v), extent = lw_view_extent(v);

    v->cursor = !v->cursor && lw_domain_valid(d);
    if (v->cursor)
        v->cursor_x = fmin(d.high, extent.high);
}

static void move_cursor(struct lw_view *v, int cells)
{
    struct lw_domain d = lw_view_domain(v);
    int across = v->plot_rect.cols > 8 ? v->plot_rect.cols : 64;

    if (lw_domain_valid(d)) {
        v->cursor_x += cells * (d.high - d.low) / across;
        snap_cursor(v, (d.high - d.low) / across);
    }
    keep_cursor_inside(v);
}

static void pan(struct lw_view *v, double share)
{
    struct lw_domain extent = lw_view_extent(v);

    if (!lw_domain_valid(v->zoom)) {
        say(v, "this is the whole run: + zooms in");
        return;
    }
    v->zoom = lw_domain_pan(v->zoom, share, extent);
    v->follow = v->zoom.high >= extent.high;
    keep_cursor_inside(v);
    lw_view_refine(v);
}

static void zoom(struct lw_view *v, double factor)
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

static void zoom_all(struct lw_view *v)
{
    v->zoom = (struct lw_domain){0.0, 0.0};
    v->follow = true;
    lw_view_refine(v);
}

static void next_axis(struct lw_view *v)
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
        say(v, "there is no other x axis in this data");
        return;
    }
    v->by = (enum lw_by)by;
    v->cursor = false;
    zoom_all(v);
}

static void toggle_log(struct lw_view *v)
{
    int i;

    if (!v->shown_count)
        return;
    i = v->shown[v->focus];
    v->row[i].log = !v->row[i].log;
    v->y[i] = (struct lw_domain){0.0, 0.0};
}

static void smooth(struct lw_view *v, int by)
{
    int now = v->smoothing + by;

    v->smoothing_chosen = true;
    v->smoothing = now < 0 ? 0 : now > LW_SMOOTHINGS ? LW_SMOOTHINGS : now;
    if (v->smoothing)
        say(v, "smoothing %g", lw_smooth_weight[v->smoothing - 1]);
    else
        say(v, "no smoothing");
}

static void ask_about_run(struct lw_view *v, enum lw_asking what)
{
    const struct lw_source *s = v->sources ? v->source[0] : NULL;

    if (!s || !s->run)
        say(v, "a file cannot be paused or stopped");
    else if (!s->standing.alive)
        say(v, "this run is not running");
    else
        v->asking = what;
}

static void steer(struct lw_view *v)
{
    const struct lw_source *s = v->source[0];
    const char *what = v->asking == LW_ASK_STOP ? "stop"
                       : s->standing.paused    ? "continue"
                                               : "pause";
    struct lw_error err = {0};
    char text[200] = "";

    if (lw_run_steer(s->path, what, STEER_TIMEOUT_S, text, sizeof text, &err))
        say(v, "%s: %.240s", what, err.text);
    else
        say(v, "%s", text[0] ? text : what);
}

static int source_of_run(const struct lw_view *v, const char *dir)
{
    for (int k = 0; k < v->sources; k++)
        if (!strcmp(v->source[k]->path, dir))
            return k;
    return -1;
}

static void drop_source(struct lw_view *v, int k)
{
    lw_source_close(v->source[k]);
    lw_refined_free(v->refined[k]);
    v->sources--;
    memmove(&v->source[k], &v->source[k + 1], (size_t)(v->sources - k) * sizeof v->source[0]);
    memmove(&v->refined[k], &v->refined[k + 1], (size_t)(v->sources - k) * sizeof v->refined[0]);
    v->refined[v->sources] = NULL;
}

static void toggle_overlay(struct lw_view *v)
{
    struct lw_source *s = NULL;
    struct lw_error err = {0};
    int i, k;

    if (v->page != LW_PAGE_RUNS) {
        if (v->sources < 2)
            say(v, "one run only: o on the list of runs (4) puts another over it");
        else
            v->hide_others = !v->hide_others;
        return;
    }
    i = lw_view_run_at(v, v->selected);
    if (i < 0)
        return;
    k = source_of_run(v, v->runs.line[i].dir);
    if (k == 0) {
        say(v, "this is the run that is shown");
    } else if (k > 0) {
        drop_source(v, k);
        say(v, "%s is no longer drawn", v->runs.line[i].name);
    } else if (lw_source_open(&s, v->runs.line[i].dir, v->sources + 1, &err) ||
               lw_view_add(v, s, &err)) {
        say(v, "%.250s", err.text);
    } else {
        v->hide_others = false;
        say(v, "%s is drawn over %s", s->name, v->source[0]->name);
    }
}

/* Show the selected run instead of all that is shown. */
static void open_run(struct lw_view *v)
{
    struct lw_source *s = NULL;
    struct lw_error err = {0};
    int i = lw_view_run_at(v, v->selected);

    if (i < 0)
        return;
    if (lw_source_open(&s, v->runs.line[i].dir, 1, &err)) {
        say(v, "%.250s", err.text);
        return;
    }
    while (v->sources)
        drop_source(v, v->sources - 1);
    v->rows = 0;
    v->generation = -1;
    v->grew = v->cursor = false;
    memset(v->x, 0, sizeof v->x);
    memset(v->y, 0, sizeof v->y);
    v->by = LW_BY_STEP;
    if (lw_view_add(v, s, &err)) {
        say(v, "%.250s", err.text);
        return;
    }
    lw_view_poll(v, 0);
    zoom_all(v);
    lw_view_update_panels(v);
    go_to(v, LW_PAGE_DASHBOARD);
}

static void back(struct lw_view *v)
{
    if (v->cursor) {
        v->cursor = false;
    } else if (v->filter[0]) {
        v->filter[0] = '\0';
        lw_view_update_panels(v);
    } else if (on_charts(v) && lw_domain_valid(v->zoom)) {
        zoom_all(v);
    } else if (v->page == LW_PAGE_HELP) {
        go_to(v, v->before);
    } else {
        go_to(v, LW_PAGE_DASHBOARD);
    }
}

static void scroll_by(struct lw_view *v, int by)
{
    int lines = lw_view_lines(v), *at = v->page == LW_PAGE_RUNS ? &v->selected : &v->top;
    long moved = *at + (long)(v->page == LW_PAGE_EVENTS ? -by : by);

    *at = moved < 0 ? 0 : moved >= lines ? (lines ? lines - 1 : 0) : (int)moved;
}

static int screenful(const struct lw_view *v)
{
    return v->layout.body.rows > 2 ? v->layout.body.rows - 2 : 1;
}

static void go(struct lw_view *v, int down, int right)
{
    if (!on_charts(v)) {
        if (down)
            scroll_by(v, down);
    } else if (v->cursor && right) {
        move_cursor(v, right);
    } else if (v->page == LW_PAGE_DASHBOARD) {
        focus_toward(v, down, right);
    } else if (down) {
        focus_step(v, down);
    } else {
        pan(v, 0.1 * right);
    }
}

static void move_far(struct lw_view *v, int sign)
{
    if (!on_charts(v))
        scroll_by(v, sign * screenful(v));
    else if (v->cursor)
        move_cursor(v, 10 * sign);
    else
        pan(v, 0.5 * sign);
}

static void move_to_end(struct lw_view *v, int sign)
{
    if (!on_charts(v)) {
        scroll_by(v, sign * (1 << 20));
    } else if (v->cursor) {
        struct lw_domain d = lw_view_domain(v);

        v->cursor_x = sign < 0 ? d.low : fmin(d.high, lw_view_extent(v).high);
    } else if (lw_domain_valid(v->zoom)) {
        pan(v, sign * 1e6);
    }
}

static unsigned act(struct lw_view *v, enum lw_action action)
{
    switch (action) {
    case LW_ACT_QUIT:
        return LW_VIEW_QUIT;
    case LW_ACT_HELP:
        go_to(v, v->page == LW_PAGE_HELP ? v->before : LW_PAGE_HELP);
        break;
    case LW_ACT_BACK:
        back(v);
        break;
    case LW_ACT_OPEN:
        if (v->page == LW_PAGE_RUNS)
            open_run(v);
        else
            go_to(v, LW_PAGE_PANEL);
        break;
    case LW_ACT_NEXT:
    case LW_ACT_PREVIOUS:
        focus_step(v, action == LW_ACT_NEXT ? 1 : -1);
        break;
    case LW_ACT_LEFT:
    case LW_ACT_RIGHT:
        go(v, 0, action == LW_ACT_RIGHT ? 1 : -1);
        break;
    case LW_ACT_UP:
    case LW_ACT_DOWN:
        go(v, action == LW_ACT_DOWN ? 1 : -1, 0);
        break;
    case LW_ACT_PAGE_UP:
    case LW_ACT_PAGE_DOWN:
        move_far(v, action == LW_ACT_PAGE_DOWN ? 1 : -1);
        break;
    case LW_ACT_FIRST:
    case LW_ACT_LATEST:
        move_to_end(v, action == LW_ACT_LATEST ? 1 : -1);
        break;
    case LW_ACT_ZOOM_IN:
    case LW_ACT_ZOOM_OUT:
        zoom(v, action == LW_ACT_ZOOM_IN ? 0.5 : 2.0);
        break;
    case LW_ACT_ZOOM_ALL:
        zoom_all(v);
        break;
    case LW_ACT_SMOOTHER:
    case LW_ACT_ROUGHER:
        smooth(v, action == LW_ACT_SMOOTHER ? 1 : -1);
        break;
    case LW_ACT_LOG:
        toggle_log(v);
        break;
    case LW_ACT_AXIS:
        next_axis(v);
        break;
    case LW_ACT_CURSOR:
        toggle_cursor(v);
        break;
    case LW_ACT_FREEZE:
        v->frozen = !v->frozen;
        break;
    case LW_ACT_OVERLAY:
        toggle_overlay(v);
        break;
    case LW_ACT_FILTER:
        v->asking = LW_ASK_FILTER;
        memcpy(v->typed, v->filter, sizeof v->typed);
        break;
    case LW_ACT_PAGE_1:
    case LW_ACT_PAGE_2:
    case LW_ACT_PAGE_3:
    case LW_ACT_PAGE_4:
        go_to(v, (enum lw_page)(LW_PAGE_DASHBOARD + (int)(action - LW_ACT_PAGE_1)));
        break;
    case LW_ACT_PAGE_BEFORE:
    case LW_ACT_PAGE_AFTER:
        turn_page(v, action == LW_ACT_PAGE_AFTER ? 1 : -1);
        break;
    case LW_ACT_PAUSE_RUN:
        ask_about_run(v, LW_ASK_PAUSE);
        break;
    case LW_ACT_STOP_RUN:
        ask_about_run(v, LW_ASK_STOP);
        break;
    case LW_ACT_THEME:
        return LW_VIEW_DRAW | LW_VIEW_THEME;
    case LW_ACT_GLYPHS:
        return LW_VIEW_DRAW | LW_VIEW_GLYPHS;
    case LW_ACT_MOUSE:
        return LW_VIEW_DRAW | LW_VIEW_MOUSE;
    case LW_ACT_REDRAW:
        return LW_VIEW_DRAW | LW_VIEW_REDRAW;
    case LW_ACT_NONE:
        break;
    }
    return LW_VIEW_DRAW;
}

/* A key while the filter is typed. */
static void type(struct lw_view *v, int key)
{
    size_t n = strlen(v->typed);

    if (key == '\r' || key == '\n' || key == KEY_ENTER) {
        lw_text_clean(v->typed, n, v->filter, sizeof v->filter);
        v->asking = LW_ASK_NOTHING;
        v->top = v->selected = 0;
        lw_view_update_panels(v);
        if (v->filter[0] && on_charts(v) && !v->shown_count)
            say(v, "no panel matches: Esc drops the filter");
    } else if (key == 27) {
        v->asking = LW_ASK_NOTHING;
    } else if (key == KEY_BACKSPACE || key == 127 || key == 8) {
        while (n && ((unsigned char)v->typed[--n] & 0xc0) == 0x80)
            ;
        v->typed[n] = '\0';
    } else if (key == ('u' & 31)) {
        v->typed[0] = '\0';
    } else if (key >= 32 && key < 256 && key != 127 && n + 1 < sizeof v->typed) {
        v->typed[n] = (char)key;
        v->typed[n + 1] = '\0';
    }
}

unsigned lw_view_key(struct lw_view *v, int key)
{
    v->message[0] = '\0';
    if (key == ('c' & 31))
        return LW_VIEW_QUIT;
    if (key == ('l' & 31))
        return LW_VIEW_DRAW | LW_VIEW_REDRAW;
    if (v->asking == LW_ASK_FILTER) {
        type(v, key);
        return LW_VIEW_DRAW;
    }
    if (v->asking != LW_ASK_NOTHING) {
        if (key == 'y' || key == 'Y')
            steer(v);
        v->asking = LW_ASK_NOTHING;
        return LW_VIEW_DRAW;
    }
    return act(v, lw_key_action(key, v->page));
}

unsigned lw_view_click(struct lw_view *v, int row, int col)
{
    const struct lw_rect *body = &v->layout.body;

    v->message[0] = '\0';
    if (v->page == LW_PAGE_RUNS && row > body->row && row < body->row + body->rows) {
        v->selected = v->top + row - body->row - 1;
        scroll_by(v, 0);
        return LW_VIEW_DRAW;
    }
    if (v->page != LW_PAGE_DASHBOARD)
        return 0;
    for (int i = 0; i < v->shown_count; i++) {
        const struct lw_rect *r = &v->layout.panel[i];

        if (row < r->row || row >= r->row + r->rows || col < r->col || col >= r->col + r->cols)
            continue;
        if (v->focus == i)
            go_to(v, LW_PAGE_PANEL);
        v->focus = i;
        return LW_VIEW_DRAW;
    }
    return 0;
}
