/* SPDX-License-Identifier: MIT */
#include "engine/run/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/run/protocol.h"

static int no_connection(const char *dir, struct lw_error *err)
{
    if (errno == ENOENT || errno == ECONNREFUSED)
        return lw_fail(err, LW_EMISSING, "nobody trains in %s: leeway resume goes on with it", dir);
    if (errno == EACCES || errno == EPERM)
        return lw_fail(err, LW_EIO, "the run in %s belongs to another user", dir);
    return lw_fail_errno(err, "cannot reach the run in %s", dir);
}

/* Read up to a line break or the deadline. Length without it, or a negative code. */
static int read_line(int sock, char *line, size_t size, double deadline, struct lw_error *err)
{
    size_t used = 0;

    for (;;) {
        struct pollfd p = {.fd = sock, .events = POLLIN};
        double left = deadline - lw_clock_now();
        ssize_t n;

        if (left < 0)
            left = 0;
        n = poll(&p, 1, (int)(left * 1000) + 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return lw_fail(err, LW_EIO,
                           "the run has not answered yet; it does when its step is done");
        n = recv(sock, line + used, size - used, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lw_fail_errno(err, "the run's answer was cut off");
        for (size_t i = used; i < used + (size_t)n; i++)
            if (line[i] == '\n')
                return (int)i;
        used += (size_t)n;
        if (n == 0 || used == size)
            return lw_fail(err, LW_EIO, "the run ended before it answered");
    }
}

static int ask(int sock, enum lw_request request, double deadline, struct lw_reply *reply,
               struct lw_error *err)
{
    char line[LW_CONTROL_LINE];
    int n = snprintf(line, sizeof(line), "{\"command\": \"%s\"}\n", lw_request_name(request));

    if (send(sock, line, (size_t)n, MSG_NOSIGNAL) != n)
        return lw_fail_errno(err, "cannot ask the run");
    n = read_line(sock, line, sizeof(line), deadline, err);
    return n < 0 ? n : lw_protocol_reply(line, (size_t)n, reply, err);
}

/* A run whose queue of callers is full is asked again until the deadline. */
static int call_run(int sock, const char *dir, double deadline)
{
    while (lw_protocol_address(sock, dir, connect) < 0) {
        if (errno != EAGAIN || lw_clock_now() > deadline)
            return -1;
        poll(NULL, 0, 10);
    }
    return 0;
}

int lw_control_send(const char *dir, enum lw_request request, double timeout_s,
                    struct lw_reply *reply, struct lw_error *err)
{
    double deadline = lw_clock_now() + timeout_s;
    int sock, rc;

    memset(reply, 0, sizeof(*reply));
    if (!lw_request_name(request))
        return lw_fail(err, LW_EUSAGE, "no such command");
    sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return lw_fail_errno(err, "cannot make a socket");
    if (call_run(sock, dir, deadline) < 0)
        rc = no_connection(dir, err);
    else
        rc = ask(sock, request, deadline, reply, err);
    close(sock);
    return rc;
}
