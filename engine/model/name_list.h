/* SPDX-License-Identifier: MIT
 *
 * A list of tensor names for a message, short however many layers there are: names that differ
 * only in their layer's number are told once, "transformer.h.0-11.ln_1.bias".
 */
#ifndef LW_MODEL_NAME_LIST_H
#define LW_MODEL_NAME_LIST_H

#include <stddef.h>

#define LW_NAME_LIST_MAX 4096 /* names that are kept; further ones are only counted */

struct lw_name_list {
    char **name;
    int kept, count;
};

/* Add a copy. Where there is no memory for it, it is only counted. */
void lw_name_list_add(struct lw_name_list *l, const char *name);

/* Write "\nwhat (3): a, b and 1 more" as far as size allows, and nothing for an empty list.
 * Returns the length. */
size_t lw_name_list_tell(const struct lw_name_list *l, const char *what, char *out, size_t size);

void lw_name_list_free(struct lw_name_list *l);

#endif
