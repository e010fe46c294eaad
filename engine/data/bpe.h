/* SPDX-License-Identifier: MIT
 *
 * What the files of the tokenizer share: the vocabulary in memory, the table of merges, and the
 * splitter that parts text into the words which byte-pair encoding never joins.
 */
#ifndef LW_DATA_BPE_H
#define LW_DATA_BPE_H

#include <stdint.h>

#include "engine/data/tokenizer.h"

/* Runs of one kind longer than this are parted, so that no text can make encoding slow or large. */
#define LW_WORD_MAX ((size_t)1 << 20)

struct lw_merge {
    uint64_t pair; /* left id << 32 | right id */
    uint32_t rank; /* place in merges.txt; UINT32_MAX: an empty slot */
    uint32_t result;
};

struct lw_token {
    const char *bytes; /* in the pool; NULL: no such id */
    uint32_t n;
};

struct lw_tokenizer {
    int bpe;
    int vocab_size;
    int separator;
    uint64_t hash;
    struct lw_token *token; /* [vocab_size] */
    char *pool;
    uint32_t byte_id[256];
    struct lw_merge *merge; /* open addressing, merge_mask + 1 slots */
    uint64_t merge_mask;
};

/* The slot of a pair, or the empty slot where it would go. */
const struct lw_merge *lw_bpe_find(const struct lw_tokenizer *t, uint32_t left, uint32_t right);

/* Fill an empty tokenizer from the contents of its files; the names are for messages. */
LW_NODISCARD int lw_bpe_parse_pair(struct lw_tokenizer *t, const char *vocab, size_t vocab_size,
                                   const char *vocab_name, const char *merges, size_t merges_size,
                                   const char *merges_name, struct lw_error *err);
LW_NODISCARD int lw_bpe_parse_json(struct lw_tokenizer *t, const char *json, size_t size,
                                   const char *name, struct lw_error *err);

/* Builds t's tables: tokens in any order, then sealed, then merges in the order of their rank. */
struct lw_bpe_builder;
LW_NODISCARD int lw_bpe_builder_new(struct lw_bpe_builder **out, struct lw_tokenizer *t,
                                    const char *vocab_name, const char *merges_name,
                                    struct lw_error *err);
/* text: as the file spells it, in the byte alphabet. */
LW_NODISCARD int lw_bpe_add_token(struct lw_bpe_builder *b, const char *text, size_t n, int64_t id,
                                  int special, struct lw_error *err);
LW_NODISCARD int lw_bpe_seal_tokens(struct lw_bpe_builder *b, struct lw_error *err);
LW_NODISCARD int lw_bpe_add_merge(struct lw_bpe_builder *b, const char *left, size_t left_n,
                                  const char *right, size_t right_n, size_t line,
                                  struct lw_error *err);
LW_NODISCARD int lw_bpe_finish(struct lw_bpe_builder *b, struct lw_error *err);
void lw_bpe_builder_free(struct lw_bpe_builder *b);

/* Splits text as GPT-2's pattern does:
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * A byte that is not part of valid UTF-8 counts as a character of the third kind. What is a
 * letter or a number is asked of pcre2, a page of 256 code points at a time. */
struct lw_splitter;
LW_NODISCARD int lw_splitter_open(struct lw_splitter **out, struct lw_error *err);
void lw_splitter_close(struct lw_splitter *s);

/* Length of the word that starts text (n > 0 bytes, all that is left of it). */
size_t lw_splitter_next(struct lw_splitter *s, const char *text, size_t n);

/* Unicode's White_Space. */
int lw_is_space(uint32_t code);

#endif
