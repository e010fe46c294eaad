/* SPDX-License-Identifier: MIT
 *
 * IDX, as MNIST has it: a file of images (magic 0x803: bytes in three dimensions, big endian) and
 * one of labels (0x801), which are found by each other's names. */
#include "engine/data/images_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGES 0x803
#define LABELS 0x801

static int64_t big_endian(const unsigned char *p)
{
    return (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* Open a file, whose header must be the magic and `dimensions` sizes, and whose size must be what
 * these come to. */
static int open_file(const char *path, int64_t magic, int dimensions, int64_t *sizes, int *fd,
                     struct lw_error *err)
{
    unsigned char head[16];
    size_t n = 4 + 4 * (size_t)dimensions;
    unsigned __int128 product = 1;
    struct stat st;
    int rc;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &st) < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if ((rc = lw_image_pread(*fd, head, n, 0, path, err)))
        return rc;
    if (big_endian(head) != magic)
        return lw_fail(err, LW_EDATA, "%s: an IDX file begins with 0x%08llx, not 0x%08llx", path,
                       (unsigned long long)magic, (unsigned long long)big_endian(head));
    for (int i = 0; i < dimensions; i++) {
        sizes[i] = big_endian(head + 4 + 4 * i);
        product *= (uint64_t)sizes[i];
    }
    if (product + n != (unsigned __int128)st.st_size)
        return lw_fail(err, LW_EDATA,
                       "%s: its header tells of %lld items, which doesn't fit its %lld bytes", path,
                       (long long)sizes[0], (long long)st.st_size);
    return 0;
}

/* ".../train-images-idx3-ubyte" to ".../train-labels-idx1-ubyte". */
static char *labels_path(const char *images)
{
    const char *base = strrchr(images, '/'), *word = strstr(base ? base : images, "images");
    char *out = strdup(images), *at;

    if (!out || !word) {
        free(out);
        return NULL;
    }
    memcpy(out + (word - images), "labels", 6);
    if ((at = strstr(out + (word - images), "idx3")))
        at[3] = '1';
    return out;
}

/* Read the labels of a file of images; all of them must be below limit (0: 256). */
static int read_labels(const struct lw_image_part *p, int limit, int32_t *label,
                       struct lw_error *err)
{
    char *path = labels_path(p->path);
    unsigned char *bytes = malloc((size_t)p->count + 1);
    int64_t count;
    int fd = -1, rc;

    if (!path)
        rc =
            lw_fail(err, LW_EDATA,
                    "%s: the file of its labels is found by name, so it must have \"images\" in it",
                    p->path);
    else if (!bytes)
        rc = lw_fail(err, LW_EMEM, "out of memory for labels");
    else if (!(rc = open_file(path, LABELS, 1, &count, &fd, err)) && count != p->count)
        rc = lw_fail(err, LW_EDATA, "%s has %lld labels for the %lld images of %s", path,
                     (long long)count, (long long)p->count, p->path);
    else if (!rc)
        rc = lw_image_pread(fd, bytes, (size_t)count, 8, path, err);
    for (int64_t i = 0; !rc && i < p->count; i++) {
        label[i] = bytes[i];
        rc = lw_image_label_check(path, bytes[i], i, limit ? limit : 256, err);
    }
    if (fd >= 0)
        close(fd);
    free(bytes);
    free(path);
    return rc;
}

static int read_idx(const struct lw_items_store *s, int64_t i, void *row, int32_t *label,
                    struct lw_error *err)
{
    const struct lw_image_part *p = lw_image_parts_find(s, i);
    struct lw_image image = {.channels = 1};
    int rc;

    (void)label;
    if ((rc = lw_image_room(&image, (uint64_t)p->width, (uint64_t)p->height, 1, p->path, err)))
        return rc;
    rc = lw_image_pread(p->fd, image.pixels, (size_t)p->width * (size_t)p->height,
                        16 + (i - p->first) * p->width * p->height, p->path, err);
    if (!rc)
        rc = lw_image_resize(&image, s->info.image_size, row, err);
    free(image.pixels);
    return rc;
}

static const struct lw_items_kind kind = {.read = read_idx, .close = lw_image_parts_close};

static int add_part(struct lw_items_store *s, const char *path, int limit, struct lw_error *err)
{
    struct lw_image_part *p = lw_image_parts_add(s, path, err);
    int64_t sizes[3];
    int rc;

    if (!p)
        return LW_EMEM;
    if ((rc = open_file(path, IMAGES, 3, sizes, &p->fd, err)))
        return rc;
    if ((rc = lw_image_fits((uint64_t)sizes[2], (uint64_t)sizes[1], path, err)))
        return rc;
    p->height = (int)sizes[1];
    p->width = (int)sizes[2];
    rc = lw_image_parts_grow(s, p, sizes[0], err);
    return rc ? rc : read_labels(p, limit, s->label + p->first, err);
}

/* The data's own size where all images are squares of one size. */
static int own_size(const struct lw_image_parts *idx)
{
    for (int i = 0; i < idx->parts; i++)
        if (idx->part[i].width != idx->part[0].width || idx->part[i].width != idx->part[i].height)
            return 224;
    return idx->part[0].width;
}

int lw_images_idx(struct lw_items **out, const struct lw_files *files, const char *root,
                  const struct lw_items_options *o, struct lw_error *err)
{
    struct lw_items_store *s = lw_image_parts_new(&kind, files->count, root, err);
    int classes = 0, rc = 0;

    if (!s)
        return LW_EMEM;
    for (size_t i = 0; !rc && i < files->count; i++)
        rc = add_part(s, files->path[i], o->classes, err);
    for (int64_t i = 0; !rc && i < s->info.items; i++)
        classes = s->label[i] >= classes ? s->label[i] + 1 : classes;
    s->info.format = "IDX";
    s->info.image_size = o->image_size || rc ? o->image_size : own_size(s->own);
    s->info.bears = LW_AUGMENT_CROP; /* digits and letters have no mirror image */
    s->info.threads = 1;
    if (!rc)
        rc = lw_items_number(s, o->classes ? o->classes : classes < 2 ? 2 : classes, err);
    return lw_images_finish(out, s, files, rc, err);
}
