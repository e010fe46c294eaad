/* SPDX-License-Identifier: MIT */
#include "engine/dist/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/base/clock.h"

#define RETRY_MS 100

static int look_up(const char *host, int port, struct addrinfo **out, struct lw_error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[16];
    int rc;

    snprintf(service, sizeof service, "%d", port);
    rc = getaddrinfo(host, service, &hints, out);
    return rc ? lw_fail(err, LW_EUSAGE, "cannot find the address of \"%s\": %s", host,
                        gai_strerror(rc))
              : 0;
}

static int is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
    return a->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static void any_address(struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        ((struct sockaddr_in *)a)->sin_addr.s_addr = htonl(INADDR_ANY);
    else if (a->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)a)->sin6_addr = in6addr_any;
}

static int port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &size) < 0)
        return -1;
    return a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port)
                                   : ntohs(((struct sockaddr_in *)&a)->sin_port);
}

int lw_net_listen(const char *host, int *port, struct lw_error *err)
{
    struct addrinfo *list;
    int rc = look_up(host, *port, &list, err), fd, on = 1;

    if (rc)
        return rc;
    if (!is_loopback(list->ai_addr))
        any_address(list->ai_addr);
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, 128) < 0)
        rc = lw_fail_errno(err, "rank 0 cannot listen on %s, port %d", host, *port);
    else
        *port = port_of(fd);
    freeaddrinfo(list);
    if (rc && fd >= 0)
        close(fd);
    return rc ? rc : fd;
}

static void at_once(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int ms_until(double deadline)
{
    double left = deadline - lw_clock_now();

    return left <= 0 ? 0 : left > 1e6 ? 1000000000 : (int)(left * 1000) + 1;
}

int lw_net_accept(int listener, double deadline, struct lw_error *err)
{
    for (;;) {
        struct pollfd p = {.fd = listener, .events = POLLIN};
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            at_once(fd);
            return fd;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            return lw_fail_errno(err, "cannot accept a rank");
        if (lw_clock_now() >= deadline)
            return lw_fail(err, LW_EIO, "nobody connected in time");
        poll(&p, 1, ms_until(deadline));
    }
}

/* One attempt, no longer than the deadline. Returns the descriptor, or -1 with errno. */
static int attempt(const struct addrinfo *a, double deadline)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), bad = 0;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof bad;

    if (fd < 0)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        goto connected;
    if (errno != EINPROGRESS)
        goto failed;
    if (poll(&p, 1, ms_until(deadline)) <= 0) {
        errno = ETIMEDOUT;
        goto failed;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &size) < 0 || bad) {
        errno = bad ? bad : errno;
        goto failed;
    }
connected:
    at_once(fd);
    return fd;
failed:
    bad = errno;
    close(fd);
    errno = bad;
    return -1;
}

static int make_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int lw_net_connect(const char *host, int port, double deadline, struct lw_error *err)
{
    struct addrinfo *list;
    int rc = look_up(host, port, &list, err), fd = -1;

    if (rc)
        return rc;
    for (;;) {
        for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
            fd = attempt(a, deadline);
        if (fd >= 0 || lw_clock_now() + RETRY_MS / 1e3 >= deadline)
            break;
        poll(NULL, 0, RETRY_MS);
    }
    if (fd < 0)
        rc = lw_fail_errno(err, "nobody answers at %s, port %d", host, port);
    freeaddrinfo(list);
    if (rc)
        return rc;
    if (make_blocking(fd) < 0) {
        rc = lw_fail_errno(err, "cannot use a connection to %s", host);
        close(fd);
    }
    return rc ? rc : fd;
}

static int gone(struct lw_error *err)
{
    return lw_fail(err, LW_EPEER, "the connection to another rank broke: %s",
                   errno == EAGAIN ? "it does not answer" : strerror(errno));
}

int lw_net_send(int fd, const void *data, size_t bytes, struct lw_error *err)
{
    const char *at = data;

    while (bytes) {
        ssize_t n = send(fd, at, bytes, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return gone(err);
        at += n;
        bytes -= (size_t)n;
    }
    return 0;
}

int lw_net_receive(int fd, void *data, size_t bytes, struct lw_error *err)
{
    char *at = data;

    while (bytes) {
        ssize_t n = recv(fd, at, bytes, MSG_WAITALL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ECONNRESET;
        if (n <= 0)
            return gone(err);
        at += n;
        bytes -= (size_t)n;
    }
    return 0;
}

void lw_net_patience(int fd, double seconds)
{
    struct timeval t = {.tv_sec = (time_t)seconds,
                        .tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}
