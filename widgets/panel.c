/* SPDX-License-Identifier: MIT */
#include "widgets/panel.h"

#include "widgets/bars.h"
#include "widgets/card.h"
#include "widgets/chart.h"
#include "widgets/gauge.h"
#include "widgets/heatmap.h"
#include "widgets/logview.h"
#include "widgets/table.h"

/* Each widget takes its own model; the table takes any. */
#define DRAW(name, type, function)                                                                 \
    static void name(struct lw_area a, const void *model)                                          \
    {                                                                                              \
        const struct type *typed = model;                                                          \
                                                                                                   \
        function(a, typed);                                                                        \
    }

#define LEGEND(name, type, function)                                                               \
    static int name(struct lw_area a, int row, int from, const void *model)                        \
    {                                                                                              \
        const struct type *typed = model;                                                          \
                                                                                                   \
        return function(a, row, from, typed);                                                      \
    }

DRAW(draw_chart, lw_chart, lw_chart_draw)
DRAW(draw_bars, lw_bars, lw_bars_draw)
DRAW(draw_heatmap, lw_heatmap, lw_heatmap_draw)
DRAW(draw_table, lw_table, lw_table_draw)
DRAW(draw_log, lw_logview, lw_logview_draw)
DRAW(draw_card, lw_card, lw_card_draw)
DRAW(draw_gauge, lw_gauge, lw_gauge_draw)
DRAW(draw_spark, lw_spark, lw_spark_draw)
LEGEND(chart_legend, lw_chart, lw_chart_legend)
LEGEND(bars_legend, lw_bars, lw_bars_legend)

const struct lw_widget_class lw_widget_classes[LW_WIDGET_COUNT] = {
    [LW_WIDGET_CHART] = {.name = "chart", .draw = draw_chart, .legend = chart_legend},
    [LW_WIDGET_BARS] = {.name = "bars", .draw = draw_bars, .legend = bars_legend},
    [LW_WIDGET_HEATMAP] = {.name = "heatmap", .draw = draw_heatmap},
    [LW_WIDGET_TABLE] = {.name = "table", .draw = draw_table},
    [LW_WIDGET_LOG] = {.name = "log", .draw = draw_log},
    [LW_WIDGET_CARD] = {.name = "card", .draw = draw_card},
    [LW_WIDGET_GAUGE] = {.name = "gauge", .draw = draw_gauge},
    [LW_WIDGET_SPARK] = {.name = "spark", .draw = draw_spark},
};

static const struct lw_widget_class *class_of(const struct lw_panel *panel)
{
    if ((unsigned)panel->widget >= LW_WIDGET_COUNT || !panel->model || panel->message)
        return NULL;
    return &lw_widget_classes[panel->widget];
}

/* Title left, legend right, a rule between them. */
static void draw_title(struct lw_area a, const struct lw_panel *panel,
                       const struct lw_widget_class *class)
{
    const struct lw_glyphs *g = a.surface->glyphs;
    struct lw_style style =
        LW_STYLE(panel->focused ? LW_INK_ACCENT : LW_INK_TITLE, 0, LW_ATTR_BOLD);
    int cols = a.rect.cols, col = 0, end = cols;

    lw_put(a, 0, col, panel->focused ? g->focus : g->horizontal,
           LW_INK(panel->focused ? LW_INK_ACCENT : LW_INK_GRID));
    col += 2;
    col += lw_put_cut(a, 0, col, cols - col, panel->title ? panel->title : "", style) + 1;
    if (panel->value && lw_text_cells(panel->value) + col + 1 <= cols)
        end = lw_put_right(a, 0, cols, panel->value, LW_INK(LW_INK_TEXT));
    else if (!panel->value && class && class->legend)
        end = class->legend(a, 0, col, panel->model);
    lw_rule(a, 0, col, end - (end < cols) - col, g->horizontal, LW_INK(LW_INK_GRID));
}

struct lw_area lw_panel_body(struct lw_area a)
{
    int title = a.rect.rows > 1 ? 1 : 0;

    return lw_area_sub(a, title, 0, a.rect.rows - title, a.rect.cols);
}

void lw_panel_draw(struct lw_area a, const struct lw_panel *panel)
{
    const struct lw_widget_class *class = class_of(panel);

    if (lw_area_empty(a))
        return;
    draw_title(a, panel, class);
    if (a.rect.rows < 2)
        return;
    if (class)
        class->draw(lw_panel_body(a), panel->model);
    else
        lw_message_draw(lw_panel_body(a), panel->message ? panel->message : "no data");
}
