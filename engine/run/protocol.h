/* SPDX-License-Identifier: MIT
 *
 * The lines that go over the control socket, and its address.
 */
#ifndef LW_RUN_PROTOCOL_H
#define LW_RUN_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "engine/base/error.h"
#include "engine/run/control.h"

enum { LW_CONTROL_LINE = 4096 }; /* bytes of a line, with its line break */

/* Read a request line (without its line break). LW_REQUEST_NONE with err when it is none. */
enum lw_request lw_protocol_request(const char *line, size_t size, struct lw_error *err);

/* Write an answer with its line break and a terminator; returns its length, 0 if it does not fit.
 */
size_t lw_protocol_answer(char *out, size_t size, bool ok, enum lw_run_state state, int64_t step,
                          const char *text);

/* Read an answer line. */
LW_NODISCARD int lw_protocol_reply(const char *line, size_t size, struct lw_reply *reply,
                                   struct lw_error *err);

/* bind or connect a socket to DIR/control, however long the path is. 0, or -1 with errno. */
int lw_protocol_address(int sock, const char *dir,
                        int (*use)(int, const struct sockaddr *, socklen_t));

#endif
