/* SPDX-License-Identifier: MIT
 *
 * Who started this process: nobody in particular, mpirun or srun (with PMIx), or something that
 * sets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT as torchrun does. Read from the
 * environment alone.
 */
#ifndef LW_DIST_LAUNCHER_H
#define LW_DIST_LAUNCHER_H

#include <stdbool.h>

#include "engine/base/error.h"

enum lw_launcher {
    LW_LAUNCHER_NONE, /* one rank */
    LW_LAUNCHER_MPI,  /* ranks meet through MPI */
    LW_LAUNCHER_TCP,  /* ranks meet at an address */
};

struct lw_launch {
    enum lw_launcher launcher;
    int rank, size;             /* 0, 1 alone */
    int local_rank, local_size; /* on this host; MPI's are known once it is open */
    char host[256];             /* of rank 0, for LW_LAUNCHER_TCP */
    int port;
};

/* LW_EUSAGE names a variable that is missing or makes no sense. */
LW_NODISCARD int lw_launch_look(struct lw_launch *out, struct lw_error *err);

#endif
