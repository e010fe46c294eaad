/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/run/protocol.h"
#include "engine/run/server.h"
#include "tests/fuzz/fuzz.h"

static uint32_t later;

/* Every third request is answered later, as a rank does. */
static uint32_t take(void *user, enum lw_request request, bool *ok, char *text)
{
    (void)user;
    if (!lw_request_name(request))
        abort();
    *ok = true;
    text[0] = '\0';
    later++;
    return later % 3 == 0 ? later : 0;
}

static void check_answers(int sock)
{
    char line[LW_CONTROL_LINE];
    struct lw_reply reply;
    ssize_t n = recv(sock, line, sizeof(line), MSG_DONTWAIT | MSG_PEEK);
    char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;

    while (end) {
        size_t size = (size_t)(end - line);

        if (lw_protocol_reply(line, size, &reply, NULL) < 0 ||
            recv(sock, line, size + 1, 0) != (ssize_t)size + 1)
            abort();
        n = recv(sock, line, sizeof(line), MSG_DONTWAIT | MSG_PEEK);
        end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;
    }
}

/* A client says whatever it wants, in portions, to a server; what comes back are answers. Then the
 * same bytes as a line of a request and of an answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lw_status status;
    struct lw_server server = {.fd = -1, .status = &status, .request = take};
    struct pollfd p[LW_SERVER_FDS];
    struct lw_reply reply;
    struct lw_error err;
    int pair[2];

    lw_status_init(&status);
    for (int i = 0; i < LW_SERVER_CLIENTS; i++)
        server.client[i].fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0 ||
        (server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return 0;
    server.client[0].fd = pair[0];
    server.client[0].heard = 1e300;
    for (size_t at = 0; at < size && server.client[0].fd >= 0;) {
        size_t portion = size - at < 1000 ? size - at : 1000;
        ssize_t n = send(pair[1], data + at, portion, MSG_NOSIGNAL);
        int count;

        at += n > 0 ? (size_t)n : 0;
        count = lw_server_wait(&server, p);
        poll(p, (nfds_t)count, 0);
        p[0].revents = 0;
        lw_server_serve(&server, p, count);
        lw_server_answer(&server, later, true, "done");
        check_answers(pair[1]);
        if (n <= 0)
            break;
    }
    if (server.client[0].fd >= 0)
        close(server.client[0].fd);
    close(server.fd);
    close(pair[1]);
    lw_protocol_request((const char *)data, size, &err);
    if (lw_protocol_reply((const char *)data, size, &reply, &err) == 0 &&
        strlen(reply.text) >= sizeof(reply.text))
        abort();
    return 0;
}
