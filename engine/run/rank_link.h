/* SPDX-License-Identifier: MIT
 *
 * Between a supervisor and its rank: one socket, inherited by the rank, whole messages. The rank's
 * side is what the training loop uses; each call is cheap enough to be made every step.
 *
 * A rank's life: lw_link_open; lw_link_progress with state STARTING while it loads, then RUNNING as
 * it steps; lw_link_poll each step (blocking while paused); lw_link_answer to every command;
 * return from lw_train_rank. The end of the supervisor is the end of the rank: the kernel kills
 * it, and lw_link_poll says LW_REQUEST_STOP should that come late.
 */
#ifndef LW_RUN_RANK_LINK_H
#define LW_RUN_RANK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/run/control.h"
#include "engine/run/status.h"

struct lw_rank_link {
    int fd;      /* -1: not supervised; every call then does nothing */
    uint32_t id; /* of the command last polled, which lw_link_answer answers */
    double sent; /* when progress went out last, and with which state */
    int sent_state;
    /* Called, from any thread, when another rank failed or was lost; it should end the process.
     * NULL: collectives fail instead. */
    void (*lost)(struct lw_rank_link *link, const char *text);
};

/* From the environment the supervisor set. A process that has no supervisor gets a link that does
 * nothing. Where a launcher stands between them, rank says which one this is. */
void lw_link_open(struct lw_rank_link *link, int rank);
void lw_link_close(struct lw_rank_link *link);

/* The next command: PAUSE, CONTINUE, CHECKPOINT or STOP; NONE when there is none after
 * timeout_ms (0: do not wait, -1: wait for one). A command must be answered before the next poll.
 */
enum lw_request lw_link_poll(struct lw_rank_link *link, int timeout_ms);

/* Answer the command that was polled last. text (may be NULL): what was done or why not, one line.
 */
void lw_link_answer(struct lw_rank_link *link, bool ok, const char *text);

/* How the run stands, for status.json and the answers. The supervisor fills in pid, host, started,
 * updated, exit_code. Progress that cannot be sent at once is dropped and does not block; a change
 * of state waits until it is sent: so the last one before lw_link_end has FINISHED, STOPPED or
 * FAILED. */
void lw_link_progress(struct lw_rank_link *link, const struct lw_status *status);

/* How the run ended, from the code and error of lw_train_rank: sent by leeway-engine's main. */
void lw_link_end(struct lw_rank_link *link, int code, const struct lw_error *err);

#endif
