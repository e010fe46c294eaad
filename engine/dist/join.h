/* SPDX-License-Identifier: MIT
 *
 * How ranks find each other and what a connection between two of them begins with.
 */
#ifndef LW_DIST_JOIN_H
#define LW_DIST_JOIN_H

#include "engine/base/error.h"
#include "engine/dist/late.h"

enum lw_line { LW_LINE_RECORDS, LW_LINE_SUMS, LW_LINE_LIFE, LW_LINES };

struct lw_peer {
    int line[LW_LINES]; /* on rank 0: to that rank; elsewhere peer 0 alone has them */
    int local;          /* is it on this host? */
    char host[64];
    double throughput; /* as it said last */
    int broken;        /* it said that its loss or gradient is not finite */
    int silent;        /* beats that did not come */
    int parted;        /* it said goodbye */
    struct lw_late_sign sign;
};

/* Rank 0: take in all others through the listener until the deadline, then tell them to go.
 * peer has `size` entries; the caller closes what is open in it, also after an error. */
LW_NODISCARD int lw_join_host(struct lw_peer *peer, int size, int listener, double deadline,
                              struct lw_error *err);

/* The others: connect to rank 0 and wait until everybody is there. */
LW_NODISCARD int lw_join_guest(struct lw_peer *peer, int rank, int size, const char *host, int port,
                               double deadline, struct lw_error *err);

/* A name that hosts can be told apart by; out has 64 bytes. */
void lw_join_host_name(char *out);

#endif
