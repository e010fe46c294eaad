/* SPDX-License-Identifier: MIT
 *
 * Ranks that live and do not come: which one the others wait for, and whether it works or hangs.
 *
 * Ranks go in step, so while one is not at a collective the others wait there for it. A rank that
 * works is late, however long it takes: it is told about. One in which every thread sleeps, where
 * there is nothing to sleep for, hangs.
 */
#ifndef LW_DIST_LATE_H
#define LW_DIST_LATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "engine/dist/comm.h"

#define LW_BEAT_S 0.5

/* What a training thread leaves for the thread that shows its rank's life. */
struct lw_late_thread {
    clockid_t clock; /* of its processor time */
    atomic_uint_fast64_t moves;
    atomic_int place;           /* enum lw_at */
    atomic_int waits;           /* for others: how many calls deep */
    atomic_uint_fast64_t calls; /* of collectives, the same ones on all ranks */
    atomic_uint_fast64_t step;
    atomic_bool watched; /* the above is true from now on */
};

/* What goes along with a sign of life. */
struct lw_late_sign {
    int watched, waits, place;
    uint64_t step, calls;
    int still;  /* beats since it moved on last */
    int asleep; /* beats in a row in which no thread of its process ran */
};

/* Between two looks at our own thread. */
struct lw_late_look {
    uint64_t moves, worked; /* ns of processor time */
    int still, asleep;
};

/* Rank 0's memory between two judgements. */
struct lw_late_judge {
    int rank;   /* that was told about last; meaningless while next is 0 */
    int next;   /* beats of standing still at which it is told about again */
    double ago; /* slowest step of late, seconds; 0: none is done */
};

/* How our own training thread stands; once a beat, from the thread that shows our life. */
struct lw_late_sign lw_late_look(struct lw_late_look *l, struct lw_late_thread *t);

enum lw_late { LW_LATE_NOT, LW_LATE_TELL, LW_LATE_HANGS };

/* The signs of all ranks, once a beat: is one to be told about? *rank, and text without its name.
 */
enum lw_late lw_late_judge(struct lw_late_judge *j, const struct lw_late_sign *sign, int ranks,
                           int *rank, char *text, size_t size);

#endif
