/* SPDX-License-Identifier: MIT */
#include "widgets/logview.h"

static enum lw_light state_of(enum lw_log_level level)
{
    switch (level) {
    case LW_LOG_OK:
        return LW_LIGHT_OK;
    case LW_LOG_WARN:
        return LW_LIGHT_WARN;
    case LW_LOG_ALERT:
        return LW_LIGHT_ALERT;
    case LW_LOG_INFO:
        break;
    }
    return LW_LIGHT_NONE;
}

static void draw_line(struct lw_area a, int row, const struct lw_log_line *line)
{
    enum lw_light state = state_of(line->level);
    enum lw_ink ink = lw_light_ink(state);
    int col = 1;

    /* A time that would leave less for the text than it takes itself is left out. */
    if (line->time && lw_text_cells(line->time) * 2 + 4 <= a.rect.cols)
        col += lw_put_text(a, row, col, line->time, LW_INK(LW_INK_DIM)) + 1;
    lw_put(a, row, col, a.surface->glyphs->state[state], LW_INK(ink));
    lw_put_cut(a, row, col + 2, a.rect.cols - col - 2, line->text ? line->text : "",
               LW_INK(line->level >= LW_LOG_WARN ? ink : LW_INK_TEXT));
}

void lw_logview_draw(struct lw_area a, const struct lw_logview *log)
{
    int bottom = log->bottom < log->count ? log->bottom : log->count;
    int first = bottom - a.rect.rows > 0 ? bottom - a.rect.rows : 0;

    for (int i = first; i < bottom; i++) {
        struct lw_log_line line = log->line(log->context, i);

        if (i == log->selected)
            lw_fill(lw_area_sub(a, i - first, 0, 1, a.rect.cols),
                    LW_STYLE(LW_INK_TEXT, LW_INK_SELECT, 0));
        draw_line(a, i - first, &line);
    }
}
