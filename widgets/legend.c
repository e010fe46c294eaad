/* SPDX-License-Identifier: MIT */
#include "widgets/legend.h"

/* Between entries, and between the parts of one. */
#define GAP 2

static int entry_cells(const struct lw_legend_entry *e, bool names)
{
    int cells = 1;

    if (names && e->name)
        cells += 1 + lw_text_cells(e->name);
    if (e->value)
        cells += 1 + lw_text_cells(e->value);
    return cells;
}

static int all_cells(const struct lw_legend_entry *entries, int count, bool names)
{
    int cells = GAP * (count - 1);

    for (int i = 0; i < count; i++)
        cells += entry_cells(&entries[i], names);
    return cells;
}

static int put_entry(struct lw_area a, int row, int col, const struct lw_legend_entry *e,
                     bool names)
{
    int start = col;

    lw_put(a, row, col++, e->swatch, LW_INK(e->ink));
    if (names && e->name)
        col += 1 + lw_put_text(a, row, col + 1, e->name, LW_INK(LW_INK_DIM));
    if (e->value)
        col += 1 + lw_put_text(a, row, col + 1, e->value, LW_INK(e->ink));
    return col - start;
}

int lw_legend_draw(struct lw_area a, int row, int from, const struct lw_legend_entry *entries,
                   int count)
{
    int room = a.rect.cols - from, start, col;
    bool names = true;

    if (count > 0 && all_cells(entries, count, names) > room)
        names = false;
    /* A swatch without its name and its value says nothing. */
    while (count > 0 &&
           (all_cells(entries, count, names) > room || (!names && !entries[count - 1].value)))
        count--;
    if (count <= 0)
        return a.rect.cols;
    start = col = a.rect.cols - all_cells(entries, count, names);
    for (int i = 0; i < count; i++)
        col += put_entry(a, row, col, &entries[i], names) + GAP;
    return start;
}
