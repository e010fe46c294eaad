/* SPDX-License-Identifier: MIT
 *
 * Ranks that train together: who they are, small records among them, sums, and noticing within
 * seconds when one is gone.
 *
 * Every rank has three connections to rank 0: one for records, one for sums in host memory (where
 * MPI does not make them) and one over which both ends show twice a second that they live. Rank 0
 * relays what goes wrong. A rank whose connection ends without a goodbye, or that stays silent for
 * LW_COMM_SILENCE seconds, is lost, and all others are told which one, on which host, and why. So
 * is one that lives and hangs (lw_comm_watch).
 *
 * Collectives are called by all ranks in the same order, from one thread each (the training
 * thread); lw_comm_sum_start's work is done by a thread of its own. Sums are made in the order of
 * ranks, so they have the same bits in every run and on every rank.
 */
#ifndef LW_DIST_COMM_H
#define LW_DIST_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/dist/launcher.h"

#define LW_COMM_SILENCE 8 /* seconds without a sign of life that count as a loss */

struct lw_comm;

struct lw_comm_options {
    const struct lw_launch *launch;
    double join_s; /* how long ranks may take to come; 0: $LEEWAY_JOIN_SECONDS, or 60 */
    /* Called once, from a thread of the communicator, when another rank failed or was lost: text
     * says which and why. The process should end then: a collective that waits for that rank may
     * never return. */
    void (*lost)(void *user, const char *text);
    void *user;
};

/* Meet the others. All ranks get here or all fail: LW_EPEER, LW_EIO or LW_EUSAGE, one line. */
LW_NODISCARD int lw_comm_open(struct lw_comm **out, const struct lw_comm_options *options,
                              struct lw_error *err);

/* Tell the others why this rank fails; they end with that line. Before lw_comm_close. Where all
 * ranks fail for a reason that they agreed on, lw_comm_leave takes its place and says nothing. */
void lw_comm_fail(struct lw_comm *c, const struct lw_error *why);
void lw_comm_leave(struct lw_comm *c);

/* Part; NULL is fine. Without a failure all ranks wait for each other here. */
void lw_comm_close(struct lw_comm *c);

int lw_comm_rank(const struct lw_comm *c);
int lw_comm_size(const struct lw_comm *c);
int lw_comm_local_rank(const struct lw_comm *c); /* among the ranks of this host */
int lw_comm_local_size(const struct lw_comm *c);
/* "MPI" or "TCP": how sums in host memory travel. */
const char *lw_comm_plane(const struct lw_comm *c);

/* Rank 0's bytes to all. */
LW_NODISCARD int lw_comm_broadcast(struct lw_comm *c, void *data, size_t bytes,
                                   struct lw_error *err);
/* Everybody's record to everybody: all holds size records in the order of ranks. */
LW_NODISCARD int lw_comm_gather(struct lw_comm *c, const void *mine, size_t bytes, void *all,
                                struct lw_error *err);
/* x[i] becomes the sum over ranks. */
LW_NODISCARD int lw_comm_sum(struct lw_comm *c, double *x, int count, struct lw_error *err);
LW_NODISCARD int lw_comm_barrier(struct lw_comm *c, struct lw_error *err);

/* The same for large buffers in host memory, besides other work: start enqueues x, which must stay
 * untouched until finish has waited for all that was started. */
void lw_comm_sum_start(struct lw_comm *c, float *x, size_t count);
LW_NODISCARD int lw_comm_sum_finish(struct lw_comm *c, struct lw_error *err);

/* What goes along with the signs of life: this rank's tokens a second. On rank 0, what the others
 * said last (0: nothing yet). */
void lw_comm_tell(struct lw_comm *c, double throughput);
double lw_comm_told(struct lw_comm *c, int rank);

/* This rank's own loss or gradient is not finite, or is again; the others hear of it within a second.
 * The first rank of which it is true: its number, and host (64 bytes); -1: none. On rank 0. */
void lw_comm_tell_broken(struct lw_comm *c, bool broken);
int lw_comm_broken(struct lw_comm *c, char *host);

/* What the training thread is at, which whoever waits for it is told. */
enum lw_at {
    LW_AT_STEP,
    LW_AT_DATA,
    LW_AT_EVALUATION,
    LW_AT_DRIFT,
    LW_AT_SAMPLE,
    LW_AT_CHECKPOINT,
    LW_AT_PAUSE,
    LW_AT_END,
    LW_AT_COUNT
};

/* From the training thread of every rank, once training begins. While ranks wait for one that does
 * not come, rank 0 calls late() (which may be NULL), from a thread of the communicator, with a line
 * such as "rank 2 on box is late: the others wait for it, 40 s in data (step 7)", after
 * LW_COMM_SILENCE seconds or four of the slowest steps of late, and then each time it has become
 * twice as long. A rank that in all that time did nothing but sleep, in a place where there is no
 * disk and nobody to wait for, hangs: that is a loss. */
void lw_comm_watch(struct lw_comm *c, void (*late)(void *user, const char *text), void *user);

/* What the training thread goes on to; how long a step took, with all its waiting; and whether it
 * waits for its device, and that perhaps for other ranks, besides what collectives wait. The first
 * and the last are fine alone (NULL). */
void lw_comm_at(struct lw_comm *c, enum lw_at place, uint64_t step);
void lw_comm_took(struct lw_comm *c, double seconds);
void lw_comm_waits(struct lw_comm *c, bool waits);

/* Seconds this rank has waited for others so far, in collectives and in sum_finish. */
double lw_comm_waited(const struct lw_comm *c);

#endif
