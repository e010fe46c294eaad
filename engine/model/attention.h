/* SPDX-License-Identifier: MIT
 *
 * Which attention a model's layers get.
 *
 * Only LW_ATTENTION_AUTO falls back: it takes the first of cudnn, tiled and math that the backend
 * says it can run. A kind that was asked for by name and can't run is an error that names the
 * layers and the reason.
 */
#ifndef LW_MODEL_ATTENTION_H
#define LW_MODEL_ATTENTION_H

#include <stddef.h>

#include "engine/base/error.h"
#include "engine/ops/ops.h"

#define LW_ATTENTION_AUTO (-1) /* where an int stands for a kind or this */

/* "auto", "math", "tiled", "cudnn". */
const char *lw_attention_name(int kind);

/* The kind of that name, LW_ATTENTION_AUTO for "auto", -2 for none. */
int lw_attention_parse(const char *name);

struct lw_attention_choice {
    enum lw_attention_kind kind; /* all layers of a model have one shape, so they get one kind */
    /* A line for the log: "Flash attention (cuDNN SDPA) on for 4 layers: h.0.attn, …", with what
     * speaks against the kinds that auto passed over. */
    char event[400];
};

/* Decide for `layers` layers of that shape (shape->kind is not read), called prefix + number +
 * suffix, such as "h." and ".attn". An impossible explicit choice is LW_EUSAGE. */
LW_NODISCARD int lw_attention_choose(const struct lw_backend *backend, struct lw_device *device,
                                     const struct lw_attention *shape, int wanted, int layers,
                                     const char *prefix, const char *suffix,
                                     struct lw_attention_choice *out, struct lw_error *err);

#endif
