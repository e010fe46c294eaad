/* SPDX-License-Identifier: MIT
 *
 * Noticing that a process which is no child of ours has ended: the notebook kernel that a run was
 * started from.
 */
#ifndef LW_RUN_PARENT_WATCH_H
#define LW_RUN_PARENT_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lw_parent_watch {
    pid_t pid; /* 0: nothing is watched */
    uint64_t start;
    int fd; /* pidfd to poll for POLLIN; -1: look at it every LW_PARENT_POLL_MS */
};

enum { LW_PARENT_POLL_MS = 250 };

/* Read "PID:START" as lw_parent_watch_text writes it. 0, or -1 where it is none. */
int lw_parent_watch_parse(struct lw_parent_watch *w, const char *text);
void lw_parent_watch_text(pid_t pid, uint64_t start, char *out, size_t size);

/* Begin to watch what was read. Where the system refuses a pidfd (or LEEWAY_NO_PIDFD is set) the
 * process and its time of start are looked at from time to time. */
void lw_parent_watch_open(struct lw_parent_watch *w);

/* Has it ended? Also when its number has gone to another process. Says so once. */
bool lw_parent_watch_gone(struct lw_parent_watch *w);
void lw_parent_watch_close(struct lw_parent_watch *w);

#endif
