/* SPDX-License-Identifier: MIT
 *
 * What this process may use of the machine: the processors it is allowed to run on, and the share
 * of them and the memory that its control group grants.
 */
#ifndef LW_TRAIN_MACHINE_H
#define LW_TRAIN_MACHINE_H

#include <stdint.h>

struct lw_machine {
    char cpu[96];          /* model name, "" where not known */
    char isa[64];          /* what a kernel may be chosen by: "avx512f avx2 fma", "" for none */
    int online;            /* processors of the machine */
    int affinity;          /* of them, allowed to this process */
    double quota;          /* processors the control group grants; 0: no limit */
    int threads;           /* min(affinity, quota rounded up), at least 1 */
    uint64_t memory_total; /* bytes: the smaller of the machine's and the control group's limit */
    uint64_t memory_free;  /* bytes that can be taken now without swapping */
};

void lw_machine_look(struct lw_machine *m);

/* Processors granted by a cgroup v2 cpu.max ("200000 100000", "max 100000"); 0: no limit or not
 * such a text. */
double lw_machine_quota(const char *cpu_max);

#endif
