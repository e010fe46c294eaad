/* SPDX-License-Identifier: MIT
 *
 * The configuration's drift fields, for those who only want to know whether they make sense.
 */
#ifndef LW_DRIFT_CHECK_CONFIG_H
#define LW_DRIFT_CHECK_CONFIG_H

#include "engine/config/config.h"

/* LW_EUSAGE as lw_drift_settings_from has it: a threshold of a score that does not exist. */
LW_NODISCARD int lw_drift_check_config(const struct lw_config *c, struct lw_error *err);

#endif
