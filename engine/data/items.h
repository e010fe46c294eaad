/* SPDX-License-Identifier: MIT
 *
 * A data set of items that each belong to a class: images, or texts. Images come from IDX files
 * (MNIST), CIFAR's binary files, a folder of PNG and JPEG files with a subfolder a class, or from
 * the built-in generator; texts from a CSV file with the columns text and label, or likewise.
 *
 * An item is a row of fixed size. An image is (3, S, S) bytes, channel by channel, resized to S
 * where it has another size; a grey one has three equal channels. A text is L token ids, cut to L
 * or filled up with the tokenizer's separator.
 */
#ifndef LW_DATA_ITEMS_H
#define LW_DATA_ITEMS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/data/tokenizer.h"

struct lw_items; /* shared, read-only and safe to read from several threads once opened */

struct lw_items_info {
    const char *format; /* "IDX", "CIFAR-10", "folder of images", "CSV", … for people */
    int64_t items;      /* generated: in one epoch */
    int classes;
    const char *const *labels; /* [classes] what they are called */
    int64_t bytes;             /* of the source */
    int image_size;            /* S; 0: texts */
    int bears;                 /* enum lw_augment: what leaves an image in its class */
    int length;                /* L; 0: images */
    int vocab_size, padding;   /* texts: the tokenizer's ids, and the one that fills up */
    int endless;               /* generated: any item may be read, `items` is only an epoch */
    int threads;               /* reading is worth so many threads: files are decoded */
    char hash[33];             /* of the content, hexadecimal */
    const char *path;          /* NULL for generated data */
    const char *note;          /* something a user should hear (one line), or "" */
};

enum lw_augment { LW_AUGMENT_NONE, LW_AUGMENT_CROP = 1, LW_AUGMENT_FLIP = 2 }; /* bits */

enum lw_items_shift {
    LW_ITEMS_STEADY,
    LW_ITEMS_BRIGHTER,  /* images: light is added */
    LW_ITEMS_CLASSES,   /* the first class comes ever more often */
    LW_ITEMS_LONGER,    /* texts: more words */
    LW_ITEMS_NEW_WORDS, /* texts: others around the telling ones */
};

struct lw_items_options {
    const char *data;            /* file or folder; NULL: generated */
    const char *validation_data; /* NULL: by the names in data, or part of it */
    double validation_split;     /* 0: *validation is NULL, unless there is some of its own */
    uint64_t seed;
    int image_size; /* S; 0: IDX's and CIFAR's own where all (of what trains) are squares of one
                     * size, else 224 */
    int classes;    /* labels must be below; 0: as many as the data has */
    int length;     /* L of texts */
    int threads;    /* for decoding; 0: as many as OpenMP gives */
    int64_t epoch_items, validation_items; /* generated */
    enum lw_items_shift shift;
    int64_t shift_from; /* the first generated item that drifts */
};

/* Files named train… and t10k…, test… or val…, and folders train/ and val/ or test/, part the data
 * by themselves. LW_EIO: missing or unreadable; LW_EDATA: empty, damaged, labels out of range, or
 * no images at all; LW_EMISSING: this build reads no PNG or JPEG. *validation may be NULL. */
LW_NODISCARD int lw_images_open(const struct lw_items_options *o, struct lw_items **train,
                                struct lw_items **validation, struct lw_error *err);
LW_NODISCARD int lw_texts_open(const struct lw_items_options *o, const struct lw_tokenizer *t,
                               struct lw_items **train, struct lw_items **validation,
                               struct lw_error *err);
void lw_items_close(struct lw_items *d); /* NULL is fine */

const struct lw_items_info *lw_items_info(const struct lw_items *d);
size_t lw_items_row(const struct lw_items *d); /* bytes of a row */

/* Row and label of item i. */
LW_NODISCARD int lw_items_read(const struct lw_items *d, int64_t i, void *row, int32_t *label,
                               struct lw_error *err);

/* Two data sets out of one; both stay valid when d is closed. */
LW_NODISCARD int lw_items_split(struct lw_items *d, double fraction, uint64_t seed,
                                struct lw_items **train, struct lw_items **validation,
                                struct lw_error *err);

/* Sums over every pixel of some images, and what they come to: exact, in any order. */
struct lw_image_sums {
    uint64_t pixels, sum[3], squares[3]; /* of bytes, by channel */
};

/* Add images first, first + step, … below `end` to the sums, on `threads` threads. */
LW_NODISCARD int lw_images_add_up(const struct lw_items *d, int64_t first, int64_t step, int64_t end,
                                  int threads, struct lw_image_sums *sums, struct lw_error *err);
/* Mean and standard deviation (of the whole, not of a sample) of each channel on [0, 1]. */
void lw_images_moments(const struct lw_image_sums *sums, double mean[3], double deviation[3]);

/* Shift an image (3, S, S) by up to S / 8 pixels each way, what is uncovered taking the colour of
 * the edge (crop), and mirror it or not (flip), as Philox block `position` of (seed, stream) says. */
void lw_image_augment(uint8_t *out, const uint8_t *in, int side, int how, uint64_t seed,
                      uint64_t stream, uint64_t position);

#endif
