/* SPDX-License-Identifier: MIT */
#include "engine/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

void lw_fill_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int lw_write_all(int fd, const void *data, size_t size)
{
    const char *p = data;

    while (size) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0) {
            errno = ENOSPC;
            return -1;
        }
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

int lw_read_file(const char *path, size_t max, char **data, size_t *size, struct lw_error *err)
{
    size_t cap, len = 0;
    struct stat st;
    char *buf = NULL;
    int fd, rc = 0;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if (fstat(fd, &st) < 0) {
        rc = lw_fail_errno(err, "cannot read %s", path);
        goto out;
    }
    if (S_ISDIR(st.st_mode)) {
        rc = lw_fail(err, LW_EDATA, "%s is a folder, not a file", path);
        goto out;
    }
    cap = st.st_size > 0 ? (size_t)st.st_size : 4096;
    for (;;) {
        ssize_t n;
        char *grown;

        if (max && (len > max || cap > max + 1)) {
            if (len > max || st.st_size > (off_t)max) {
                rc = lw_fail(err, LW_EDATA, "%s is larger than %zu bytes", path, max);
                goto out;
            }
            cap = max + 1;
        }
        grown = realloc(buf, cap + 1);
        if (!grown) {
            rc = lw_fail(err, LW_EMEM, "out of memory reading %s (%zu bytes)", path, cap);
            goto out;
        }
        buf = grown;
        n = read(fd, buf + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rc = lw_fail_errno(err, "cannot read %s", path);
            goto out;
        }
        if (n == 0)
            break;
        len += (size_t)n;
        if (len == cap)
            cap += cap / 2 + 1;
    }
    buf[len] = '\0';
    *data = buf;
    *size = len;
    buf = NULL;
out:
    free(buf);
    close(fd);
    return rc;
}

int lw_sync_folder(const char *path, struct lw_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return lw_fail_errno(err, "cannot open folder %s", path);
    if (fsync(fd) < 0 && errno != EINVAL) /* some network file systems refuse: nothing to do */
        rc = lw_fail_errno(err, "cannot sync folder %s", path);
    close(fd);
    return rc;
}

int lw_replace_file(const char *path, const void *data, size_t size, int durable,
                    struct lw_error *err)
{
    char *aside = NULL, *copy = NULL;
    int fd = -1, rc = 0;

    if (asprintf(&aside, "%s.%ld.tmp", path, (long)getpid()) < 0)
        return lw_fail(err, LW_EMEM, "out of memory writing %s", path);
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        rc = lw_fail_errno(err, "cannot write %s", aside);
        goto out;
    }
    if (lw_write_all(fd, data, size) < 0 || (durable && fsync(fd) < 0)) {
        rc = lw_fail_errno(err, "cannot write %s", aside);
        goto out;
    }
    if (close(fd) < 0) {
        fd = -1;
        rc = lw_fail_errno(err, "cannot write %s", aside);
        goto out;
    }
    fd = -1;
    if (rename(aside, path) < 0) {
        rc = lw_fail_errno(err, "cannot rename %s to %s", aside, path);
        goto out;
    }
    if (durable) {
        copy = strdup(path);
        rc = copy ? lw_sync_folder(dirname(copy), err)
                  : lw_fail(err, LW_EMEM, "out of memory writing %s", path);
    }
out:
    if (fd >= 0)
        close(fd);
    if (rc)
        unlink(aside);
    free(copy);
    free(aside);
    return rc;
}

int64_t lw_file_stamp(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -1;
    return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec + (int64_t)st.st_ino +
           st.st_size;
}

/* All of `in` to `out`. 0, or -1 with errno. */
static int pass_on(int in, int out)
{
    for (;;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)1 << 30);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0)
            return 0;
    }
}

int lw_copy_file(const char *from, const char *to, struct lw_error *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, rc = 0;
    char *aside = NULL, *copy = strdup(to);

    if (in < 0) {
        rc = lw_fail_errno(err, "cannot open %s", from);
    } else if (!copy || asprintf(&aside, "%s.%ld.tmp", to, (long)getpid()) < 0) {
        aside = NULL;
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", to);
    } else if ((out = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0 ||
               pass_on(in, out) < 0 || fsync(out) < 0 || rename(aside, to) < 0) {
        rc = lw_fail_errno(err, "cannot write %s", to);
    } else {
        rc = lw_sync_folder(dirname(copy), err);
    }
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    if (rc && aside)
        unlink(aside);
    free(aside);
    free(copy);
    return rc;
}

/* The process whose unfinished file this is; 0: it is none. */
static pid_t writer_of(const char *name)
{
    size_t n = strlen(name);
    const char *end = name + n - strlen(".tmp"), *p = end;
    long pid;

    if (n < strlen(".1.tmp") || strcmp(end, ".tmp") != 0)
        return 0;
    while (p > name && p[-1] >= '0' && p[-1] <= '9')
        p--;
    errno = 0;
    pid = strtol(p, NULL, 10);
    return p > name + 1 && p < end && p[-1] == '.' && !errno && pid <= INT_MAX ? (pid_t)pid : 0;
}

void lw_remove_leftovers(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;

    while (d && (entry = readdir(d))) {
        pid_t pid = writer_of(entry->d_name);

        if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
}

int lw_make_folders(const char *path, struct lw_error *err)
{
    char *copy = strdup(path), *p;
    int rc = 0;

    if (!copy)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (p = copy + 1; !rc; p++) {
        char saved = *p;

        if (saved != '/' && saved != '\0')
            continue;
        *p = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            rc = lw_fail_errno(err, "cannot make folder %s", copy);
        *p = saved;
        if (!saved)
            break;
    }
    if (!rc) {
        struct stat st;

        if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
            errno = ENOTDIR;
            rc = lw_fail_errno(err, "cannot make folder %s", path);
        }
    }
    free(copy);
    return rc;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int lw_remove_tree(const char *path, struct lw_error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        return lw_fail_errno(err, "cannot remove %s", path);
    return 0;
}

char *lw_path_join(const char *dir, const char *name)
{
    size_t n = strlen(dir);
    char *out;

    if (asprintf(&out, "%s%s%s", dir, !n || dir[n - 1] == '/' ? "" : "/", name) < 0)
        return NULL;
    return out;
}

bool lw_path_ends(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);

    return n >= m && !strcasecmp(path + n - m, end);
}
