/* SPDX-License-Identifier: MIT
 *
 * From what a person typed for a run to its folder.
 */
#ifndef LW_TUI_FIND_H
#define LW_TUI_FIND_H

#include "engine/base/error.h"

/* what: a folder, a name under ./runs or part of one; NULL: the newest there. *dir is freed by the
 * caller. */
LW_NODISCARD int lw_find_run(const char *what, char **dir, struct lw_error *err);

#endif
