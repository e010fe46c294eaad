/* SPDX-License-Identifier: MIT
 *
 * One process as the kernel's /proc/PID/stat tells of it.
 */
#ifndef LW_BASE_PROCESS_H
#define LW_BASE_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct lw_process {
    pid_t pid, ppid, pgrp, sid;
    int tty;        /* its controlling terminal's device number, 0: none */
    char state;     /* R, S, D, T, Z, ... */
    uint64_t start; /* clock ticks after boot: with pid, this process and no later one */
    char comm[64];  /* raw: another program chose it */
};

/* Read PROC/PID/stat (proc: "/proc", or a tree that looks like it). 0, or -1 with errno. */
int lw_process_read(const char *proc, pid_t pid, struct lw_process *p);

#endif
