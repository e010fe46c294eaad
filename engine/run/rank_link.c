/* SPDX-License-Identifier: MIT */
#include "engine/run/rank_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/run/link.h"

static const double progress_s = 0.1; /* between two progress messages */

/* Through the supervisor's door. */
static int knock(const char *path, int rank)
{
    struct lw_link_message m = {.kind = LW_LINK_HELLO, .id = (uint32_t)rank};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(a.sun_path))
        return -1;
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
                    send(fd, &m, sizeof(m), MSG_NOSIGNAL) != sizeof(m))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void lw_link_open(struct lw_rank_link *link, int rank)
{
    const char *text = getenv(LW_LINK_VARIABLE), *door = getenv(LW_DOOR_VARIABLE);

    memset(link, 0, sizeof(*link));
    link->fd = -1;
    link->sent_state = -1;
    if (text) {
        link->fd = atoi(text);
        if (fcntl(link->fd, F_SETFD, FD_CLOEXEC) < 0)
            link->fd = -1;
        unsetenv(LW_LINK_VARIABLE);
    } else if (door) {
        link->fd = knock(door, rank);
        unsetenv(LW_DOOR_VARIABLE);
    }
}

void lw_link_close(struct lw_rank_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

static int send_message(struct lw_rank_link *link, const struct lw_link_message *m, size_t size,
                        int flags)
{
    ssize_t n;

    do
        n = send(link->fd, m, size, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

static int send_text(struct lw_rank_link *link, enum lw_link_kind kind, int code, const char *text)
{
    struct lw_link_message m = {.kind = kind, .id = link->id, .code = code};
    size_t n = text ? strnlen(text, sizeof(m.text) - 1) : 0;

    memset(m.text, 0, sizeof(m.text));
    if (n)
        memcpy(m.text, text, n);
    return send_message(link, &m, offsetof(struct lw_link_message, text) + sizeof(m.text), 0);
}

enum lw_request lw_link_poll(struct lw_rank_link *link, int timeout_ms)
{
    struct pollfd p = {.fd = link->fd, .events = POLLIN};
    struct lw_link_message m;
    ssize_t n;

    if (link->fd < 0) {
        if (timeout_ms > 0)
            poll(NULL, 0, timeout_ms);
        return timeout_ms < 0 ? LW_REQUEST_STOP : LW_REQUEST_NONE;
    }
    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR && timeout_ms < 0);
    if (n <= 0)
        return LW_REQUEST_NONE;
    do
        n = recv(link->fd, &m, sizeof(m), 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        lw_link_close(link);
        return LW_REQUEST_STOP;
    }
    if (n < (ssize_t)offsetof(struct lw_link_message, text) || m.kind != LW_LINK_REQUEST ||
        m.request >= LW_REQUEST_COUNT)
        return LW_REQUEST_NONE;
    link->id = m.id;
    return (enum lw_request)m.request;
}

void lw_link_answer(struct lw_rank_link *link, bool ok, const char *text)
{
    if (link->fd >= 0)
        send_text(link, LW_LINK_ANSWER, ok ? 0 : 1, text);
}

void lw_link_progress(struct lw_rank_link *link, const struct lw_status *status)
{
    struct lw_link_message m = {.kind = LW_LINK_PROGRESS};
    bool changed = (int)status->state != link->sent_state;
    double now;

    if (link->fd < 0)
        return;
    now = lw_clock_now();
    if (!changed && now < link->sent + progress_s)
        return;
    m.status = *status;
    if (send_message(link, &m, sizeof(m), changed ? 0 : MSG_DONTWAIT) < 0)
        return;
    link->sent = now;
    link->sent_state = (int)status->state;
}

void lw_link_end(struct lw_rank_link *link, int code, const struct lw_error *err)
{
    if (link->fd >= 0)
        send_text(link, LW_LINK_END, code, err ? err->text : NULL);
}
