/* SPDX-License-Identifier: MIT
 *
 * The built-in text, lm_tiny: short English-like documents from a small grammar with something to
 * learn at every scale: spelling, agreement of number, counting, nested clauses, names and things
 * that recur within a document. It is endless and addressable: the stream is a row of chunks, and
 * a chunk is a pure function of (seed, chunk), so a resumed run jumps to any place.
 */
#ifndef LW_DATA_GENERATE_H
#define LW_DATA_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/data/tokenizer.h"

enum lw_shift {
    LW_SHIFT_NONE,
    LW_SHIFT_LENGTH,     /* documents grow longer */
    LW_SHIFT_VOCABULARY, /* other words in the same grammar */
};

struct lw_generate_options {
    uint64_t seed;
    int validation; /* 1: the stream that training never sees */
    enum lw_shift shift;
    int64_t shift_from; /* first token of the stream that drifts (rounded up to a chunk) */
};

/* Data drifts by and by: from shift_from on a growing share of documents is of the new kind, all of
 * them LW_SHIFT_TOKENS later. */
#define LW_SHIFT_TOKENS ((int64_t)1 << 18)

/* That share, at a token of the stream. */
double lw_shift_share(int64_t token, int64_t from);

/* Tokens in a chunk. The first starts a document, the last is a separator. */
#define LW_GENERATE_CHUNK 16384

/* Append document number `document` of chunk `chunk` to text (n bytes used of capacity, grown by
 * realloc). UTF-8, no line breaks, never empty. */
struct lw_generated {
    char *text;
    size_t n, capacity;
};
LW_NODISCARD int lw_generate_document(const struct lw_generate_options *options, int64_t chunk,
                                      int64_t document, struct lw_generated *out,
                                      struct lw_error *err);

/* Fill ids[LW_GENERATE_CHUNK] with the tokens of chunk `chunk`. */
LW_NODISCARD int lw_generate_chunk(const struct lw_generate_options *options, int64_t chunk,
                                   struct lw_encoder *encoder, int separator, int32_t *ids,
                                   struct lw_error *err);

#endif
