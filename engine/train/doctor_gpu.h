/* SPDX-License-Identifier: MIT
 *
 * The part of doctor that tells what NVML knows: cards, how they are doing and who uses them.
 */
#ifndef LW_TRAIN_DOCTOR_GPU_H
#define LW_TRAIN_DOCTOR_GPU_H

#include <jansson.h>

/* {"driver", "cards": [...]}, or {"why"} where there is no telemetry. */
json_t *lw_doctor_gpus(void);

void lw_doctor_print_gpus(const json_t *gpus);

#endif
