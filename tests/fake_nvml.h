/* SPDX-License-Identifier: MIT
 *
 * What a test and its stand-in for libnvidia-ml.so.1 agree on: the stand-in exports fake_nvml, a
 * table of cards that the test fills in.
 */
#ifndef LW_TESTS_FAKE_NVML_H
#define LW_TESTS_FAKE_NVML_H

#include <stdbool.h>

enum { FAKE_CARDS = 4, FAKE_PROCESSES = 8 };

struct fake_card {
    unsigned bus; /* of its PCI address; domain 0, device 0 */
    const char *name;
    unsigned long long used, total, reserved; /* bytes */
    unsigned utilization, power_mw, limit_mw, temperature, clock;
    unsigned long long reasons;
    unsigned pid[FAKE_PROCESSES]; /* up to the first 0 */
    unsigned long long process_bytes[FAKE_PROCESSES];
    bool dumb; /* every question about it fails */
};

struct fake_nvml {
    int cards;
    struct fake_card card[FAKE_CARDS];
    int init;                                              /* what nvmlInit answers */
    bool old_memory;                                       /* the newer structure is refused */
    bool no_power, no_utilization, no_processes, no_names; /* NOT_SUPPORTED */
    const char *process_name;
    int inits, shutdowns, samples;
};

#endif
