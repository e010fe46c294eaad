/* SPDX-License-Identifier: MIT */
#include "engine/dist/mpi.h"

#include <dlfcn.h>

#include "engine/base/module.h"

#define MODULE "libleeway-mpi.so"

static int find(const struct lw_mpi **out, struct lw_error *err)
{
    char why[512];
    void *module = lw_module_open(MODULE, why, sizeof why);

    *out = module ? dlsym(module, "lw_mpi_module") : NULL;
    return *out ? 0
                : lw_fail(err, LW_EMISSING,
                          "no MPI: " MODULE ": %s (leeway was configured without MPI, or MPI is "
                          "not installed; ranks can start with RANK, WORLD_SIZE, MASTER_ADDR and "
                          "MASTER_PORT instead)",
                          module ? "it is of another version of leeway" : why);
}

int lw_mpi_ready(struct lw_error *err)
{
    const struct lw_mpi *mpi;

    return find(&mpi, err);
}

int lw_mpi_open(const struct lw_mpi **out, struct lw_launch *l, struct lw_error *err)
{
    const struct lw_mpi *mpi;
    int rc = find(&mpi, err);

    if (!rc)
        rc = mpi->open(l, err);
    if (!rc)
        *out = mpi;
    return rc;
}
