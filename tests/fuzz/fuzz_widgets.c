/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "tests/fuzz/fuzz.h"
#include "widgets/bars.h"
#include "widgets/chart.h"
#include "widgets/heatmap.h"
#include "widgets/panel.h"
#include "widgets/surface_text.h"

#define POINTS 40

/* The bytes of the input, one after another; zeros after its end. */
struct input {
    const uint8_t *data;
    size_t size;
};

static void draw(struct input *in, void *out, size_t size)
{
    size_t n = size < in->size ? size : in->size;

    memset(out, 0, size);
    if (n)
        memcpy(out, in->data, n);
    in->data += n;
    in->size -= n;
}

static unsigned byte(struct input *in)
{
    uint8_t b;

    draw(in, &b, 1);
    return b;
}

static void text(struct input *in, char out[32])
{
    draw(in, out, 31);
    out[31] = '\0';
}

/* No size, name or number makes a widget write outside its cells, and no text of one reaches the
 * frame as a control character. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    int rows = 1 + (int)(byte(&in) % 50), cols = 1 + (int)(byte(&in) % 150);
    struct lw_surface *s = lw_surface_new(rows, cols, (enum lw_charset)(byte(&in) % 3),
                                          (enum lw_depth)(byte(&in) % 4));
    unsigned flags = byte(&in), count = byte(&in) % (POINTS + 1);
    struct lw_point points[POINTS];
    struct lw_heat_cell cells[POINTS];
    double values[POINTS * 4];
    char title[32], name[32];
    const char *names[] = {name, title};
    struct lw_series series = {
        .name = name, .kind = (enum lw_series_kind)(flags & 3), .points = points, .count = count};
    struct lw_level level = {.name = title, .ink = LW_INK_WARN};
    struct lw_zone zone = {.tint = LW_INK_TINT_OK};
    struct lw_chart chart = {.series = &series,
                             .series_count = 1,
                             .levels = &level,
                             .level_count = 1,
                             .zones = &zone,
                             .zone_count = 1,
                             .x = {.label = name, .log = flags & 4},
                             .y.log = flags & 8,
                             .cursor = flags & 16};
    struct lw_bar_series bar = {name, LW_INK_SKY, values};
    struct lw_bars bars = {
        .bins = (int)count, .series = &bar, .series_count = 1, .edges = flags & 32 ? values : NULL};
    struct lw_heatmap map = {.rows = 2,
                             .cols = (int)count / 2,
                             .row_names = names,
                             .cells = cells,
                             .values = flags & 64};
    struct lw_panel panel = {.title = title, .focused = flags & 128};
    char *out;
    size_t length;

    if (!s)
        abort();
    text(&in, title);
    text(&in, name);
    draw(&in, &chart.cursor_x, sizeof chart.cursor_x);
    draw(&in, &level.y, sizeof level.y);
    draw(&in, &zone.low, sizeof zone.low);
    draw(&in, &chart.y.domain, sizeof chart.y.domain);
    draw(&in, points, sizeof points);
    memcpy(values, points, sizeof values);
    for (int i = 0; i < POINTS; i++)
        cells[i] = (struct lw_heat_cell){(enum lw_light)(i % 7), points[i].y};
    draw(&in, &map.high, sizeof map.high);
    zone.high = level.y;
    series.star = count ? &points[0] : NULL;
    for (int widget = 0; widget < 3; widget++) {
        const void *const models[] = {&chart, &bars, &map};

        panel.widget = (enum lw_widget)widget;
        panel.model = models[widget];
        lw_panel_draw(lw_area_all(s), &panel);
    }
    out = lw_surface_text(s, NULL, &length);
    for (size_t at = 0; out && at < length;) {
        uint32_t code;
        size_t used = lw_utf8_decode(out + at, length - at, &code);

        if (!used || (code != '\n' && lw_utf8_width(code) < 0))
            abort();
        at += used;
    }
    free(out);
    lw_surface_free(s);
    return 0;
}
