/* SPDX-License-Identifier: MIT
 *
 * PNG and JPEG files in folders: the first folder below the root is the class, and classes are
 * numbered by their names' order. A file is read when its image is asked for. */
#include "engine/data/images.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"

#define FILE_MAX ((size_t)256 << 20)

static int read_file(const struct lw_items_store *s, int64_t i, void *row, int32_t *label,
                     struct lw_error *err)
{
    const struct lw_files *f = s->own;
    struct lw_image image = {0};
    char *bytes;
    size_t size;
    int rc = lw_read_file(f->path[i], FILE_MAX, &bytes, &size, err);

    (void)label;
    if (rc)
        return rc;
    rc = lw_image_decode(bytes, size, f->path[i], &image, err);
    free(bytes);
    if (!rc)
        rc = lw_image_resize(&image, s->info.image_size, row, err);
    free(image.pixels);
    return rc;
}

static void close_folder(void *own)
{
    if (own)
        lw_files_free(own);
    free(own);
}

static const struct lw_items_kind kind = {.read = read_file, .close = close_folder};

/* Length of the first folder's name in "class/file" below the root; 0: the file lies in the root.
 */
static size_t class_length(const char *path, const char *root)
{
    const char *name = path + strlen(root), *slash;

    while (*name == '/')
        name++;
    slash = strchr(name, '/');
    return slash ? (size_t)(slash - name) : 0;
}

/* Files are sorted by path, so a class's are neighbours; but "a b/x" comes before "a/x". Classes
 * are numbered in the order of their own names. */
static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **find_classes(const struct lw_files *files, const char *root, int *classes,
                           struct lw_error *err)
{
    char **names = NULL;
    int n = 0, used = 0;

    for (size_t i = 0; i < files->count; i++) {
        size_t length = class_length(files->path[i], root);
        const char *name = files->path[i] + strlen(root);
        char **grown;

        name += strspn(name, "/");
        if (!length) {
            lw_fail(err, LW_EDATA,
                    "%s lies in no class's folder: images belong in a folder a class below %s",
                    files->path[i], root);
            goto bad;
        }
        if (n && strlen(names[n - 1]) == length && !strncmp(names[n - 1], name, length))
            continue;
        grown = n & (n - 1) ? names : realloc(names, (n ? 2 * (size_t)n : 1) * sizeof *names);
        if (grown)
            names = grown;
        if (!grown || !(names[n] = strndup(name, length))) {
            lw_fail(err, LW_EMEM, "out of memory listing %s", root);
            goto bad;
        }
        n++;
    }
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 0; i < n; i++) {
        if (used && !strcmp(names[used - 1], names[i]))
            free(names[i]);
        else
            names[used++] = names[i];
    }
    *classes = used;
    return names;
bad:
    while (n)
        free(names[--n]);
    free(names);
    return NULL;
}

/* The class of a file, which is one of them. */
static int label_of(const struct lw_items_store *s, const char *path, const char *root)
{
    size_t length = class_length(path, root);
    const char *name = path + strlen(root);
    int low = 0, high = s->info.classes - 1;

    name += strspn(name, "/");
    while (low < high) {
        int middle = (low + high) / 2;
        int order = strncmp(s->labels[middle], name, length);

        if (!order && !s->labels[middle][length])
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return low;
}

int lw_images_folder(struct lw_items **out, struct lw_files *files, const char *root,
                     const struct lw_items_options *o, struct lw_error *err)
{
    struct lw_items_store *s = lw_items_store_new(&kind, err);
    struct lw_files *f = calloc(1, sizeof *f);
    char **names;
    int classes = 0, rc = 0;

    if (!s || !f) {
        free(f);
        lw_items_store_release(s);
        return lw_fail(err, LW_EMEM, "out of memory opening %s", root);
    }
    s->own = f;
    *f = *files;
    *files = (struct lw_files){0};
    names = find_classes(f, root, &classes, err);
    if (names)
        lw_items_name(s, names, classes);
    s->label = malloc(f->count * sizeof *s->label);
    s->path = strdup(root);
    if (!names)
        rc = err ? err->code : LW_EDATA;
    else if (!s->label || !s->path)
        rc = lw_fail(err, LW_EMEM, "out of memory opening %s", root);
    for (size_t i = 0; !rc && i < f->count; i++)
        s->label[i] = label_of(s, f->path[i], root);
    s->info.items = (int64_t)f->count;
    s->info.format = "folder of images";
    s->info.image_size = o->image_size ? o->image_size : 224;
    s->info.bears = LW_AUGMENT_CROP | LW_AUGMENT_FLIP;
    s->info.threads = o->threads;
    if (!rc)
        rc = lw_items_widen(s, o->classes, err);
    if (!rc && s->info.classes < 2)
        rc = lw_fail(err, LW_EDATA, "%s has one class's folder, %.60s: at least two are told apart",
                     root, s->labels[0]);
    return lw_images_finish(out, s, f, rc, err);
}
