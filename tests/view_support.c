/* SPDX-License-Identifier: MIT */
#include "tests/view_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "widgets/surface_text.h"

struct lw_view v;
static char *text;

void open_view(const char *path)
{
    struct lw_error err;
    struct lw_source *s;

    cr_assert_eq(lw_view_init(&v, &err), 0, "%s", err.text);
    cr_assert_eq(lw_source_open(&s, path, 1, &err), 0, "%s", err.text);
    cr_assert_eq(lw_view_add(&v, s, &err), 0, "%s", err.text);
    lw_view_poll(&v, 0);
}

void close_view(void)
{
    lw_view_fini(&v);
    free(text);
    text = NULL;
}

const char *page(int rows, int cols)
{
    struct lw_surface *s = lw_surface_new(rows, cols, LW_CHARSET_ASCII, LW_DEPTH_MONO);

    lw_view_draw(&v, s);
    free(text);
    text = lw_surface_text(s, NULL, NULL);
    lw_surface_free(s);
    return text;
}

void shows(const char *what)
{
    shows_at(40, 120, what);
}

void hides(const char *what)
{
    hides_at(40, 120, what);
}

void shows_at(int rows, int cols, const char *what)
{
    cr_assert(strstr(page(rows, cols), what), "'%s' is not on the page:\n%s", what, text);
}

void hides_at(int rows, int cols, const char *what)
{
    cr_assert_null(strstr(page(rows, cols), what), "'%s' is on the page:\n%s", what, text);
}

void keys(const char *codes)
{
    for (; *codes; codes++)
        lw_view_key(&v, *codes);
}

void draws_at_every_size(const char *codes)
{
    for (; *codes; codes++) {
        lw_view_key(&v, *codes);
        for (int rows = 1; rows <= 60; rows += rows < 26 ? 1 : 7)
            for (int cols = 1; cols <= 200; cols += cols < 64 ? 1 : 17)
                cr_assert_not_null(page(rows, cols), "%dx%d on page %d", cols, rows, v.page);
    }
}
