/* SPDX-License-Identifier: MIT
 *
 * Telling a run what to do: the client's side of the socket DIR/control. One JSON line asks
 * ({"command": "pause"}), one JSON line answers ({"ok": true, "state": "paused", "step": 120,
 * "text": "..."}).
 */
#ifndef LW_RUN_CONTROL_H
#define LW_RUN_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/run/status.h"

enum lw_request {
    LW_REQUEST_NONE,
    LW_REQUEST_STATUS, /* answered by the supervisor alone */
    LW_REQUEST_PAUSE,
    LW_REQUEST_CONTINUE,
    LW_REQUEST_CHECKPOINT, /* answered when it is on disk */
    LW_REQUEST_STOP,       /* after a checkpoint; answered when it has been heard */
    LW_REQUEST_COUNT
};

/* "pause"; NULL out of range. And back: LW_REQUEST_NONE for an unknown word. */
const char *lw_request_name(enum lw_request request);
enum lw_request lw_request_from(const char *name);

struct lw_reply {
    bool ok;
    enum lw_run_state state;
    int64_t step;
    char text[512]; /* cleaned */
};

/* Send command to the run in dir and wait for the answer, at most timeout_s seconds. 0 when an
 * answer came (also one that says no: reply->ok). LW_EMISSING when nobody runs there, LW_EIO when
 * it does not answer. */
LW_NODISCARD int lw_control_send(const char *dir, enum lw_request request, double timeout_s,
                                 struct lw_reply *reply, struct lw_error *err);

#endif
