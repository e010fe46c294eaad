/* SPDX-License-Identifier: MIT
 *
 * How a rank that was asked to stop is made to: it has been asked; where it does not say that it
 * stops, SIGTERM; where nothing comes of that either, the end.
 */
#ifndef LW_RUN_LADDER_H
#define LW_RUN_LADDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lw_ladder {
    double term_s, kill_s; /* patience with each rung */
    double asked;          /* when it was asked to stop; 0: not yet */
    double worked;         /* when its training thread was last seen at work */
    uint64_t ticks;        /* of processor time it had then */
    int64_t step;          /* it was at when it was asked */
    bool termed;           /* SIGTERM was sent */
};

enum lw_rung { LW_RUNG_WAIT, LW_RUNG_TERM, LW_RUNG_KILL };

/* Once a second or so, from when it was asked: what is to be done now. pid: the process whose main
 * thread trains, 0: not known; agreed: it said that it stops; heard: when it last said anything;
 * step: how far it is. A rank that writes a checkpoint to a slow disk says nothing for long: while
 * its training thread runs or waits for a disk it is not silent. why (100 bytes) says what for. */
enum lw_rung lw_ladder_climb(struct lw_ladder *l, pid_t pid, bool agreed, double heard,
                             int64_t step, char *why);

/* Did a process that ended like this end of that SIGTERM? */
bool lw_ladder_ended(const struct lw_ladder *l, int wait_status);

#endif
