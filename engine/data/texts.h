/* SPDX-License-Identifier: MIT
 *
 * Texts of classes from inside the room.
 */
#ifndef LW_DATA_TEXTS_H
#define LW_DATA_TEXTS_H

#include <stdbool.h>

#include "engine/data/items_store.h"

/* The built-in texts, cls_tiny. */
LW_NODISCARD int lw_texts_generate(struct lw_items **out, const struct lw_items_options *o,
                                   const struct lw_tokenizer *t, bool validation,
                                   struct lw_error *err);

#endif
