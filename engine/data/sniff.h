/* SPDX-License-Identifier: MIT
 *
 * Where tokens come from: a file or the files of a folder, and what they are by their content.
 */
#ifndef LW_DATA_SNIFF_H
#define LW_DATA_SNIFF_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

enum lw_format {
    LW_FORMAT_TEXT,
    LW_FORMAT_JSONL,
    LW_FORMAT_SHARD16, /* llm.c: 1024 bytes of header, then uint16 ids */
    LW_FORMAT_SHARD32, /* the same for llama-3: uint32 ids */
    LW_FORMAT_RAW16,   /* nanoGPT: uint16 ids, no header */
};

struct lw_token_source {
    char **path; /* regular files, sorted by name */
    enum lw_format *format;
    size_t count;
    int folder;     /* a folder was given */
    size_t ignored; /* files that are no token files, in a folder of token files */
    char note[400]; /* of the first file of text that looks like a table, or "" */
};

/* All files below path (hidden ones excepted) or path itself, and what they are. Files that cannot
 * be data are LW_EDATA, images LW_EMISSING; a folder holds text (JSONL among it) or token files of
 * one kind. */
LW_NODISCARD int lw_token_source_open(struct lw_token_source *out, const char *path,
                                      struct lw_error *err);
void lw_token_source_close(struct lw_token_source *s);

/* What an llm.c header says; LW_EDATA where it is not one that we read. magic: the first four
 * bytes. */
struct lw_shard_header {
    int32_t magic, version, tokens;
};
#define LW_SHARD_HEADER 1024

#endif
