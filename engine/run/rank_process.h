/* SPDX-License-Identifier: MIT
 *
 * The rank as its supervisor sees it: a child process, the link to it, and what it prints.
 */
#ifndef LW_RUN_RANK_PROCESS_H
#define LW_RUN_RANK_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine/base/error.h"
#include "engine/run/control.h"
#include "engine/run/link.h"

enum { LW_RANK_LINES = 6, LW_RANK_LINE = 400 };

struct lw_rank_process {
    pid_t pid;
    int link;                               /* -1: closed */
    int output;                             /* its stdout and stderr; -1: closed */
    char last[LW_RANK_LINES][LW_RANK_LINE]; /* its last lines, a ring */
    int lines;                              /* how many it has printed */
    size_t held;                            /* bytes of an unfinished line */
    char line[LW_RANK_LINE];
};

/* Start argv as a child that dies with this process, in a process group of its own, with mask as
 * its signal mask. door: argv is a launcher, whose ranks come to that path (door.h), and r->link is
 * not open yet; NULL: the child is the rank itself. */
LW_NODISCARD int lw_rank_process_spawn(struct lw_rank_process *r, char *const *argv,
                                       const char *door, const sigset_t *mask,
                                       struct lw_error *err);

/* Send a request. 0, or -1 when the rank cannot take one now. */
int lw_rank_process_request(struct lw_rank_process *r, enum lw_request request, uint32_t id);

/* The next message that is there. 1, 0: none, -1: the link is closed. */
int lw_rank_process_receive(struct lw_rank_process *r, struct lw_link_message *m);

/* Read what it printed; line() is called for each whole line. */
void lw_rank_process_listen(struct lw_rank_process *r, void (*line)(void *user, const char *text),
                            void *user);

/* Its last printed lines, oldest first, parted by line breaks. */
void lw_rank_process_last_words(const struct lw_rank_process *r, char *out, size_t size);

void lw_rank_process_close(struct lw_rank_process *r);

#endif
