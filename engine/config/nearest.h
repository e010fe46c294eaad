/* SPDX-License-Identifier: MIT
 *
 * The known word nearest to one that was mistyped.
 */
#ifndef LW_CONFIG_NEAREST_H
#define LW_CONFIG_NEAREST_H

/* Edits (insert, delete, replace, swap of neighbours: restricted Damerau-Levenshtein) from a to b;
 * words longer than 63 bytes are far from everything. */
int lw_edit_distance(const char *a, const char *b);

/* The nearest of count words, NULL when none is near enough to be meant (a third of its length). */
const char *lw_nearest(const char *word, const char *const *words, int count);

#endif
