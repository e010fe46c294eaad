/* SPDX-License-Identifier: MIT */
#include "tui/chart_actions.h"

#include <math.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

void lw_view_go_to(struct lw_view *v, enum lw_page page)
{
    if (page == LW_PAGE_HELP && v->page != LW_PAGE_HELP)
        v->before = v->page;
    v->page = page;
    v->opened = false;
    v->top = v->selected = 0;
    if (page == LW_PAGE_RUNS)
        lw_view_read_runs(v);
}

/* One page back or on among those that have numbers. */
static void turn_page(struct lw_view *v, int by)
{
    int at = v->page == LW_PAGE_HELP ? (int)v->before : (int)v->page;

    lw_view_go_to(v, (enum lw_page)((at + by + LW_PAGE_HELP) % LW_PAGE_HELP));
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
            lw_view_say(v, "one run only: o on the list of runs (4) puts another over it");
        else
            v->hide_others = !v->hide_others;
        return;
    }
    i = lw_view_run_at(v, v->selected);
    if (i < 0)
        return;
    k = source_of_run(v, v->runs.line[i].dir);
    if (k == 0) {
        lw_view_say(v, "this is the run that is shown");
    } else if (k > 0) {
        drop_source(v, k);
        lw_view_say(v, "%s is no longer drawn", v->runs.line[i].name);
    } else if (lw_source_open(&s, v->runs.line[i].dir, v->sources + 1, &err) ||
               lw_view_add(v, s, &err)) {
        lw_view_say(v, "%.250s", err.text);
    } else {
        v->hide_others = false;
        lw_view_say(v, "%s is drawn over %s", s->name, v->source[0]->name);
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
        lw_view_say(v, "%.250s", err.text);
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
        lw_view_say(v, "%.250s", err.text);
        return;
    }
    lw_view_poll(v, 0);
    lw_look_whole(v);
    lw_view_update_panels(v);
    lw_view_go_to(v, LW_PAGE_DASHBOARD);
}

static void back(struct lw_view *v)
{
    if (v->cursor) {
        v->cursor = false;
    } else if (v->filter[0]) {
        v->filter[0] = '\0';
        lw_view_update_panels(v);
    } else if (lw_view_on_charts(v) && lw_domain_valid(v->zoom)) {
        lw_look_whole(v);
    } else if (v->opened) {
        v->opened = false;
    } else if (v->page == LW_PAGE_HELP) {
        lw_view_go_to(v, v->before);
    } else {
        lw_view_go_to(v, LW_PAGE_DASHBOARD);
    }
}

/* Is there a selected line on the page? */
static bool selects(const struct lw_view *v)
{
    return v->page == LW_PAGE_RUNS || v->page == LW_PAGE_DRIFT;
}

void lw_view_scroll(struct lw_view *v, int by)
{
    int lines = lw_view_lines(v), *at = selects(v) ? &v->selected : &v->top;
    long moved = *at + (long)(v->page == LW_PAGE_EVENTS ? -by : by);

    *at = moved < 0 ? 0 : moved >= lines ? (lines ? lines - 1 : 0) : (int)moved;
}

static int screenful(const struct lw_view *v)
{
    return v->layout.body.rows > 2 ? v->layout.body.rows - 2 : 1;
}

static void go(struct lw_view *v, int down, int right)
{
    if (!lw_view_on_charts(v)) {
        if (down)
            lw_view_scroll(v, down);
        else if (v->page == LW_PAGE_DRIFT)
            lw_drift_compare_next(v, right);
    } else if (v->cursor && right) {
        lw_look_move_cursor(v, right);
    } else if (v->page == LW_PAGE_DASHBOARD) {
        lw_look_toward(v, down, right);
    } else if (down) {
        lw_look_next(v, down);
    } else {
        lw_look_pan(v, 0.1 * right);
    }
}

static void move_far(struct lw_view *v, int sign)
{
    if (!lw_view_on_charts(v))
        lw_view_scroll(v, sign * screenful(v));
    else if (v->cursor)
        lw_look_move_cursor(v, 10 * sign);
    else
        lw_look_pan(v, 0.5 * sign);
}

static void move_to_end(struct lw_view *v, int sign)
{
    if (!lw_view_on_charts(v)) {
        lw_view_scroll(v, sign * (1 << 20));
    } else if (v->cursor) {
        struct lw_domain d = lw_view_domain(v);

        v->cursor_x = sign < 0 ? d.low : fmin(d.high, lw_view_extent(v).high);
    } else if (lw_domain_valid(v->zoom)) {
        lw_look_pan(v, sign * 1e6);
    }
}

static void acknowledge(struct lw_view *v)
{
    if (!v->sources || !lw_source_waits(v->source[0]))
        lw_view_say(v, "there is no alert to acknowledge");
    else
        lw_source_acknowledge(v->source[0]);
}

unsigned lw_view_act(struct lw_view *v, enum lw_action action)
{
    switch (action) {
    case LW_ACT_QUIT:
        return LW_VIEW_QUIT;
    case LW_ACT_HELP:
        lw_view_go_to(v, v->page == LW_PAGE_HELP ? v->before : LW_PAGE_HELP);
        break;
    case LW_ACT_BACK:
        back(v);
        break;
    case LW_ACT_OPEN:
        if (v->page == LW_PAGE_RUNS)
            open_run(v);
        else if (v->page == LW_PAGE_DRIFT)
            v->opened = !v->opened;
        else
            lw_view_go_to(v, LW_PAGE_PANEL);
        break;
    case LW_ACT_NEXT:
    case LW_ACT_PREVIOUS:
        lw_look_next(v, action == LW_ACT_NEXT ? 1 : -1);
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
        lw_look_zoom(v, action == LW_ACT_ZOOM_IN ? 0.5 : 2.0);
        break;
    case LW_ACT_ZOOM_ALL:
        lw_look_whole(v);
        break;
    case LW_ACT_SMOOTHER:
    case LW_ACT_ROUGHER:
        lw_look_smooth(v, action == LW_ACT_SMOOTHER ? 1 : -1);
        break;
    case LW_ACT_LOG:
        lw_look_log(v);
        break;
    case LW_ACT_AXIS:
        lw_look_axis(v);
        break;
    case LW_ACT_CURSOR:
        lw_look_cursor(v);
        break;
    case LW_ACT_FREEZE:
        v->frozen = !v->frozen;
        break;
    case LW_ACT_OVERLAY:
        toggle_overlay(v);
        break;
    case LW_ACT_FILTER:
    case LW_ACT_COMMAND:
        lw_ask_for_text(v, action == LW_ACT_FILTER ? LW_ASK_FILTER : LW_ASK_COMMAND);
        break;
    case LW_ACT_MATCH:
    case LW_ACT_MATCH_BACK:
        lw_look_match(v, action == LW_ACT_MATCH ? 1 : -1);
        break;
    case LW_ACT_ACKNOWLEDGE:
        acknowledge(v);
        break;
    case LW_ACT_PAGE_1:
    case LW_ACT_PAGE_2:
    case LW_ACT_PAGE_3:
    case LW_ACT_PAGE_4:
    case LW_ACT_PAGE_5:
        lw_view_go_to(v, (enum lw_page)(LW_PAGE_DASHBOARD + (int)(action - LW_ACT_PAGE_1)));
        break;
    case LW_ACT_PAGE_BEFORE:
    case LW_ACT_PAGE_AFTER:
        turn_page(v, action == LW_ACT_PAGE_AFTER ? 1 : -1);
        break;
    case LW_ACT_PAUSE_RUN:
        lw_ask_about_run(v, LW_ASK_PAUSE);
        break;
    case LW_ACT_STOP_RUN:
        lw_ask_about_run(v, LW_ASK_STOP);
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

unsigned lw_view_key(struct lw_view *v, int key)
{
    v->message[0] = '\0';
    if (key == ('c' & 31))
        return LW_VIEW_QUIT;
    if (key == ('l' & 31))
        return LW_VIEW_DRAW | LW_VIEW_REDRAW;
    if (v->asking != LW_ASK_NOTHING)
        return lw_ask_key(v, key);
    return lw_view_act(v, lw_key_action(key, v->page));
}

unsigned lw_view_click(struct lw_view *v, int row, int col)
{
    const struct lw_rect *body = &v->layout.body;

    v->message[0] = '\0';
    if (v->page == LW_PAGE_RUNS && row > body->row && row < body->row + body->rows) {
        v->selected = v->top + row - body->row - 1;
        lw_view_scroll(v, 0);
        return LW_VIEW_DRAW;
    }
    if (v->page != LW_PAGE_DASHBOARD)
        return 0;
    for (int i = 0; i < v->shown_count; i++) {
        const struct lw_rect *r = &v->layout.panel[i];

        if (row < r->row || row >= r->row + r->rows || col < r->col || col >= r->col + r->cols)
            continue;
        if (v->focus == i)
            lw_view_go_to(v, LW_PAGE_PANEL);
        v->focus = i;
        return LW_VIEW_DRAW;
    }
    return 0;
}
