/* SPDX-License-Identifier: MIT */
#include "widgets/legend.h"

/* How much of an entry is shown: swatch, name and value; name and value, told apart by colour;
 * swatch and value. */
struct form {
    bool swatch, name;
    int gap; /* between entries */
};

static const struct form full = {true, true, 2}, brief = {false, true, 2}, tight = {false, true, 1},
                         terse = {true, false, 2};

/* Draws where draw is set; returns the cells it takes. */
static int entry(struct lw_area a, int row, int col, const struct lw_legend_entry *e,
                 const struct form *form, bool draw)
{
    int cells = 0;

    if (form->swatch) {
        if (draw)
            lw_put(a, row, col, e->swatch, LW_INK(e->ink));
        cells++;
    }
    if (form->name && e->name) {
        cells += cells > 0;
        if (draw)
            lw_put_text(a, row, col + cells, e->name, LW_INK(form->swatch ? LW_INK_DIM : e->ink));
        cells += lw_text_cells(e->name);
    }
    if (e->value) {
        cells += cells > 0;
        if (draw)
            lw_put_text(a, row, col + cells, e->value, LW_INK(e->ink));
        cells += lw_text_cells(e->value);
    }
    return cells;
}

static int all(struct lw_area a, int row, int col, const struct lw_legend_entry *entries, int count,
               const struct form *form, bool draw)
{
    int cells = 0;

    for (int i = 0; i < count; i++) {
        cells += i > 0 ? form->gap : 0;
        cells += entry(a, row, col + cells, &entries[i], form, draw);
    }
    return cells;
}

static const struct form *choose(struct lw_area a, const struct lw_legend_entry *entries, int count,
                                 int room)
{
    if (all(a, 0, 0, entries, count, &full, false) <= room)
        return &full;
    if (a.surface->depth > LW_DEPTH_8 && all(a, 0, 0, entries, count, &brief, false) <= room)
        return &brief;
    if (a.surface->depth > LW_DEPTH_8 && all(a, 0, 0, entries, count, &tight, false) <= room)
        return &tight;
    /* A swatch without a name or a value says nothing. */
    return entries[0].value ? &terse : &full;
}

int lw_legend_draw(struct lw_area a, int row, int from, const struct lw_legend_entry *entries,
                   int count)
{
    int room = a.rect.cols - from, cells;
    const struct form *form;

    if (count <= 0)
        return a.rect.cols;
    /* Entries without a value, such as thresholds, are the first to go. */
    while (count > 1 && !entries[count - 1].value && entries[0].value &&
           all(a, 0, 0, entries, count, &full, false) > room)
        count--;
    form = choose(a, entries, count, room);
    while (count > 0 && all(a, 0, 0, entries, count, form, false) > room)
        count--;
    if (count == 0)
        return a.rect.cols;
    cells = all(a, 0, 0, entries, count, form, false);
    all(a, row, a.rect.cols - cells, entries, count, form, true);
    return a.rect.cols - cells;
}
