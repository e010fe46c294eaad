/* SPDX-License-Identifier: MIT
 *
 * What images a file or folder holds, and which of them train and validate. */
#include "engine/data/images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"

#define DEPTH_MAX 32

enum format { NOTHING, IDX, CIFAR, PICTURE };

void lw_image_paths_free(struct lw_image_paths *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->path[i]);
    free(p->path);
    *p = (struct lw_image_paths){0};
}

static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);

    return n >= m && !strcasecmp(path + n - m, end);
}

static bool is_picture_name(const char *path)
{
    return ends_with(path, ".png") || ends_with(path, ".jpg") || ends_with(path, ".jpeg");
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
    if (got == 8 && ends_with(path, ".bin") &&
        (st.st_size % 3073 == 0 || st.st_size % 3074 == 0))
        return CIFAR;
    return NOTHING;
}

static int add(struct lw_image_paths *p, const char *path, struct lw_error *err)
{
    char **grown = p->path;

    if (!(p->count & (p->count - 1)))
        grown = realloc(p->path, (p->count ? 2 * p->count : 1) * sizeof *grown);
    if (grown)
        p->path = grown;
    if (!grown || !(grown[p->count] = strdup(path)))
        return lw_fail(err, LW_EMEM, "out of memory listing %s", path);
    p->count++;
    return 0;
}

static int walk(struct lw_image_paths *p, const char *folder, int depth, struct lw_error *err)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(folder) : NULL;
    struct dirent *entry;
    int rc = 0;

    if (depth >= DEPTH_MAX)
        return lw_fail(err, LW_EDATA, "%s: folders in folders, more than %d deep", folder,
                       DEPTH_MAX);
    if (!dir)
        return lw_fail_errno(err, "cannot open folder %s", folder);
    while (!rc && (entry = readdir(dir))) {
        char *path = entry->d_name[0] == '.' ? NULL : lw_path_join(folder, entry->d_name);
        bool is_folder = entry->d_type == DT_DIR, is_file = entry->d_type == DT_REG;
        struct stat st;

        if (entry->d_name[0] == '.')
            continue;
        if (!path)
            rc = lw_fail(err, LW_EMEM, "out of memory listing %s", folder);
        else if (!is_folder && !is_file && stat(path, &st) == 0) {
            is_folder = S_ISDIR(st.st_mode);
            is_file = S_ISREG(st.st_mode);
        }
        if (!rc && is_folder)
            rc = walk(p, path, depth + 1, err);
        else if (!rc && is_file)
            rc = add(p, path, err);
        free(path);
    }
    closedir(dir);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
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

static bool keeps(const char *path, enum format format)
{
    return format == PICTURE ? is_picture_name(path) : look(path) == format;
}

/* Leave only the files of that format and part; false where the part is not there by name (then
 * nothing is changed). */
static bool choose(struct lw_image_paths *p, const char *root, enum format format,
                   enum lw_items_part part)
{
    size_t kept = 0, of[3] = {0};

    for (size_t i = 0; i < p->count; i++) {
        if (keeps(p->path[i], format))
            p->path[kept++] = p->path[i];
        else
            free(p->path[i]);
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
static char *root_of(const struct lw_image_paths *p, const char *root, enum format format,
                     enum lw_items_part part)
{
    const char *name = p->path[0] + strlen(root);
    size_t n;

    if (format != PICTURE || part == LW_ITEMS_WHOLE)
        return strdup(root);
    n = strlen(root) + strspn(name, "/");
    return strndup(p->path[0], n + strcspn(p->path[0] + n, "/"));
}

static int nothing(const char *path, struct lw_error *err)
{
    return lw_fail(
        err, LW_EDATA,
        "%s holds no images that leeway reads: IDX (with its labels beside it), CIFAR-10 "
        "or -100 in binary, or PNG and JPEG files in a folder a class",
        path);
}

static int open_part(struct lw_items **out, const char *path, enum lw_items_part part,
                     const struct lw_items_options *o, const void *user, struct lw_error *err)
{
    struct lw_image_paths files = {0};
    enum format format = NOTHING;
    struct stat st;
    char *root = NULL;
    int rc = 0;

    (void)user;
    *out = NULL;
    if (stat(path, &st) < 0 && errno == ENOENT)
        return lw_fail(err, LW_EIO, "there is no file or folder %s: check data", path);
    if (stat(path, &st) < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if (!S_ISDIR(st.st_mode) && part != LW_ITEMS_WHOLE)
        return 0;
    rc = S_ISDIR(st.st_mode) ? walk(&files, path, 0, err) : add(&files, path, err);
    if (!rc && files.count)
        qsort(files.path, files.count, sizeof *files.path, by_path);
    for (size_t i = 0; !rc && i < files.count && !format; i++)
        format = look(files.path[i]);
    if (!rc && (!format || (format == PICTURE && !S_ISDIR(st.st_mode))))
        rc = nothing(path, err);
    if (!rc && choose(&files, path, format, part)) {
        root = files.count ? root_of(&files, path, format, part) : NULL;
        rc = !files.count      ? nothing(path, err)
             : !root           ? lw_fail(err, LW_EMEM, "out of memory opening %s", path)
             : format == IDX   ? lw_images_idx(out, &files, path, o, err)
             : format == CIFAR ? lw_images_cifar(out, &files, path, o, err)
                               : lw_images_folder(out, &files, root, o, err);
        if (!rc && !lw_items_info(*out)->items) {
            lw_items_close(*out);
            *out = NULL;
            rc = lw_fail(err, LW_EDATA, "%s holds no images", path);
        }
    }
    free(root);
    lw_image_paths_free(&files);
    return rc;
}

int lw_images_open(const struct lw_items_options *o, struct lw_items **train,
                   struct lw_items **validation, struct lw_error *err)
{
    struct lw_items *ignored;
    int rc;

    if (o->data && validation)
        return lw_items_open_both(o, open_part, NULL, train, validation, err);
    if (o->data)
        return open_part(train, o->data, LW_ITEMS_WHOLE, o, NULL, err);
    rc = lw_images_generate(train, o, false, err);
    if (!rc)
        rc = lw_images_generate(validation ? validation : &ignored, o, true, err);
    if (!rc && !validation)
        lw_items_close(ignored);
    return rc;
}
