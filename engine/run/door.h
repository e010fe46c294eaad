/* SPDX-License-Identifier: MIT
 *
 * Where the ranks of a run come in that are not children of its supervisor: a launcher's. Each
 * connects to a socket, says which rank it is, and keeps the connection as long as it lives. Rank
 * 0's becomes the link that requests and progress go over; the others say how they end.
 */
#ifndef LW_RUN_DOOR_H
#define LW_RUN_DOOR_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

#include "engine/base/error.h"
#include "engine/run/parent_watch.h"

struct lw_door_seat {
    int link;                      /* -1: not here, or gone; rank 0's is given away */
    struct lw_parent_watch process; /* pid 0: never came, or known to have ended */
    bool came, ended;              /* it said how it ended */
    int code;
    char text[600];
};

struct lw_door {
    int fd; /* -1: none */
    int ranks;
    struct lw_door_seat *seat;
    int first; /* rank that ended first without a word; -1: none */
};

/* Listen at path (of at most 100 bytes) for so many ranks. */
LW_NODISCARD int lw_door_open(struct lw_door *d, const char *path, int ranks, struct lw_error *err);
void lw_door_close(struct lw_door *d);

/* Descriptors to poll: at most lw_door_fds(d) are written to p; returns how many. */
int lw_door_fds(const struct lw_door *d);
int lw_door_wait(const struct lw_door *d, struct pollfd *p);

/* Let ranks in and hear them. Returns rank 0's link when it came just now, else -1. */
int lw_door_serve(struct lw_door *d);

/* Rank 0's link is closed, or it said how it ended. */
void lw_door_rank_0(struct lw_door *d, bool gone, int code, const char *text);

/* Has any rank ended, but for those that ended well? */
bool lw_door_trouble(const struct lw_door *d);

/* Kill every rank that is still there: by its process descriptor, or where there is none, by its
 * number after a look at its time of start. */
void lw_door_kill(struct lw_door *d);
/* A rank's process while it lives; 0: it is gone, or has not come. */
pid_t lw_door_pid(struct lw_door *d, int rank);
/* How many are still there. */
int lw_door_alive(struct lw_door *d);

/* What went wrong, naming the rank: false where it was none of the ranks. status: the launcher's, 0
 * where we killed it ourselves. */
bool lw_door_explain(const struct lw_door *d, const char *host, int status, char *out, size_t size,
                     int *code);

#endif
