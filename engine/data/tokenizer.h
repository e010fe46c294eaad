/* SPDX-License-Identifier: MIT
 *
 * Text to token ids and back. Two tokenizers, both byte-level, so that any bytes can be encoded
 * and decode(encode(x)) == x: "bytes" (the 256 bytes and a separator, id 256) and GPT-2's
 * byte-pair encoding, read from vocab.json and merges.txt, or from tokenizer.json.
 *
 * A tokenizer never changes after it was opened and may be shared by threads. What encoding keeps
 * between calls (a word cache) lives in an encoder; each thread has its own.
 */
#ifndef LW_DATA_TOKENIZER_H
#define LW_DATA_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

struct lw_tokenizer;
struct lw_encoder;

/* A growing list of ids. Zero-initialise; free with lw_ids_free. */
struct lw_ids {
    uint32_t *id;
    size_t count, capacity;
};

void lw_ids_free(struct lw_ids *ids);

/* spec is "bytes" (NULL means the same), a folder that holds vocab.json and merges.txt or else
 * tokenizer.json, or the path of a tokenizer.json. LW_EIO where a file cannot be read, LW_EDATA
 * where its content is wrong; the text names the file and the entry. */
LW_NODISCARD int lw_tokenizer_open(struct lw_tokenizer **out, const char *spec,
                                   struct lw_error *err);

/* The same from memory: the contents of vocab.json and merges.txt. */
LW_NODISCARD int lw_tokenizer_parse(struct lw_tokenizer **out, const char *vocab, size_t vocab_size,
                                    const char *merges, size_t merges_size, struct lw_error *err);

void lw_tokenizer_close(struct lw_tokenizer *t);

int lw_tokenizer_vocab_size(const struct lw_tokenizer *t);

/* The id that stands between documents: 256 for bytes, the entry <|endoftext|> for GPT-2. */
int lw_tokenizer_separator(const struct lw_tokenizer *t);

/* "bytes" or "bpe". */
const char *lw_tokenizer_name(const struct lw_tokenizer *t);

/* Depends on everything that decides which ids come out. */
uint64_t lw_tokenizer_hash(const struct lw_tokenizer *t);

/* The bytes that id stands for (*n may be 0: the separator of "bytes"); valid as long as t.
 * NULL when id is not in the vocabulary. */
const char *lw_tokenizer_bytes(const struct lw_tokenizer *t, uint32_t id, size_t *n);

/* The bytes of count ids, one after another, in memory the caller frees, with an extra NUL.
 * The separator of "bytes" decodes to nothing. LW_EDATA for an id beyond the vocabulary. */
LW_NODISCARD int lw_tokenizer_decode(const struct lw_tokenizer *t, const uint32_t *ids,
                                     size_t count, char **bytes, size_t *n, struct lw_error *err);

LW_NODISCARD int lw_encoder_open(struct lw_encoder **out, const struct lw_tokenizer *t,
                                 struct lw_error *err);
void lw_encoder_close(struct lw_encoder *e);

/* Append the ids of n bytes to ids. Special entries are not recognised in text: "<|endoftext|>"
 * in the input becomes the ids of its characters. LW_EMEM is the only error. */
LW_NODISCARD int lw_encode(struct lw_encoder *e, const char *bytes, size_t n, struct lw_ids *ids,
                           struct lw_error *err);

/* The ids of a prompt: of an empty one (or NULL) the separator, with which a document begins. */
LW_NODISCARD int lw_encode_prompt(const struct lw_tokenizer *t, const char *prompt,
                                  struct lw_ids *ids, struct lw_error *err);

/* Where a text of n bytes may be parted near `want` so that encoding the parts gives the ids of
 * the whole: before white space that follows something else. At most want + LW_CUT_SLACK; a text
 * with no such place there is parted at that limit between two characters all the same. Returns
 * n when n <= want. */
#define LW_CUT_SLACK (1u << 20)
size_t lw_text_cut(const char *bytes, size_t n, size_t want);

#endif
