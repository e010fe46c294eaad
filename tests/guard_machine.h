/* SPDX-License-Identifier: MIT
 *
 * Machines for tests of the guard: a /proc and what lies around it, made from a few words.
 */
#ifndef LW_TESTS_GUARD_MACHINE_H
#define LW_TESTS_GUARD_MACHINE_H

#include "engine/guard/guard.h"

/* One line a process, oldest first, each the child of the line above:
 *     PID COMM [sid=N] [tty=N] [ppid=N] [start=N] [hidden] [: ARGUMENTS, ' ' between them]
 * tty and sid are inherited from the line above; start grows by 100. The last line is this process.
 * Files, in which | is a line break, below root: "+/etc/systemd/logind.conf=TEXT" on a line of its
 * own, and "+status=TEXT" for the last process's status, "+cgroup=TEXT" for its cgroup, "+self=PID"
 * for another namespace. */
struct machine {
    const char *processes;
    const char *env[8];
};

/* Make it, look at it and judge it. */
void machine_judge(const struct machine *m, struct lw_guard_evidence *e,
                   struct lw_guard_verdict *v);

/* All lines the verdict has to say, a line break behind each. Valid until the next call. */
const char *machine_says(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v);

#endif
