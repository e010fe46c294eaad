/* SPDX-License-Identifier: MIT
 *
 * What the engine's verbs share at their edge: arguments in, exit codes out.
 */
#ifndef LW_TRAIN_USAGE_H
#define LW_TRAIN_USAGE_H

#include <stdbool.h>

#include "engine/base/error.h"

/* A number of an option, between low and high. */
LW_NODISCARD int lw_usage_number(const char *option, const char *text, double low, double high,
                                 bool whole, double *out, struct lw_error *err);

/* Print the error, if there is one, and give the exit code: 0, 1, or 2 for LW_EUSAGE. */
int lw_usage_end(int rc, const struct lw_error *err);

#endif
