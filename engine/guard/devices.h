/* SPDX-License-Identifier: MIT
 *
 * How many devices a run could take, told without opening any.
 */
#ifndef LW_GUARD_DEVICES_H
#define LW_GUARD_DEVICES_H

#include <stdbool.h>

enum { LW_DEVICES_NAMED = 16 };

struct lw_devices {
    bool gpu;        /* cards; else processors that this process may use */
    int count;       /* 0: none is seen */
    char names[1280]; /* "cuda:0 (NVIDIA H100 80GB HBM3), cuda:1 (...)", "processors 0, 1" */
};

/* Cards of NVIDIA's driver below proc ("/proc"), those that visible (CUDA_VISIBLE_DEVICES, NULL:
 * not set) leaves. */
void lw_devices_cards(struct lw_devices *d, const char *proc, const char *visible);

/* Processors, by this process's affinity. */
void lw_devices_processors(struct lw_devices *d);

#endif
