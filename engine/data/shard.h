/* SPDX-License-Identifier: MIT
 *
 * Token files: llm.c's shards and nanoGPT's headerless uint16.
 */
#ifndef LW_DATA_SHARD_H
#define LW_DATA_SHARD_H

#include "engine/data/sniff.h"
#include "engine/data/stream.h"

/* How many ids a token file holds, from its size and its header, which must agree. header: the
 * first n bytes of the file. LW_EDATA where they do not. */
LW_NODISCARD int lw_shard_count(const char *path, enum lw_format format,
                                const unsigned char *header, size_t n, int64_t size, int64_t *count,
                                struct lw_error *err);

/* All token files of source (of one kind) into s. */
LW_NODISCARD int lw_shards_open(struct lw_store *s, const struct lw_token_source *source,
                                const struct lw_tokenizer *t, struct lw_error *err);

/* Keep the files of one part: 1 when names part the folder into training and validation. */
int lw_shards_part(struct lw_token_source *source, enum lw_part part);

#endif
