/* SPDX-License-Identifier: MIT
 *
 * The guard, as train and resume use it: decided once, said, and written into the run.
 */
#ifndef LW_TUI_COMMANDS_GUARDED_H
#define LW_TUI_COMMANDS_GUARDED_H

#include "engine/guard/guard.h"
#include "engine/guard/settle.h"
#include "engine/run/start.h"

struct lw_guarded {
    struct lw_guard_evidence evidence;
    struct lw_guard_verdict verdict;
    struct lw_guard_lines lines;
    struct lw_start_event event[LW_GUARD_LINES + 1];
    char text[LW_GUARD_LINES + 1][LW_GUARD_LINE + 512];
};

/* Look where we are, settle c's strategy and devices, print what is to be said on stderr, and
 * prepare the events and the kernel to watch in how, which keeps pointing into l. */
LW_NODISCARD int lw_guarded_look(struct lw_guarded *l, struct lw_config *c, bool outlive,
                                 struct lw_start *how, struct lw_error *err);

/* Where process 1 is no init that is known: find out beside us whether it waits for orphans, and
 * tell the run in dir, and stderr where plain. Nothing comes of it when this process ends sooner.
 */
void lw_guarded_probe(const struct lw_guarded *l, const char *dir, bool plain);

#endif
