/* SPDX-License-Identifier: MIT
 *
 * The part of doctor that tells which optional parts this build has, and how to come by the others.
 */
#ifndef LW_TRAIN_DOCTOR_PARTS_H
#define LW_TRAIN_DOCTOR_PARTS_H

#include <jansson.h>

/* {"png": true, ...}: each part that configure may leave out. */
json_t *lw_doctor_parts(void);

void lw_doctor_print_parts(void);

#endif
