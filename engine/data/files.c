/* SPDX-License-Identifier: MIT */
#include "engine/data/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/io.h"

#define DEPTH_MAX 32 /* of folders in folders */

/* Room doubles whenever the count is a power of two. */
static int add(struct lw_files *f, const char *path, struct lw_error *err)
{
    char **grown = f->path;

    if (!(f->count & (f->count - 1)))
        grown = realloc(f->path, (f->count ? 2 * f->count : 1) * sizeof *grown);
    if (grown)
        f->path = grown;
    if (!grown || !(grown[f->count] = strdup(path)))
        return lw_fail(err, LW_EMEM, "out of memory listing %s", path);
    f->count++;
    return 0;
}

/* What an entry is: most file systems say so without a stat. */
static int kind(const struct dirent *entry, const char *path, mode_t *mode, struct lw_error *err)
{
    struct stat st;

    *mode = entry->d_type == DT_REG ? S_IFREG : entry->d_type == DT_DIR ? S_IFDIR : 0;
    if (*mode)
        return 0;
    if (stat(path, &st) < 0)
        return lw_fail_errno(err, "cannot read %s", path);
    *mode = st.st_mode;
    return 0;
}

static int walk(struct lw_files *f, const char *folder, int depth, struct lw_error *err)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(folder) : NULL;
    struct dirent *entry;
    int rc = 0;

    if (depth >= DEPTH_MAX)
        return lw_fail(err, LW_EDATA, "%s: folders in folders, more than %d deep", folder,
                       DEPTH_MAX);
    if (!dir)
        return lw_fail_errno(err, "cannot open folder %s", folder);
    while (!rc && (errno = 0, entry = readdir(dir))) {
        char *path;
        mode_t mode;

        if (entry->d_name[0] == '.')
            continue;
        if (!(path = lw_path_join(folder, entry->d_name)))
            rc = lw_fail(err, LW_EMEM, "out of memory listing %s", folder);
        else if (!(rc = kind(entry, path, &mode, err)))
            rc = S_ISDIR(mode)   ? walk(f, path, depth + 1, err)
                 : S_ISREG(mode) ? add(f, path, err)
                                 : 0;
        free(path);
    }
    if (!rc && errno)
        rc = lw_fail_errno(err, "cannot read folder %s", folder);
    closedir(dir);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int lw_files_list(struct lw_files *out, const char *path, struct lw_error *err)
{
    struct lw_files f = {0};
    struct stat st;
    int rc;

    *out = f;
    if (stat(path, &st) < 0)
        return errno == ENOENT
                   ? lw_fail(err, LW_EIO, "there is no file or folder %s: check data", path)
                   : lw_fail_errno(err, "cannot open %s", path);
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        return lw_fail(err, LW_EDATA, "%s is neither a file nor a folder", path);
    f.folder = S_ISDIR(st.st_mode);
    rc = f.folder ? walk(&f, path, 0, err) : add(&f, path, err);
    if (rc) {
        lw_files_free(&f);
        return rc;
    }
    if (f.count)
        qsort(f.path, f.count, sizeof *f.path, by_path);
    *out = f;
    return 0;
}

void lw_files_free(struct lw_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->path[i]);
    free(f->path);
    *f = (struct lw_files){0};
}
