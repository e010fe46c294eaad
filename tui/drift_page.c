/* SPDX-License-Identifier: MIT
 *
 * The page about drift: the four panels large, a score selected, and what is behind it. */
#include <stdio.h>
#include <stdlib.h>

#include "tui/view.h"
#include "widgets/panel.h"

enum {
    GUTTER = 2,
    WIDE = 150,   /* from here on the reasons stand beside the summary */
    TALL = 34,    /* and from here on under it */
    WHY_ROWS = 7, /* title and five reasons, and a blank line */
    LEAST_COLS = 60,
    LEAST_ROWS = 14,
};

const struct lw_drift *lw_view_drift(const struct lw_view *v)
{
    return v->sources ? v->source[0]->drift : NULL;
}

bool lw_view_draw_drift_panel(struct lw_view *v, struct lw_area a, const struct lw_drift_want *want,
                              struct lw_panel *panel)
{
    const struct lw_drift *d = lw_view_drift(v);

    if (!d || !lw_drift_any(d) || (!v->art && !(v->art = calloc(1, sizeof *v->art))))
        return false;
    lw_drift_panel(v->art, d, want, panel);
    lw_panel_draw(a, panel);
    return true;
}

static void draw(struct lw_view *v, struct lw_area a, enum lw_drift_panel what, int score)
{
    struct lw_panel panel = {0};
    struct lw_drift_want want = {
        .what = what,
        .against = v->against,
        .score = score,
        .by = v->by,
        .x = lw_view_domain(v),
        .cols = a.rect.cols,
        .checks = a.rect.cols,
        .selected = v->selected,
        .top = v->top,
    };
    char value[64];

    if (lw_area_empty(a))
        return;
    if (what == LW_DRIFT_TABLE) {
        snprintf(value, sizeof value, "vs %s", lw_against_name(v->against));
        panel.value = value;
    }
    lw_view_draw_drift_panel(v, a, &want, &panel);
}

/* Rows that a map, a table and reasons fill beneath the charts, of so many at most: a map's rows
 * are as tall as fits, and charts take what is left. */
static int rows_below(const struct lw_view *v, int most, bool why)
{
    const struct lw_drift *d = lw_view_drift(v);
    int score[LW_SCORES + 1], table = lw_drift_rows(d, v->against, score) + 2;
    int map = lw_drift_heat_rows(d, v->against), tall = LW_HEAT_TALLEST, need;

    while (tall > 1 && map * tall + 2 >= most)
        tall--;
    need = map * tall + 2 > table ? map * tall + 2 : table;
    need = (why && need < WHY_ROWS ? WHY_ROWS : need) + 1;
    return need < most ? need : most;
}

struct lw_area lw_view_draw_reasons(struct lw_view *v, struct lw_area a)
{
    const struct lw_drift *d = lw_view_drift(v);
    int score[LW_SCORES + 1], table;

    if (!d || !d->compared || !lw_drift_any(d))
        return a;
    table = lw_drift_rows(d, LW_AGAINST_REFERENCE, score) + 3;
    if (table <= 3 || a.rect.rows < table + WHY_ROWS)
        return a;
    draw(v, lw_area_sub(a, table, 0, a.rect.rows - table, a.rect.cols), LW_DRIFT_WHY, -1);
    return lw_area_sub(a, 0, 0, table, a.rect.cols);
}

static struct lw_area part(struct lw_area a, struct lw_rect r)
{
    return lw_area_sub(a, r.row, r.col, r.rows, r.cols);
}

/* All scores on one page, the reasons for the selected one where there is room. */
static void draw_all(struct lw_view *v, struct lw_area a, int score)
{
    int rows = a.rect.rows, cols = a.rect.cols;
    int why = cols < WIDE && rows >= TALL ? WHY_ROWS : 0;
    int columns = cols >= WIDE ? 3 : 2, half = (rows - why + 1) / 2;
    int bottom = rows_below(v, half, columns == 3), top = rows - why - bottom;
    int width = (cols - GUTTER * (columns - 1)) / columns, second = width + GUTTER;
    int rest = cols - second, third = second + width + GUTTER;

    draw(v, part(a, (struct lw_rect){0, 0, top, width}), LW_DRIFT_BARS, score);
    draw(v, part(a, (struct lw_rect){0, second, top, rest}), LW_DRIFT_TIME, score);
    draw(v, part(a, (struct lw_rect){top, 0, bottom, width}), LW_DRIFT_HEAT, score);
    draw(v, part(a, (struct lw_rect){top, second, bottom, columns == 3 ? width : rest}),
         LW_DRIFT_TABLE, score);
    if (columns == 3)
        draw(v, part(a, (struct lw_rect){top, third, bottom, cols - third}), LW_DRIFT_WHY, score);
    else if (why)
        draw(v, part(a, (struct lw_rect){top + bottom, 0, why, cols}), LW_DRIFT_WHY, score);
}

void lw_view_draw_drift(struct lw_view *v, struct lw_area a)
{
    const struct lw_drift *d = lw_view_drift(v);
    struct lw_panel panel = {.title = "Drift"};
    int score[LW_SCORES + 1], count, chosen, shown = a.rect.rows / 2 - 2;

    if (!d || !lw_drift_any(d)) {
        panel.message = !d                  ? "a CSV file has no drift data"
                        : d->problem[0]     ? d->problem
                        : d->log.problem[0] ? d->log.problem
                                            : "no drift data yet";
        lw_panel_draw(a, &panel);
        return;
    }
    count = lw_drift_rows(d, v->against, score);
    if (v->selected >= count)
        v->selected = count ? count - 1 : 0;
    /* Over all scores stands the one that speaks for them. */
    chosen = count && v->selected ? score[v->selected] : -1;
    if (v->opened) {
        int why = a.rect.rows >= 2 * WHY_ROWS ? WHY_ROWS : a.rect.rows / 2;

        draw(v, lw_area_sub(a, 0, 0, a.rect.rows - why, a.rect.cols), LW_DRIFT_TIME, chosen);
        draw(v, lw_area_sub(a, a.rect.rows - why, 0, why, a.rect.cols), LW_DRIFT_WHY, chosen);
    } else if (a.rect.cols < LEAST_COLS || a.rect.rows < LEAST_ROWS) {
        v->top = lw_table_scroll(v->top, v->selected, count, a.rect.rows - 2);
        draw(v, a, LW_DRIFT_TABLE, chosen);
    } else {
        v->top = lw_table_scroll(v->top, v->selected, count, shown < 1 ? 1 : shown);
        draw_all(v, a, chosen);
    }
}
