/* SPDX-License-Identifier: MIT
 *
 * From a verdict to the strategy and the number of devices of a run that is about to begin.
 */
#ifndef LW_GUARD_SETTLE_H
#define LW_GUARD_SETTLE_H

#include "engine/base/error.h"
#include "engine/config/config.h"
#include "engine/guard/devices.h"
#include "engine/guard/guard.h"

/* Change strategy, devices and num_nodes of a finished configuration as the verdict and the
 * devices there are demand, saying why in it; what is to be said goes to lines. outlive: the run
 * was told to go on without its kernel. LW_EUSAGE for what is not possible: one line. */
LW_NODISCARD int lw_guard_settle(struct lw_config *c, const struct lw_guard_evidence *e,
                                 const struct lw_guard_verdict *v, const struct lw_devices *d,
                                 bool outlive, struct lw_guard_lines *lines, struct lw_error *err);

/* The devices that a configuration's `device` could mean here. */
void lw_guard_devices(const struct lw_config *c, struct lw_devices *d);

/* Write verdict and evidence as comments at the head of the saved configuration. */
LW_NODISCARD int lw_guard_note(struct lw_config *c, const struct lw_guard_evidence *e,
                               const struct lw_guard_verdict *v, struct lw_error *err);

/* Refuse what no part of this version can do, in one line. */
LW_NODISCARD int lw_guard_refuse(const struct lw_config *c, struct lw_error *err);

#endif
