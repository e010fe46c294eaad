/* SPDX-License-Identifier: MIT
 *
 * leeway doctor's part about the place it is started from.
 */
#ifndef LW_TRAIN_DOCTOR_GUARD_H
#define LW_TRAIN_DOCTOR_GUARD_H

#include <jansson.h>

/* Look at this process and judge it. {"verdict", "notebook", "terminal", "chain": [...], "lines":
 * [{"level", "text"}], "warnings", "ms", ...}; warnings counts what --strict objects to. */
json_t *lw_doctor_guard(void);
void lw_doctor_guard_print(const json_t *report);

#endif
