/* SPDX-License-Identifier: MIT */
#include "tui/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/text.h"
#include "widgets/axis.h"
#include "widgets/gauge.h"

#define RANKS_LISTED  4 /* in the header, each with its throughput */

/* What follows the step in a header: bar, percent, ETA and throughput. */
#define PROGRESS_COLS 36
#define NAME_COLS     36 /* a name takes no more */

#define BAR(ink, attr) LW_STYLE(ink, LW_INK_BAR, attr)

static enum lw_ink state_ink(const struct lw_standing *s)
{
    if (s->failed || !strcmp(s->state, "lost"))
        return LW_INK_ALERT;
    if (s->paused || !strcmp(s->state, "stopping"))
        return LW_INK_WARN;
    return s->active || !strcmp(s->state, "finished") ? LW_INK_OK : LW_INK_TEXT;
}

/* "step 1,250 of 5,000": the newest step that is in the data or the status. */
static void step_text(const struct lw_source *s, char *out, size_t size)
{
    double step = (double)s->standing.step;
    char now[LW_NUMBER_SIZE], of[LW_NUMBER_SIZE];
    const char *word = s->run ? "step" : lw_source_by_name(s, LW_BY_STEP);

    if (s->rows && s->base > step)
        step = s->base;
    lw_number_format(step, LW_NUMBER_INTEGER, now);
    lw_number_format((double)s->standing.of, LW_NUMBER_INTEGER, of);
    if (s->standing.of > 0)
        snprintf(out, size, "%s %s of %s", word, now, of);
    else
        snprintf(out, size, "%s %s", word, now);
}

static double share_of(const struct lw_source *s)
{
    double step = (double)s->standing.step;

    if (s->standing.of <= 0)
        return NAN;
    if (s->rows && s->base > step)
        step = s->base;
    return step / (double)s->standing.of;
}

static void speed_text(const struct lw_source *s, char *out, size_t size)
{
    char text[LW_NUMBER_SIZE];

    lw_number_format(s->standing.throughput, LW_NUMBER_COMPACT, text);
    snprintf(out, size, "%s %s/s", text, s->unit);
}

/* Several ranks: what each could do if it never waited for the others, and which one they wait for.
 * Where there are many, or little room, they are told by the slowest alone. */
static void ranks_text(const struct lw_standing *s, bool list, char *out, size_t size)
{
    char text[LW_NUMBER_SIZE];
    size_t n;

    *out = '\0';
    list = list && s->ranks <= RANKS_LISTED;
    if (s->ranks < 2)
        return;
    n = (size_t)snprintf(out, size, "%d ranks", s->ranks);
    for (int i = 0; list && i < s->ranks && n < size; i++) {
        if (isfinite(s->rank_throughput[i]))
            lw_number_format(s->rank_throughput[i], LW_NUMBER_COMPACT, text);
        else
            snprintf(text, sizeof text, "--");
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : ": ", text);
    }
    if (s->slowest < 0 || s->slowest >= s->ranks || n >= size)
        return;
    n += (size_t)snprintf(out + n, size - n, ", slowest %d", s->slowest);
    if (!list && n < size) {
        lw_number_format(s->rank_throughput[s->slowest], LW_NUMBER_COMPACT, text);
        snprintf(out + n, size - n, " (%s)", text);
    }
}

/* The rest of the way, or how long it took, or for how long nothing was heard. */
static void time_text(const struct lw_view *v, const struct lw_standing *s, char *out, size_t size)
{
    double silent = s->active && !v->quiet ? lw_state_silent(s->code, s->alive, s->updated) : 0.0;
    char text[LW_NUMBER_SIZE];

    if (silent > 0.0) {
        lw_number_format(silent, LW_NUMBER_DURATION, text);
        snprintf(out, size, "silent for %s", text);
    } else if (s->active) {
        lw_number_format(s->eta, LW_NUMBER_DURATION, text);
        snprintf(out, size, isfinite(s->eta) ? "ETA %s" : "", text);
    } else {
        lw_number_format(s->time, LW_NUMBER_DURATION, text);
        snprintf(out, size, "took %s", text);
    }
}

/* What is on a screen with no room for more than a line: whole words only, the step first. */
static void draw_status_line(const struct lw_view *v, struct lw_area a)
{
    const struct lw_source *s = v->source[0];
    const struct lw_track *loss = lw_source_track(s, "train/loss");
    double step = (double)s->standing.step > s->base ? (double)s->standing.step : s->base;
    struct lw_style style = BAR(state_ink(&s->standing), 0);
    char text[LW_NUMBER_SIZE];
    int col;

    snprintf(text, sizeof text, "%.0f", step);
    if ((int)strlen(text) > a.rect.cols)
        lw_number_format(step, LW_NUMBER_COMPACT, text);
    if ((int)strlen(text) > a.rect.cols) {
        lw_put(a, 0, 0, s->standing.state[0] ? (uint32_t)s->standing.state[0] : '?', style);
        return;
    }
    col = lw_put_text(a, 0, 0, text, style) + 1;
    if (loss && loss->data.samples) {
        lw_number_format(loss->data.last, LW_NUMBER_COMPACT, text);
        if (col + (int)strlen(text) <= a.rect.cols)
            col += lw_put_text(a, 0, col, text, style) + 1;
    }
    if (col + (int)strlen(s->standing.state) <= a.rect.cols)
        lw_put_text(a, 0, col, s->standing.state, style);
}

/* How the view differs from the plain one, for the right end of the header. */
static void view_text(const struct lw_view *v, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    if (v->frozen)
        n += (size_t)snprintf(out + n, size - n, " FROZEN");
    if (lw_domain_valid(v->zoom) && n < size)
        n += (size_t)snprintf(out + n, size - n, v->follow ? " ZOOM, following" : " ZOOM");
    if (v->by != LW_BY_STEP && n < size)
        n += (size_t)snprintf(out + n, size - n, " by %s", lw_source_by_name(v->source[0], v->by));
    if (v->filter[0] && n < size)
        n += (size_t)snprintf(out + n, size - n, " /%s", v->filter);
    if (v->cursor && n < size) {
        char x[LW_NUMBER_SIZE];

        lw_number_format(v->by == LW_BY_STEP ? round(v->cursor_x) : v->cursor_x,
                         v->by == LW_BY_STEP   ? LW_NUMBER_INTEGER
                         : v->by == LW_BY_TIME ? LW_NUMBER_DURATION
                                               : LW_NUMBER_COMPACT,
                         x);
        snprintf(out + n, size - n, " %s %s", lw_source_by_name(v->source[0], v->by), x);
    }
}

static void put_bar(struct lw_area a, int col, int width, double share)
{
    struct lw_area bar = lw_area_sub(a, 0, col, 1, width);
    struct lw_gauge gauge = {.share = share, .ink = LW_INK_SKY};

    lw_gauge_draw(bar, &gauge);
    lw_tint(bar, LW_INK_BAR);
}

static int put_fact(struct lw_area a, int col, int end, const char *label, const char *value)
{
    if (col + lw_text_cells(label) + 1 + lw_text_cells(value) > end)
        return col;
    col += lw_put_text(a, 1, col, label, BAR(LW_INK_DIM, 0)) + 1;
    return col + lw_put_text(a, 1, col, value, BAR(LW_INK_TEXT, 0)) + 3;
}

/* "98 %, 71.2 of 80.0 GB, 612 W, 64 C": what of it is known. */
static void gpu_text(const struct lw_status_gpu *g, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    if (isfinite(g->utilization))
        n += (size_t)snprintf(out, size, ", %.0f %%", g->utilization);
    if (isfinite(g->memory_mb) && isfinite(g->memory_total_mb))
        n += (size_t)snprintf(out + n, size - n, ", %.1f of %.1f GB", g->memory_mb / 1000,
                              g->memory_total_mb / 1000);
    if (isfinite(g->power_w))
        n += (size_t)snprintf(out + n, size - n, ", %.0f W", g->power_w);
    if (isfinite(g->temperature_c))
        n += (size_t)snprintf(out + n, size - n, ", %.0f C", g->temperature_c);
    if (n)
        memmove(out, out + 2, n - 1);
}

/* The header's second line, where the screen is tall: how far, how good, how it is drawn. */
static void draw_details(const struct lw_view *v, struct lw_area a, int end)
{
    const struct lw_source *s = v->source[0];
    const struct lw_track *val = lw_source_track(s, "val/loss");
    char number[LW_NUMBER_SIZE], text[2 * LW_NUMBER_SIZE + 64];
    int col = 1;

    if (s->standing.epoch > 0.0) {
        snprintf(number, sizeof number, "%.2f", s->standing.epoch);
        col = put_fact(a, col, end, "epoch", number);
    }
    if (val && val->data.samples) {
        char step[LW_NUMBER_SIZE];

        lw_number_format((double)val->data.low, LW_NUMBER_FIXED3, number);
        lw_number_format(val->data.low_x, LW_NUMBER_INTEGER, step);
        snprintf(text, sizeof text, "%s at step %s", number, step);
        col = put_fact(a, col, end, "best validation loss", text);
    }
    if (s->standing.active && s->standing.time >= 1.0 && !v->slow) {
        lw_number_format(floor(s->standing.time), LW_NUMBER_DURATION, number);
        col = put_fact(a, col, end, "run time", number);
    }
    if (s->standing.active && isfinite(s->standing.mfu)) {
        snprintf(text, sizeof text, "%.1f %%", 100 * s->standing.mfu);
        col = put_fact(a, col, end, "MFU", text);
    }
    gpu_text(&s->standing.gpu, text, sizeof text);
    if (s->standing.active && text[0])
        col = put_fact(a, col, end, "GPU", text);
    if (v->smoothing)
        snprintf(text, sizeof text, "%g", lw_smooth_weight[v->smoothing - 1]);
    col = put_fact(a, col, end, "smoothing", v->smoothing ? text : "off");
    if (!s->run) {
        lw_number_format((double)s->rows, LW_NUMBER_INTEGER, number);
        put_fact(a, col, end, "rows", number);
    }
}

/* What the guard warned of, in place of what else would stand there. False: nothing to say. */
static bool draw_notice(const struct lw_source *s, struct lw_area a)
{
    char text[LW_NOTICE_TEXT + 32], rest[32] = "";
    const char *first;
    int more = 0, room;

    first = lw_notices_first(&s->notices, &more);
    if (!first || lw_area_empty(a) || a.rect.cols < 8)
        return false;
    if (more)
        snprintf(rest, sizeof rest, " (+%d)", more);
    snprintf(text, sizeof text, "! %s", first);
    room = a.rect.cols - lw_text_cells(rest);
    room = lw_put_cut(a, 0, 0, room, text, BAR(LW_INK_WARN, LW_ATTR_BOLD));
    lw_put_text(a, 0, room, rest, BAR(LW_INK_WARN, 0));
    return true;
}

/* "AMD EPYC, 2 threads, AVX-512": as many of its parts as there is room for, each whole. */
static void put_device(struct lw_area a, int col, int end, const char *device)
{
    char part[sizeof((struct lw_standing *)0)->device];
    char *comma;

    snprintf(part, sizeof part, "%s", device);
    while (lw_text_cells(part) > end - col) {
        comma = strrchr(part, ',');
        if (!comma)
            return;
        *comma = '\0';
    }
    lw_put_text(a, 0, col, part, BAR(LW_INK_DIM, 0));
}

/* The whole name where the rest of the line has room beside it, else the one without the date. */
static const char *name_in(const struct lw_source *s, int room)
{
    int left = room - (s->standing.has_status ? PROGRESS_COLS : 0);

    return lw_text_cells(s->name) <= (left < NAME_COLS ? left : NAME_COLS)
               ? s->name
               : lw_source_short_name(s);
}

void lw_view_draw_header(struct lw_view *v, struct lw_area a)
{
    const struct lw_source *s = v->sources ? v->source[0] : NULL;
    char text[160], step[96], percent[16] = "";
    int col = 0, end = a.rect.cols, room;

    lw_fill(a, BAR(LW_INK_TEXT, 0));
    if (!s)
        return;
    if (v->layout.mode == LW_LAYOUT_STATUS) {
        draw_status_line(v, a);
        return;
    }
    view_text(v, text, sizeof text);
    if (a.rect.rows > 1) {
        int from = end - 1;

        if (text[0])
            from = lw_put_right(a, 1, from, text, BAR(LW_INK_ACCENT, LW_ATTR_BOLD));
        if (!draw_notice(s, lw_area_sub(a, 1, 1, 1, from - 1)))
            draw_details(v, a, from);
    } else if (text[0] && end > 40) {
        end = lw_put_right(a, 0, end - 1, text, BAR(LW_INK_ACCENT, LW_ATTR_BOLD));
    }
    step_text(s, step, sizeof step);
    /* The name gives way first: what changes is what one looks for. */
    room = end - (s->standing.has_status ? 12 : 2) - (int)strlen(step) - 4;
    col += lw_put_cut(a, 0, 1,
                      room < 8           ? 8
                      : room > NAME_COLS ? NAME_COLS
                                         : room,
                      name_in(s, room), BAR(LW_INK_TITLE, LW_ATTR_BOLD)) +
           2;
    if (v->sources > 1)
        col += lw_putf(a, 0, col, BAR(LW_INK_DIM, 0), "+%d ", v->sources - 1);
    if (s->standing.has_status)
        col +=
            lw_put_text(a, 0, col, s->standing.state, BAR(state_ink(&s->standing), LW_ATTR_BOLD)) +
            2;
    else if (s->loading)
        col += lw_put_text(a, 0, col, "reading", BAR(LW_INK_WARN, 0)) + 2;
    if (s->standing.active && s->standing.note[0] && !s->rows) {
        lw_put_cut(a, 0, col, end - col, s->standing.note, BAR(LW_INK_TEXT, 0));
        return;
    }
    col += lw_put_cut(a, 0, col, end - col, step, BAR(LW_INK_TEXT, 0)) + 1;
    if (a.rect.rows == 1 && draw_notice(s, lw_area_sub(a, 0, col + 1, 1, end - col - 2)))
        return;
    if (isfinite(share_of(s)) && end - col >= 12) {
        int width = end - col - 60;

        width = width < 6 ? 6 : width > 24 ? 24 : width;
        put_bar(a, col, width, share_of(s));
        snprintf(percent, sizeof percent, " %.0f%%", floor(100.0 * fmin(share_of(s), 1.0)));
        col += width;
        col += lw_put_text(a, 0, col, percent, BAR(LW_INK_TEXT, 0)) + 2;
    }
    if (!s->standing.has_status)
        return;
    time_text(v, &s->standing, text, sizeof text);
    if (text[0] && end - col > (int)strlen(text))
        col += lw_put_text(a, 0, col, text, BAR(LW_INK_TEXT, 0)) + 2;
    speed_text(s, text, sizeof text);
    if (isfinite(s->standing.throughput) && end - col > (int)strlen(text))
        col += lw_put_text(a, 0, col, text, BAR(LW_INK_TEXT, 0)) + 2;
    ranks_text(&s->standing, true, text, sizeof text);
    if (end - col <= (int)strlen(text))
        ranks_text(&s->standing, false, text, sizeof text);
    if (text[0] && end - col > (int)strlen(text))
        col += lw_put_text(a, 0, col, text, BAR(LW_INK_TEXT, 0)) + 2;
    put_device(a, col, end - 1, s->standing.device);
}

static void draw_question(const struct lw_view *v, struct lw_area a)
{
    char shown[LW_VIEW_TEXT];
    int col;

    if (v->asking == LW_ASK_FILTER || v->asking == LW_ASK_COMMAND) {
        lw_text_clean(v->typed, strlen(v->typed), shown, sizeof shown);
        col = lw_put_text(a, 0, 0, v->asking == LW_ASK_FILTER ? " filter: " : " :",
                          LW_INK(LW_INK_ACCENT));
        col += lw_put_text(a, 0, col, shown, LW_INK(LW_INK_TEXT));
        lw_put(a, 0, col, ' ', LW_STYLE(LW_INK_TEXT, LW_INK_NONE, LW_ATTR_REVERSE));
        return;
    }
    lw_put_cut(a, 0, 1, a.rect.cols - 1,
               v->asking == LW_ASK_STOP
                   ? "Stop training after a checkpoint? y: yes, any other key: no"
               : v->source[0]->standing.paused ? "Continue training? y: yes, any other key: no"
                                               : "Pause training? y: yes, any other key: no",
               LW_STYLE(LW_INK_WARN, LW_INK_NONE, LW_ATTR_BOLD));
}

/* The entries of the footer with their keys in another ink than their labels. */
static int draw_keys(const struct lw_view *v, struct lw_area a, int width)
{
    int col = 1;

    for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE; k++) {
        int need = k->label ? lw_text_cells(k->shown) + 1 + lw_text_cells(k->label) : 0;

        if (!k->label || !(k->pages & LW_ON(v->page)) ||
            (k->action == LW_ACT_ACKNOWLEDGE && !(v->sources && lw_source_waits(v->source[0]))) ||
            (k->action == LW_ACT_BACK && v->page == LW_PAGE_DASHBOARD && !v->filter[0]))
            continue;
        if (col + need > width)
            break;
        col += lw_put_text(a, 0, col, k->shown, LW_INK(LW_INK_ACCENT)) + 1;
        col += lw_put_text(a, 0, col, k->label, LW_INK(LW_INK_DIM)) + 2;
    }
    return col;
}

void lw_view_draw_footer(struct lw_view *v, struct lw_area a)
{
    const struct lw_source *s = v->sources ? v->source[0] : NULL;
    const struct lw_happening *newest;
    char text[LW_SOURCE_TEXT + 64];
    enum lw_ink ink = LW_INK_TEXT;
    int room = a.rect.cols, col;

    lw_fill(a, LW_INK(LW_INK_TEXT));
    if (v->asking != LW_ASK_NOTHING) {
        draw_question(v, a);
        return;
    }
    text[0] = '\0';
    if (v->message[0]) {
        lw_text_clean(v->message, strlen(v->message), text, sizeof text);
        ink = LW_INK_ACCENT;
    } else if (s && s->problem[0]) {
        snprintf(text, sizeof text, "%s", s->problem);
        ink = LW_INK_ALERT;
    } else if (s && s->standing.error[0] && s->standing.failed) {
        snprintf(text, sizeof text, "%.380s", s->standing.error);
        ink = LW_INK_ALERT;
    } else if (s && s->run && s->events) {
        newest = lw_source_alert(s);
        if (!newest)
            newest = lw_source_event(s, s->events - 1);
        snprintf(text, sizeof text, "%s", newest->text);
        ink = newest->level >= 2 ? LW_INK_ALERT : newest->level == 1 ? LW_INK_WARN : LW_INK_TEXT;
    }
    /* Half of the line is the message's when it needs it. */
    if (text[0]) {
        int need = lw_text_cells(text) + 4;

        room -= need < room / 2 ? need : room / 2;
    }
    col = draw_keys(v, a, room);
    if (text[0] && a.rect.cols - col > 4) {
        int left = a.rect.cols - col - 1, need = lw_text_cells(text);

        lw_put_cut(a, 0, need < left ? a.rect.cols - 1 - need : col, left, text, LW_INK(ink));
    }
}

void lw_view_draw(struct lw_view *v, struct lw_surface *s)
{
    struct lw_layout_want want = {0};
    struct lw_area body;

    lw_view_update_panels(v);
    want.panels = v->shown_count;
    want.focus = v->focus;
    want.split = v->sources && v->source[0]->run && !v->filter[0] ? LW_RUN_TRAINING_PANELS : 0;
    want.zoom = v->page == LW_PAGE_PANEL;
    lw_layout_make(s->rows, s->cols, &want, &v->layout);
    lw_surface_clear(s);
    lw_view_draw_header(v, lw_area_of(s, v->layout.header));
    body = lw_area_of(s, v->layout.body);
    if (!lw_area_empty(body)) {
        if (v->page == LW_PAGE_EVENTS)
            lw_view_draw_events(v, body);
        else if (v->page == LW_PAGE_RUNS)
            lw_view_draw_runs(v, body);
        else if (v->page == LW_PAGE_DRIFT)
            lw_view_draw_drift(v, body);
        else if (v->page == LW_PAGE_HELP)
            lw_view_draw_help(v, body);
        else
            lw_view_draw_charts(v, s);
    }
    if (!lw_area_empty(lw_area_of(s, v->layout.footer)))
        lw_view_draw_footer(v, lw_area_of(s, v->layout.footer));
}
