/* SPDX-License-Identifier: MIT
 *
 * NVML, NVIDIA's management library, opened at run time: what cards there are, how they are doing,
 * who else uses them. It needs no header of the vendor's: the few functions, structures and
 * numbers used here are part of NVML's stable interface and are declared in nvml.c.
 *
 * Cards are found by PCI address, because CUDA numbers them otherwise (CUDA_VISIBLE_DEVICES, or
 * fastest first). What a card or its driver does not tell is NaN, never 0.
 */
#ifndef LW_GPU_NVML_H
#define LW_GPU_NVML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

struct lw_nvml; /* the library, opened; used by one thread at a time */

/* Why a card runs slower than it could; lw_gpu_sample.throttle is a set of these bits, which are
 * NVML's own. */
enum {
    LW_THROTTLE_POWER_CAP = 0x4,
    LW_THROTTLE_HARDWARE = 0x8, /* heat or a drop of the supply, the card does not say which */
    LW_THROTTLE_HEAT = 0x20,
    LW_THROTTLE_HARDWARE_HEAT = 0x40,
    LW_THROTTLE_POWER_BRAKE = 0x80,
};

struct lw_gpu_sample {
    double memory_mb, memory_total_mb; /* 10^6 bytes, of all processes; reserved ones not counted */
    double utilization;                /* percent of the last moments in which a kernel ran */
    double power_w, power_limit_w;
    double temperature_c;
    double clock_mhz; /* of the multiprocessors */
    uint64_t throttle;
};

struct lw_gpu_process {
    int pid;          /* as the driver knows it: outside of a container, maybe */
    char name[48];    /* cleaned; "?" where it is not told */
    double memory_mb; /* NaN: not told */
};

/* $LEEWAY_NVML (a file) alone if set, else libnvidia-ml.so.1. LW_EMISSING: one line says why. */
LW_NODISCARD int lw_nvml_open(struct lw_nvml **out, struct lw_error *err);
void lw_nvml_close(struct lw_nvml *n); /* NULL is fine */

/* How many cards, and the driver's version ("580.65.06", empty where it is not told). */
int lw_nvml_count(struct lw_nvml *n);
const char *lw_nvml_driver(struct lw_nvml *n);

/* The name and PCI address ("0000:1a:00.0") of card i. False: the card does not answer. */
bool lw_nvml_name(struct lw_nvml *n, int i, char *name, size_t name_size, char *pci,
                  size_t pci_size);

/* A handle for the card at a PCI address, which belongs to n; NULL: NVML has none there. */
void *lw_nvml_card(struct lw_nvml *n, const char *pci);

void lw_nvml_sample(struct lw_nvml *n, void *card, struct lw_gpu_sample *out);

/* Processes that compute on the card, this one left out. Returns how many there are, of which at
 * most max are in out; -1: not told. */
int lw_nvml_processes(struct lw_nvml *n, void *card, struct lw_gpu_process *out, int max);

#endif
