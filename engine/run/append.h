/* SPDX-License-Identifier: MIT
 *
 * A text file that grows by whole lines, each one write(2), and that outlives a full disk: what
 * could not be written is taken back to the last whole line and waits in memory.
 */
#ifndef LW_RUN_APPEND_H
#define LW_RUN_APPEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

struct lw_append {
    int fd; /* -1: closed */
    char *path;
    char *waiting; /* whole lines */
    size_t waiting_size, waiting_room;
    int64_t lines_waiting, lines_lost;
    bool failing;
    int64_t recovered; /* lines that waited and are on file now, until they are told */
};

/* Open dir/name for appending, making it when missing. Failing, it leaves nothing to be closed. */
LW_NODISCARD int lw_append_open(struct lw_append *a, const char *dir, const char *name,
                                struct lw_error *err);

/* Write one line (size bytes with its line break), after those that wait. 0 when all is on file; -1
 * with errno when it waits now. More than limit bytes are not kept waiting: the line is lost and
 * counted. */
int lw_append_line(struct lw_append *a, const char *line, size_t size, size_t limit);

/* Try to write what waits. 0, or -1 with errno. */
int lw_append_flush(struct lw_append *a);

/* All lines on disk; *offset is then the size of the file. LW_EIO while lines wait. */
LW_NODISCARD int lw_append_sync(struct lw_append *a, int64_t *offset, struct lw_error *err);

/* Flush once more and close; returns the number of lines that are lost for good. */
int64_t lw_append_close(struct lw_append *a);

/* The offset behind the last line break of an open file, by looking from its end; -1 with errno. */
int64_t lw_append_whole(int fd);

#endif
