/* SPDX-License-Identifier: MIT
 *
 * status.json: how a run stands, in one small file that is replaced atomically. The supervisor is
 * its only writer. What it says about being alive is believed only while the lock is held.
 */
#ifndef LW_RUN_STATUS_H
#define LW_RUN_STATUS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"

enum lw_run_state {
    LW_STATE_STARTING, /* loading data, planning, resuming */
    LW_STATE_RUNNING,
    LW_STATE_PAUSED,
    LW_STATE_STOPPING, /* asked to stop, writing the last checkpoint */
    LW_STATE_FINISHED, /* its own end: steps, epochs or early stopping */
    LW_STATE_STOPPED,  /* ended because somebody asked */
    LW_STATE_FAILED,
    LW_STATE_LOST, /* never written: a reader's word for "said alive, but nobody holds it" */
    LW_STATE_COUNT
};

enum { LW_STATUS_RANKS = 64 };

/* How the GPU is doing; all NaN where there is none, or nothing that tells. */
struct lw_status_gpu {
    double memory_mb, memory_total_mb; /* 10^6 bytes, of all processes on it */
    double utilization;                /* percent of its time */
    double power_w, temperature_c, clock_mhz;
};

#define LW_NO_GPU ((struct lw_status_gpu){NAN, NAN, NAN, NAN, NAN, NAN})

struct lw_status {
    enum lw_run_state state;
    int pid; /* the supervisor's; 0 when not known */
    char host[64];
    int64_t step, of;  /* of: steps until the end, 0 when not known */
    double epoch;      /* NaN: not known, as for every double here */
    double eta;        /* seconds */
    double time;       /* seconds of run time, pauses not counted */
    double throughput; /* tokens (or images) a second */
    double mfu;        /* share of the device's peak, 0 to 1 */
    struct lw_status_gpu gpu;
    double train_loss, val_loss, best_val_loss;
    int64_t best_step; /* of best_val_loss; 0: none yet */
    char device[128];  /* "CPU, 2 threads, AVX2" */
    int ranks;         /* how many entries of rank_throughput count */
    double rank_throughput[LW_STATUS_RANKS];
    int slowest;             /* rank; -1: not known */
    double started, updated; /* wall clock, seconds since 1970 */
    int exit_code;           /* of the run, once ended; else -1 */
    char note[160];          /* what it is doing just now: "tokenizing, 40 %"; may be empty */
    char last_error[1024];
};

void lw_status_init(struct lw_status *s);

/* Replace / read DIR/status.json. Texts are cleaned when read. A damaged file is LW_EDATA, a
 * missing one LW_EIO. */
LW_NODISCARD int lw_status_write(const char *dir, const struct lw_status *s, struct lw_error *err);
LW_NODISCARD int lw_status_read(const char *dir, struct lw_status *s, struct lw_error *err);

/* "running"; "?" out of range. */
const char *lw_state_name(enum lw_run_state state);

/* Is it starting, running, paused or stopping? */
bool lw_state_is_active(enum lw_run_state state);

/* For how many seconds nothing has come of a run that should be at work: it is active and not
 * paused, and its lock is held (alive). In steps of ten, so that what shows it changes rarely; 0
 * where that is no longer than a step or a checkpoint may well take. */
double lw_state_silent(enum lw_run_state state, bool alive, double updated);

#endif
