/* SPDX-License-Identifier: MIT */
#include "engine/run/door.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/process.h"
#include "engine/base/text.h"
#include "engine/run/link.h"

int lw_door_open(struct lw_door *d, const char *path, int ranks, struct lw_error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    *d = (struct lw_door){.fd = -1, .ranks = ranks, .first = -1};
    if (strlen(path) >= sizeof a.sun_path)
        return lw_fail(err, LW_EIO, "%s is too long for a socket: set TMPDIR to a shorter folder",
                       path);
    strcpy(a.sun_path, path);
    d->seat = calloc((size_t)ranks, sizeof *d->seat);
    if (!d->seat)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (int i = 0; i < ranks; i++) {
        d->seat[i].link = -1;
        d->seat[i].process.fd = -1;
    }
    d->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (d->fd < 0 || bind(d->fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(d->fd, 128) < 0)
        return lw_fail_errno(err, "cannot listen for ranks at %s", path);
    return 0;
}

void lw_door_close(struct lw_door *d)
{
    for (int i = 0; d->seat && i < d->ranks; i++) {
        if (d->seat[i].link >= 0)
            close(d->seat[i].link);
        lw_parent_watch_close(&d->seat[i].process);
    }
    if (d->fd >= 0)
        close(d->fd);
    free(d->seat);
    *d = (struct lw_door){.fd = -1};
}

int lw_door_fds(const struct lw_door *d)
{
    return d->ranks + 1;
}

int lw_door_wait(const struct lw_door *d, struct pollfd *p)
{
    int n = 0;

    if (d->fd < 0)
        return 0;
    p[n++] = (struct pollfd){.fd = d->fd, .events = POLLIN};
    for (int i = 0; i < d->ranks; i++)
        if (d->seat[i].link >= 0)
            p[n++] = (struct pollfd){.fd = d->seat[i].link, .events = POLLIN};
    return n;
}

/* A rank that is gone. Those that end because another one did say so first. */
static void gone(struct lw_door *d, int rank)
{
    struct lw_door_seat *s = &d->seat[rank];

    if (s->link >= 0)
        close(s->link);
    s->link = -1;
    if (!s->ended && d->first < 0)
        d->first = rank;
}

static void ended(struct lw_door *d, int rank, int code, const char *text)
{
    struct lw_door_seat *s = &d->seat[rank];

    s->ended = true;
    s->code = code;
    lw_text_clean(text, strlen(text), s->text, sizeof s->text);
}

/* A new connection: its owner, its rank. */
static int let_in(struct lw_door *d, int fd)
{
    struct ucred who = {0};
    socklen_t size = sizeof who;
    struct lw_link_message m;
    struct lw_process p;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct lw_door_seat *s;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || who.uid != geteuid() ||
        poll(&ready, 1, 1000) <= 0 || recv(fd, &m, sizeof m, MSG_DONTWAIT) <= 0 ||
        m.kind != LW_LINK_HELLO || m.id >= (uint32_t)d->ranks || d->seat[m.id].came) {
        close(fd);
        return -1;
    }
    s = &d->seat[m.id];
    s->came = true;
    if (lw_process_read("/proc", who.pid, &p) == 0) {
        s->process = (struct lw_parent_watch){.pid = who.pid, .start = p.start, .fd = -1};
        lw_parent_watch_open(&s->process);
    }
    if (m.id == 0)
        return fd;
    s->link = fd;
    return -1;
}

static void hear(struct lw_door *d, int rank)
{
    struct lw_link_message m;
    ssize_t n;

    memset(&m, 0, sizeof m);
    do
        n = recv(d->seat[rank].link, &m, sizeof m, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return;
    m.text[sizeof m.text - 1] = '\0';
    if (n <= 0)
        gone(d, rank);
    else if (m.kind == LW_LINK_END)
        ended(d, rank, m.code, m.text);
}

int lw_door_serve(struct lw_door *d)
{
    int link = -1, fd, came;

    while (d->fd >= 0 && (fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        if ((came = let_in(d, fd)) >= 0)
            link = came;
    for (int i = 0; i < d->ranks; i++)
        if (d->seat[i].link >= 0)
            hear(d, i);
    return link;
}

void lw_door_rank_0(struct lw_door *d, bool is_gone, int code, const char *text)
{
    if (d->fd < 0)
        return;
    if (is_gone)
        gone(d, 0);
    else
        ended(d, 0, code, text);
}

bool lw_door_trouble(const struct lw_door *d)
{
    for (int i = 0; i < d->ranks; i++)
        if (d->seat[i].ended && d->seat[i].code < 0 && d->seat[i].code != LW_ESTOPPED)
            return true;
    return d->seat && d->first >= 0;
}

void lw_door_kill(struct lw_door *d)
{
    for (int i = 0; i < d->ranks; i++) {
        struct lw_parent_watch *w = &d->seat[i].process;

        if (!w->pid || lw_parent_watch_gone(w))
            continue;
#ifdef SYS_pidfd_send_signal
        if (w->fd >= 0 && syscall(SYS_pidfd_send_signal, w->fd, SIGKILL, NULL, 0) == 0)
            continue;
#endif
        kill(w->pid, SIGKILL);
    }
}

pid_t lw_door_pid(struct lw_door *d, int rank)
{
    struct lw_parent_watch *w = &d->seat[rank].process;

    return w->pid && !lw_parent_watch_gone(w) ? w->pid : 0;
}

int lw_door_alive(struct lw_door *d)
{
    int n = 0;

    for (int i = 0; i < d->ranks; i++)
        n += d->seat[i].process.pid && !lw_parent_watch_gone(&d->seat[i].process);
    return n;
}

/* A launcher gives a rank's signal as 128 + its number. */
static void how_it_ended(int status, char *out, size_t size)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    int signo = code > 128 ? code - 128 : 0;

    if (signo)
        snprintf(out, size, "was killed by signal %d (%s%s)", signo, strsignal(signo),
                 signo == SIGKILL ? "; perhaps memory ran out" : "");
    else if (code)
        snprintf(out, size, "ended with exit code %d", code);
    else
        snprintf(out, size, "ended without a word");
}

bool lw_door_explain(const struct lw_door *d, const char *host, int status, char *out, size_t size,
                     int *code)
{
    const struct lw_door_seat *peer = NULL;
    char how[120];

    for (int i = 0; i < d->ranks; i++) { /* a rank's own words are the best */
        const struct lw_door_seat *s = &d->seat[i];

        if (!s->ended || s->code >= 0 || s->code == LW_ESTOPPED)
            continue;
        if (s->code == LW_EPEER) {
            peer = peer ? peer : s;
            continue;
        }
        *code = s->code;
        if (s->code == LW_EUSAGE || s->code == LW_ENAN) /* it concerns all; it names who it is */
            snprintf(out, size, "%s", s->text);
        else
            snprintf(out, size, "rank %d on %s: %s", i, host, s->text);
        return true;
    }
    *code = LW_EIO;
    if (WIFSIGNALED(status))
        return false; /* the launcher was killed, and took them along */
    if (d->first >= 0) {
        how_it_ended(status, how, sizeof how);
        snprintf(out, size, "rank %d on %s %s", d->first, host, how);
        return true;
    }
    if (peer)
        snprintf(out, size, "%s", peer->text);
    return peer != NULL;
}
