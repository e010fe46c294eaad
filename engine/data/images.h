/* SPDX-License-Identifier: MIT
 *
 * Images from inside the room: the readers of each format, decoding, resizing.
 */
#ifndef LW_DATA_IMAGES_H
#define LW_DATA_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/data/files.h"
#include "engine/data/items_store.h"

#define LW_IMAGE_SIDE_MAX   16384              /* of an image that is read, either way */
#define LW_IMAGE_PIXELS_MAX ((size_t)64 << 20) /* in all: 192 MiB of bytes */

/* A decoded image: height x width pixels of one byte (grey) or three. */
struct lw_image {
    uint8_t *pixels; /* the caller's to free */
    int width, height, channels;
};

/* PNG of any kind (alpha is left out, 16 bits become 8, palettes are looked up), JPEG (CMYK too).
 * LW_EDATA: damaged, cut short, or larger than LW_IMAGE_… before anything of that size is taken;
 * LW_EMISSING: not in this build. where: for messages. */
LW_NODISCARD int lw_image_decode(const void *bytes, size_t size, const char *where,
                                 struct lw_image *out, struct lw_error *err);
bool lw_image_is_png(const void *bytes, size_t size);
bool lw_image_is_jpeg(const void *bytes, size_t size);
LW_NODISCARD int lw_png_decode(const void *bytes, size_t size, const char *where,
                               struct lw_image *out, struct lw_error *err);
LW_NODISCARD int lw_jpeg_decode(const void *bytes, size_t size, const char *where,
                                struct lw_image *out, struct lw_error *err);
/* LW_EDATA for a size that is not read: none, or too much. */
LW_NODISCARD int lw_image_fits(uint64_t width, uint64_t height, const char *where,
                               struct lw_error *err);
/* Room for an image of that size, or LW_EDATA. */
LW_NODISCARD int lw_image_room(struct lw_image *out, uint64_t width, uint64_t height, int channels,
                               const char *where, struct lw_error *err);

/* To (3, side, side), channel by channel. Another size is resized by a triangle filter as wide as
 * a pixel of the larger image (antialiased bilinear), in 22 bits of fixed point and rounded
 * after each of the two passes, as Pillow does it: the same bytes. */
LW_NODISCARD int lw_image_resize(const struct lw_image *in, int side, uint8_t *out,
                                 struct lw_error *err);

/* Readers: each makes a view of the files, all of which are of its format. Paths are absolute or
 * as given; root is what the user named, for messages. */
LW_NODISCARD int lw_images_idx(struct lw_items **out, const struct lw_files *files,
                               const char *root, const struct lw_items_options *o,
                               struct lw_error *err);
LW_NODISCARD int lw_images_cifar(struct lw_items **out, const struct lw_files *files,
                                 const char *root, const struct lw_items_options *o,
                                 struct lw_error *err);
/* Takes the list of files over. */
LW_NODISCARD int lw_images_folder(struct lw_items **out, struct lw_files *files, const char *root,
                                  const struct lw_items_options *o, struct lw_error *err);
LW_NODISCARD int lw_images_generate(struct lw_items **out, const struct lw_items_options *o,
                                    bool validation, struct lw_error *err);

/* The last step of a reader of files, whose rc so far is handed in: their hash, and the view. The
 * store is released in any case. */
LW_NODISCARD int lw_images_finish(struct lw_items **out, struct lw_items_store *s,
                                  const struct lw_files *files, int rc, struct lw_error *err);

/* pread of exactly n bytes; LW_EDATA where the file ends before. */
LW_NODISCARD int lw_image_pread(int fd, void *to, size_t n, int64_t at, const char *path,
                                struct lw_error *err);

#endif
