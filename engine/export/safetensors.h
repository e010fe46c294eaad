/* SPDX-License-Identifier: MIT
 *
 * safetensors files: a 64-bit little-endian length, a JSON header that names every tensor with its
 * dtype, shape and place, then the data. The format belongs to Hugging Face; a file is checked
 * completely before any of it is believed, and a bad one is LW_EDATA with one line that says what
 * is wrong. Memory stays within a small multiple of the header, however hostile it is: the header
 * is scanned in place by a parser of its own, because a general JSON tree can take twenty times
 * the text.
 */
#ifndef LW_EXPORT_SAFETENSORS_H
#define LW_EXPORT_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/ops/dtype.h"

#define LW_TENSOR_RANK       8         /* dimensions that we read */
#define LW_TENSOR_HEADER_MAX 100000000 /* bytes, the format's own limit */

struct lw_tensor {
    const char *name; /* UTF-8, as in the file: clean it before showing it */
    int type;         /* enum lw_dtype; -1: known to the format but not to us */
    const char *type_name;
    int rank;
    int64_t shape[LW_TENSOR_RANK];
    uint64_t count;        /* elements */
    uint64_t begin, bytes; /* in the data part */
    const void *data;      /* mapped; any alignment */
};

struct lw_tensor_note { /* of __metadata__ */
    const char *key, *value;
};

/* A mapped file. Tensors are in the order of their data. */
struct lw_safetensors {
    struct lw_tensor *list;
    size_t tensors;
    struct lw_tensor_note *notes;
    size_t note_count;
    /* private */
    const struct lw_tensor **by_name;
    char *text; /* names and notes, decoded */
    char *path;
    void *map;
    size_t map_bytes;
};

LW_NODISCARD int lw_safetensors_open(struct lw_safetensors *s, const char *path,
                                     struct lw_error *err);
/* The same over bytes in memory, which must outlive s; path is for messages. */
LW_NODISCARD int lw_safetensors_parse(struct lw_safetensors *s, const char *path, const void *bytes,
                                      size_t size, struct lw_error *err);
void lw_safetensors_close(struct lw_safetensors *s); /* a zeroed struct is fine */
const struct lw_tensor *lw_safetensors_find(const struct lw_safetensors *s, const char *name);
/* A value of __metadata__, or NULL. */
const char *lw_safetensors_note(const struct lw_safetensors *s, const char *key);

/* The tensors of a folder: model.safetensors, or the shards that model.safetensors.index.json
 * names (which must lie in the folder itself and hold what it says). */
struct lw_tensor_set {
    struct lw_safetensors *files;
    int file_count;
};

LW_NODISCARD int lw_tensor_set_open(struct lw_tensor_set *s, const char *folder,
                                    struct lw_error *err);
void lw_tensor_set_close(struct lw_tensor_set *s);
const struct lw_tensor *lw_tensor_set_find(const struct lw_tensor_set *s, const char *name);

/* Writing: declare all tensors, begin, give the data in that order in pieces of any size, finish.
 * The file is written beside path and takes its name in finish, after an fsync; a writer that is
 * closed before leaves nothing. */
struct lw_safetensors_writer;

LW_NODISCARD int lw_safetensors_writer_new(struct lw_safetensors_writer **out, const char *path,
                                           struct lw_error *err);
LW_NODISCARD int lw_safetensors_declare(struct lw_safetensors_writer *w, const char *name,
                                        enum lw_dtype type, int rank, const int64_t *shape,
                                        struct lw_error *err);
/* __metadata__; "format" is "pt" unless said otherwise. */
LW_NODISCARD int lw_safetensors_set_note(struct lw_safetensors_writer *w, const char *key,
                                         const char *value, struct lw_error *err);
LW_NODISCARD int lw_safetensors_begin(struct lw_safetensors_writer *w, struct lw_error *err);
LW_NODISCARD int lw_safetensors_write(struct lw_safetensors_writer *w, const void *data,
                                      size_t bytes, struct lw_error *err);
LW_NODISCARD int lw_safetensors_finish(struct lw_safetensors_writer *w, struct lw_error *err);
void lw_safetensors_writer_free(struct lw_safetensors_writer *w); /* NULL is fine */

#endif
