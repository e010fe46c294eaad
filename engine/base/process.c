/* SPDX-License-Identifier: MIT */
#include "engine/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int lw_process_read(const char *proc, pid_t pid, struct lw_process *p)
{
    char path[PATH_MAX], text[1024], *open_mark, *close_mark;
    unsigned long long user, system, start;
    size_t size;
    ssize_t n;
    int fd, given;

    snprintf(path, sizeof(path), "%s/%ld/stat", proc, (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n < 0)
        return -1;
    text[n] = '\0';
    /* the name may hold spaces and parentheses: it ends at the last one */
    open_mark = strchr(text, '(');
    close_mark = strrchr(text, ')');
    memset(p, 0, sizeof(*p));
    given = close_mark
                ? sscanf(close_mark + 1,
                         " %c %d %d %d %d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
                         "%*d %*d %llu",
                         &p->state, &p->ppid, &p->pgrp, &p->sid, &p->tty, &user, &system, &start)
                : 0;
    if (!open_mark || open_mark > close_mark || given != 8) {
        errno = EINVAL;
        return -1;
    }
    size = (size_t)(close_mark - open_mark - 1);
    if (size >= sizeof(p->comm))
        size = sizeof(p->comm) - 1;
    memcpy(p->comm, open_mark + 1, size);
    p->pid = pid;
    p->ticks = user + system;
    p->start = start;
    return 0;
}

bool lw_process_is_at_work(const struct lw_process *p)
{
    return p->state == 'R' || p->state == 'D';
}
