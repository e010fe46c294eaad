/* SPDX-License-Identifier: MIT
 *
 * events.log: what happened in a run, one line an event: local time, level, text, parted by one
 * space. Supervisor and rank both append; each line is one write(2).
 */
#ifndef LW_RUN_EVENTS_H
#define LW_RUN_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

enum lw_event_level {
    LW_EVENT_INFO,
    LW_EVENT_WARN,
    LW_EVENT_ALERT,
    LW_EVENT_ERROR,
    LW_EVENT_COUNT
};

/* "info", "warn", "alert", "error". */
const char *lw_event_level_name(enum lw_event_level level);

struct lw_events;

/* Open DIR/events.log for appending. */
LW_NODISCARD int lw_events_open(struct lw_events **out, const char *dir, struct lw_error *err);

/* Append one event; line breaks in the text become " | ", the rest is cleaned. On a full disk
 * the event waits in memory (bounded) and goes out with a later one. Never fails to the caller: an
 * event is never worth a run. Safe from several threads. e may be NULL. */
void lw_events_add(struct lw_events *e, enum lw_event_level level, const char *fmt, ...)
    LW_PRINTF(3, 4);
void lw_events_close(struct lw_events *e);

struct lw_event {
    char time[40]; /* as written, cleaned */
    enum lw_event_level level;
    char text[2048]; /* cleaned, cut at a character */
};

/* Following the file; the same way of reading as lw_csv: the offset is kept, half a
 * line waits. */
struct lw_event_tail;
LW_NODISCARD int lw_event_tail_open(struct lw_event_tail **out, const char *dir,
                                    struct lw_error *err);

/* Start so that about the last n events come (0: from the beginning). Call before the first poll.
 */
void lw_event_tail_last(struct lw_event_tail *t, int n);

/* Call event() for each new whole line; a line in another form comes as an info event. 0, or a
 * negative code. A missing file has no events yet. */
int lw_event_tail_poll(struct lw_event_tail *t,
                       void (*event)(void *user, const struct lw_event *event), void *user,
                       struct lw_error *err);
void lw_event_tail_close(struct lw_event_tail *t);

#endif
