/* SPDX-License-Identifier: MIT */
#include "engine/dist/join.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/text.h"
#include "engine/dist/net.h"

#define MAGIC   "LEEWAYd" /* and the version below: both ends are the same program */
#define VERSION 2
#define HELLO_S 2.0 /* a stranger that connects and says nothing is kept no longer */

struct hello {
    char magic[8];
    int version, size, rank, line;
    char host[64];
};

struct welcome {
    int code; /* 0: go */
    char host[64];
    char text[512];
};

void lw_join_host_name(char *out)
{
    memset(out, 0, 64);
    if (gethostname(out, 63) < 0)
        snprintf(out, 64, "localhost");
}

/* Which of the ranks did not come. */
static int say_missing(const struct lw_peer *peer, int size, struct lw_error *err)
{
    char list[200] = "";
    size_t used = 0;
    int missing = 0;

    for (int r = 1; r < size; r++) {
        if (peer[r].line[LW_LINE_LIFE] >= 0 && peer[r].line[LW_LINE_SUMS] >= 0 &&
            peer[r].line[LW_LINE_RECORDS] >= 0)
            continue;
        missing++;
        if (used + 20 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%d", used ? ", " : "", r);
    }
    return lw_fail(err, LW_EPEER, "rank%s %s of %d did not come: were all of them started?",
                   missing > 1 ? "s" : "", list, size);
}

static void refuse(int fd, const char *text)
{
    struct welcome w = {.code = LW_EUSAGE};
    struct lw_error ignored;

    snprintf(w.text, sizeof w.text, "%.500s", text);
    (void)!lw_net_send(fd, &w, sizeof w, &ignored);
    close(fd);
}

/* One more connection. 1: it was one of ours. LW_EUSAGE: a rank that cannot be right. */
static int take(struct lw_peer *peer, int size, int fd, struct lw_error *err)
{
    struct lw_error ignored;
    struct hello h;

    lw_net_patience(fd, HELLO_S);
    if (lw_net_receive(fd, &h, sizeof h, &ignored) || memcmp(h.magic, MAGIC, sizeof h.magic) ||
        (unsigned)h.line >= LW_LINES) {
        close(fd); /* not one of us */
        return 0;
    }
    if (h.version != VERSION || h.size != size || h.rank < 1 || h.rank >= size ||
        peer[h.rank].line[h.line] >= 0) {
        lw_fail(err, LW_EUSAGE,
                h.version != VERSION ? "rank %d is of another version of leeway"
                : h.size != size     ? "rank %d was started as one of %d ranks, and rank 0 of %d"
                : h.rank < 1 || h.rank >= size ? "there is no rank %d of %d (rank 0 has %d)"
                                               : "rank %d of %d was started twice",
                h.rank, h.size, size);
        refuse(fd, err->text);
        return LW_EUSAGE;
    }
    lw_net_patience(fd, 0);
    peer[h.rank].line[h.line] = fd;
    h.host[sizeof h.host - 1] = '\0';
    lw_text_clean(h.host, strlen(h.host), peer[h.rank].host, sizeof peer[h.rank].host);
    return 1;
}

int lw_join_host(struct lw_peer *peer, int size, int listener, double deadline,
                 struct lw_error *err)
{
    struct welcome w = {0};
    int rc = 0;

    for (int missing = LW_LINES * (size - 1); !rc && missing;) {
        int fd = lw_net_accept(listener, deadline, err);

        if (fd < 0) {
            rc = say_missing(peer, size, err);
        } else {
            rc = take(peer, size, fd, err);
            missing -= rc > 0;
            rc = rc > 0 ? 0 : rc;
        }
    }
    lw_join_host_name(w.host);
    w.code = rc;
    if (rc)
        snprintf(w.text, sizeof w.text, "%.500s", err->text);
    for (int r = 1; r < size; r++) {
        struct lw_error ignored;

        peer[r].local = !strcmp(peer[r].host, w.host);
        if (peer[r].line[LW_LINE_RECORDS] >= 0 &&
            lw_net_send(peer[r].line[LW_LINE_RECORDS], &w, sizeof w, rc ? &ignored : err) && !rc)
            rc = err->code;
    }
    return rc;
}

int lw_join_guest(struct lw_peer *peer, int rank, int size, const char *host, int port,
                  double deadline, struct lw_error *err)
{
    struct hello h = {.magic = MAGIC, .version = VERSION, .size = size, .rank = rank};
    double patience;
    struct welcome w;
    int rc = 0;

    lw_join_host_name(h.host);
    for (int i = 0; !rc && i < LW_LINES; i++) {
        rc = lw_net_connect(host, port, deadline, err);
        if (rc < 0)
            return lw_fail(err, LW_EPEER, "rank %d of %d cannot reach rank 0: %s", rank, size,
                           strstr(err->text, "nobody") ? strstr(err->text, "nobody") : err->text);
        peer->line[i] = rc;
        h.line = i;
        rc = lw_net_send(peer->line[i], &h, sizeof h, err);
    }
    if (rc)
        return rc;
    patience = deadline - lw_clock_now();
    lw_net_patience(peer->line[LW_LINE_RECORDS], (patience > 0 ? patience : 0) + HELLO_S);
    if (lw_net_receive(peer->line[LW_LINE_RECORDS], &w, sizeof w, err))
        return lw_fail(err, LW_EPEER,
                       "rank %d of %d: what answers at %s, port %d is no rank 0 of "
                       "this run, or it ended",
                       rank, size, host, port);
    lw_net_patience(peer->line[LW_LINE_RECORDS], 0);
    w.text[sizeof w.text - 1] = w.host[sizeof w.host - 1] = '\0';
    if (w.code) {
        char clean[512];

        lw_text_clean(w.text, strlen(w.text), clean, sizeof clean);
        return lw_fail(err, w.code == LW_EUSAGE ? LW_EUSAGE : LW_EPEER, "%s", clean);
    }
    lw_text_clean(w.host, strlen(w.host), peer->host, sizeof peer->host);
    return 0;
}
