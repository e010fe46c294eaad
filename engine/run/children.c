/* SPDX-License-Identifier: MIT */
#include "engine/run/children.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/process.h"

#define LOOK_MS 20

void lw_children_adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Call with every process whose parent we are. Only we can make children go away, so their numbers
 * are theirs until we wait for them. */
static int each_child(void (*call)(void *user, pid_t pid, const struct lw_process *p), void *user)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    while (proc && (entry = readdir(proc))) {
        struct lw_process p;
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid <= 0 || lw_process_read("/proc", pid, &p) < 0 || p.ppid != getpid() ||
            p.state == 'Z')
            continue;
        n++;
        call(user, pid, &p);
    }
    if (proc)
        closedir(proc);
    return n;
}

static void kill_it(void *user, pid_t pid, const struct lw_process *p)
{
    (void)user;
    (void)p;
    kill(pid, SIGKILL);
}

struct list {
    char *out;
    size_t used, size;
};

static void name_it(void *user, pid_t pid, const struct lw_process *p)
{
    struct list *l = user;
    char path[64], where[64] = "?";
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/wchan", (int)pid);
    f = fopen(path, "re");
    if (f) {
        if (!fgets(where, sizeof where, f))
            where[0] = '\0';
        fclose(f);
    }
    if (l->used < l->size)
        l->used +=
            (size_t)snprintf(l->out + l->used, l->size - l->used, "%sprocess %d (state %c, in %s)",
                             l->used ? ", " : "", (int)pid, p->state, where);
}

int lw_children_sweep(double seconds, char *said, size_t size)
{
    double deadline = lw_clock_now() + seconds;
    struct list list = {.out = said, .size = size};
    int left;

    said[0] = '\0';
    for (;;) {
        left = each_child(kill_it, NULL);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (!left || lw_clock_now() >= deadline)
            break;
        poll(NULL, 0, LOOK_MS);
    }
    if (left)
        left = each_child(name_it, &list);
    return left;
}
