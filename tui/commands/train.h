/* SPDX-License-Identifier: MIT
 *
 * What train and resume share: a configuration from words, and a run from a configuration.
 */
#ifndef LW_TUI_COMMANDS_TRAIN_H
#define LW_TUI_COMMANDS_TRAIN_H

#include "engine/config/config.h"
#include "tui/verb.h"

/* Set the key=value words from first on, finish, and print remarks on stderr. */
LW_NODISCARD int lw_train_settle(struct lw_config *c, const struct lw_args *args, int first,
                                 struct lw_error *err);

/* Start an engine for c (in dir, a run already when existing) and stay with it as the options
 * say: console, lines, or not at all. Returns the exit code. */
int lw_train_start(const struct lw_verb *self, const struct lw_args *args, struct lw_config *c,
                   const char *dir, bool existing);

/* Go on with the run that what names: its own configuration, changed by that in file (NULL: none)
 * and by the key=value words from first on. */
int lw_train_resume(const struct lw_verb *self, const struct lw_args *args, const char *what,
                    const char *file, int first);

/* Every problem of c on stderr, a line each, if err is about them; the exit code. */
int lw_train_fail(const struct lw_verb *self, const struct lw_config *c,
                  const struct lw_error *err);

#endif
