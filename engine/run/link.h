/* SPDX-License-Identifier: MIT
 *
 * What goes over the socket between supervisor and rank: whole messages of one struct, both ends
 * being the same program.
 */
#ifndef LW_RUN_LINK_H
#define LW_RUN_LINK_H

#include <stdint.h>

#include "engine/run/status.h"

#define LW_LINK_VARIABLE "LEEWAY_LINK_FD"   /* an inherited descriptor, or */
#define LW_DOOR_VARIABLE "LEEWAY_LINK_PATH" /* the socket of door.h */
#define LW_LAUNCHER_VARIABLE "LEEWAY_LAUNCHER_PID" /* a rank's parent, with which it dies */

enum lw_link_kind {
    LW_LINK_REQUEST = 0x4c570001, /* to the rank: request, id */
    LW_LINK_ANSWER,               /* from it: id, code 0 or 1 (no), text */
    LW_LINK_PROGRESS,             /* status */
    LW_LINK_END,                  /* code, text */
    LW_LINK_HELLO,                /* at a door: id is the rank */
};

struct lw_link_message {
    uint32_t kind; /* enum lw_link_kind */
    uint32_t id;
    uint32_t request; /* enum lw_request */
    int32_t code;
    union {
        struct lw_status status;
        char text[1024];
    };
};

#endif
