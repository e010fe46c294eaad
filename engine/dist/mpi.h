/* SPDX-License-Identifier: MIT
 *
 * MPI, in a module of its own (libleeway-mpi.so) that is opened only by a rank which mpirun or srun
 * started: nothing else links MPI, and a build without it says so.
 */
#ifndef LW_DIST_MPI_H
#define LW_DIST_MPI_H

#include <stddef.h>

#include "engine/base/error.h"
#include "engine/dist/launcher.h"

struct lw_mpi {
    /* MPI_Init; fills in rank, size and their local counterparts. */
    int (*open)(struct lw_launch *l, struct lw_error *err);
    void (*close)(void); /* MPI_Finalize: all ranks */
    int (*broadcast)(void *data, size_t bytes, struct lw_error *err);
    int (*sum)(float *x, size_t count, struct lw_error *err);
};

/* LW_EMISSING: no module; LW_EUSAGE: MPI sees another world than the environment says. */
LW_NODISCARD int lw_mpi_open(const struct lw_mpi **out, struct lw_launch *l, struct lw_error *err);

/* 0 where the module is there; else LW_EMISSING says what to do. */
int lw_mpi_ready(struct lw_error *err);

#endif
