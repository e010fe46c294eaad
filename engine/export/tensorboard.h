/* SPDX-License-Identifier: MIT
 *
 * A run's numbers as an event file that TensorBoard opens.
 */
#ifndef LW_EXPORT_TENSORBOARD_H
#define LW_EXPORT_TENSORBOARD_H

#include <stdint.h>

#include "engine/base/error.h"

struct lw_tensorboard_counts {
    uint64_t scalars, histograms;
};

/* Every column of the run's metrics.csv but step and time, every score of its drift.csv (as
 * drift/COMPARISON/SCORE), and histograms of its profiles, in a file in folder/NAME, NAME being
 * the run's. A second export replaces the first. LW_EMISSING in a build without protobuf-c. */
LW_NODISCARD int lw_tensorboard_write(const char *folder, const char *run,
                                      struct lw_tensorboard_counts *out, struct lw_error *err);

#endif
