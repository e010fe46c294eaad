/* SPDX-License-Identifier: MIT */
#include "engine/dist/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_RANKS 65536

/* A whole number from the environment. -1: not there; -2: nonsense. */
static int number(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long n;

    if (!text || !*text)
        return -1;
    n = strtol(text, &end, 10);
    return *end || n < 0 || n > 1 << 24 ? -2 : (int)n;
}

static int first_of(const char *a, const char *b, const char *c)
{
    int n = number(a);

    if (n == -1)
        n = number(b);
    return n == -1 && c ? number(c) : n;
}

static int nonsense(const char *name, struct lw_error *err)
{
    const char *text = getenv(name);

    return lw_fail(err, LW_EUSAGE, "%s=%.40s makes no sense where WORLD_SIZE=%.40s ranks start",
                   name, text ? text : "", getenv("WORLD_SIZE"));
}

/* torchrun's own variables, which other launchers set too. */
static int look_torch(struct lw_launch *l, struct lw_error *err)
{
    static const char *const needed[] = {"RANK", "MASTER_ADDR", "MASTER_PORT"};
    const char *agent = getenv("TORCHELASTIC_USE_AGENT_STORE");
    int local = number("LOCAL_RANK"), locals = number("LOCAL_WORLD_SIZE");

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!getenv(needed[i]) || !*getenv(needed[i]))
            return lw_fail(err, LW_EUSAGE,
                           "WORLD_SIZE is set, but %s isn't: ranks that start by themselves need "
                           "RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; for a run on its own "
                           "unset WORLD_SIZE",
                           needed[i]);
    l->rank = number("RANK");
    l->port = number("MASTER_PORT");
    if (l->rank < 0 || l->rank >= l->size)
        return nonsense("RANK", err);
    if (l->port < 1 || l->port > 65534)
        return nonsense("MASTER_PORT", err);
    if (local == -2 || local >= l->size)
        return nonsense("LOCAL_RANK", err);
    /* torchrun's agent listens at MASTER_PORT itself */
    if (agent && !strcmp(agent, "True"))
        l->port++;
    snprintf(l->host, sizeof l->host, "%s", getenv("MASTER_ADDR"));
    l->launcher = LW_LAUNCHER_TCP;
    l->local_rank = local >= 0 ? local : l->rank;
    l->local_size = locals > 0 ? locals : l->size;
    return 0;
}

int lw_launch_look(struct lw_launch *l, struct lw_error *err)
{
    int size = first_of("OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS");
    int rank = first_of("OMPI_COMM_WORLD_RANK", "PMIX_RANK", NULL);
    int tasks = first_of("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", NULL);

    *l = (struct lw_launch){.size = 1, .local_size = 1};
    if (rank >= 0 && size > 1 && size <= MOST_RANKS && rank < size) {
        l->launcher = LW_LAUNCHER_MPI;
        l->rank = rank;
        l->size = size;
        return 0;
    }
    if (rank >= 0 && number("OMPI_COMM_WORLD_SIZE") == 1)
        return 0; /* mpirun -np 1 */
    l->size = number("WORLD_SIZE");
    if (l->size == -2 || l->size == 0 || l->size > MOST_RANKS)
        return nonsense("WORLD_SIZE", err);
    if (l->size > 1)
        return look_torch(l, err);
    l->size = 1;
    if (tasks > 1 && (number("SLURM_STEP_ID") >= 0 || number("SLURM_STEPID") >= 0))
        return lw_fail(err, LW_EUSAGE,
                       "Slurm started %d tasks, and this one cannot find the others: start them "
                       "with srun --mpi=pmix, or one task with strategy=ddp devices=%d",
                       tasks, tasks);
    return 0;
}
