/* SPDX-License-Identifier: MIT
 *
 * The files that a path stands for.
 */
#ifndef LW_DATA_FILES_H
#define LW_DATA_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

struct lw_files {
    char **path; /* in the order of their bytes */
    size_t count;
    bool folder; /* a folder was given */
};

/* A regular file itself, or those below a folder, hidden files and folders left out, links
 * followed; count may be 0. LW_EIO: missing or unreadable; LW_EDATA: neither file nor folder, or
 * folders in folders more than 32 deep. After an error there is nothing to free. */
LW_NODISCARD int lw_files_list(struct lw_files *out, const char *path, struct lw_error *err);
void lw_files_free(struct lw_files *f);

#endif
