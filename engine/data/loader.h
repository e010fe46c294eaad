/* SPDX-License-Identifier: MIT
 *
 * Batches of windows, prepared ahead by a thread of the loader's own.
 *
 * Window w of a stream is its tokens [w*T, w*T + T + 1): the first T are inputs, the last T are
 * targets. A training pass visits all windows once in an order drawn anew for each epoch from
 * (seed, epoch), or in the stream's order; window number i of that order belongs to rank
 * (i / rows) mod ranks, so the ranks together see what one rank alone would see. A last batch that
 * is not full for every rank is dropped. Generated data is endless: its epochs follow one another
 * in the stream, in order.
 *
 * An evaluation pass goes once through all windows in the stream's order; what is missing to full
 * batches for every rank is padded with rows whose targets are all LW_IGNORE.
 *
 * Items (items.h) are dealt out in the same way, one a row, with one target each.
 */
#ifndef LW_DATA_LOADER_H
#define LW_DATA_LOADER_H

#include <stdint.h>

#include "engine/base/error.h"
#include "engine/data/dataset.h"
#include "engine/data/items.h"

#define LW_IGNORE (-100) /* a target that does not count */

/* Everything a checkpoint needs to go on with the next batch. */
struct lw_loader_state {
    int64_t epoch; /* from 0 */
    int64_t index; /* windows of this epoch already given out, over all ranks */
};

struct lw_batch {
    int32_t *tokens;    /* [rows, length]; NULL: images */
    uint8_t *pixels;    /* [rows, 3, S, S]; NULL: tokens */
    const uint8_t *raw; /* the same before they were augmented */
    int32_t *targets;   /* [rows, length], of items [rows]; LW_IGNORE where it does not count */
    int64_t *position;  /* [rows] where in the stream the row starts, or which item; -1: padding */
    int rows, length;   /* length of images is 1 */
    int side;           /* S; 0: tokens */
    int32_t padding;    /* token that fills up texts of classes; -1: none does */
    int64_t target_count; /* targets that count, in this rank's batch */
    int last;             /* the epoch's (or evaluation's) last batch */
    double epoch; /* epochs done after this batch, fractional: 1.25 is a quarter of the second */
    struct lw_loader_state after;
    void *note; /* what options.notes made of it, or NULL */
};

/* Something to be worked out for every batch in the loader's thread, ahead of its use. */
struct lw_loader_notes {
    int (*make)(void *user, void **note, struct lw_error *err); /* room for one, used again */
    int (*fill)(void *user, void *note, const struct lw_batch *batch, const struct lw_dataset *data,
                struct lw_error *err);
    void (*drop)(void *note);
    void *user;
};

struct lw_loader_options {
    int rows;        /* batch_size */
    int length;      /* T, max_seq_len; of items it is their own */
    int rank, ranks; /* 0, 1 alone; ranks 0 means 1 */
    int shuffle;     /* training on data that is not generated */
    int evaluation;  /* one pass, padded, in order */
    int augment;     /* images, in training: enum lw_augment */
    uint64_t seed;
    int ahead;                           /* batches prepared in advance; 0: 4 */
    const struct lw_loader_notes *notes; /* copied; NULL: none */
};

struct lw_loader;

/* d must stay open as long as the loader. start NULL is {0, 0}. LW_EDATA when d has fewer windows
 * than a batch over all ranks (training) or than one (evaluation), or start is not a place in it.
 */
LW_NODISCARD int lw_loader_open(struct lw_loader **out, const struct lw_dataset *d,
                                const struct lw_loader_options *options,
                                const struct lw_loader_state *start, struct lw_error *err);
LW_NODISCARD int lw_loader_open_items(struct lw_loader **out, const struct lw_items *d,
                                      const struct lw_loader_options *options,
                                      const struct lw_loader_state *start, struct lw_error *err);
void lw_loader_close(struct lw_loader *l);

/* What a model takes: tokens or pixels. */
static inline const void *lw_batch_input(const struct lw_batch *b)
{
    return b->pixels ? (const void *)b->pixels : b->tokens;
}

/* The next batch, the loader's own until the following call. *batch is NULL at the end of an
 * evaluation pass. Waits for the loader's thread where it is behind. */
LW_NODISCARD int lw_loader_next(struct lw_loader *l, const struct lw_batch **batch,
                                struct lw_error *err);

/* Go on from another place: an evaluation loader is rewound with {0, 0} before each pass. */
LW_NODISCARD int lw_loader_seek(struct lw_loader *l, const struct lw_loader_state *to,
                                struct lw_error *err);

/* Batches this rank gets in one epoch or one evaluation pass. */
int64_t lw_loader_batches(const struct lw_loader *l);

/* Batches of an epoch that come after a place in it: 0 where less than one is left. */
int64_t lw_loader_left(const struct lw_loader *l, const struct lw_loader_state *at);

#endif
