/* SPDX-License-Identifier: MIT */
#include "engine/run/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/folder.h"

static const double silence_s = 30; /* after which a client that asks nothing is let go */

int lw_server_open(struct lw_server *s, const char *dir, struct lw_error *err)
{
    char *path = lw_path_join(dir, LW_RUN_CONTROL);
    mode_t mask;
    int rc;

    s->dir = strdup(dir);
    for (int i = 0; i < LW_SERVER_CLIENTS; i++)
        s->client[i].fd = -1;
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0 || !path || !s->dir) {
        rc = lw_fail_errno(err, "cannot make a socket");
    } else {
        unlink(path);
        mask = umask(0177);
        rc = lw_protocol_address(s->fd, dir, bind);
        umask(mask);
        rc = rc < 0 || listen(s->fd, LW_SERVER_CLIENTS) < 0
                 ? lw_fail_errno(err, "cannot listen on %s", path)
                 : 0;
    }
    free(path);
    if (rc < 0 && s->fd >= 0)
        close(s->fd);
    if (rc < 0) {
        free(s->dir);
        s->dir = NULL;
        s->fd = -1;
    }
    return rc;
}

static void hang_up(struct lw_client *c)
{
    close(c->fd);
    c->fd = -1;
    c->waiting = 0;
}

static void answer(struct lw_server *s, struct lw_client *c, bool ok, const char *text)
{
    char line[LW_CONTROL_LINE];
    size_t n = lw_protocol_answer(line, sizeof(line), ok, s->status->state, s->status->step, text);

    c->waiting = 0;
    c->heard = lw_clock_now();
    if (!n || send(c->fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n)
        hang_up(c);
}

static bool same_user(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

/* A free place, or that of the client that has been silent longest; NULL when all wait for answers.
 */
static struct lw_client *find_place(struct lw_server *s)
{
    struct lw_client *best = NULL;

    for (int i = 0; i < LW_SERVER_CLIENTS; i++) {
        struct lw_client *c = &s->client[i];

        if (c->fd < 0)
            return c;
        if (!c->waiting && (!best || c->heard < best->heard))
            best = c;
    }
    if (best)
        hang_up(best);
    return best;
}

static void welcome(struct lw_server *s)
{
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct lw_client *c;

    if (fd < 0)
        return;
    c = same_user(fd) ? find_place(s) : NULL;
    if (!c) {
        close(fd);
        return;
    }
    c->fd = fd;
    c->waiting = 0;
    c->used = 0;
    c->heard = lw_clock_now();
}

static void take_line(struct lw_server *s, struct lw_client *c, const char *line, size_t size)
{
    struct lw_error err = {0, ""};
    enum lw_request request = lw_protocol_request(line, size, &err);
    char text[512] = "";
    bool ok = false;

    if (!request) {
        answer(s, c, false, err.text);
        return;
    }
    c->waiting = s->request(s->user, request, &ok, text);
    if (!c->waiting)
        answer(s, c, ok, text);
}

/* Take the lines that are there, until one has to wait for its answer. */
static void take_lines(struct lw_server *s, struct lw_client *c)
{
    while (c->fd >= 0 && !c->waiting) {
        char *nl = memchr(c->line, '\n', c->used);
        size_t n;

        if (!nl) {
            if (c->used == sizeof(c->line)) {
                answer(s, c, false, "the line is too long");
                if (c->fd >= 0)
                    hang_up(c);
            }
            return;
        }
        n = (size_t)(nl - c->line);
        take_line(s, c, c->line, n);
        if (c->fd < 0)
            return;
        c->used -= n + 1;
        memmove(c->line, nl + 1, c->used);
    }
}

static void hear(struct lw_server *s, struct lw_client *c)
{
    ssize_t n = recv(c->fd, c->line + c->used, sizeof(c->line) - c->used, 0);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        hang_up(c);
        return;
    }
    c->used += (size_t)n;
    c->heard = lw_clock_now();
    take_lines(s, c);
}

int lw_server_wait(const struct lw_server *s, struct pollfd *p)
{
    int n = 0;

    if (s->fd < 0)
        return 0;
    p[n++] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    for (int i = 0; i < LW_SERVER_CLIENTS; i++)
        if (s->client[i].fd >= 0)
            p[n++] =
                (struct pollfd){.fd = s->client[i].fd, .events = s->client[i].waiting ? 0 : POLLIN};
    return n;
}

void lw_server_serve(struct lw_server *s, const struct pollfd *p, int count)
{
    double now = lw_clock_now();

    for (int i = 0; i < LW_SERVER_CLIENTS; i++) {
        struct lw_client *c = &s->client[i];

        for (int j = 1; j < count && c->fd >= 0; j++) {
            if (p[j].fd != c->fd || !p[j].revents)
                continue;
            if (c->waiting)
                hang_up(c); /* it went away; there is nothing to read while it waits */
            else
                hear(s, c);
            break;
        }
        if (c->fd >= 0 && !c->waiting && now - c->heard > silence_s)
            hang_up(c);
    }
    if (count && p[0].revents & POLLIN)
        welcome(s);
}

void lw_server_answer(struct lw_server *s, uint32_t id, bool ok, const char *text)
{
    for (int i = 0; i < LW_SERVER_CLIENTS; i++)
        if (s->fd >= 0 && s->client[i].fd >= 0 && id && s->client[i].waiting == id) {
            answer(s, &s->client[i], ok, text);
            take_lines(s, &s->client[i]);
        }
}

void lw_server_close(struct lw_server *s, const char *text)
{
    char *path;

    if (s->fd < 0)
        return;
    for (int i = 0; i < LW_SERVER_CLIENTS; i++) {
        struct lw_client *c = &s->client[i];

        if (c->fd >= 0 && c->waiting)
            answer(s, c, false, text);
        if (c->fd >= 0)
            hang_up(c);
    }
    path = lw_path_join(s->dir, LW_RUN_CONTROL);
    if (path)
        unlink(path);
    free(path);
    free(s->dir);
    s->dir = NULL;
    close(s->fd);
    s->fd = -1;
}
