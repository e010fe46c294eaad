/* SPDX-License-Identifier: MIT
 *
 * The supervisor of a run: one thread that owns the lock, the control socket and the final status,
 * starts the rank that trains and outlives every terminal.
 */
#ifndef LW_RUN_SUPERVISOR_H
#define LW_RUN_SUPERVISOR_H

#include "engine/base/error.h"

struct lw_supervise {
    const char *dir;        /* the run folder */
    char *const *rank_argv; /* program and arguments of the rank, or of the ranks' launcher */
    int ranks;              /* that the launcher starts; 0 or 1 without one */
    const char *door;       /* path of the socket they come to; NULL: no launcher */
    int ready_fd;           /* tell the starter how it went; -1: nobody waits */
    int lifeline_fd;        /* the foreground front end's; -1: none */
    const char *kernel;     /* "PID:START": the notebook kernel it ends with; NULL: none */
    double term_s, kill_s;  /* of the ladder; 0: as doc/RUN.md says */
};

/* Read the arguments of leeway-engine as a supervisor: [--ready-fd N] [--lifeline-fd N]
 * [--kernel PID:START] RUN_DIR. The descriptors are those lw_run_start hands over. *how keeps
 * pointing into argv; what is about ranks is left to the caller. */
LW_NODISCARD int lw_supervise_arguments(int argc, char **argv, struct lw_supervise *how,
                                        struct lw_error *err);

/* Run to the end of the run. Returns the exit code of the program: 0 finished or stopped on
 * request, 1 failed (err says why; 2: its configuration is wrong), 130 or 143 after SIGINT or
 * SIGTERM and a checkpoint. */
int lw_supervise(const struct lw_supervise *how, struct lw_error *err);

#endif
