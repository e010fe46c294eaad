/* SPDX-License-Identifier: MIT
 *
 * A file of tokens: a header, the ids (uint16 where the vocabulary allows it, else uint32), padding
 * to 8 bytes, where documents start (uint64). It is written aside and renamed, or has no name at
 * all when there is nowhere to keep it.
 */
#ifndef LW_DATA_CACHE_H
#define LW_DATA_CACHE_H

#include <stdio.h>

#include "engine/data/stream.h"

struct lw_cache_header {
    char magic[8];
    uint32_t version, width;
    uint64_t key;
    int64_t tokens, documents, invalid_bytes, max_id;
    uint64_t check; /* hash of all before */
};

/* What is being written. */
struct lw_cache_file {
    FILE *tokens, *documents;
    const char *where; /* for messages */
    char *aside;       /* its name until it is done; NULL: it has none */
    struct lw_cache_header header;
    int failed; /* writing it failed, and errno when it did */
};

/* dir NULL: a nameless file in the folder for temporary files, or else in memory. */
LW_NODISCARD int lw_cache_create(struct lw_cache_file *c, const char *dir, uint64_t key, int width,
                                 struct lw_error *err);

/* Append ids (all below 65536 when the width is 2); a document starts here when first is set. */
void lw_cache_put(struct lw_cache_file *c, const uint32_t *ids, size_t n, int first);

/* LW_EIO when writing has failed so far, else 0. */
LW_NODISCARD int lw_cache_check(const struct lw_cache_file *c, struct lw_error *err);

/* Complete it, give it its name, and map it into s. */
LW_NODISCARD int lw_cache_finish(struct lw_cache_file *c, const char *path, struct lw_store *s,
                                 struct lw_error *err);
void lw_cache_discard(struct lw_cache_file *c);

/* Map path into s: 1 when it is there and whole, else 0. */
int lw_cache_load(struct lw_store *s, const char *path, uint64_t key, int width);

/* Wait until no other process writes to the cache. Returns a descriptor to close, or -1 where
 * there are no locks. */
int lw_cache_lock(const char *dir);

/* Remove what processes that were killed left behind more than a day ago. */
void lw_cache_sweep(const char *dir);

#endif
