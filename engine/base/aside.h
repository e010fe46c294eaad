/* SPDX-License-Identifier: MIT
 *
 * A file that is written piece by piece and is there whole or not at all: it grows beside its
 * path and takes its name at the end.
 */
#ifndef LW_BASE_ASIDE_H
#define LW_BASE_ASIDE_H

#include <stdio.h>

#include "engine/base/error.h"

struct lw_aside {
    FILE *file; /* write here; errors may wait for lw_aside_finish */
    char *path, *aside;
};

/* Failing, it leaves nothing to be freed. */
LW_NODISCARD int lw_aside_open(struct lw_aside *a, const char *path, struct lw_error *err);

/* Sync and rename. Whatever it returns, the struct is used up; failing, it removes what was
 * written. */
LW_NODISCARD int lw_aside_finish(struct lw_aside *a, struct lw_error *err);

/* Give up: nothing stays. */
void lw_aside_drop(struct lw_aside *a);

#endif
