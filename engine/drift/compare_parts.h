/* SPDX-License-Identifier: MIT
 *
 * What the files of a comparison share.
 */
#ifndef LW_DRIFT_COMPARE_PARTS_H
#define LW_DRIFT_COMPARE_PARTS_H

#include "engine/drift/compare.h"

struct lw_pair {
    const struct lw_profile *reference, *current;
    const struct lw_drift_settings *settings;
    struct lw_overlap_null *cache;
    struct lw_comparison *out;
};

/* The most frequent ids of either side, and how many of the current one's the reference has not. */
struct lw_tops {
    struct lw_id_count reference[LW_PROFILE_TOP], current[LW_PROFILE_TOP];
    int n, m;
    uint64_t unseen;
};

/* compare_ids.c: the JS score of two tallies. units[2] tell the design effect, given back; so are
 * the tops, where tops is not NULL. */
LW_NODISCARD int lw_compare_tallies(struct lw_pair *p, enum lw_score_id id,
                                    const struct lw_tally *a, const struct lw_tally *b,
                                    const struct lw_tally *const units[2], double *effect,
                                    struct lw_tops *tops, struct lw_error *err);

/* token_overlap and token_oov. */
LW_NODISCARD int lw_compare_overlap(struct lw_pair *p, const struct lw_tally *a,
                                    const struct lw_tally *b, double effect,
                                    const struct lw_tops *tops, struct lw_error *err);

/* KL(a || b) over the union of ids; NaN where a side is empty. */
LW_NODISCARD int lw_tallies_kl(const struct lw_tally *a, const struct lw_tally *b, double added,
                               double *kl, struct lw_error *err);

/* why.c: the bins behind a score. edge[k + 1]. */
void lw_why_bins(struct lw_score *s, const uint64_t *a, const uint64_t *b, size_t k,
                 const double *edge);

/* The ids behind a score; name from either profile, "class N" for classes. */
void lw_why_ids(struct lw_score *s, const struct lw_pair *p, bool classes, const uint64_t *a,
                const uint64_t *b, const uint32_t *id, size_t k);

/* quantiles.c: fine histograms to at most 16 bins that hold about equally much of fine[0]. Returns
 * how many; edge[how many + 1]. */
#define LW_QUANTILES 16
size_t lw_quantile_bins(const uint64_t *const fine[2], double max, uint64_t coarse[2][LW_QUANTILES],
                        double edge[LW_QUANTILES + 1]);

#endif
