/* SPDX-License-Identifier: MIT
 *
 * Text sources as pieces that can be encoded on their own, whatever the size of a document: the
 * pieces, and so the ids, depend on the text alone.
 */
#ifndef LW_DATA_FEED_H
#define LW_DATA_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "engine/data/sniff.h"

struct lw_piece {
    size_t at, n;  /* in the batch's bytes; n > 0 */
    int first;     /* starts a document */
    size_t tokens; /* for whoever encodes it */
};

struct lw_text_batch {
    char *bytes;
    size_t n, capacity;
    struct lw_piece *piece;
    size_t pieces, pieces_capacity;
};

struct lw_feed;

/* source must outlive the feed. separator: NULL or "" for none. */
LW_NODISCARD int lw_feed_open(struct lw_feed **out, const struct lw_token_source *source,
                              const char *separator, struct lw_error *err);
void lw_feed_close(struct lw_feed *f);

/* Replace the batch by the next pieces, about 8 MiB; no pieces: the end. Empty documents are left
 * out. LW_EDATA names the file and the line. */
LW_NODISCARD int lw_feed_fill(struct lw_feed *f, struct lw_text_batch *batch, struct lw_error *err);
void lw_text_batch_free(struct lw_text_batch *batch);

/* The text of one JSONL record, appended to the batch as a document. line: for messages. */
LW_NODISCARD int lw_jsonl_record(const char *record, size_t n, const char *path, int64_t line,
                                 struct lw_text_batch *batch, struct lw_error *err);

#endif
