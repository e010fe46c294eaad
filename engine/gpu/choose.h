/* SPDX-License-Identifier: MIT
 *
 * Which card to take where several are there, and who else is on it.
 */
#ifndef LW_GPU_CHOOSE_H
#define LW_GPU_CHOOSE_H

#include "engine/gpu/nvml.h"

enum { LW_GPU_USERS = 3 }; /* processes that are named */

struct lw_gpu_load {
    bool known; /* NVML knows the card; else it counts as idle */
    struct lw_gpu_sample sample;
    int processes; /* of others; -1: not told */
    struct lw_gpu_process process[LW_GPU_USERS];
};

/* What is on the card at a PCI address just now. nvml NULL: nothing is known. */
void lw_gpu_look(struct lw_nvml *nvml, const char *pci, struct lw_gpu_load *out);

/* Does somebody use it? Another process computes there, or 10 % of its time or of its memory is
 * taken (in a container others' processes are not seen, but what they take is). */
bool lw_gpu_busy(const struct lw_gpu_load *load);

/* Of count cards the first that is idle; where all are busy, the one with the most free memory. */
int lw_gpu_choose(const struct lw_gpu_load *load, int count);

/* "in use by python3 (pid 4242, 31245 MB) and 2 more", or "busy: 97 % of its time, 71234 of 81559
 * MB"; for a card that is busy. */
void lw_gpu_load_text(const struct lw_gpu_load *load, char *out, size_t size);

#endif
