/* SPDX-License-Identifier: MIT
 *
 * Starting the ranks of one machine through Open MPI's mpirun: its arguments and environment, and
 * folders for its files that nobody else uses. mpirun and its ranks leave files in memory behind
 * when they are killed: a run that starts removes those of runs that are no more.
 */
#ifndef LW_DIST_MPIRUN_H
#define LW_DIST_MPIRUN_H

#include <stdbool.h>

#include "engine/base/error.h"
#include "engine/config/config.h"

struct lw_mpirun {
    char **argv;     /* NULL terminated */
    char folder[80]; /* for temporary files; also: */
    char door[100];  /* where ranks come to their supervisor */
    char memory[80]; /* for what ranks share in memory */
    int lock[2];     /* of the two folders, while they are in use; -1: none */
};

/* How many ranks a run wants on this machine: 1, or `devices`, or where that is auto a rank for
 * each GPU that would be used. */
int lw_mpirun_ranks(const struct lw_config *c);

/* For so many ranks of a command (NULL terminated); tagged: lines they print begin with "[1,RANK]".
 * LW_EMISSING: there is no mpirun, or no MPI in this build. Changes this process's environment,
 * which mpirun inherits. */
LW_NODISCARD int lw_mpirun_prepare(struct lw_mpirun *m, int ranks, char *const *command,
                                   bool tagged, struct lw_error *err);

/* Remove the folders. */
void lw_mpirun_clean(struct lw_mpirun *m);

/* Remove what runs that were killed left behind. */
void lw_mpirun_sweep(void);

#endif
