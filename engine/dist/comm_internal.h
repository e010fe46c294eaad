/* SPDX-License-Identifier: MIT
 *
 * What the files of the communicator share.
 */
#ifndef LW_DIST_COMM_INTERNAL_H
#define LW_DIST_COMM_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "engine/dist/comm.h"
#include "engine/dist/join.h"
#include "engine/dist/late.h"
#include "engine/dist/mpi.h"

#define LW_SUMS 512 /* buffers whose sums may be under way */

struct lw_comm {
    int rank, size, local_rank, local_size;
    pid_t parent;         /* a rank doesn't outlive what started it */
    int listener;         /* while ranks meet; else -1 */
    struct lw_peer *peer; /* rank 0: one a rank, its own unused; others: rank 0 alone */
    const struct lw_mpi *mpi;
    double waited;
    atomic_bool failed; /* this rank ends, and what becomes of the others is not its concern */
    void (*lost)(void *user, const char *text);
    void *user;

    /* life.c: lock guards throughputs and what is sent over the lines of life */
    pthread_mutex_t lock;
    pthread_t life;
    int wake[2];
    bool parting;
    double throughput; /* ours */
    int broken;        /* ours: a loss or gradient is not finite */

    struct lw_late_thread thread; /* the training thread's own words */
    void (*late)(void *user, const char *text);
    void *late_user;
    double slowest; /* step of late, seconds */

    /* sums.c */
    struct lw_sums *sums;
};

LW_NODISCARD int lw_life_start(struct lw_comm *c, struct lw_error *err);
/* Say goodbye and stop watching. */
void lw_life_stop(struct lw_comm *c);

LW_NODISCARD int lw_sums_start(struct lw_comm *c, struct lw_error *err);
void lw_sums_stop(struct lw_comm *c);

#endif
