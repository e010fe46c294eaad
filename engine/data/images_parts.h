/* SPDX-License-Identifier: MIT
 *
 * Sources whose files hold many images each: what IDX and CIFAR share.
 */
#ifndef LW_DATA_IMAGES_PARTS_H
#define LW_DATA_IMAGES_PARTS_H

#include "engine/data/images.h"

/* One file. */
struct lw_image_part {
    char *path;
    int fd;               /* the reader opens it; closed with the store; -1: not open */
    int64_t first, count; /* items of the store */
    int height, width;    /* of an image; 0 where the format has one size */
};

/* A store's own. */
struct lw_image_parts {
    struct lw_image_part *part;
    int parts;
    int labels; /* CIFAR: bytes of labels in a record */
};

/* A store of that path with room for as many parts as there are files; NULL: out of memory. */
struct lw_items_store *lw_image_parts_new(const struct lw_items_kind *kind, size_t files,
                                          const char *path, struct lw_error *err);
void lw_image_parts_close(void *own); /* the kind's */

/* The next file, which begins where the last one ends, with no images yet; NULL: out of memory. */
struct lw_image_part *lw_image_parts_add(struct lw_items_store *s, const char *path,
                                         struct lw_error *err);

/* The last part has `count` images: the store grows by them, and by room for their labels. */
LW_NODISCARD int lw_image_parts_grow(struct lw_items_store *s, struct lw_image_part *p,
                                     int64_t count, struct lw_error *err);

/* The part that item i of the store lies in. */
const struct lw_image_part *lw_image_parts_find(const struct lw_items_store *s, int64_t i);

/* LW_EDATA where the label of image i of a file is none of `classes`. */
LW_NODISCARD int lw_image_label_check(const char *path, int label, int64_t i, int classes,
                                      struct lw_error *err);

#endif
