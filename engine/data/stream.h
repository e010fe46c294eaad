/* SPDX-License-Identifier: MIT
 *
 * A data set from inside: a store, which holds the ids of one source and is shared, and views,
 * which are what the public header calls data sets: runs of the store's tokens, one after another.
 */
#ifndef LW_DATA_STREAM_H
#define LW_DATA_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/data/dataset.h"

/* Ids that lie together: in memory, or in a file that is read as needed (a file of somebody
 * else's may be cut while we run: reading then fails, where a mapping would end the program). */
struct lw_segment {
    int64_t at, count; /* in the store's stream */
    const void *data;  /* NULL: in the file */
    int64_t offset;    /* of the ids in the file */
    int fd;            /* -1: opened for each read, where there are too many files */
    char *path;        /* NULL: memory */
};

struct lw_store {
    atomic_int users;
    struct lw_dataset_info info;
    char *path; /* info.path */
    char note[512];
    int width; /* bytes of an id: 2 or 4 */
    struct lw_segment *segment;
    size_t segments;
    const uint64_t *document; /* [info.documents] where they start; NULL: not known */
    void *memory;             /* owned ids and documents, or NULL */
    void *map;                /* a mapped cache, or NULL */
    size_t map_size;
    struct lw_generate_options generate; /* generated data: */
    struct lw_encoder *encoder;
    pthread_mutex_t lock; /* over chunk, chunk_index and encoder */
    int64_t chunk_index;  /* -1: none yet */
    int32_t *chunk;
};

/* Tokens [source, ...) of the store, up to the next run's `at`; likewise its documents. */
struct lw_run {
    int64_t at, source;
    int64_t document_at, document_source;
};

struct lw_dataset {
    struct lw_store *store;
    struct lw_dataset_info info;
    struct lw_run *run;
    size_t runs;
    int64_t id_limit; /* ids must be below; 0: not checked */
};

struct lw_store *lw_store_new(struct lw_error *err); /* with one user; NULL: out of memory */
void lw_store_release(struct lw_store *s);

/* Add a segment after the last one. path is copied; fd is the store's from now on. */
LW_NODISCARD int lw_store_add(struct lw_store *s, int64_t count, const void *data, int fd,
                              int64_t offset, const char *path, struct lw_error *err);

/* Copy ids of the store; those not below limit (0: any) are LW_EDATA. */
LW_NODISCARD int lw_store_read(struct lw_store *s, int64_t start, int64_t count, int64_t limit,
                               int32_t *out, struct lw_error *err);

/* A view of runs (taken over; NULL: of the whole store). tokens and documents are the view's. Takes
 * a user of its own. */
LW_NODISCARD int lw_view_new(struct lw_dataset **out, struct lw_store *s, struct lw_run *runs,
                             size_t count, int64_t tokens, int64_t documents, struct lw_error *err);

/* Which files of a folder of shards: names with "train" and "val" in them part it. */
enum lw_part { LW_PART_TRAIN, LW_PART_VALIDATION };

/* Like lw_dataset_open. *out is NULL when LW_PART_VALIDATION was asked of data without such
 * files. */
LW_NODISCARD int lw_dataset_open_part(struct lw_dataset **out, const char *path, enum lw_part part,
                                      const struct lw_tokenizer *t,
                                      const struct lw_dataset_options *options,
                                      struct lw_error *err);

/* The hash of files' contents in their order, hexadecimal in hash; *key also covers the times of
 * files that were only sampled because they are larger than LW_SCAN_LIMIT together. */
LW_NODISCARD int lw_content_hash(char *const *paths, size_t count, char hash[33], uint64_t *key,
                                 int64_t *bytes, struct lw_error *err);

#endif
