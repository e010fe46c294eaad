/* SPDX-License-Identifier: MIT
 *
 * A run without a console: lines of text while it goes on, and how it ended.
 */
#ifndef LW_TUI_PLAIN_H
#define LW_TUI_PLAIN_H

#include <stddef.h>

#include "tui/verb.h"

struct lw_started;
struct lw_status;

/* Stay in the foreground of a run that was started with a lifeline, then print a summary. SIGINT
 * and SIGTERM stop the run after a checkpoint, once more at once; SIGHUP lets go of it. Returns
 * the exit code. */
int lw_plain(const struct lw_verb *self, struct lw_started *run);

/* "step 1,250/5,000  epoch 0.5  loss 2.345 ...", with unit ("tok") a second. */
void lw_plain_line(const struct lw_status *s, const char *unit, char *out, size_t size);

/* Say on stdout how the run in dir stands, and how to come back while it goes on; its error goes
 * to stderr. Returns the exit code: 0 unless it failed. */
int lw_plain_summary(const struct lw_verb *self, const char *dir);

#endif
