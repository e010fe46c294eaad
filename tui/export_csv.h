/* SPDX-License-Identifier: MIT
 *
 * The metrics of runs and CSV files as one CSV (RFC 4180): a column for the run's name, every
 * column of every run, and behind each metric a smoothed copy.
 */
#ifndef LW_TUI_EXPORT_CSV_H
#define LW_TUI_EXPORT_CSV_H

#include <stdio.h>

#include "engine/base/error.h"

/* smoothing: index into lw_smooth_weight. Numbers are written so that reading gives the same
 * value back; text cells are cleaned, quoted, and kept from being taken for formulas. */
LW_NODISCARD int lw_export_csv(FILE *out, char *const *paths, int count, int smoothing,
                               struct lw_error *err);

#endif
