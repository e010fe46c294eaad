/* SPDX-License-Identifier: MIT */
#include "widgets/layout.h"

/* Less than this and a chart says nothing. */
#define PANEL_COLS 28
#define PANEL_ROWS 7
#define GRID_COLS  4
#define GUTTER     2

/* From this many rows on the header has a second line. */
#define TALL 30

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int at_most(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* Cells [start, end) of part i of n of a length, with the remainder spread from the front. */
static int part(int length, int i, int n)
{
    return length / n * i + least(length % n, i);
}

static int ceiling(int a, int b)
{
    return (a + b - 1) / b;
}

/* Which panels are on the page of the focused one: pages are cut at the split first, then evenly.
 */
static void choose_page(const struct lw_layout_want *want, int panels, int room,
                        struct lw_layout *out)
{
    int focus = at_most(want->focus, 0, panels - 1);
    int split = want->split > 0 && want->split < panels ? want->split : panels;
    int before = ceiling(split, room), start = 0, length = split, pages = before;

    out->pages = before + ceiling(panels - split, room);
    if (panels <= room) {
        *out = (struct lw_layout){
            .header = out->header, .footer = out->footer, .body = out->body, .mode = out->mode};
        out->count = panels;
        out->pages = 1;
        return;
    }
    if (focus >= split) {
        start = split;
        length = panels - split;
        pages = out->pages - before;
        out->page = before;
    }
    for (int i = 0; i < pages; i++) {
        int first = start + part(length, i, pages), end = start + part(length, i + 1, pages);

        if (focus >= first && focus < end) {
            out->first = first;
            out->count = end - first;
            out->page += i;
            return;
        }
    }
}

/* Rows of at most across panels; a last row that is not full shares the whole width. */
static void place(struct lw_layout *out, int across)
{
    int lines = ceiling(out->count, across), left = out->count, next = out->first;
    struct lw_rect body = out->body;

    for (int r = 0; r < lines; r++) {
        int here = least(across, left), top = part(body.rows, r, lines);
        int width = body.cols - GUTTER * (here - 1);

        for (int c = 0; c < here; c++) {
            int col = part(width, c, here), end = part(width, c + 1, here);

            out->panel[next++] = (struct lw_rect){
                .row = body.row + top,
                .col = body.col + col + GUTTER * c,
                .rows = part(body.rows, r + 1, lines) - top,
                .cols = end - col,
            };
        }
        left -= here;
    }
}

static void grid(const struct lw_layout_want *want, int panels, struct lw_layout *out)
{
    int across = at_most(out->body.cols / PANEL_COLS, 1, GRID_COLS);
    int down = at_most(out->body.rows / PANEL_ROWS, 1, LW_LAYOUT_PANELS);

    choose_page(want, panels, across * down, out);
    /* No wider than it must be: six panels on a 4 x 3 grid are two rows of three. */
    down = least(down, ceiling(out->count, across));
    if (out->count < panels || out->count <= across * (down - 1) + across / 2)
        across = at_most(ceiling(out->count, down), 1, across);
    place(out, across);
}

void lw_layout_make(int rows, int cols, const struct lw_layout_want *want, struct lw_layout *out)
{
    int panels = at_most(want->panels, 0, LW_LAYOUT_PANELS);

    *out = (struct lw_layout){.pages = 1};
    rows = rows < 1 ? 1 : rows;
    cols = cols < 1 ? 1 : cols;
    out->header = (struct lw_rect){0, 0, rows >= TALL && cols >= 60 ? 2 : 1, cols};
    if (rows < 5 || cols < 20) {
        out->mode = LW_LAYOUT_STATUS;
        return;
    }
    out->footer = (struct lw_rect){rows - 1, 0, 1, cols};
    out->body = (struct lw_rect){out->header.rows, 0, rows - 1 - out->header.rows, cols};
    out->mode = rows < 15 || cols < 60 || want->zoom ? LW_LAYOUT_SINGLE : LW_LAYOUT_GRID;
    /* The last column stays free where there is room, so that nothing touches the edge. */
    out->body.cols -= cols >= 60;
    if (panels == 0)
        return;
    if (out->mode == LW_LAYOUT_SINGLE) {
        out->first = at_most(want->focus, 0, panels - 1);
        out->count = 1;
        out->page = out->first;
        out->pages = panels;
        out->panel[out->first] = out->body;
        return;
    }
    grid(want, panels, out);
}
