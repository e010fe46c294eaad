/* SPDX-License-Identifier: MIT
 *
 * Runs under the real supervisor, whose rank is tests/fake_engine's.
 */
#ifndef LW_TESTS_SUPERVISED_H
#define LW_TESTS_SUPERVISED_H

#include "engine/run/control.h"
#include "engine/run/start.h"
#include "engine/run/status.h"

#define SUPERVISED_WAIT_S 50 /* for anything that comes: less than a test may take */

/* A run folder whose rank will behave like this, not started yet. */
const char *supervised_folder(const char *behave);

/* The exit code of the run's supervisor, a child of ours, once it has ended. */
int supervised_end(struct lw_started *run);

struct lw_status supervised_status(const char *dir);

/* What a run answers. */
struct lw_reply supervised_ask(const char *dir, enum lw_request request);

#endif
