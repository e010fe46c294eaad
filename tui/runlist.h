/* SPDX-License-Identifier: MIT
 *
 * The runs in a folder, as lines of text for a table, a screen or JSON.
 */
#ifndef LW_TUI_RUNLIST_H
#define LW_TUI_RUNLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

#define LW_RUNS_DIR "runs"

struct lw_run_line {
    char *dir; /* raw: for opening, not for showing */
    char name[128];
    char state[16]; /* "running"; "unknown" without a readable status.json */
    bool alive, failed;
    int64_t step, of, best_step;                                                /* 0: not known */
    double train_loss, val_loss, best_val_loss, throughput, time, eta, started; /* NaN: not known */
    double silent; /* seconds for which nothing came of it, lw_state_silent; 0: it is at work */
    char device[128], error[256];
};

struct lw_runs {
    struct lw_run_line *line; /* newest first */
    int count;
};

LW_NODISCARD int lw_runs_read(const char *folder, struct lw_runs *out, struct lw_error *err);
void lw_runs_free(struct lw_runs *runs);

/* Ask a run for something: "pause", "continue", "checkpoint" or "stop"; what it answered, as a
 * sentence, in text. */
LW_NODISCARD int lw_run_steer(const char *dir, const char *what, double timeout_s, char *text,
                              size_t size, struct lw_error *err);

/* How a person would name the run in dir on a command line: just its name under ./runs. */
void lw_run_shown_name(const char *dir, char *out, size_t size);

#endif
