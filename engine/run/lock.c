/* SPDX-License-Identifier: MIT
 *
 * The lock of a run folder: an open file description lock, which the kernel lets go of however its
 * holder ends, and which can be asked about without being taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/folder.h"

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* Who says to hold it: "process 4711 on box". */
static void read_holder(int fd, char *out, size_t size)
{
    char raw[128];
    ssize_t n = pread(fd, raw, sizeof(raw), 0);

    while (n > 0 && raw[n - 1] == '\n')
        n--;
    if (n <= 0 || !lw_text_clean(raw, (size_t)n, out, size))
        snprintf(out, size, "another process");
}

static int write_holder(int fd, const char *path, struct lw_error *err)
{
    char text[128], host[64] = "";
    int n;

    gethostname(host, sizeof(host) - 1);
    n = snprintf(text, sizeof(text), "process %d on %s\n", (int)getpid(), host);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) < 0)
        if (errno != ENOSPC && errno != EDQUOT) /* the lock holds without its words */
            return lw_fail_errno(err, "cannot write %s", path);
    return 0;
}

static int take(int fd, const char *dir, const char *path, struct lw_error *err)
{
    struct flock lock = whole_file();
    char holder[160];

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return write_holder(fd, path, err);
    if (errno == EAGAIN || errno == EACCES) {
        read_holder(fd, holder, sizeof(holder));
        return lw_fail(err, LW_EBUSY, "%s is being trained by %s: stop it, or attach to it", dir,
                       holder);
    }
    if (errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS)
        return lw_fail_errno(err,
                             "%s cannot be locked (a network file system without locks? use "
                             "--run-dir on a local disk)",
                             path);
    return lw_fail_errno(err, "cannot lock %s", path);
}

int lw_run_lock(const char *dir, int *fd, struct lw_error *err)
{
    char *path = lw_path_join(dir, LW_RUN_LOCK);
    int rc;

    *fd = -1;
    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0)
        rc = lw_fail_errno(err, "cannot write the run folder %s", dir);
    else
        rc = take(*fd, dir, path, err);
    if (rc < 0 && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    free(path);
    return rc;
}

int lw_run_alive(const char *dir, struct lw_error *err)
{
    struct flock lock = whole_file();
    char *path = lw_path_join(dir, LW_RUN_LOCK);
    int fd, rc;

    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        rc = errno == ENOENT ? 0 : lw_fail_errno(err, "cannot read %s", path);
    } else {
        rc = fcntl(fd, F_OFD_GETLK, &lock);
        rc = rc < 0 ? lw_fail_errno(err, "cannot ask who holds %s", path) : lock.l_type != F_UNLCK;
        close(fd);
    }
    free(path);
    return rc;
}
