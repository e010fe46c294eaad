/* SPDX-License-Identifier: MIT */
#include "tui/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "widgets/axis.h"
#include "widgets/card.h"
#include "widgets/logview.h"
#include "widgets/panel.h"
#include "widgets/table.h"

/* "16:30:05" of "2026-11-22T16:30:05+01:00"; other forms as they are. */
static const char *clock_of(const char *time, char out[16])
{
    const char *t = strchr(time, 'T');

    if (!t || strlen(t + 1) < 8)
        return time;
    snprintf(out, 16, "%.8s", t + 1);
    return out;
}

static enum lw_log_level level_of(int level)
{
    return level <= 0 ? LW_LOG_INFO : level == 1 ? LW_LOG_WARN : LW_LOG_ALERT;
}

struct log_context {
    const struct lw_view *view;
    char time[16];
};

static struct lw_log_line log_line(const void *context, int i)
{
    struct log_context *c = (struct log_context *)(uintptr_t)context;
    int k = lw_view_event_at(c->view, i);
    const struct lw_happening *h = lw_source_event(c->view->source[0], k < 0 ? 0 : k);

    return (struct lw_log_line){clock_of(h->time, c->time), h->text, level_of(h->level)};
}

void lw_view_draw_events(struct lw_view *v, struct lw_area a)
{
    struct log_context context = {.view = v};
    struct lw_logview log = {
        .count = lw_view_lines(v), .selected = -1, .line = log_line, .context = &context};
    struct lw_panel panel = {.title = "Events", .widget = LW_WIDGET_LOG, .model = &log};
    int shown = lw_panel_body(a).rect.rows;
    char where[48];

    if (v->top > log.count - shown)
        v->top = log.count > shown ? log.count - shown : 0;
    log.bottom = log.count - v->top;
    if (!v->sources || !v->source[0]->run)
        panel.message = "a CSV file has no events";
    else if (!log.count)
        panel.message = v->filter[0] ? "no event matches the filter" : "no events yet";
    snprintf(where, sizeof where, v->top ? "%d more below" : "newest", v->top);
    panel.value = panel.message ? NULL : where;
    lw_panel_draw(a, &panel);
}

enum {
    RUN_SIGN,
    RUN_NAME,
    RUN_STATE,
    RUN_STEP,
    RUN_LOSS,
    RUN_VAL,
    RUN_BEST,
    RUN_SPEED,
    RUN_TIME,
    RUN_COLUMNS
};

static const struct lw_column run_columns[RUN_COLUMNS] = {
    {"", 2, false, 0},     {"run", 0, false, 0},        {"state", 9, false, 0},
    {"step", 13, true, 5}, {"train loss", 10, true, 4}, {"val loss", 8, true, 2},
    {"best", 8, true, 6},  {"per second", 10, true, 1}, {"run time", 8, true, 3},
};

static enum lw_ink state_ink(const struct lw_run_line *r)
{
    if (r->failed)
        return LW_INK_ALERT;
    if (!strcmp(r->state, "paused") || r->silent > 0.0)
        return LW_INK_WARN;
    return r->alive ? LW_INK_OK : LW_INK_DIM;
}

static void number(double value, char *out, size_t size)
{
    char text[LW_NUMBER_SIZE];

    lw_number_format(value, LW_NUMBER_FIXED3, text);
    snprintf(out, size, "%s", text);
}

#define RUNS_BESIDE 40 /* cells beside the name for sign, state, step and best loss */

/* Names lose the year they begin with before they lose their end. */
static const char *shown_name(const struct lw_view *v, const char *name)
{
    bool dated = strlen(name) > 5 && strspn(name, "0123456789") == 4 && name[4] == '-';

    return dated && lw_text_cells(name) > v->layout.body.cols - RUNS_BESIDE ? name + 5 : name;
}

/* As wide as the longest name, so that a line is read without a ruler; but the first numbers stay.
 */
static int name_width(const struct lw_view *v, int lines)
{
    int most = v->layout.body.cols - RUNS_BESIDE, widest = 12;

    for (int i = 0; i < lines; i++) {
        int k = lw_view_run_at(v, i),
            n = k < 0 ? 0 : lw_text_cells(shown_name(v, v->runs.line[k].name));

        widest = n > widest ? n : widest;
    }
    return widest < most || most < 12 ? widest : most;
}

static void run_cell(const void *context, int row, int column, char *out, size_t size,
                     struct lw_style *style)
{
    const struct lw_view *v = context;
    int k = lw_view_run_at(v, row);
    const struct lw_run_line *r = k < 0 ? NULL : &v->runs.line[k];
    char text[LW_NUMBER_SIZE], of[LW_NUMBER_SIZE];

    out[0] = '\0';
    if (!r)
        return;
    switch (column) {
    case RUN_SIGN:
        for (int i = 0; i < v->sources; i++)
            if (!strcmp(v->source[i]->path, r->dir))
                snprintf(out, size, "%s", i ? "+" : "*");
        break;
    case RUN_NAME:
        snprintf(out, size, "%s", shown_name(v, r->name));
        break;
    case RUN_STATE:
        snprintf(out, size, "%s", r->silent > 0.0 ? "silent" : r->state);
        style->fg = (uint8_t)state_ink(r);
        break;
    case RUN_STEP:
        lw_number_format((double)r->step, LW_NUMBER_INTEGER, text);
        lw_number_format((double)r->of, LW_NUMBER_INTEGER, of);
        snprintf(out, size, r->of > 0 ? "%s/%s" : "%s", text, of);
        break;
    case RUN_LOSS:
        number(r->train_loss, out, size);
        break;
    case RUN_VAL:
        number(r->val_loss, out, size);
        break;
    case RUN_BEST:
        number(r->best_val_loss, out, size);
        break;
    case RUN_SPEED:
        lw_number_format(r->throughput, LW_NUMBER_COMPACT, text);
        snprintf(out, size, "%s", text);
        break;
    case RUN_TIME:
        lw_number_format(r->time > 0 ? r->time : NAN, LW_NUMBER_DURATION, text);
        snprintf(out, size, "%s", text);
        break;
    default:
        break;
    }
}

void lw_view_draw_runs(struct lw_view *v, struct lw_area a)
{
    struct lw_column columns[RUN_COLUMNS];
    struct lw_table table = {.columns = columns,
                             .column_count = RUN_COLUMNS,
                             .row_count = lw_view_lines(v),
                             .head = true,
                             .cell = run_cell,
                             .context = v};
    struct lw_panel panel = {.title = "Runs", .widget = LW_WIDGET_TABLE, .model = &table};
    int shown = lw_panel_body(a).rect.rows - 1;

    memcpy(columns, run_columns, sizeof columns);
    columns[RUN_NAME].width = name_width(v, table.row_count);
    if (v->selected >= table.row_count)
        v->selected = table.row_count ? table.row_count - 1 : 0;
    table.selected = v->selected;
    v->top = table.top = lw_table_scroll(v->top, v->selected, table.row_count, shown);
    if (!table.row_count)
        panel.message = v->filter[0] ? "no run matches the filter" : "no runs in this folder";
    panel.value = "Enter shows it, o draws it over this one";
    lw_panel_draw(a, &panel);
}

void lw_view_draw_help(struct lw_view *v, struct lw_area a)
{
    struct lw_panel panel = {.title = "Keys", .message = " "};
    struct lw_area body = lw_panel_body(a);
    int lines = lw_view_lines(v), across = body.rect.cols >= 110 ? 2 : 1;
    int down = (lines + across - 1) / across, width = body.rect.cols / across;
    char where[32] = "";

    if (v->top > down - body.rect.rows)
        v->top = down > body.rect.rows ? down - body.rect.rows : 0;
    if (v->match >= 0)
        v->top = lw_table_scroll(v->top, v->match % down, down, body.rect.rows);
    if (down - v->top > body.rect.rows)
        snprintf(where, sizeof where, "j: %d more below", down - v->top - body.rect.rows);
    else if (v->top)
        snprintf(where, sizeof where, "k: %d more above", v->top);
    panel.value = where[0] ? where : NULL;
    lw_panel_draw(a, &panel);
    for (int i = 0; i < lines; i++) {
        const struct lw_key *k = &lw_keys[i];
        int row = i % down - v->top, col = 1 + i / down * width, used;

        if (row < 0 || row >= body.rect.rows)
            continue;
        lw_put_text(body, row, col, k->shown, LW_STYLE(LW_INK_ACCENT, LW_INK_NONE, LW_ATTR_BOLD));
        used = lw_put_cut(body, row, col + 9, width - 11, k->help,
                          LW_STYLE(LW_INK_TEXT, 0, i == v->match ? LW_ATTR_REVERSE : 0));
        if (k->word && used + 2 + (int)strlen(k->word) < width - 11)
            lw_putf(body, row, col + 9 + used, LW_INK(LW_INK_DIM), " :%s", k->word);
    }
}
