/* SPDX-License-Identifier: MIT
 *
 * The best validation loss so far, and when to give up waiting for a better one.
 */
#ifndef LW_TRAIN_EARLY_STOP_H
#define LW_TRAIN_EARLY_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct lw_early_stop {
    int patience;     /* evaluations without improvement that end the run; 0: never */
    double min_delta; /* an improvement is a loss below the best by more than this */
    double best;      /* lowest loss of all; infinity before the first evaluation */
    uint64_t best_step;
    double anchor; /* the loss that the next improvement is measured from */
    int waited;    /* evaluations since the last improvement */
};

void lw_early_stop_init(struct lw_early_stop *e, int patience, double min_delta);

/* Take an evaluation's loss. Returns true when it is the lowest so far; one that isn't finite
 * never is, and counts as waiting. */
bool lw_early_stop_take(struct lw_early_stop *e, double loss, uint64_t step);

/* Has patience run out? */
bool lw_early_stop_due(const struct lw_early_stop *e);

#endif
