/* SPDX-License-Identifier: MIT
 *
 * What is on the screen and how it is looked at: the state behind the pages, what keys do to it,
 * and painting it on a surface. Knows no terminal: tests and --once use it as the console does.
 */
#ifndef LW_TUI_VIEW_H
#define LW_TUI_VIEW_H

#include <stdbool.h>

#include "engine/base/error.h"
#include "tui/keys.h"
#include "tui/panels.h"
#include "tui/plot.h"
#include "tui/refine.h"
#include "tui/runlist.h"
#include "tui/source.h"
#include "widgets/layout.h"
#include "widgets/surface.h"

enum { LW_VIEW_ROWS = 48, LW_VIEW_TEXT = 64 };

enum lw_asking { LW_ASK_NOTHING, LW_ASK_FILTER, LW_ASK_COMMAND, LW_ASK_PAUSE, LW_ASK_STOP };

struct lw_view {
    struct lw_source *source[LW_PLOT_SOURCES]; /* the first one is the one the header is about */
    struct lw_refined *refined[LW_PLOT_SOURCES];
    int sources;
    bool hide_others;

    struct lw_panel_row row[LW_VIEW_ROWS];
    struct lw_domain y[LW_VIEW_ROWS];
    int rows, generation;
    int shown[LW_LAYOUT_PANELS], shown_count; /* rows that pass the filter */

    enum lw_page page, before; /* before: where help was asked for */
    int focus;                 /* index in shown */
    enum lw_by by;
    int smoothing;              /* 0 to LW_SMOOTHINGS */
    bool smoothing_chosen;      /* by a key: else it goes by what the data is */
    struct lw_domain x[LW_BYS]; /* of the whole run: kept, so that it stays still */
    struct lw_domain zoom;      /* valid: only this part */
    bool follow;                /* the zoom moves on with the newest step */
    bool cursor;
    double cursor_x;
    bool frozen;
    bool grew;  /* the first source grew while we watched */
    bool quiet; /* no clocks in the header */
    bool slow;  /* bytes are dear: the x axis is as long as the run will be */

    enum lw_asking asking;
    char typed[LW_VIEW_TEXT];
    char filter[LW_VIEW_TEXT];
    char message[256]; /* answer to a key, instead of the newest event */
    int top, selected; /* of the page with a list; events: top counts up from the end */
    struct lw_runs runs;
    char *runs_folder;
    struct lw_layout layout;  /* of the last frame, for clicks */
    struct lw_rect plot_rect; /* of the last focused panel */
    struct lw_plot plot;
    struct lw_drift_art *art; /* NULL before the first panel of drift */
    enum lw_against against;  /* what drift panels compare with */
    int match;                /* line of the help page that was looked for; -1: none */
    bool opened;              /* drift page: one score, with its reasons */
};

/* What the console has to do after a key. */
enum lw_view_result {
    LW_VIEW_DRAW = 1,
    LW_VIEW_QUIT = 2,
    LW_VIEW_REDRAW = 4, /* everything again, from nothing */
    LW_VIEW_THEME = 8,
    LW_VIEW_GLYPHS = 16,
    LW_VIEW_MOUSE = 32,
};

LW_NODISCARD int lw_view_init(struct lw_view *v, struct lw_error *err);
void lw_view_fini(struct lw_view *v);

/* Look at one more source; it belongs to the view from now on, on failure too. */
LW_NODISCARD int lw_view_add(struct lw_view *v, struct lw_source *s, struct lw_error *err);

/* Read what is new in all sources, at most about max_bytes of each (0: all); LW_CHANGED_ bits. */
unsigned lw_view_poll(struct lw_view *v, size_t max_bytes);

/* A key (as ncurses gives it) or a click at a cell. Returns LW_VIEW_ bits. */
unsigned lw_view_key(struct lw_view *v, int key);
unsigned lw_view_click(struct lw_view *v, int row, int col);

/* Read the list of runs again (the page that shows it is open). True when it differs. */
bool lw_view_read_runs(struct lw_view *v);

/* Paint the page. */
void lw_view_draw(struct lw_view *v, struct lw_surface *s);

/* --- for the files of this room that make up a view --- */

/* What a key does, by what it means; and parts of that. */
unsigned lw_view_act(struct lw_view *v, enum lw_action action);
void lw_view_go_to(struct lw_view *v, enum lw_page page);
void lw_view_scroll(struct lw_view *v, int lines);
static inline bool lw_view_on_charts(const struct lw_view *v)
{
    return v->page == LW_PAGE_DASHBOARD || v->page == LW_PAGE_PANEL;
}

/* Panels for the columns there are now, and which of them the filter lets through. */
void lw_view_update_panels(struct lw_view *v);

/* Is this row of panels one to show, as far as its data goes? */
bool lw_view_has_place(const struct lw_view *v, int row);

/* The part of the x axis that is seen, and all there is to see. */
struct lw_domain lw_view_domain(struct lw_view *v);
struct lw_domain lw_view_extent(const struct lw_view *v);

/* Begin or drop a closer look for the zoom as it is now. */
void lw_view_refine(struct lw_view *v);

int lw_view_visible(const struct lw_view *v); /* sources that are drawn */

void lw_view_draw_charts(struct lw_view *v, struct lw_surface *s);
/* The drift that is looked at; NULL where the first source has none. */
const struct lw_drift *lw_view_drift(const struct lw_view *v);

/* Describe and draw a panel of drift. False, with nothing drawn, where there is no data. */
bool lw_view_draw_drift_panel(struct lw_view *v, struct lw_area a, const struct lw_drift_want *want,
                              struct lw_panel *panel);
/* Below a summary in this area, where it leaves the room: the reasons for what it says. Returns the
 * area that is left for the summary. */
struct lw_area lw_view_draw_reasons(struct lw_view *v, struct lw_area a);
void lw_view_draw_drift(struct lw_view *v, struct lw_area a);

void lw_view_draw_events(struct lw_view *v, struct lw_area a);
void lw_view_draw_runs(struct lw_view *v, struct lw_area a);
void lw_view_draw_help(struct lw_view *v, struct lw_area a);
void lw_view_draw_header(struct lw_view *v, struct lw_area a);
void lw_view_draw_footer(struct lw_view *v, struct lw_area a);

/* Lines of the list on the page, after the filter. */
int lw_view_lines(const struct lw_view *v);

/* The i-th run, or event, that the filter lets through; -1: none. */
int lw_view_run_at(const struct lw_view *v, int i);
int lw_view_event_at(const struct lw_view *v, int i);

#endif
