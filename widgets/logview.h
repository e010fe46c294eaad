/* SPDX-License-Identifier: MIT
 *
 * Lines with a time, a level and a text, newest at the bottom.
 */
#ifndef LW_WIDGETS_LOGVIEW_H
#define LW_WIDGETS_LOGVIEW_H

#include <stdbool.h>

#include "widgets/surface.h"

enum lw_log_level { LW_LOG_INFO = 0, LW_LOG_OK, LW_LOG_WARN, LW_LOG_ALERT };

struct lw_log_line {
    const char *time; /* as it should be shown; NULL: none */
    const char *text;
    enum lw_log_level level;
};

struct lw_logview {
    int count;
    int bottom;   /* index after the last line shown; count follows the newest */
    int selected; /* -1: none */
    /* Line i, valid until the next call. */
    struct lw_log_line (*line)(const void *context, int i);
    const void *context;
};

void lw_logview_draw(struct lw_area a, const struct lw_logview *log);

#endif
