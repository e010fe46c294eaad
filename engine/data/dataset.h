/* SPDX-License-Identifier: MIT
 *
 * A data set is one flat stream of token ids with the places where its documents start. It comes
 * from text (a file, or a folder of files, a document each), JSONL records, token shards as
 * llm.c and nanoGPT write them, or from the built-in generator. The format is found by content.
 *
 * Streams are memory mapped: shards directly, text through a cache of its tokens, so memory does
 * not grow with the data. Between documents stands the tokenizer's separator id.
 */
#ifndef LW_DATA_DATASET_H
#define LW_DATA_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/data/generate.h"
#include "engine/data/tokenizer.h"

struct lw_dataset; /* shared, read-only and safe to read from several threads once opened */

struct lw_dataset_info {
    const char *format;    /* "text", "folder of text", "JSONL", "llm.c shard", ... for people */
    int64_t tokens;        /* in the stream; for generated data: in one epoch */
    int64_t documents;     /* -1 where unknown: shards larger than LW_SCAN_LIMIT, generated */
    int64_t bytes;         /* of the source: of text, or of the token files */
    int64_t invalid_bytes; /* of text that are not UTF-8: accepted and counted */
    int64_t max_id;        /* largest id in the stream, -1 where unknown */
    int vocab_size;        /* the tokenizer's; for shards that of the tokenizer they are made by */
    int separator;         /* id between documents */
    int endless;           /* generated: any position may be read, tokens is only an epoch */
    int from_cache;        /* tokens were found in the cache */
    int shards;            /* ids were read from token files: the tokenizer was not used */
    char hash[33];         /* of the content, hexadecimal */
    const char *path;      /* NULL for generated data */
    const char *note;      /* something a user should hear (one line), or "" */
};

/* Shards up to this size are scanned when opened; of larger data only a sample is hashed, and
 * ids are checked as they are read. */
#define LW_SCAN_LIMIT ((int64_t)1 << 30)

struct lw_dataset_options {
    const char *document_separator; /* parts a text file into documents; NULL or "": it is one */
    const char *cache_dir;          /* for tokens; made when missing; NULL: no cache */
    int threads;                    /* for tokenising; 0: as many as OpenMP gives */
};

/* Open a file or folder. LW_EIO: missing or unreadable. LW_EDATA: empty, damaged, or of a kind
 * this version does not read. LW_EMISSING: image data. options may be NULL. A cache that cannot
 * be written is not an error: info.note says so. */
LW_NODISCARD int lw_dataset_open(struct lw_dataset **out, const char *path,
                                 const struct lw_tokenizer *t,
                                 const struct lw_dataset_options *options, struct lw_error *err);

/* The built-in data. epoch_tokens is what one epoch holds. t must outlive the data set. */
LW_NODISCARD int lw_dataset_generate(struct lw_dataset **out, const struct lw_tokenizer *t,
                                     const struct lw_generate_options *options,
                                     int64_t epoch_tokens, struct lw_error *err);

/* Ids in memory as a data set (copied); documents start at 0 and after each separator. */
LW_NODISCARD int lw_dataset_from_ids(struct lw_dataset **out, const uint32_t *ids, int64_t count,
                                     int separator, int vocab_size, struct lw_error *err);

void lw_dataset_close(struct lw_dataset *d);

const struct lw_dataset_info *lw_dataset_info(const struct lw_dataset *d);

/* Copy ids [start, start + count) to out. LW_EDATA when they are not all there, or when one is
 * not below the limit set by lw_dataset_check_ids. */
LW_NODISCARD int lw_dataset_read(const struct lw_dataset *d, int64_t start, int64_t count,
                                 int32_t *out, struct lw_error *err);

/* Every id must be below vocab_size (the model's): LW_EDATA naming the id and where it stands,
 * at once where the stream was scanned, else at the read that meets it. */
LW_NODISCARD int lw_dataset_check_ids(struct lw_dataset *d, int vocab_size, struct lw_error *err);

/* Stream position of document i's first token (i == documents gives the end of the stream), or
 * -1 where documents are not indexed (info.documents is -1 or i is out of range). */
int64_t lw_dataset_document(const struct lw_dataset *d, int64_t i);

/* Part a data set in two. With LW_SPLIT_DOCUMENTS documents or more, fraction of them, drawn by
 * seed, validate (runs of neighbours, so that at most 65536 are drawn); else the last fraction
 * of the tokens. Shards are always parted by tokens. Both halves stay valid after
 * lw_dataset_close(d). LW_EDATA, naming the lengths, when a half is shorter than length + 1. */
#define LW_SPLIT_DOCUMENTS 20
LW_NODISCARD int lw_dataset_split(struct lw_dataset *d, double fraction, uint64_t seed, int length,
                                  struct lw_dataset **train, struct lw_dataset **validation,
                                  struct lw_error *err);

/* What the configuration's fields make: a training and a validation set. */
struct lw_data_options {
    const char *data;            /* file or folder; NULL: generated */
    const char *validation_data; /* NULL: part of data */
    double validation_split;     /* 0: *validation is NULL, unless validation_data is given */
    struct lw_dataset_options read;
    uint64_t seed;                       /* random_seed */
    int length;                          /* max_seq_len: windows are length + 1 long */
    int64_t epoch_tokens;                /* generated data: an epoch; 0: 1 << 20 */
    int64_t validation_tokens;           /* generated data: 0: 1 << 16 */
    struct lw_generate_options generate; /* seed and validation are set by lw_data_open */
};

/* A folder of shards that holds both ..._train_... and ..._val_... files, as llm.c's scripts
 * write them, is parted by those names. LW_EDATA when a set is shorter than one sequence. */
LW_NODISCARD int lw_data_open(const struct lw_data_options *options, const struct lw_tokenizer *t,
                              struct lw_dataset **train, struct lw_dataset **validation,
                              struct lw_error *err);

#endif
