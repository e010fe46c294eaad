/* SPDX-License-Identifier: MIT
 *
 * What images a file or folder holds, and which of them train and validate. */
#include "engine/data/images.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/stream.h"

enum format { NOTHING, IDX, CIFAR, PICTURE };

static bool is_picture_name(const char *path)
{
    return lw_path_ends(path, ".png") || lw_path_ends(path, ".jpg") || lw_path_ends(path, ".jpeg");
}

/* What a file is, as far as its name and first bytes tell. */
static enum format look(const char *path)
{
    unsigned char head[8] = {0};
    struct stat st;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NOTHING;
    if (fstat(fd, &st) == 0)
        got = read(fd, head, sizeof head);
    close(fd);
    if (got == 8 && !head[0] && !head[1] && head[2] == 8 && head[3] == 3)
        return IDX;
    if (got >= 3 && (lw_image_is_png(head, (size_t)got) || lw_image_is_jpeg(head, (size_t)got)))
        return PICTURE;
    if (got == 8 && lw_path_ends(path, ".bin") &&
        (st.st_size % 3073 == 0 || st.st_size % 3074 == 0))
        return CIFAR;
    return NOTHING;
}

/* The part that a name, up to `n` bytes, belongs to by its first word. */
static enum lw_items_part part_of(const char *name, size_t n)
{
    static const char *const held[] = {"t10k", "test", "val", "validation"};

    if (n >= 5 && (!strncasecmp(name, "train", 5)))
        return LW_ITEMS_TRAIN;
    if (n >= 10 && !strncasecmp(name, "data_batch", 10))
        return LW_ITEMS_TRAIN;
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        if (n >= strlen(held[i]) && !strncasecmp(name, held[i], strlen(held[i])))
            return LW_ITEMS_VALIDATION;
    return LW_ITEMS_WHOLE;
}

/* By file name for files of many images; by the first folder's whole name for pictures. */
static enum lw_items_part part_of_path(const char *path, const char *root, enum format format)
{
    const char *name = path + strlen(root), *slash;
    static const char *const words[] = {"train", "test", "val", "valid", "validation"};

    if (format != PICTURE) {
        slash = strrchr(path, '/');
        name = slash ? slash + 1 : path;
        return part_of(name, strlen(name));
    }
    name += strspn(name, "/");
    slash = strchr(name, '/');
    for (size_t i = 0; slash && i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == (size_t)(slash - name) &&
            !strncmp(words[i], name, strlen(words[i])))
            return i ? LW_ITEMS_VALIDATION : LW_ITEMS_TRAIN;
    return LW_ITEMS_WHOLE;
}

/* What the files are: the first that tells. A picture that lies beside data files, a preview of
 * them, tells nothing. */
static enum format look_at_all(const struct lw_files *f, const char *root)
{
    enum format format = NOTHING;

    for (size_t i = 0; i < f->count; i++) {
        const char *name = f->path[i] + strlen(root);
        enum format found = look(f->path[i]);

        name += strspn(name, "/");
        if (found == IDX || found == CIFAR || (found == PICTURE && strchr(name, '/')))
            return found;
        format = format ? format : found;
    }
    return format;
}

static bool keeps(const char *path, enum format format)
{
    return format == PICTURE ? is_picture_name(path) : look(path) == format;
}

/* Leave only the files of that format and part; *others counts what is left out of the part for its
 * format. False where the part is not there by name. */
static bool choose(struct lw_files *p, const char *root, enum format format,
                   enum lw_items_part part, size_t *others)
{
    size_t kept = 0, of[3] = {0};

    *others = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (keeps(p->path[i], format)) {
            p->path[kept++] = p->path[i];
        } else {
            *others += part == LW_ITEMS_WHOLE || part == part_of_path(p->path[i], root, format);
            free(p->path[i]);
        }
    }
    p->count = kept;
    for (size_t i = 0; i < kept; i++)
        of[part_of_path(p->path[i], root, format)]++;
    if (part == LW_ITEMS_WHOLE)
        return true;
    if (!of[LW_ITEMS_TRAIN] || !of[LW_ITEMS_VALIDATION])
        return false;
    kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (part_of_path(p->path[i], root, format) == part)
            p->path[kept++] = p->path[i];
        else
            free(p->path[i]);
    }
    p->count = kept;
    return true;
}

/* In a folder parted into train/ and val/, classes are a level further down. */
static char *root_of(const struct lw_files *p, const char *root, enum format format,
                     enum lw_items_part part)
{
    const char *name = p->path[0] + strlen(root);
    size_t n;

    if (format != PICTURE || part == LW_ITEMS_WHOLE)
        return strdup(root);
    n = strlen(root) + strspn(name, "/");
    return strndup(p->path[0], n + strcspn(p->path[0] + n, "/"));
}

int lw_images_finish(struct lw_items **out, struct lw_items_store *s, const struct lw_files *files,
                     int rc, struct lw_error *err)
{
    uint64_t key;

    if (!rc)
        rc = lw_content_hash(files->path, files->count, s->info.hash, &key, &s->info.bytes, err);
    if (!rc)
        rc = lw_items_view(out, s, NULL, s->info.items, err);
    lw_items_store_release(s);
    return rc;
}

/* MNIST and CIFAR are handed round packed. */
static int nothing(const char *path, const struct lw_files *f, struct lw_error *err)
{
    static const char *const packed[] = {".gz", ".tgz", ".zip", ".tar", ".xz", ".bz2", ".zst"};

    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < sizeof packed / sizeof *packed; k++)
            if (lw_path_ends(f->path[i], packed[k]))
                return lw_fail(err, LW_EDATA,
                               "%s holds no images that leeway reads, but %s is packed: unpack it "
                               "first",
                               path, f->path[i]);
    return lw_fail(
        err, LW_EDATA,
        "%s holds no images that leeway reads: IDX (with its labels beside it), CIFAR-10 "
        "or -100 in binary, or PNG and JPEG files in a folder a class",
        path);
}

static int open_part(struct lw_items **out, const char *path, enum lw_items_part part,
                     const struct lw_items_options *o, const void *user, struct lw_error *err)
{
    struct lw_files files;
    enum format format;
    char *root = NULL;
    size_t others;
    int rc;

    (void)user;
    *out = NULL;
    if ((rc = lw_files_list(&files, path, err)))
        return rc;
    if (!files.folder && part != LW_ITEMS_WHOLE) {
        lw_files_free(&files);
        return 0;
    }
    format = look_at_all(&files, path);
    if (!format || (format == PICTURE && !files.folder))
        rc = nothing(path, &files, err);
    if (!rc && choose(&files, path, format, part, &others)) {
        root = files.count ? root_of(&files, path, format, part) : NULL;
        rc = !files.count      ? nothing(path, &files, err)
             : !root           ? lw_fail(err, LW_EMEM, "out of memory opening %s", path)
             : format == IDX   ? lw_images_idx(out, &files, path, o, err)
             : format == CIFAR ? lw_images_cifar(out, &files, path, o, err)
                               : lw_images_folder(out, &files, root, o, err);
        if (!rc && !lw_items_info(*out)->items) {
            lw_items_close(*out);
            *out = NULL;
            rc = lw_fail(err, LW_EDATA, "%s holds no images", path);
        }
        if (!rc && format == PICTURE && others)
            snprintf((*out)->store->note, sizeof(*out)->store->note,
                     "%zu files of the folder are no PNG or JPEG by their names: left out", others);
    }
    free(root);
    lw_files_free(&files);
    return rc;
}

int lw_images_open(const struct lw_items_options *o, struct lw_items **train,
                   struct lw_items **validation, struct lw_error *err)
{
    int rc;

    if (o->data && validation)
        return lw_items_open_both(o, open_part, NULL, train, validation, err);
    if (o->data)
        return open_part(train, o->data, LW_ITEMS_WHOLE, o, NULL, err);
    rc = lw_images_generate(train, o, false, err);
    if (!rc && validation && (rc = lw_images_generate(validation, o, true, err))) {
        lw_items_close(*train);
        *train = NULL;
    }
    return rc;
}
