/* SPDX-License-Identifier: MIT
 *
 * Sums over ranks by NCCL, opened at run time. They run on a stream of their own, so that they
 * overlap with the backward that is enqueued behind them, and inside recordings as well as outside.
 *
 * The few declarations here are NCCL's stable interface, version 2.
 */
#include "engine/ops/cuda/device.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIBRARY "libnccl.so.2"

enum { NCCL_SUCCESS = 0, NCCL_IN_PROGRESS = 7 };
enum { NCCL_INT8 = 0, NCCL_FLOAT = 7, NCCL_DOUBLE = 8 };
enum { NCCL_SUM = 0 };

typedef struct ncclComm *nccl_comm;

struct nccl_id {
    char bytes[LW_GROUP_ID];
};

static struct {
    int (*unique_id)(struct nccl_id *id);
    int (*init)(nccl_comm *comm, int ranks, struct nccl_id id, int rank);
    int (*destroy)(nccl_comm comm);
    int (*abort)(nccl_comm comm);
    int (*reduce)(const void *send, void *receive, size_t count, int type, int op, nccl_comm comm,
                  cudaStream_t stream);
    int (*broadcast)(const void *send, void *receive, size_t count, int type, int root,
                     nccl_comm comm, cudaStream_t stream);
    int (*state)(nccl_comm comm, int *error);
    const char *(*text)(int code);
    const char *(*detail)(nccl_comm comm); /* NULL before 2.13 */
} nccl;

struct lw_cuda_group {
    nccl_comm comm;
    cudaStream_t stream;
    cudaEvent_t ready, done; /* gradients are complete; sums are */
};

/* Where pip installs it, after what the loader finds. */
static void *open_library(void)
{
    static const char *const patterns[] = {
        "/usr/local/lib/python3*/*-packages/nvidia/nccl/lib/" LIBRARY,
        "/usr/lib/python3*/*-packages/nvidia/nccl/lib/" LIBRARY,
        "/opt/*/lib/python3*/site-packages/nvidia/nccl/lib/" LIBRARY,
        "/opt/*/.venv/lib/python3*/site-packages/nvidia/nccl/lib/" LIBRARY,
    };
    const char *given = getenv("LEEWAY_NCCL");
    void *library = dlopen(given && *given ? given : LIBRARY, RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; !library && !given && i < sizeof patterns / sizeof *patterns; i++) {
        glob_t found;

        if (glob(patterns[i], 0, NULL, &found) == 0)
            for (size_t k = 0; !library && k < found.gl_pathc; k++)
                library = dlopen(found.gl_pathv[k], RTLD_NOW | RTLD_LOCAL);
        globfree(&found);
    }
    return library;
}

static int load(struct lw_error *err)
{
    const struct {
        void *slot;
        const char *name;
        bool needed;
    } wanted[] = {
        {&nccl.unique_id, "ncclGetUniqueId", true},   {&nccl.init, "ncclCommInitRank", true},
        {&nccl.destroy, "ncclCommDestroy", true},     {&nccl.abort, "ncclCommAbort", true},
        {&nccl.reduce, "ncclAllReduce", true},        {&nccl.broadcast, "ncclBroadcast", true},
        {&nccl.state, "ncclCommGetAsyncError", true}, {&nccl.text, "ncclGetErrorString", true},
        {&nccl.detail, "ncclGetLastError", false},
    };
    void *library;

    if (nccl.unique_id)
        return 0;
    library = open_library();
    if (!library)
        return lw_fail(err, LW_EMISSING,
                       "several ranks on GPUs need NCCL: " LIBRARY " was not found (package "
                       "libnccl2, or pip's nvidia-nccl; LEEWAY_NCCL names a file)");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        void *symbol = dlsym(library, wanted[i].name);

        if (!symbol && wanted[i].needed) {
            nccl.unique_id = NULL;
            return lw_fail(err, LW_EMISSING, LIBRARY " has no %s: version 2.4 or newer is needed",
                           wanted[i].name);
        }
        memcpy(wanted[i].slot, &symbol, sizeof symbol);
    }
    return 0;
}

static const char *why(nccl_comm comm, int code, char *out, size_t size)
{
    const char *detail = nccl.detail ? nccl.detail(comm) : NULL;

    snprintf(out, size, "%s%s%.150s", nccl.text(code), detail && *detail ? ": " : "",
             detail ? detail : "");
    return out;
}

int lw_cuda_group_id(unsigned char *id, struct lw_error *err)
{
    struct nccl_id made;
    char text[200];
    int rc = load(err), code;

    if (rc)
        return rc;
    code = nccl.unique_id(&made);
    if (code != NCCL_SUCCESS)
        return lw_fail(err, LW_EBACKEND, "NCCL could not begin: %s",
                       why(NULL, code, text, sizeof text));
    memcpy(id, made.bytes, sizeof made.bytes);
    return 0;
}

/* The sums' stream goes before the other: they wait for other ranks, so they should start early. */
static int make_streams(struct lw_cuda_group *g, struct lw_error *err)
{
    int low, high;
    cudaError_t e = cudaDeviceGetStreamPriorityRange(&low, &high);

    if (!e)
        e = cudaStreamCreateWithPriority(&g->stream, cudaStreamNonBlocking, high);
    if (!e)
        e = cudaEventCreateWithFlags(&g->ready, cudaEventDisableTiming);
    if (!e)
        e = cudaEventCreateWithFlags(&g->done, cudaEventDisableTiming);
    return e ? lw_fail(err, LW_EBACKEND, "a stream for sums: %s", lw_cuda_text(e)) : 0;
}

int lw_cuda_join(struct lw_device *dev, const struct lw_group *group, struct lw_error *err)
{
    struct nccl_id id;
    char text[200];
    int rc = load(err), code;

    if (rc)
        return rc;
    dev->group = calloc(1, sizeof *dev->group);
    if (!dev->group)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = make_streams(dev->group, err);
    if (rc)
        return rc;
    memcpy(id.bytes, group->id, sizeof id.bytes);
    code = nccl.init(&dev->group->comm, group->size, id, group->rank);
    if (code != NCCL_SUCCESS)
        return lw_fail(err, LW_EBACKEND, "NCCL could not join rank %d on %s to the others: %s",
                       group->rank, dev->properties.name, why(NULL, code, text, sizeof text));
    return 0;
}

void lw_cuda_leave(struct lw_device *dev)
{
    struct lw_cuda_group *g = dev->group;

    if (!g)
        return;
    if (g->comm && dev->failed_op)
        nccl.abort(g->comm);
    else if (g->comm)
        nccl.destroy(g->comm);
    if (g->ready)
        cudaEventDestroy(g->ready);
    if (g->done)
        cudaEventDestroy(g->done);
    if (g->stream)
        cudaStreamDestroy(g->stream);
    free(g);
    dev->group = NULL;
}

static void check(struct lw_device *dev, const char *op, int code)
{
    char text[200];

    if (code != NCCL_SUCCESS && code != NCCL_IN_PROGRESS)
        lw_cuda_failed(dev, op, why(dev->group->comm, code, text, sizeof text));
}

int lw_cuda_spread(struct lw_device *dev, void *buffer, size_t bytes, struct lw_error *err)
{
    check(dev, "NCCL's broadcast",
          nccl.broadcast(buffer, buffer, bytes, NCCL_INT8, 0, dev->group->comm, dev->stream));
    return lw_cuda_wait_all(dev, err);
}

/* The sums' stream waits for what was enqueued so far, gradients among it. */
static void follow(struct lw_device *dev)
{
    cudaError_t e = cudaEventRecord(dev->group->ready, dev->stream);

    if (!e)
        e = cudaStreamWaitEvent(dev->group->stream, dev->group->ready, 0);
    if (e)
        lw_cuda_failed(dev, "a sum over ranks", lw_cuda_text(e));
}

void lw_cuda_reduce(struct lw_device *dev, void *grads, size_t count)
{
    follow(dev);
    check(dev, "a sum over ranks",
          nccl.reduce(grads, grads, count, NCCL_FLOAT, NCCL_SUM, dev->group->comm,
                      dev->group->stream));
}

void lw_cuda_reduce_end(struct lw_device *dev)
{
    struct lw_cuda_group *g = dev->group;
    double *window = &dev->record->loss_sum; /* and targets, correct, top5 behind it */
    cudaError_t e;

    e = cudaMemcpyAsync(&dev->record->own_loss_sum, window, sizeof *window,
                        cudaMemcpyDeviceToDevice, dev->stream);
    if (e)
        lw_cuda_failed(dev, "a sum over ranks", lw_cuda_text(e));
    follow(dev);
    check(dev, "a sum over ranks",
          nccl.reduce(window, window, 4, NCCL_DOUBLE, NCCL_SUM, g->comm, g->stream));
    e = cudaEventRecord(g->done, g->stream);
    if (!e)
        e = cudaStreamWaitEvent(dev->stream, g->done, 0);
    if (e)
        lw_cuda_failed(dev, "a sum over ranks", lw_cuda_text(e));
}

/* A rank that is lost leaves kernels that never end: look, instead of waiting for them. */
cudaError_t lw_cuda_wait(struct lw_device *dev, cudaEvent_t event)
{
    const struct timespec nap = {.tv_nsec = 20000};
    int error = NCCL_SUCCESS;
    char text[200];
    cudaError_t e;

    if (!dev->group)
        return cudaEventSynchronize(event);
    while ((e = cudaEventQuery(event)) == cudaErrorNotReady) {
        if (nccl.state(dev->group->comm, &error) == NCCL_SUCCESS && error != NCCL_SUCCESS &&
            error != NCCL_IN_PROGRESS) {
            lw_cuda_failed(dev, "a sum over ranks",
                           why(dev->group->comm, error, text, sizeof text));
            return cudaSuccess; /* the failure is told, not this wait */
        }
        nanosleep(&nap, NULL);
    }
    return e;
}
