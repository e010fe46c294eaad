/* SPDX-License-Identifier: MIT
 *
 * One process as the kernel's /proc/PID/stat tells of it.
 */
#ifndef LW_BASE_PROCESS_H
#define LW_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lw_process {
    pid_t pid, ppid, pgrp, sid;
    int tty;        /* its controlling terminal's device number, 0: none */
    char state;     /* R, S, D, T, Z, ... */
    uint64_t ticks; /* of processor time, the kernel's for it included */
    uint64_t start; /* clock ticks after boot: with pid, this process and no later one */
    char comm[64];  /* raw: another program chose it */
};

/* Read PROC/PID/stat (proc: "/proc", or a tree that looks like it; "/proc/PID/task" for a thread by
 * its id). 0, or -1 with errno. */
int lw_process_read(const char *proc, pid_t pid, struct lw_process *p);

/* It runs, wants to, or waits for a disk. */
bool lw_process_is_at_work(const struct lw_process *p);

#endif
