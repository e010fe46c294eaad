/* SPDX-License-Identifier: MIT */
#include "tui/find.h"

#include "engine/run/folder.h"
#include "tui/runlist.h"

int lw_find_run(const char *what, char **dir, struct lw_error *err)
{
    return lw_run_find(LW_RUNS_DIR, what, dir, err);
}
