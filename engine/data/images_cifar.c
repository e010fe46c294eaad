/* SPDX-License-Identifier: MIT
 *
 * CIFAR's binary files: records of one label (CIFAR-10) or a coarse and a fine one (CIFAR-100) and
 * 3 x 32 x 32 bytes, channel by channel. The fine one is the class. */
#include "engine/data/images_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"

#define SIDE  32
#define BYTES (3 * SIDE * SIDE)
#define AHEAD 512 /* records read at a time when looking at labels */

static int read_cifar(const struct lw_items_store *s, int64_t i, void *row, int32_t *label,
                      struct lw_error *err)
{
    const struct lw_image_part *p = lw_image_parts_find(s, i);
    const int labels = ((const struct lw_image_parts *)s->own)->labels;
    uint8_t planes[BYTES], mixed[BYTES];
    struct lw_image image = {mixed, SIDE, SIDE, 3};
    int rc;

    (void)label;
    rc = lw_image_pread(p->fd, planes, BYTES, (i - p->first) * (BYTES + labels) + labels, p->path,
                        err);
    if (rc)
        return rc;
    if (s->info.image_size == SIDE) {
        memcpy(row, planes, BYTES);
        return 0;
    }
    for (int k = 0; k < BYTES; k++)
        mixed[k % (SIDE * SIDE) * 3 + k / (SIDE * SIDE)] = planes[k];
    return lw_image_resize(&image, s->info.image_size, row, err);
}

static const struct lw_items_kind kind = {.read = read_cifar, .close = lw_image_parts_close};

static int read_labels(struct lw_items_store *s, const struct lw_image_part *p, int limit,
                       struct lw_error *err)
{
    const int labels = ((const struct lw_image_parts *)s->own)->labels;
    const int64_t record = BYTES + labels;
    unsigned char *block = malloc((size_t)(AHEAD * record));
    int rc = block ? 0 : lw_fail(err, LW_EMEM, "out of memory for labels");

    for (int64_t at = 0; !rc && at < p->count; at += AHEAD) {
        int64_t n = p->count - at < AHEAD ? p->count - at : AHEAD;

        rc = lw_image_pread(p->fd, block, (size_t)(n * record), at * record, p->path, err);
        for (int64_t i = 0; !rc && i < n; i++) {
            int label = block[i * record + labels - 1];

            s->label[p->first + at + i] = label;
            rc = lw_image_label_check(p->path, label, at + i, limit, err);
        }
    }
    free(block);
    return rc;
}

static int add_part(struct lw_items_store *s, const char *path, int limit, struct lw_error *err)
{
    const int record = BYTES + ((const struct lw_image_parts *)s->own)->labels;
    struct lw_image_part *p = lw_image_parts_add(s, path, err);
    struct stat st;
    int rc;

    if (!p)
        return LW_EMEM;
    p->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0 || fstat(p->fd, &st) < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if (st.st_size % record)
        return lw_fail(err, LW_EDATA, "%s: %lld bytes are no whole number of CIFAR records of %d",
                       path, (long long)st.st_size, record);
    rc = lw_image_parts_grow(s, p, st.st_size / record, err);
    return rc ? rc : read_labels(s, p, limit, err);
}

/* Names of the classes where the file that the archives hold lies beside: one a line. */
static int name_classes(struct lw_items_store *s, const char *first, int hundred,
                        struct lw_error *err)
{
    const char *slash = strrchr(first, '/');
    char *folder = slash ? strndup(first, (size_t)(slash - first)) : strdup(".");
    char *path =
        folder ? lw_path_join(folder, hundred ? "fine_label_names.txt" : "batches.meta.txt") : NULL;
    char *text = NULL, *line, *rest;
    struct lw_error ignored;
    size_t size;
    int rc = 0;

    if (path && access(path, R_OK) == 0 && !lw_read_file(path, 65536, &text, &size, &ignored)) {
        rest = text;
        for (int i = 0; !rc && i < s->info.classes && (line = strsep(&rest, "\n")); i++) {
            char *name;

            line[strcspn(line, "\r")] = '\0';
            if (!*line)
                break;
            if ((name = strdup(line))) {
                free(s->labels[i]);
                s->labels[i] = name;
            } else {
                rc = lw_fail(err, LW_EMEM, "out of memory for labels");
            }
        }
    }
    free(text);
    free(path);
    free(folder);
    return rc;
}

/* Which of the two, by the first file's size; where both would do, which takes nine megabytes, it is
 * CIFAR-10. */
static int labels_of(const char *path, struct lw_error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    return st.st_size % (BYTES + 1) ? 2 : 1;
}

int lw_images_cifar(struct lw_items **out, const struct lw_files *files, const char *root,
                    const struct lw_items_options *o, struct lw_error *err)
{
    struct lw_items_store *s = lw_image_parts_new(&kind, files->count, root, err);
    struct lw_image_parts *c;
    int classes, rc;

    if (!s)
        return LW_EMEM;
    c = s->own;
    c->labels = labels_of(files->path[0], err);
    rc = c->labels < 0 ? c->labels : 0;
    classes = o->classes ? o->classes : c->labels == 1 ? 10 : 100;
    for (size_t i = 0; !rc && i < files->count; i++)
        rc = add_part(s, files->path[i], classes, err);
    s->info.format = c->labels == 1 ? "CIFAR-10" : "CIFAR-100";
    s->info.image_size = o->image_size ? o->image_size : SIDE;
    s->info.bears = LW_AUGMENT_CROP | LW_AUGMENT_FLIP;
    s->info.threads = 1;
    if (!rc)
        rc = lw_items_number(s, classes, err);
    if (!rc)
        rc = name_classes(s, files->path[0], c->labels == 2, err);
    return lw_images_finish(out, s, files, rc, err);
}
