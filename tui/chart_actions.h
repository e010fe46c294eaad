/* SPDX-License-Identifier: MIT
 *
 * What keys do on the pages with charts: focus, cursor, zoom, axes, smoothing.
 */
#ifndef LW_TUI_CHART_ACTIONS_H
#define LW_TUI_CHART_ACTIONS_H

#include "tui/view.h"

/* Answer a key with a line in the footer. */
void lw_view_say(struct lw_view *v, const char *fmt, ...) LW_PRINTF(2, 3);

/* Focus the next (1) or previous (-1) panel in table order. */
void lw_look_next(struct lw_view *v, int by);

/* Focus the panel that lies next in a direction (one of down and right is 0); at the page's edge
 * go on in table order. */
void lw_look_toward(struct lw_view *v, int down, int right);

void lw_look_cursor(struct lw_view *v); /* on or off */
void lw_look_move_cursor(struct lw_view *v, int cells);

/* Move the zoomed part by a share of its width; at the newest step it follows. */
void lw_look_pan(struct lw_view *v, double share);

/* factor < 1: closer. Around the cursor, else the newest step when following. */
void lw_look_zoom(struct lw_view *v, double factor);
void lw_look_whole(struct lw_view *v);

void lw_look_axis(struct lw_view *v); /* the next of step, epoch, time that there is data for */
void lw_look_log(struct lw_view *v);  /* of the focused panel */
void lw_look_smooth(struct lw_view *v, int by);

/* The next (1) or previous (-1) of what the filter lets through, or of the lines that match it. */
void lw_look_match(struct lw_view *v, int by);

/* --- what is asked for in the last line --- */

void lw_ask_for_text(struct lw_view *v, enum lw_asking what);
void lw_ask_about_run(struct lw_view *v, enum lw_asking what); /* pause or stop: asks first */
unsigned lw_ask_key(struct lw_view *v, int key);               /* a key meanwhile */

/* On the drift page: the next of the comparisons that there are. */
void lw_drift_compare_next(struct lw_view *v, int by);

#endif
