/* SPDX-License-Identifier: MIT
 *
 * A closer look at a part of a source, for zooms deeper than its pyramids: the file is read again
 * beside the one that is followed, a slice at a time so that keys stay quick, and only what lies
 * in the part is kept. Smoothing runs over everything that is read, so it stays exact.
 */
#ifndef LW_TUI_REFINE_H
#define LW_TUI_REFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/source.h"

enum { LW_REFINED_COLUMNS = 24, LW_REFINED_BUCKETS = 2048 };

struct lw_refined;

/* Begin to read the columns (by name) of s between x0 and x1 on its base axis; x1 may be INFINITY.
 * NULL when out of memory or the file cannot be read: then the coarse picture stays. */
struct lw_refined *lw_refined_new(const struct lw_source *s, const char *const *columns, int count,
                                  double x0, double x1);
void lw_refined_free(struct lw_refined *r);

/* Read on, at most about max_bytes; goes on following the file where the part is open to the
 * right. True when there is more to show: the part is complete, or has new rows. */
bool lw_refined_poll(struct lw_refined *r, size_t max_bytes);
bool lw_refined_busy(const struct lw_refined *r);

/* Is all between x0 and x1 in it (read or still coming)? */
bool lw_refined_covers(const struct lw_refined *r, double x0, double x1);

/* Has it had to merge samples, and is the part of this width so small in it that a new closer look
 * would show more? */
bool lw_refined_too_wide(const struct lw_refined *r, double width);

/* Buckets of a column; NULL when r is NULL, not complete yet, or without the column. */
const struct lw_pyramid *lw_refined_pyramid(const struct lw_refined *r, const char *column);

#endif
