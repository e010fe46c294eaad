/* SPDX-License-Identifier: MIT
 *
 * Every key of the console, in one table: it drives dispatch, the help page and the footer.
 */
#ifndef LW_TUI_KEYS_H
#define LW_TUI_KEYS_H

enum lw_page {
    LW_PAGE_DASHBOARD,
    LW_PAGE_PANEL,
    LW_PAGE_EVENTS,
    LW_PAGE_RUNS,
    LW_PAGE_DRIFT,
    LW_PAGE_HELP,
    LW_PAGES,
};

#define LW_ON(page)  (1u << (page))
#define LW_ON_CHARTS (LW_ON(LW_PAGE_DASHBOARD) | LW_ON(LW_PAGE_PANEL))
#define LW_ON_LISTS                                                                                \
    (LW_ON(LW_PAGE_EVENTS) | LW_ON(LW_PAGE_RUNS) | LW_ON(LW_PAGE_DRIFT) | LW_ON(LW_PAGE_HELP))
#define LW_ON_ALL (LW_ON_CHARTS | LW_ON_LISTS)

enum lw_action {
    LW_ACT_NONE,
    LW_ACT_QUIT,
    LW_ACT_HELP,
    LW_ACT_BACK,
    LW_ACT_OPEN,
    LW_ACT_NEXT,
    LW_ACT_PREVIOUS,
    LW_ACT_LEFT,
    LW_ACT_RIGHT,
    LW_ACT_UP,
    LW_ACT_DOWN,
    LW_ACT_PAGE_UP,
    LW_ACT_PAGE_DOWN,
    LW_ACT_FIRST,
    LW_ACT_LATEST,
    LW_ACT_ZOOM_IN,
    LW_ACT_ZOOM_OUT,
    LW_ACT_ZOOM_ALL,
    LW_ACT_SMOOTHER,
    LW_ACT_ROUGHER,
    LW_ACT_LOG,
    LW_ACT_AXIS,
    LW_ACT_CURSOR,
    LW_ACT_FREEZE,
    LW_ACT_OVERLAY,
    LW_ACT_FILTER,
    LW_ACT_COMMAND,
    LW_ACT_MATCH,
    LW_ACT_MATCH_BACK,
    LW_ACT_ACKNOWLEDGE,
    LW_ACT_PAGE_1,
    LW_ACT_PAGE_2,
    LW_ACT_PAGE_3,
    LW_ACT_PAGE_4,
    LW_ACT_PAGE_5,
    LW_ACT_PAGE_BEFORE,
    LW_ACT_PAGE_AFTER,
    LW_ACT_THEME,
    LW_ACT_GLYPHS,
    LW_ACT_MOUSE,
    LW_ACT_PAUSE_RUN,
    LW_ACT_STOP_RUN,
    LW_ACT_REDRAW,
};

struct lw_key {
    int code[3];       /* ncurses codes or characters; unused ones 0 */
    const char *shown; /* how the help page writes it */
    const char *label; /* word in the footer; NULL: not in the footer */
    const char *help;  /* sentence on the help page */
    enum lw_action action;
    unsigned pages;   /* LW_ON(...) masks: where it works */
    const char *word; /* the same as a command behind a colon; NULL: none */
};

/* The table, ended by a row with action LW_ACT_NONE. */
extern const struct lw_key lw_keys[];

/* What a key means on a page; LW_ACT_NONE for nothing. */
enum lw_action lw_key_action(int code, enum lw_page page);

#endif
