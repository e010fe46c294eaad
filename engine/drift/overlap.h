/* SPDX-License-Identifier: MIT
 *
 * token_overlap: the share of the reference's most frequent tokens that are among the most
 * frequent of the current profile, and how large it is by chance alone.
 */
#ifndef LW_DRIFT_OVERLAP_H
#define LW_DRIFT_OVERLAP_H

#include "engine/drift/tally.h"

/* Share of reference[n] that is in current[m], by id. NaN where a side is empty. */
double lw_overlap(const struct lw_id_count *reference, int n, const struct lw_id_count *current,
                  int m);

/* Mean and deviation of the overlap when `tokens` independent tokens are drawn from the reference's
 * own counts. Drawn with a fixed seed: the same arguments give the same answer. */
struct lw_overlap_null {
    uint64_t reference, tokens; /* what it was made for: the reference's total, and n */
    double mean, deviation;
};
LW_NODISCARD int lw_overlap_null(struct lw_overlap_null *null, const struct lw_tally *reference,
                                 uint64_t tokens, struct lw_error *err);

#endif
