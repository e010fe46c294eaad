/* SPDX-License-Identifier: MIT
 *
 * Made-up data that drifts, profiled and compared by the project's own code, written as a run that
 * watches drift writes it: drift.csv and the two profiles.
 */
#ifndef LW_TESTS_FAKE_DRIFT_H
#define LW_TESTS_FAKE_DRIFT_H

#include <stdint.h>

#include "engine/base/error.h"
#include "engine/drift/profile.h"

/* A profile of items documents, or images, that are shift (0 to 1) away from how they began. The
 * same seed gives the same data. The caller frees it with lw_profile_fini. */
int fake_profile(struct lw_profile *p, enum lw_modality modality, int items, double shift,
                 uint64_t seed, struct lw_error *err);

struct fake_check {
    enum lw_modality modality;
    int64_t step;
    double epoch, time;
    int items; /* of the current profile; the reference has 4000 */
    double shift;
    int64_t change_step; /* where the alarm says that it began; 0: it says nothing */
};

/* A check: both profiles into dir, its scores at the end of dir/drift.csv, which begins with a
 * header line. Compared with the reference, and less shifted with validation and the one before. */
int fake_drift_check(const char *dir, const struct fake_check *check, struct lw_error *err);

#endif
