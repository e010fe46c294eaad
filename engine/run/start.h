/* SPDX-License-Identifier: MIT
 *
 * Starting an engine on a run folder, from a front end that may go away at any time.
 */
#ifndef LW_RUN_START_H
#define LW_RUN_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/base/error.h"
#include "engine/config/config.h"
#include "engine/run/events.h"

/* What is known before the run begins and belongs into its events.log. */
struct lw_start_event {
    enum lw_event_level level;
    const char *text;
};

struct lw_start {
    const char *run_dir; /* the run's own folder; NULL: named under runs_dir */
    bool existing;       /* resume: run_dir is a run already; c (if given) is saved over its
                          * config.yaml, after the lock was seen to be free */
    bool lifeline;       /* foreground: losing this process without a goodbye stops the run */
    double wait_s;       /* wait this long, after it is up, for training to begin or to fail; 0: no
                          * wait: later failures are seen in status.json */
    pid_t kernel;        /* the run ends with this process, which began at kernel_start (see
                          * engine/base/process.h); 0: with none */
    uint64_t kernel_start;
    const struct lw_start_event *event;
    int events;
    const char *engine;  /* program; NULL: leeway-engine beside this program, then in the
                          * installed libexec folder, then in PATH */
};

struct lw_started {
    char *dir;    /* absolute; freed by the caller */
    pid_t pid;    /* the supervisor's */
    int lifeline; /* -1 unless asked for */
};

/* Make the run folder, write config.yaml, start leeway-engine in a session of its own, wait until
 * it holds the lock and answers on its socket (or failed: its error line). *out is valid only on 0.
 */
LW_NODISCARD int lw_run_start(struct lw_config *c, const struct lw_start *how,
                              struct lw_started *out, struct lw_error *err);

/* Let go of a lifeline: from now on the run lives on without this process. */
void lw_run_goodbye(struct lw_started *s);

/* Ask the engine behind a lifeline to stop after a checkpoint (hard: at once). */
void lw_run_ask_stop(const struct lw_started *s, bool hard);

/* Path of leeway-engine for running its verbs ("sample", "bench"...), freed by the caller; NULL
 * with err when there is none. */
char *lw_engine_path(struct lw_error *err);

#endif
