/* SPDX-License-Identifier: MIT */
#include "engine/train/bench_ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/dist/mpirun.h"

int lw_bench_ranks_open(struct lw_bench_ranks *r, struct lw_error *err)
{
    struct lw_launch launch;
    struct lw_comm_options o = {.launch = &launch};
    int rc = lw_launch_look(&launch, err);

    *r = (struct lw_bench_ranks){.ranks = 1, .locals = 1};
    if (rc || launch.size == 1)
        return rc;
    rc = lw_comm_open(&r->comm, &o, err);
    if (rc)
        return rc;
    r->rank = lw_comm_rank(r->comm);
    r->ranks = lw_comm_size(r->comm);
    r->local = lw_comm_local_rank(r->comm);
    r->locals = lw_comm_local_size(r->comm);
    if (r->rank && !freopen("/dev/null", "w", stdout))
        return lw_fail_errno(err, "cannot open /dev/null");
    return 0;
}

void lw_bench_ranks_close(struct lw_bench_ranks *r, const struct lw_error *why)
{
    if (r->comm && why)
        lw_comm_fail(r->comm, why);
    lw_comm_close(r->comm);
    r->comm = NULL;
}

int lw_bench_ranks_join(struct lw_bench_ranks *r, struct lw_model *g,
                        const struct lw_backend *backend, struct lw_device *device,
                        struct lw_error *err)
{
    int rc = lw_group_join(&r->group, r->comm, backend, device, err);

    lw_reducer_init(&r->reducer, backend, device, lw_model_params(g)->flat.grads);
    return rc;
}

int lw_bench_ranks_together(struct lw_bench_ranks *r, struct lw_model *g, struct lw_error *err)
{
    int rc = lw_comm_barrier(r->comm, err);

    if (!rc)
        rc = lw_model_init(g, 42, err);
    lw_model_set_hook(g, lw_reducer_hook, &r->reducer);
    return rc ? rc : lw_comm_barrier(r->comm, err);
}

const char *lw_bench_ranks_sums(const struct lw_bench_ranks *r)
{
    return r->reducer.backend->group_id ? "NCCL" : lw_comm_plane(r->comm);
}

/* Run the command and read what it prints as JSON. */
static int run(char **argv, json_t *out, struct lw_error *err)
{
    json_error_t why;
    json_t *report;
    int fds[2], status;
    pid_t pid;
    FILE *f;

    if (pipe(fds) < 0)
        return lw_fail_errno(err, "cannot make a pipe");
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        close(fds[0]);
        close(fds[1]);
        execv(argv[0], argv);
        _exit(127);
    }
    close(fds[1]);
    f = fdopen(fds[0], "r");
    report = pid > 0 && f ? json_loadf(f, 0, &why) : NULL;
    if (f)
        fclose(f);
    if (pid > 0)
        waitpid(pid, &status, 0);
    if (!report)
        return lw_fail(err, LW_EIO, "the ranks gave no report");
    json_object_update(out, report);
    json_decref(report);
    return 0;
}

int lw_bench_ranks_start(int ranks, const struct lw_bench_args *a, json_t *out,
                         struct lw_error *err)
{
    char *self = realpath("/proc/self/exe", NULL);
    char **command = calloc((size_t)a->count + 5, sizeof *command);
    char bench[] = "bench", train[] = "train", json[] = "--json";
    struct lw_mpirun m = {.lock = {-1, -1}};
    int n = 0, rc;

    if (!self || !command) {
        free(self);
        free(command);
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    command[n++] = self;
    command[n++] = bench;
    command[n++] = train;
    for (int i = 0; i < a->count; i++)
        command[n++] = a->item[i];
    command[n] = json;
    rc = lw_mpirun_prepare(&m, ranks, command, false, err);
    if (!rc)
        rc = run(m.argv, out, err);
    lw_mpirun_clean(&m);
    free(command);
    free(self);
    return rc;
}
