/* SPDX-License-Identifier: MIT
 *
 * Rows of a stream, as training takes them, into a profile. A row's items are the documents that
 * begin in it, with their whole length, wherever they end; its units of tokens are what of one
 * document lies in it. So the rows of a stream give its lengths and counts in any order, over any
 * number of ranks.
 */
#ifndef LW_DRIFT_WINDOWS_H
#define LW_DRIFT_WINDOWS_H

#include "engine/data/dataset.h"
#include "engine/drift/profile.h"

/* Tokens [start, start + n) of d, which are ids. A document without an end within
 * LW_DOCUMENT_REACH tokens, in data whose documents are not indexed, is as long as that. */
#define LW_DOCUMENT_REACH ((int64_t)1 << 24)
LW_NODISCARD int lw_profile_window(struct lw_profile *p, const struct lw_dataset *d, int64_t start,
                                   const int32_t *ids, size_t n, struct lw_error *err);

/* What a token looks like: its bytes, with the usual escapes, and \xe2 for what is no whole
 * character by itself. A lw_profile_namer; user is a struct
 * lw_tokenizer. */
const char *lw_token_text(void *user, uint32_t id, char out[28]);

#endif
