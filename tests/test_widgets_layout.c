/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <string.h>

#include "widgets/layout.h"

static bool empty(struct lw_rect r)
{
    return r.rows <= 0 || r.cols <= 0;
}

static bool inside(struct lw_rect r, int rows, int cols)
{
    return r.row >= 0 && r.col >= 0 && r.row + r.rows <= rows && r.col + r.cols <= cols;
}

static bool overlap(struct lw_rect a, struct lw_rect b)
{
    return a.row < b.row + b.rows && b.row < a.row + a.rows && a.col < b.col + b.cols &&
           b.col < a.col + a.cols;
}

static void check(int rows, int cols, const struct lw_layout_want *want)
{
    struct lw_rect all[LW_LAYOUT_PANELS + 2];
    struct lw_layout at;
    int n = 0, focus = want->focus;

    lw_layout_make(rows, cols, want, &at);
    cr_assert(!empty(at.header));
    all[n++] = at.header;
    if (!empty(at.footer))
        all[n++] = at.footer;
    for (int i = 0; i < LW_LAYOUT_PANELS; i++) {
        bool shown = i >= at.first && i < at.first + at.count;

        cr_assert_eq(empty(at.panel[i]), !shown, "%dx%d panel %d", cols, rows, i);
        if (shown)
            all[n++] = at.panel[i];
    }
    for (int i = 0; i < n; i++) {
        cr_assert(inside(all[i], rows, cols), "%dx%d rect %d", cols, rows, i);
        for (int j = 0; j < i; j++)
            cr_assert(!overlap(all[i], all[j]), "%dx%d rects %d and %d", cols, rows, i, j);
    }
    cr_assert(at.page >= 0 && at.page < at.pages);
    if (at.mode == LW_LAYOUT_STATUS || want->panels == 0) {
        cr_assert_eq(at.count, 0);
        return;
    }
    focus = focus < 0 ? 0 : focus >= want->panels ? want->panels - 1 : focus;
    cr_assert(focus >= at.first && focus < at.first + at.count, "the focused panel is shown");
}

Test(layout, every_size_is_sound, .timeout = 60)
{
    for (int rows = 1; rows <= 80; rows++)
        for (int cols = 1; cols <= 250; cols++)
            for (int focus = 0; focus < 10; focus += 3)
                check(rows, cols, &(struct lw_layout_want){10, focus, 6, focus == 6});
}

Test(layout, every_number_of_panels_is_sound)
{
    static const int sizes[][2] = {{5, 20}, {15, 60}, {24, 80}, {30, 100}, {40, 120}, {60, 200}};

    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (int panels = -1; panels <= LW_LAYOUT_PANELS + 1; panels++)
            for (int focus = -1; focus <= panels + 1; focus++)
                for (int split = -1; split <= panels; split++) {
                    struct lw_layout_want want = {panels, focus, split, false};

                    if (panels < 0 || panels > LW_LAYOUT_PANELS) {
                        struct lw_layout at;

                        lw_layout_make(sizes[s][0], sizes[s][1], &want, &at);
                        continue;
                    }
                    check(sizes[s][0], sizes[s][1], &want);
                }
}

Test(layout, ten_panels_are_four_four_two)
{
    struct lw_layout_want want = {.panels = 10, .split = 6};
    struct lw_layout at;

    lw_layout_make(40, 120, &want, &at);
    cr_assert_eq(at.count, 10);
    for (int i = 1; i < 4; i++)
        cr_assert_eq(at.panel[i].row, at.panel[0].row);
    for (int i = 5; i < 8; i++)
        cr_assert_eq(at.panel[i].row, at.panel[4].row);
    cr_assert_gt(at.panel[4].row, at.panel[0].row);
    cr_assert_eq(at.panel[9].row, at.panel[8].row);
    cr_assert_gt(at.panel[8].cols, 50, "the last two share the row");
}

Test(layout, a_small_screen_has_six_and_four)
{
    struct lw_layout_want want = {.panels = 10, .split = 6, .focus = 5};
    struct lw_layout at;

    lw_layout_make(24, 80, &want, &at);
    cr_assert_eq(at.first, 0);
    cr_assert_eq(at.count, 6);
    cr_assert_eq(at.pages, 2);
    want.focus = 6;
    lw_layout_make(24, 80, &want, &at);
    cr_assert_eq(at.first, 6);
    cr_assert_eq(at.count, 4);
    cr_assert_eq(at.page, 1);
}

Test(layout, modes_by_size)
{
    struct lw_layout_want want = {.panels = 10, .focus = 2};
    struct lw_layout at;

    lw_layout_make(15, 60, &want, &at);
    cr_assert_eq(at.mode, LW_LAYOUT_GRID);
    lw_layout_make(14, 60, &want, &at);
    cr_assert_eq(at.mode, LW_LAYOUT_SINGLE);
    lw_layout_make(15, 59, &want, &at);
    cr_assert_eq(at.mode, LW_LAYOUT_SINGLE);
    cr_assert_eq(at.first, 2);
    lw_layout_make(5, 20, &want, &at);
    cr_assert_eq(at.mode, LW_LAYOUT_SINGLE);
    lw_layout_make(4, 20, &want, &at);
    cr_assert_eq(at.mode, LW_LAYOUT_STATUS);
    lw_layout_make(5, 19, &want, &at);
    cr_assert_eq(at.mode, LW_LAYOUT_STATUS);
    want.zoom = true;
    lw_layout_make(40, 120, &want, &at);
    cr_assert_eq(at.mode, LW_LAYOUT_SINGLE);
}
