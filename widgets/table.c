/* SPDX-License-Identifier: MIT */
#include "widgets/table.h"

#define COLUMNS_MAX 32
#define GAP         2

/* Narrower than this a column that takes what is left says nothing. */
#define LEAST_SHARE 8

struct plan {
    int width[COLUMNS_MAX]; /* 0: left out */
    int count;
};

static int cells_needed(const struct lw_table *table, const bool *shown, int *shares)
{
    int cells = 0, columns = 0;

    *shares = 0;
    for (int i = 0; i < table->column_count && i < COLUMNS_MAX; i++) {
        if (!shown[i])
            continue;
        columns++;
        cells += table->columns[i].width > 0 ? table->columns[i].width : LEAST_SHARE;
        *shares += table->columns[i].width <= 0;
    }
    return cells + (columns > 0 ? GAP * (columns - 1) : 0);
}

/* The shown column that goes first when room is short; -1: all must stay. */
static int least_wanted(const struct lw_table *table, const bool *shown)
{
    int least = -1;

    for (int i = 0; i < table->column_count && i < COLUMNS_MAX; i++)
        if (shown[i] && table->columns[i].keep > 0 &&
            (least < 0 || table->columns[i].keep <= table->columns[least].keep))
            least = i;
    return least;
}

static void make_plan(const struct lw_table *table, int cols, struct plan *plan)
{
    bool shown[COLUMNS_MAX];
    int shares, spare, drop;

    plan->count = table->column_count < COLUMNS_MAX ? table->column_count : COLUMNS_MAX;
    for (int i = 0; i < plan->count; i++)
        shown[i] = true;
    while ((spare = cols - cells_needed(table, shown, &shares)) < 0 &&
           (drop = least_wanted(table, shown)) >= 0)
        shown[drop] = false;
    for (int i = 0; i < plan->count; i++) {
        int width = table->columns[i].width;

        if (width <= 0 && shown[i]) {
            int more = spare > 0 ? spare / shares : 0;

            width = LEAST_SHARE + more;
            spare -= more;
            shares--;
        }
        plan->width[i] = shown[i] ? width : 0;
    }
}

static void put_aligned(struct lw_area a, int row, int col, int width, bool right, const char *text,
                        struct lw_style style)
{
    int cells = lw_text_cells(text);

    if (right && cells < width)
        col += width - cells;
    lw_put_cut(a, row, col, cells < width ? cells : width, text, style);
}

static void draw_row(struct lw_area a, int at, const struct lw_table *table,
                     const struct plan *plan, int row)
{
    struct lw_style base = LW_INK(LW_INK_TEXT);

    if (row == table->selected) {
        base.bg = LW_INK_SELECT;
        lw_fill(lw_area_sub(a, at, 0, 1, a.rect.cols), base);
    }
    for (int i = 0, col = 1; i < plan->count; i++) {
        struct lw_style style = base;
        char text[256] = "";

        if (plan->width[i] == 0)
            continue;
        table->cell(table->context, row, i, text, sizeof text, &style);
        put_aligned(a, at, col, plan->width[i], table->columns[i].right, text, style);
        col += plan->width[i] + GAP;
    }
}

void lw_table_draw(struct lw_area a, const struct lw_table *table)
{
    struct plan plan;
    int head = table->head && a.rect.rows > 1;

    if (lw_area_empty(a))
        return;
    make_plan(table, a.rect.cols - 2, &plan);
    if (head) {
        struct lw_style style = LW_STYLE(LW_INK_TITLE, LW_INK_BAR, LW_ATTR_BOLD);

        lw_fill(lw_area_sub(a, 0, 0, 1, a.rect.cols), style);
        for (int i = 0, col = 1; i < plan.count; i++) {
            if (plan.width[i] == 0)
                continue;
            put_aligned(a, 0, col, plan.width[i], table->columns[i].right,
                        table->columns[i].title ? table->columns[i].title : "", style);
            col += plan.width[i] + GAP;
        }
    }
    for (int r = head; r < a.rect.rows; r++) {
        int row = table->top + r - head;

        if (row >= 0 && row < table->row_count)
            draw_row(a, r, table, &plan, row);
    }
}

int lw_table_scroll(int top, int selected, int row_count, int shown)
{
    int last = row_count - shown > 0 ? row_count - shown : 0;

    if (selected >= 0 && selected < top)
        top = selected;
    if (selected >= 0 && shown > 0 && selected >= top + shown)
        top = selected - shown + 1;
    return top < 0 ? 0 : top > last ? last : top;
}
