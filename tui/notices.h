/* SPDX-License-Identifier: MIT
 *
 * What the guard warned of when a run was started: kept in sight until it is acknowledged.
 */
#ifndef LW_TUI_NOTICES_H
#define LW_TUI_NOTICES_H

#include <stdbool.h>

enum { LW_NOTICES = 8, LW_NOTICE_TEXT = 400 };

struct lw_notices {
    char text[LW_NOTICES][LW_NOTICE_TEXT]; /* cleaned, without the guard's mark */
    int count, seen;                       /* the first seen ones are acknowledged */
};

/* Take one event, if it is a warning of the guard's that is not known yet. True: it was. */
bool lw_notices_take(struct lw_notices *n, int level, const char *text);

/* Take those at the beginning of a run's events.log, which may be too long to be read whole. */
void lw_notices_read(struct lw_notices *n, const char *dir);

/* The first that nobody has acknowledged, NULL for none; and how many more there are. */
const char *lw_notices_first(const struct lw_notices *n, int *more);

#endif
