/* SPDX-License-Identifier: MIT */
#include "engine/run/append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"

int lw_append_open(struct lw_append *a, const char *dir, const char *name, struct lw_error *err)
{
    int rc = 0;

    *a = (struct lw_append){.fd = -1, .path = lw_path_join(dir, name)};
    if (!a->path)
        return lw_fail(err, LW_EMEM, "out of memory");
    a->fd = open(a->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (a->fd < 0) {
        rc = lw_fail_errno(err, "cannot write %s", a->path);
        free(a->path);
        a->path = NULL;
    }
    return rc;
}

static int64_t count_lines(const char *text, size_t size)
{
    int64_t n = 0;

    for (size_t i = 0; i < size; i++)
        n += text[i] == '\n';
    return n;
}

/* Of n bytes that made it to the file, take back those behind the last line break. Returns how many
 * stay. Where another process has appended meanwhile they cannot be taken back. */
static size_t take_back(struct lw_append *a, const char *text, size_t n)
{
    const char *last = memrchr(text, '\n', n);
    size_t whole = last ? (size_t)(last - text) + 1 : 0;
    off_t end = lseek(a->fd, 0, SEEK_CUR);
    struct stat st;

    if (whole == n)
        return whole;
    if (end < 0 || fstat(a->fd, &st) < 0 || st.st_size != end)
        return n;
    return ftruncate(a->fd, end - (off_t)(n - whole)) == 0 ? whole : n;
}

/* One write(2) of whole lines. Returns how many bytes are on file, errno set where not all. */
static size_t write_lines(struct lw_append *a, const char *text, size_t size)
{
    ssize_t n;
    int saved;

    do
        n = write(a->fd, text, size);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)size)
        return size;
    saved = n < 0 ? errno : ENOSPC;
    n = n > 0 ? (ssize_t)take_back(a, text, (size_t)n) : 0;
    errno = saved;
    return (size_t)n;
}

int lw_append_flush(struct lw_append *a)
{
    size_t n;
    int64_t lines;
    int saved;

    if (!a->waiting_size)
        return 0;
    n = write_lines(a, a->waiting, a->waiting_size);
    saved = errno;
    lines = count_lines(a->waiting, n);
    a->lines_waiting -= lines;
    a->recovered += lines;
    memmove(a->waiting, a->waiting + n, a->waiting_size - n);
    a->waiting_size -= n;
    errno = saved;
    a->failing = a->waiting_size > 0;
    return a->failing ? -1 : 0;
}

static void keep(struct lw_append *a, const char *line, size_t size, size_t limit)
{
    if (a->waiting_size + size > a->waiting_room) {
        size_t room = a->waiting_room ? 2 * a->waiting_room : 4096;
        char *grown;

        while (room < a->waiting_size + size)
            room *= 2;
        grown = a->waiting_size + size <= limit ? realloc(a->waiting, room) : NULL;
        if (!grown) {
            a->lines_lost++;
            return;
        }
        a->waiting = grown;
        a->waiting_room = room;
    }
    memcpy(a->waiting + a->waiting_size, line, size);
    a->waiting_size += size;
    a->lines_waiting++;
}

int lw_append_line(struct lw_append *a, const char *line, size_t size, size_t limit)
{
    size_t n;
    int saved;

    if (lw_append_flush(a) < 0) {
        saved = errno;
        keep(a, line, size, limit);
        errno = saved;
        return -1;
    }
    n = write_lines(a, line, size);
    if (n == size)
        return 0;
    saved = errno;
    a->failing = true;
    keep(a, line + n, size - n, limit);
    errno = saved;
    return -1;
}

int lw_append_sync(struct lw_append *a, int64_t *offset, struct lw_error *err)
{
    struct stat st;

    if (lw_append_flush(a) < 0 || fdatasync(a->fd) < 0 || fstat(a->fd, &st) < 0)
        return lw_fail_errno(err, "cannot write %s", a->path);
    *offset = st.st_size;
    return 0;
}

int64_t lw_append_close(struct lw_append *a)
{
    int64_t lost;

    if (a->fd < 0)
        return 0;
    lw_append_flush(a);
    lost = a->lines_waiting + a->lines_lost;
    close(a->fd);
    a->fd = -1;
    free(a->waiting);
    free(a->path);
    a->waiting = a->path = NULL;
    return lost;
}

int64_t lw_append_whole(int fd)
{
    char block[4096];
    struct stat st;
    off_t end;

    if (fstat(fd, &st) < 0)
        return -1;
    for (end = st.st_size; end > 0;) {
        size_t size = end < (off_t)sizeof(block) ? (size_t)end : sizeof(block);
        ssize_t n = pread(fd, block, size, end - (off_t)size);
        const char *last;

        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)size)
            return -1;
        last = memrchr(block, '\n', size);
        end -= (off_t)size;
        if (last)
            return end + (last - block) + 1;
    }
    return 0;
}
