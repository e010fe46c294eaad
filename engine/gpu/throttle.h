/* SPDX-License-Identifier: MIT
 *
 * When a card begins to run slower than it could, and when it is over: lines for events.log.
 * A power limit comes and goes many times a second, so a reason is over only after it was away
 * for a while. No clock and no card in here: samples come with their time.
 */
#ifndef LW_GPU_THROTTLE_H
#define LW_GPU_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LW_THROTTLE_KINDS = 5 };

struct lw_throttle {
    struct {
        bool on;
        double began, seen; /* seconds */
    } reason[LW_THROTTLE_KINDS];
};

/* Take a sample's bits (see nvml.h) at a time that never goes back. True: text has a line, warn
 * says whether it is more than news, and there may be another: call again with the same sample. */
bool lw_throttle_step(struct lw_throttle *t, uint64_t bits, double now, char *text, size_t size,
                      bool *warn);

#endif
