/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "tests/support.h"
#include "tests/widgets_scene.h"
#include "widgets/card.h"
#include "widgets/gauge.h"
#include "widgets/logview.h"
#include "widgets/surface_text.h"

struct shot {
    const char *name; /* tests/data/frames/NAME.txt */
    int rows, cols;
    enum lw_charset charset;
    enum lw_depth depth;
    int steps, focus;
    bool zoom, cursor;
};

/* tests/show_widgets prints the same frames: look at them before you replace a file. */
static const struct shot shots[] = {
    {"dashboard-120x40", 40, 120, LW_CHARSET_BRAILLE, LW_DEPTH_256, 1200, 0, false, false},
    {"dashboard-200x60", 60, 200, LW_CHARSET_BRAILLE, LW_DEPTH_256, 5000, 4, false, false},
    {"training-80x24", 24, 80, LW_CHARSET_BRAILLE, LW_DEPTH_256, 5000, 0, false, false},
    {"drift-80x24", 24, 80, LW_CHARSET_BRAILLE, LW_DEPTH_256, 1200, 8, false, false},
    {"blocks-mono-80x24", 24, 80, LW_CHARSET_BLOCKS, LW_DEPTH_MONO, 5000, 0, false, false},
    {"ascii-mono-120x40", 40, 120, LW_CHARSET_ASCII, LW_DEPTH_MONO, 1200, 0, false, false},
    {"cursor-100x30", 30, 100, LW_CHARSET_BRAILLE, LW_DEPTH_256, 5000, 0, true, true},
    {"single-50x14", 14, 50, LW_CHARSET_BRAILLE, LW_DEPTH_256, 1200, 4, false, false},
    {"small-25x7", 7, 25, LW_CHARSET_BRAILLE, LW_DEPTH_256, 1200, 0, false, false},
    {"status-60x4", 4, 60, LW_CHARSET_BRAILLE, LW_DEPTH_256, 1200, 0, false, false},
    {"start-120x40", 40, 120, LW_CHARSET_BRAILLE, LW_DEPTH_256, 0, 0, false, false},
};

static char *take(const struct shot *shot)
{
    struct lw_surface *s = lw_surface_new(shot->rows, shot->cols, shot->charset, shot->depth);
    struct scene *scene = scene_new();
    char *text;

    cr_assert(s && scene);
    scene_run(scene, shot->steps);
    scene->focus = shot->focus;
    scene->zoom = shot->zoom;
    scene->cursor = shot->cursor;
    scene_paint(scene, s);
    text = lw_surface_text(s, NULL, NULL);
    cr_assert_not_null(text);
    scene_free(scene);
    lw_surface_free(s);
    return text;
}

Test(frames, are_as_they_were_approved)
{
    for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++) {
        char name[128], *text = take(&shots[i]), *want;
        struct lw_error err = {0};
        size_t size;

        snprintf(name, sizeof name, "tests/data/frames/%s.txt", shots[i].name);
        cr_assert_eq(lw_read_file(test_source(name), 1 << 20, &want, &size, &err), 0, "%s",
                     err.text);
        cr_assert_str_eq(text, want, "%s is now\n%s", name, text);
        free(text);
        free(want);
    }
}

Test(frames, every_small_size_is_painted, .timeout = 120)
{
    struct scene *scene = scene_new();

    scene_run(scene, 600);
    for (int charset = LW_CHARSET_BRAILLE; charset <= LW_CHARSET_ASCII; charset++)
        for (int rows = 1; rows <= 45; rows += rows < 18 ? 1 : 9)
            for (int cols = 1; cols <= 130; cols += cols < 64 ? 1 : 13) {
                struct lw_surface *s = lw_surface_new(rows, cols, (enum lw_charset)charset,
                                                      charset ? LW_DEPTH_MONO : LW_DEPTH_256);

                for (scene->focus = 0; scene->focus < 10; scene->focus++)
                    scene_paint(scene, s);
                lw_surface_free(s);
            }
    scene_free(scene);
}

/* Text of an area with this chart in it, or of any other widget. */
static char *painted(int rows, int cols, enum lw_widget widget, const void *model)
{
    struct lw_surface *s = lw_surface_new(rows, cols, LW_CHARSET_BRAILLE, LW_DEPTH_256);
    char *text;

    cr_assert_not_null(s);
    lw_widget_classes[widget].draw(lw_area_all(s), model);
    text = lw_surface_text(s, NULL, NULL);
    cr_assert_not_null(text);
    lw_surface_free(s);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

#define STAR "\xe2\x98\x85"
#define GAP  "\xc3\x97"
#define DOT  "\xe2\x80\xa2"

Test(chart, gaps_are_marked_and_the_best_is_starred)
{
    const struct lw_point points[] = {
        {0, 3, NAN, NAN}, {1, 2, NAN, NAN},        {2, NAN, NAN, NAN},
        {3, 1, NAN, NAN}, {4, INFINITY, NAN, NAN}, {5, 2, NAN, NAN},
    };
    struct lw_series series = {.points = points, .count = 6, .star = &points[3]};
    struct lw_chart chart = {.series = &series, .series_count = 1};
    char *text = painted(10, 40, LW_WIDGET_CHART, &chart);

    cr_assert_eq(count(text, GAP), 2, "%s", text);
    cr_assert_eq(count(text, STAR), 1, "%s", text);
    cr_assert_geq(count(text, DOT), 1, "a point between gaps shows\n%s", text);
    free(text);
}

/* The cell that holds this sign; NULL: none does. */
static const struct lw_cell *find_cell(const struct lw_surface *s, uint32_t code)
{
    for (int r = 0; r < s->rows; r++)
        for (int c = 0; c < s->cols; c++)
            if (lw_surface_at(s, r, c)->code == code)
                return lw_surface_at(s, r, c);
    return NULL;
}

/* The cursor on the best of one line, where another one passes, leaves the cell as it is. */
Test(chart, the_cursor_does_not_cover_the_best)
{
    const struct lw_point points[] = {{0, 3, NAN, NAN}, {1, 1, NAN, NAN}, {2, 2, NAN, NAN}};
    struct lw_series series[] = {
        {.points = points, .count = 3, .ink = LW_INK_BLUE, .star = &points[1]},
        {.points = points, .count = 3, .ink = LW_INK_RED}};
    struct lw_chart chart = {.series = series, .series_count = 2};
    struct lw_surface *plain = lw_surface_new(12, 40, LW_CHARSET_BRAILLE, LW_DEPTH_256);
    struct lw_surface *under = lw_surface_new(12, 40, LW_CHARSET_BRAILLE, LW_DEPTH_256);
    const struct lw_cell *star, *same;

    lw_chart_draw(lw_area_all(plain), &chart);
    chart.cursor = true;
    chart.cursor_x = 1;
    lw_chart_draw(lw_area_all(under), &chart);
    star = find_cell(plain, 0x2605);
    same = find_cell(under, 0x2605);
    cr_assert(star && same, "the star is gone");
    cr_assert_eq(star - lw_surface_at(plain, 0, 0), same - lw_surface_at(under, 0, 0));
    cr_assert_eq(same->style.fg, LW_INK_BLUE);
    cr_assert_not_null(find_cell(under, 0x2502), "the cursor is drawn");
    lw_surface_free(plain);
    lw_surface_free(under);
}

Test(chart, a_spike_in_a_bucket_survives)
{
    const struct lw_point points[] = {{0, 1, NAN, NAN}, {5, 1, 1, 100}, {10, 1, NAN, NAN}};
    struct lw_series series = {.points = points, .count = 3};
    struct lw_chart chart = {
        .series = &series, .series_count = 1, .y.domain = {0, 100}, .x.domain = {0, 10}};
    struct lw_surface *s = lw_surface_new(12, 40, LW_CHARSET_BRAILLE, LW_DEPTH_256);
    int column = 0;

    lw_chart_draw(lw_area_all(s), &chart);
    for (int r = 0; r < 10; r++) {
        const struct lw_cell *cell;
        bool any = false;

        for (int c = 20; c <= 25; c++) {
            cell = lw_surface_at(s, r, c);
            any |= cell->code > 0x2800 && cell->code < 0x2900;
        }
        column += any;
    }
    cr_assert_eq(column, 10, "the spike is drawn from top to bottom");
    lw_surface_free(s);
}

Test(chart, whatever_the_data_it_draws)
{
    static const double odd[] = {0,       -0.0,     1,       -1,     NAN,    INFINITY, -INFINITY,
                                 DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, 1e-300, 1e300,    3.5};
    enum { ODD = sizeof odd / sizeof odd[0] };
    struct lw_point points[64];
    unsigned seed = 1;

    for (int round = 0; round < 3000; round++) {
        struct lw_series series[2] = {{.points = points}, {.points = points, .name = "b"}};
        struct lw_chart chart = {.series = series, .series_count = 2};
        int rows = 1 + round % 13, cols = 1 + round % 47;

        for (int i = 0; i < 64; i++) {
            double *v[] = {&points[i].x, &points[i].y, &points[i].low, &points[i].high};

            for (int k = 0; k < 4; k++) {
                seed = seed * 1664525u + 1013904223u;
                *v[k] = k == 0 && round % 3 ? i : odd[(seed >> 16) % ODD];
            }
        }
        series[0].count = (size_t)(round % 65);
        series[0].kind = (enum lw_series_kind)(round % 4);
        series[0].star = round % 5 ? NULL : &points[7];
        series[1].count = round % 2 ? 1 : 64;
        chart.x.log = round % 7 == 0;
        chart.y.log = round % 5 == 0;
        chart.cursor = round % 2;
        chart.cursor_x = odd[round % ODD];
        free(painted(rows, cols, LW_WIDGET_CHART, &chart));
    }
}

Test(chart, nothing_one_point_and_a_constant)
{
    const struct lw_point point = {7, 3, NAN, NAN};
    struct lw_series series = {.points = &point, .count = 0};
    struct lw_chart chart = {.series = &series, .series_count = 1};
    char *text = painted(8, 30, LW_WIDGET_CHART, &chart);

    cr_assert_gt(strlen(text), 8, "axes without data");
    free(text);
    series.count = 1;
    text = painted(8, 30, LW_WIDGET_CHART, &chart);
    cr_assert_eq(count(text, DOT), 1, "%s", text);
    free(text);
}

Test(chart, a_million_points)
{
    size_t n = 1000000;
    struct lw_point *points = malloc(n * sizeof *points);
    struct lw_series series = {.points = points, .count = n};
    struct lw_chart chart = {.series = &series, .series_count = 1};

    cr_assert_not_null(points);
    for (size_t i = 0; i < n; i++)
        points[i] = (struct lw_point){(double)i, sin((double)i / 1e5), NAN, NAN};
    free(painted(30, 100, LW_WIDGET_CHART, &chart));
    free(points);
}

Test(bars, of_every_shape)
{
    double values[200] = {0};
    struct lw_bar_series series[] = {{"a", LW_INK_SKY, values}, {"b", LW_INK_CORAL, values}};

    values[3] = 1;
    values[4] = NAN;
    values[5] = -1;
    values[6] = INFINITY;
    for (int bins = 0; bins <= 200; bins += 1 + bins / 4)
        for (int cols = 1; cols < 60; cols += 7) {
            struct lw_bars bars = {.bins = bins, .series = series, .series_count = 2};

            free(painted(1 + cols % 12, cols, LW_WIDGET_BARS, &bars));
        }
}

static const struct lw_heat_cell heat[] = {
    {LW_LIGHT_OK, 0.1},   {LW_LIGHT_WARN, 0.5}, {LW_LIGHT_ALERT, 1},
    {LW_LIGHT_UNSURE, 0}, {LW_LIGHT_NONE, NAN}, {LW_LIGHT_UNKNOWN, INFINITY},
};

Test(heatmap, says_in_words_what_it_says_in_colour)
{
    static const char *const names[] = {"one", "two"};
    struct lw_heatmap map = {.rows = 2, .cols = 3, .row_names = names, .cells = heat};
    static const char *const words[] = {"OK", "WARN", "ALERT", "UNSURE", "NO DATA", "UNKNOWN"};
    char *text = painted(4, 60, LW_WIDGET_HEATMAP, &map);

    for (int i = 0; i < 6; i++)
        cr_assert_eq(count(text, words[i]), 1, "%s in\n%s", words[i], text);
    free(text);
    text = painted(2, 11, LW_WIDGET_HEATMAP, &map);
    cr_assert_eq(count(text, "!"), 1, "signs where words do not fit\n%s", text);
    free(text);
    map.values = true;
    map.high = 1;
    for (int cols = 1; cols < 40; cols++)
        free(painted(3, cols, LW_WIDGET_HEATMAP, &map));
}

/* With room for three rows each, cells are two rows high and one apart. */
Test(heatmap, fills_the_room_there_is)
{
    static const struct lw_heat_cell cells[] = {{LW_LIGHT_OK, 0}, {LW_LIGHT_UNSURE, 0}};
    static const char *const names[] = {"alpha", "beta"};
    struct lw_heatmap map = {.rows = 2, .cols = 1, .row_names = names, .cells = cells};
    char *text = painted(6, 20, LW_WIDGET_HEATMAP, &map);

    cr_assert_eq(count(text, "\xe2\x96\x84"), count(text, "\xe2\x96\x80"), "%s", text);
    cr_assert_gt(count(text, "\xe2\x96\x84"), 4, "%s", text);
    cr_assert(strstr(text, " alpha  ") && strstr(strstr(text, " alpha"), "OK"), "%s", text);
    cr_assert(strstr(text, " beta ") && strstr(strstr(text, " beta"), "UNSURE"), "%s", text);
    free(text);
    text = painted(5, 20, LW_WIDGET_HEATMAP, &map);
    cr_assert_eq(count(text, "\xe2\x96\x84"), 0, "%s", text);
    free(text);
}

Test(heatmap, shows_the_last_columns)
{
    struct lw_heat_cell cells[100] = {{0}};
    struct lw_heatmap map = {.rows = 1, .cols = 100, .cells = cells};
    char *text;

    cells[99].state = LW_LIGHT_ALERT;
    cells[0].state = LW_LIGHT_WARN;
    text = painted(1, 20, LW_WIDGET_HEATMAP, &map);
    cr_assert_eq(count(text, "\xe2\x9c\x97"), 1, "%s", text);
    cr_assert_eq(count(text, "!"), 0, "%s", text);
    free(text);
}

Test(heatmap, more_rows_than_room)
{
    struct lw_heat_cell cells[9] = {{0}};
    struct lw_heatmap map = {.rows = 9, .cols = 1, .cells = cells, .high = 1};
    char *text = painted(4, 20, LW_WIDGET_HEATMAP, &map);

    cr_assert_eq(count(text, "NO DATA"), 3, "%s", text);
    cr_assert_eq(count(text, "and 6 more"), 1, "%s", text);
    free(text);
    map.values = true;
    text = painted(5, 10, LW_WIDGET_HEATMAP, &map);
    cr_assert_eq(count(text, "\xe2\x96\x80"), 50, "half blocks show two rows in one\n%s", text);
    free(text);
    free(painted(4, 10, LW_WIDGET_HEATMAP, &map));
    free(painted(1, 1, LW_WIDGET_HEATMAP, &map));
}

static void number_cell(const void *context, int row, int column, char *out, size_t size,
                        struct lw_style *style)
{
    (void)context;
    (void)style;
    snprintf(out, size, "r%dc%d", row, column);
}

Test(table, drops_columns_and_scrolls)
{
    static const struct lw_column columns[] = {{.title = "Name"},
                                               {.title = "B", .width = 6, .keep = 2},
                                               {.title = "C", .width = 6, .keep = 1}};
    struct lw_table table = {.columns = columns,
                             .column_count = 3,
                             .row_count = 1000000,
                             .top = 500,
                             .selected = 501,
                             .head = true,
                             .cell = number_cell};
    char *text = painted(4, 40, LW_WIDGET_TABLE, &table);

    cr_assert_eq(count(text, "r500c0"), 1, "%s", text);
    cr_assert_eq(count(text, "r502c2"), 1, "%s", text);
    cr_assert_eq(count(text, "r503"), 0);
    free(text);
    text = painted(4, 20, LW_WIDGET_TABLE, &table);
    cr_assert_eq(count(text, "c2"), 0, "the column kept least goes first\n%s", text);
    cr_assert_eq(count(text, "r500c1"), 1, "%s", text);
    free(text);
    for (int cols = 1; cols < 30; cols++)
        free(painted(1 + cols % 3, cols, LW_WIDGET_TABLE, &table));
    cr_assert_eq(lw_table_scroll(0, 15, 100, 10), 6);
    cr_assert_eq(lw_table_scroll(50, 15, 100, 10), 15);
    cr_assert_eq(lw_table_scroll(98, -1, 100, 10), 90);
    cr_assert_eq(lw_table_scroll(5, 3, 4, 10), 0);
}

static struct lw_log_line log_line(const void *context, int i)
{
    (void)context;
    return (struct lw_log_line){"12:00:00", i % 2 ? "even\x1b[2J" : "odd", i % 4};
}

Test(log, newest_at_the_bottom)
{
    struct lw_logview log = {.count = 50, .bottom = 50, .selected = 49, .line = log_line};
    char *text = painted(4, 40, LW_WIDGET_LOG, &log);

    cr_assert_eq(count(text, "12:00:00"), 4);
    cr_assert_null(strchr(text, '\x1b'));
    free(text);
    for (int cols = 1; cols < 30; cols++)
        free(painted(1 + cols % 3, cols, LW_WIDGET_LOG, &log));
    log.count = log.bottom = 0;
    free(painted(4, 40, LW_WIDGET_LOG, &log));
}

Test(card, wraps_at_words)
{
    struct lw_card card = {.text = "one two three\n\nverylongwordthatdoesnotfit x"};
    struct lw_surface *s = lw_surface_new(8, 9, LW_CHARSET_BRAILLE, LW_DEPTH_256);
    char *text;

    cr_assert_eq(lw_card_draw(lw_area_all(s), &card), 7);
    text = lw_surface_text(s, NULL, NULL);
    cr_assert_str_eq(text, "one two\nthree\n\nverylongw\nordthatdo\nesnotfit\nx\n\n", "%s", text);
    free(text);
    lw_surface_free(s);
}

Test(gauge, from_nothing_to_all)
{
    struct lw_gauge gauge = {.share = 0.5, .label = "step", .text = "50%"};
    char *text = painted(1, 29, LW_WIDGET_GAUGE, &gauge);

    cr_assert_eq(count(text, "\xe2\x94\x81"), 10, "%s", text);
    cr_assert_eq(count(text, "\xe2\x94\x80"), 10, "%s", text);
    free(text);
    for (int cols = 1; cols < 20; cols++)
        for (double share = -1; share < 2; share += 0.3) {
            gauge.share = share > 1.5 ? NAN : share;
            free(painted(1, cols, LW_WIDGET_GAUGE, &gauge));
        }
}

Test(spark, rises_and_has_gaps)
{
    const double values[] = {0, 1, NAN, 7, -DBL_MAX, DBL_MAX};
    struct lw_spark spark = {.values = values, .count = 4};
    char *text = painted(1, 4, LW_WIDGET_SPARK, &spark);

    cr_assert_str_eq(text, "\xe2\x96\x81\xe2\x96\x82" GAP "\xe2\x96\x88\n", "%s", text);
    free(text);
    spark.count = 6;
    free(painted(1, 3, LW_WIDGET_SPARK, &spark));
    spark.count = 0;
    free(painted(1, 3, LW_WIDGET_SPARK, &spark));
}

Test(panel, a_message_instead_of_a_blank)
{
    struct lw_surface *s = lw_surface_new(5, 40, LW_CHARSET_BRAILLE, LW_DEPTH_256);
    struct lw_panel panel = {.title = "Drift", .message = "no drift data yet"};
    char *text;

    lw_panel_draw(lw_area_all(s), &panel);
    text = lw_surface_text(s, NULL, NULL);
    cr_assert_eq(count(text, "no drift data yet"), 1);
    cr_assert_eq(count(text, "Drift"), 1);
    free(text);
    lw_surface_free(s);
}
