/* SPDX-License-Identifier: MIT
 *
 * train and resume where mpirun, srun or torchrun started several of them: rank 0 is the run's
 * front end, in plain lines; the others become ranks.
 */
#ifndef LW_TUI_COMMANDS_RANKS_H
#define LW_TUI_COMMANDS_RANKS_H

#include "engine/config/config.h"
#include "engine/dist/launcher.h"

/* Become the rank that the launch says, with this configuration to compare with rank 0's. Returns
 * only when that is not possible. */
int lw_ranks_become(const struct lw_config *c, struct lw_error *err);

#endif
