/* SPDX-License-Identifier: MIT
 *
 * The supervisor's side of the control socket: a few clients at a time, each one line a time,
 * everything bounded.
 */
#ifndef LW_RUN_SERVER_H
#define LW_RUN_SERVER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/run/control.h"
#include "engine/run/protocol.h"
#include "engine/run/status.h"

enum { LW_SERVER_CLIENTS = 16, LW_SERVER_FDS = LW_SERVER_CLIENTS + 1 };

struct lw_client {
    int fd;           /* -1: free */
    uint32_t waiting; /* the request its answer is awaited for; 0: none */
    double heard;     /* when it last said something */
    size_t used;
    char line[LW_CONTROL_LINE];
};

struct lw_server {
    int fd; /* listening; -1: closed */
    char *dir;
    struct lw_client client[LW_SERVER_CLIENTS];
    const struct lw_status *status; /* for answers */
    /* What to do with a request. Returns its number when the answer comes later
     * (lw_server_answer), 0 when answered: *ok and text (512 bytes) are filled in then. */
    uint32_t (*request)(void *user, enum lw_request request, bool *ok, char *text);
    void *user;
};

/* Listen on DIR/control, mode 0600; the caller holds the folder's lock, so one that is there is a
 * leftover. status, request and user are set by the caller. */
LW_NODISCARD int lw_server_open(struct lw_server *s, const char *dir, struct lw_error *err);

/* Fill p (room for LW_SERVER_FDS) with what to wait for; returns how many. */
int lw_server_wait(const struct lw_server *s, struct pollfd *p);

/* Serve what poll found; also call it when nothing was, so that silent clients are let go. */
void lw_server_serve(struct lw_server *s, const struct pollfd *p, int count);

/* The answer to request number id has come. */
void lw_server_answer(struct lw_server *s, uint32_t id, bool ok, const char *text);

/* Answer all who wait (with no: text), hang up, remove the socket. */
void lw_server_close(struct lw_server *s, const char *text);

#endif
