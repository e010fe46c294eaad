/* SPDX-License-Identifier: MIT
 *
 * What goes over the socket between supervisor and rank: whole messages of one struct, both ends
 * being the same program.
 */
#ifndef LW_RUN_LINK_H
#define LW_RUN_LINK_H

#include <stdint.h>

#include "engine/run/status.h"

#define LW_LINK_VARIABLE "LEEWAY_LINK_FD"

enum lw_link_kind {
    LW_LINK_REQUEST = 0x4c570001, /* to the rank: request, id */
    LW_LINK_ANSWER,               /* from it: id, code 0 or 1 (no), text */
    LW_LINK_PROGRESS,             /* status */
    LW_LINK_END,                  /* code, text */
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
