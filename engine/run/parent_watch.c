/* SPDX-License-Identifier: MIT */
#include "engine/run/parent_watch.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/process.h"

int lw_parent_watch_parse(struct lw_parent_watch *w, const char *text)
{
    int pid, end = 0;

    *w = (struct lw_parent_watch){.fd = -1};
    if (sscanf(text, "%d:%" SCNu64 "%n", &pid, &w->start, &end) != 2 || text[end] || pid <= 0)
        return -1;
    w->pid = pid;
    return 0;
}

void lw_parent_watch_text(pid_t pid, uint64_t start, char *out, size_t size)
{
    snprintf(out, size, "%d:%" PRIu64, (int)pid, start);
}

/* Is a process of that number there, the same one, and no zombie? */
static bool is_there(const struct lw_parent_watch *w)
{
    struct lw_process p;

    return lw_process_read("/proc", w->pid, &p) == 0 && p.start == w->start && p.state != 'Z' &&
           p.state != 'X';
}

void lw_parent_watch_open(struct lw_parent_watch *w)
{
    w->fd = -1;
#ifdef SYS_pidfd_open
    if (w->pid && !getenv("LEEWAY_NO_PIDFD"))
        w->fd = (int)syscall(SYS_pidfd_open, w->pid, 0);
#endif
    /* between being seen and being opened its number may have gone to another process */
    if (w->fd >= 0 && !is_there(w)) {
        close(w->fd);
        w->fd = -1;
    }
}

bool lw_parent_watch_gone(struct lw_parent_watch *w)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};

    if (!w->pid || (w->fd >= 0 ? poll(&p, 1, 0) <= 0 : is_there(w)))
        return false;
    lw_parent_watch_close(w);
    return true;
}

void lw_parent_watch_close(struct lw_parent_watch *w)
{
    if (w->fd >= 0)
        close(w->fd);
    *w = (struct lw_parent_watch){.fd = -1};
}
