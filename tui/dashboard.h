/* SPDX-License-Identifier: MIT
 *
 * A run's panels as one picture: those of training, and those of drift where there is any.
 */
#ifndef LW_TUI_DASHBOARD_H
#define LW_TUI_DASHBOARD_H

#include "engine/base/error.h"
#include "tui/drift.h"
#include "widgets/picture.h"

struct lw_dashboard;

/* Read runs and CSV files whole and describe their panels. *picture borrows from *out; its size is
 * left to the caller. */
LW_NODISCARD int lw_dashboard_open(struct lw_dashboard **out, char *const *paths, int count,
                                   struct lw_picture *picture, struct lw_error *err);
void lw_dashboard_close(struct lw_dashboard *d);

/* The four panels of a comparison of two files. d is borrowed. */
LW_NODISCARD int lw_dashboard_of_drift(struct lw_dashboard **out, const struct lw_drift *d,
                                       const char *const file[2], struct lw_picture *picture,
                                       struct lw_error *err);

#endif
