/* SPDX-License-Identifier: MIT
 *
 * Counts by id (tokens, classes), with the sums that tell how dependent they are. Ids arrive in
 * units that are drawn together: the tokens of a document, the one class of an image. With x the
 * count of an id in a unit and n the unit's size, a tally keeps the sums of x, x^2 and x*n per id
 * and of n^2. All are integers, so tallies add up exactly in any order.
 */
#ifndef LW_DRIFT_TALLY_H
#define LW_DRIFT_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

#define LW_TALLY_IDS   ((uint32_t)1 << 20) /* ids are below this */
#define LW_TALLY_UNIT  ((size_t)1 << 16)   /* longer units are cut here: sums fit 64 bits */
#define LW_TALLY_LIMIT ((uint64_t)1 << 46) /* ids that one tally can count */

struct lw_tally_row {
    uint64_t count, square, cross; /* sums of x, x^2, x*n over units */
};

struct lw_tally {
    struct lw_tally_row *row; /* by id */
    uint32_t rows;
    uint64_t total;        /* sum of n */
    uint64_t units;        /* with n > 0 */
    uint64_t unit_squares; /* sum of n^2 */
    uint32_t *now;         /* [rows] x in the unit that is being added, else 0 */
    uint32_t *met;         /* [LW_TALLY_UNIT] the unit's ids, each once */
    uint32_t *seen;        /* [rows] sparse: ids with a count, in any order; else NULL */
    uint32_t sees;
    bool sparse; /* set before the first id: merging and clearing cost what it holds, not rows */
};

/* An id with its count. */
struct lw_id_count {
    uint32_t id;
    uint64_t count;
};

/* A zeroed tally is empty and valid. */
void lw_tally_fini(struct lw_tally *t);

/* Forget the counts, keep the memory. */
void lw_tally_clear(struct lw_tally *t);

/* Have rows for ids below `rows`. LW_EMEM; LW_EDATA beyond LW_TALLY_IDS. */
LW_NODISCARD int lw_tally_reserve(struct lw_tally *t, uint32_t rows, struct lw_error *err);

/* Add one unit. Negative ids (padding, ignored labels) do not count. LW_EDATA names an id that is
 * too large, and nothing of the unit was added then. */
LW_NODISCARD int lw_tally_add(struct lw_tally *t, const int32_t *ids, size_t n,
                              struct lw_error *err);

/* Add n ids that are each a unit of its own. */
LW_NODISCARD int lw_tally_add_single(struct lw_tally *t, const int32_t *ids, size_t n,
                                     struct lw_error *err);

/* The same for 16-bit ids, at memory speed. */
LW_NODISCARD int lw_tally_add_u16(struct lw_tally *t, const uint16_t *ids, size_t n,
                                  struct lw_error *err);

/* Add from's counts to t. */
LW_NODISCARD int lw_tally_merge(struct lw_tally *t, const struct lw_tally *from,
                                struct lw_error *err);

/* The count of an id, 0 for one never seen. */
uint64_t lw_tally_count(const struct lw_tally *t, uint32_t id);

/* Distinct ids seen. */
uint32_t lw_tally_distinct(const struct lw_tally *t);

/* The most frequent of ids that are put one by one, each once: at most max, most frequent first,
 * ties by lower id. room holds max of them. lw_top_end orders the list and gives its length. */
struct lw_top {
    struct lw_id_count *list;
    int n, max;
};
void lw_top_start(struct lw_top *t, struct lw_id_count *room, int max);
void lw_top_put(struct lw_top *t, uint32_t id, uint64_t count);
int lw_top_end(struct lw_top *t);

/* The most frequent ids, at most max of them, in the same order. */
int lw_tally_top(const struct lw_tally *t, struct lw_id_count *top, int max);

/* Design effect of one id by Rao and Scott (1981): the variance of its share, units being drawn,
 * over that of independent ids. NaN where it is not known: under 2 units, share 0 or 1. */
double lw_tally_effect(const struct lw_tally *t, uint32_t id);

#endif
