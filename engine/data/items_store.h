/* SPDX-License-Identifier: MIT
 *
 * A data set of items from inside: a store, which knows how one kind of source is read and is
 * shared, and views of it.
 */
#ifndef LW_DATA_ITEMS_STORE_H
#define LW_DATA_ITEMS_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/data/items.h"

struct lw_items_store;

struct lw_items_kind {
    /* Row (info's size) and, where the store keeps no labels, the label. */
    int (*read)(const struct lw_items_store *s, int64_t i, void *row, int32_t *label,
                struct lw_error *err);
    void (*close)(void *own);
};

struct lw_items_store {
    atomic_int users;
    const struct lw_items_kind *kind;
    struct lw_items_info info;
    char *path;
    char note[256];
    char **labels;  /* [info.classes] */
    int32_t *label; /* [info.items], or NULL */
    void *own;      /* the kind's */
};

struct lw_items {
    struct lw_items_store *store;
    struct lw_items_info info;
    int64_t *index; /* [info.items] in the store; NULL: all of them */
};

/* A store with one user; NULL: out of memory. */
struct lw_items_store *lw_items_store_new(const struct lw_items_kind *kind, struct lw_error *err);
void lw_items_store_release(struct lw_items_store *s);

/* A view of the store (of some of its items: index is taken over). */
LW_NODISCARD int lw_items_view(struct lw_items **out, struct lw_items_store *s, int64_t *index,
                               int64_t items, struct lw_error *err);

/* Take over names (an array of `classes` strings) as the classes' labels. */
void lw_items_name(struct lw_items_store *s, char **names, int classes);
/* "0", "1", … as labels. */
LW_NODISCARD int lw_items_number(struct lw_items_store *s, int classes, struct lw_error *err);

/* Classes that the options ask for are at least those that there are; the rest gets numbers. */
LW_NODISCARD int lw_items_widen(struct lw_items_store *s, int classes, struct lw_error *err);

/* Training and validation set of a source, given how one part of it is opened: *out is NULL where
 * a part that was asked for by name is not there. */
enum lw_items_part { LW_ITEMS_WHOLE, LW_ITEMS_TRAIN, LW_ITEMS_VALIDATION };
typedef int lw_items_opener(struct lw_items **out, const char *path, enum lw_items_part part,
                            const struct lw_items_options *o, const void *user,
                            struct lw_error *err);
LW_NODISCARD int lw_items_open_both(const struct lw_items_options *o, lw_items_opener *open,
                                    const void *user, struct lw_items **train,
                                    struct lw_items **validation, struct lw_error *err);

/* The same labels in the same order, or LW_EDATA naming both. */
LW_NODISCARD int lw_items_same_labels(const struct lw_items *a, const struct lw_items *b,
                                      struct lw_error *err);

/* Generated data: its hash. */
void lw_items_hash_facts(struct lw_items_store *s, const uint64_t *facts, size_t count);

#endif
