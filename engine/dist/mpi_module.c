/* SPDX-License-Identifier: MIT
 *
 * libleeway-mpi.so. It finds lw_fail() in the program that opens it.
 */
#include <mpi.h>
#include <time.h>

#include "engine/dist/mpi.h"

#define PIECE (1 << 22) /* floats a call: 16 MiB */

static int failed(const char *what, int code, struct lw_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n;

    MPI_Error_string(code, text, &n);
    return lw_fail(err, LW_EPEER, "%s: %s", what, text);
}

static int open_mpi(struct lw_launch *l, struct lw_error *err)
{
    int given, rc, rank, size;
    MPI_Comm local;

    rc = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &given);
    if (rc != MPI_SUCCESS)
        return failed("MPI_Init", rc, err);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (given < MPI_THREAD_SERIALIZED)
        return lw_fail(err, LW_EMISSING, "this MPI was built without threads");
    if (rank != l->rank || size != l->size)
        return lw_fail(err, LW_EUSAGE,
                       "the launcher says rank %d of %d, and MPI rank %d of %d: start with the "
                       "mpirun of the MPI that leeway was built with, or srun --mpi=pmix",
                       l->rank, l->size, rank, size);
    rc = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
    if (rc != MPI_SUCCESS)
        return failed("MPI_Comm_split_type", rc, err);
    MPI_Comm_rank(local, &l->local_rank);
    MPI_Comm_size(local, &l->local_size);
    MPI_Comm_free(&local);
    return 0;
}

static void close_mpi(void)
{
    MPI_Finalize();
}

static int broadcast(void *data, size_t bytes, struct lw_error *err)
{
    int rc = MPI_Bcast(data, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD);

    return rc == MPI_SUCCESS ? 0 : failed("MPI_Bcast", rc, err);
}

/* MPI spins while it waits, and takes the processor from the ranks that are waited for. */
static int wait_politely(MPI_Request *request)
{
    const struct timespec nap = {.tv_nsec = 20000};
    int rc, done = 0;

    while ((rc = MPI_Test(request, &done, MPI_STATUS_IGNORE)) == MPI_SUCCESS && !done)
        nanosleep(&nap, NULL);
    return rc;
}

static int sum(float *x, size_t count, struct lw_error *err)
{
    for (size_t at = 0; at < count; at += PIECE) {
        size_t n = count - at < PIECE ? count - at : PIECE;
        MPI_Request request;
        int rc = MPI_Iallreduce(MPI_IN_PLACE, x + at, (int)n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD,
                                &request);

        if (rc == MPI_SUCCESS)
            rc = wait_politely(&request);
        if (rc != MPI_SUCCESS)
            return failed("MPI_Allreduce", rc, err);
    }
    return 0;
}

/* The one symbol that the engine looks up in this module. */
extern const struct lw_mpi lw_mpi_module;

const struct lw_mpi lw_mpi_module = {
    .open = open_mpi,
    .close = close_mpi,
    .broadcast = broadcast,
    .sum = sum,
};
