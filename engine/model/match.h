/* SPDX-License-Identifier: MIT
 *
 * Which tensor of a file or folder each parameter gets, or everything that is wrong with it.
 */
#ifndef LW_MODEL_MATCH_H
#define LW_MODEL_MATCH_H

#include <stdbool.h>

#include "engine/export/safetensors.h"
#include "engine/model/name_list.h"
#include "engine/model/params.h"

struct lw_match {
    const struct lw_tensor **of; /* per parameter and buffer: index * suffixes + suffix */
    bool *fresh;                 /* the same: the tensor is not to be used */
    struct lw_name_list missing, extra, misshapen;
};

struct lw_match_rules {
    const char *what;            /* "checkpoint x" for messages */
    const char *const *suffixes; /* appended to names: {""} or {".m", ".v"} */
    int suffix_count;
    const char *optional_prefix;      /* may be left out of names; NULL: none */
    bool (*ignore)(const char *name); /* extra tensors that are fine; NULL: none */
    /* Another name that a parameter may have; false: none. NULL: none of them has one. */
    bool (*other_name)(const char *name, char *out, size_t size);
    /* Parameters that may be missing or misshapen, and are then `fresh`. NULL: none. */
    bool (*replaceable)(const char *name);
};

/* LW_EDATA lists all that is missing, extra and misshapen. Always lw_match_free() afterwards. */
LW_NODISCARD int lw_match_tensors(struct lw_match *m, const struct lw_params *p,
                                  const struct lw_tensor_set *set,
                                  const struct lw_match_rules *rules, struct lw_error *err);
void lw_match_free(struct lw_match *m);

#endif
