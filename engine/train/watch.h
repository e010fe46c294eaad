/* SPDX-License-Identifier: MIT
 *
 * Looks at every step's loss, gradient norm and duration and says when one stands out: what a
 * person watching the curve would call a spike or a stall.
 */
#ifndef LW_TRAIN_WATCH_H
#define LW_TRAIN_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Debiased exponential mean and deviation of what came before. */
struct lw_watch_series {
    double mean, square, weight;
    uint64_t count;
    uint64_t told; /* step of the last event about it */
};

struct lw_watch {
    struct lw_watch_series loss, norm, seconds;
};

void lw_watch_init(struct lw_watch *w);

/* A step's loss, pre-clip norm and seconds. True: text has a line for events.log. A quantity is
 * told about at most once in 50 steps, and not before it has 50 steps behind it. */
bool lw_watch_step(struct lw_watch *w, uint64_t step, double loss, double norm, double seconds,
                   char *text, size_t size);

#endif
