/* SPDX-License-Identifier: MIT
 *
 * Fused attention through cuDNN: which shapes may use it, its execution plans (built once a shape,
 * kept on disk), and running them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/ops/cuda/cudnn_graph.h"
#include "engine/ops/cuda/device.h"
#include "engine/ops/sdpa.h"

#define PLANS          32
#define PLAN_JSON_MOST (4u << 20) /* bytes of a stored plan; real ones are about 0.1 MB */

struct plan {
    struct lw_sdpa shape;
    cudnnBackendDescriptor_t plan;
    size_t workspace;
    float keep, drop_scale;     /* 1 - p of dropout, and 1 / (1 - p) */
    struct lw_sdpa_graph graph; /* empty where the plan came from disk */
    cudnnBackendDescriptor_t engine;
};

struct lw_cuda_attention {
    struct lw_cudnn lib;
    bool loaded; /* an attempt was made; error says how it went */
    struct lw_error error;
    cudnnHandle_t handle;
    struct plan plans[PLANS];
    int count;
    void *workspace;
    size_t workspace_size;
    float *dq_sum;
    size_t dq_sum_size;
    int32_t *lengths; /* (B), every one S: for the padding mask */
    int lengths_batch, lengths_value;
    int64_t *seed; /* and offset, of dropout */
};

static struct lw_cuda_attention *state(struct lw_device *dev)
{
    struct lw_cuda_attention *s = dev->attention;

    if (!s) {
        s = dev->attention = calloc(1, sizeof *s);
        if (!s)
            return NULL;
    }
    if (s->loaded)
        return s;
    s->loaded = true;
    if (lw_cudnn_load(&s->lib, &s->error))
        return s;
    if (s->lib.create(&s->handle) || s->lib.set_stream(s->handle, dev->stream)) {
        char why[256] = "";

        s->lib.last_error(why, sizeof why);
        lw_fail(&s->error, LW_EBACKEND, "cuDNN did not start: %s", why);
    }
    return s;
}

int lw_cudnn_ready(struct lw_device *dev, const struct lw_attention *a, struct lw_error *err)
{
    struct lw_sdpa_place place = {.cuda = true,
                                  .major = dev->properties.major,
                                  .minor = dev->properties.minor,
                                  .type = dev->type,
                                  .cudnn = LW_SDPA_ANY_VERSION};
    struct lw_cuda_attention *s;
    int rc = lw_sdpa_eligible(&place, a, err); /* before anything is loaded for it */

    if (rc)
        return rc;
    s = state(dev);
    if (!s)
        return lw_fail(err, LW_EMEM, "out of memory");
    if (s->error.code)
        return lw_fail(err, s->error.code, "%s", s->error.text);
    place.cudnn = s->lib.version;
    return lw_sdpa_eligible(&place, a, err);
}

static bool same_shape(const struct lw_sdpa *x, const struct lw_sdpa *y)
{
    return x->batch == y->batch && x->length == y->length && x->heads == y->heads &&
           x->head_dim == y->head_dim && x->type == y->type && x->causal == y->causal &&
           x->padded == y->padded && x->backward == y->backward &&
           x->deterministic == y->deterministic && x->dropout == y->dropout;
}

static bool plan_path(const struct lw_device *dev, const struct lw_sdpa *s, char *out, size_t size)
{
    char drop[32] = "";

    if (!dev->cache_dir[0])
        return false;
    if (s->dropout > 0)
        snprintf(drop, sizeof drop, "-dropout%.9g", (double)s->dropout);
    snprintf(out, size, "%s/cudnn-%zu-sm%d%d-%s-%dx%dx%dx%d-%s%s%s%s-%s.json", dev->cache_dir,
             dev->attention->lib.version, dev->properties.major, dev->properties.minor,
             lw_dtype_name(s->type), s->batch, s->heads, s->length, s->head_dim,
             s->causal ? "causal" : "full", s->padded ? "-padded" : "",
             s->deterministic ? "-deterministic" : "", drop, s->backward ? "backward" : "forward");
    return true;
}

static cudnnBackendDescriptor_t new_plan(struct lw_cuda_attention *s)
{
    cudnnBackendDescriptor_t d = NULL;

    if (s->lib.make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &d))
        return NULL;
    if (s->lib.set(d, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &s->handle)) {
        s->lib.drop(d);
        return NULL;
    }
    return d;
}

/* A plan stored by an earlier run. Anything odd about the file: no plan, and one is built. */
static cudnnBackendDescriptor_t plan_from_disk(struct lw_device *dev, const struct lw_sdpa *shape)
{
    struct lw_cuda_attention *s = dev->attention;
    cudnnBackendDescriptor_t d = NULL;
    char path[1024], *json = NULL;
    size_t size = 0;

    if (!plan_path(dev, shape, path, sizeof path) ||
        lw_read_file(path, PLAN_JSON_MOST, &json, &size, NULL))
        return NULL;
    d = new_plan(s);
    if (d && (s->lib.set(d, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                         (int64_t)size, json) ||
              s->lib.finalize(d))) {
        s->lib.drop(d);
        d = NULL;
    }
    free(json);
    return d;
}

/* Written aside and renamed, so that processes that start together can't read half a plan. */
static void plan_to_disk(struct lw_device *dev, const struct lw_sdpa *shape,
                         cudnnBackendDescriptor_t plan)
{
    struct lw_cuda_attention *s = dev->attention;
    char path[1024], *json;
    int64_t size = 0;

    if (!plan_path(dev, shape, path, sizeof path) ||
        s->lib.get(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &size,
                   NULL) ||
        size <= 0 || size > PLAN_JSON_MOST || !(json = malloc((size_t)size)))
        return;
    if (!s->lib.get(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, size,
                    &size, json) &&
        lw_replace_file(path, json, strnlen(json, (size_t)size), 0, NULL))
        unlink(path); /* a folder that cannot be written: the next run builds again */
    free(json);
}

/* The engine configuration that cuDNN thinks fastest; later ones where it cannot be built. */
static int build_plan(struct lw_device *dev, struct plan *p, struct lw_error *err)
{
    struct lw_cuda_attention *s = dev->attention;
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    cudnnBackendDescriptor_t heuristics = NULL, configurations[8] = {0};
    int64_t count = 0;
    char why[256] = "no engine supports it";
    int rc = lw_sdpa_graph_build(&s->lib, s->handle, &p->shape, &p->graph, err);

    if (rc)
        return rc;
    if (s->lib.make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristics) ||
        s->lib.set(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                   1, &p->graph.graph) ||
        s->lib.set(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode) ||
        s->lib.finalize(heuristics))
        goto out;
    for (int i = 0; i < 8; i++)
        if (s->lib.make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configurations[i]))
            goto out;
    if (s->lib.get(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 8,
                   &count, configurations))
        count = 0;
    for (int i = 0; i < count && i < 8 && !p->plan; i++) {
        cudnnBackendDescriptor_t d = new_plan(s);

        if (d &&
            !s->lib.set(d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                        1, &configurations[i]) &&
            !s->lib.finalize(d)) {
            p->plan = d;
            p->engine = configurations[i];
            configurations[i] = NULL;
        } else if (d) {
            s->lib.last_error(why, sizeof why);
            s->lib.drop(d);
        }
    }
out:
    for (int i = 0; i < 8; i++)
        if (configurations[i])
            s->lib.drop(configurations[i]);
    if (heuristics)
        s->lib.drop(heuristics);
    if (p->plan)
        return 0;
    lw_sdpa_graph_free(&s->lib, &p->graph);
    return lw_fail(err, LW_EBACKEND, "cuDNN has no attention %s for B=%d H=%d T=%d D=%d: %s",
                   p->shape.backward ? "backward" : "forward", p->shape.batch, p->shape.heads,
                   p->shape.length, p->shape.head_dim, why);
}

static int grow(struct lw_device *dev, void **memory, size_t *size, size_t wanted,
                struct lw_error *err)
{
    if (wanted <= *size)
        return 0;
    if (*memory) {
        cudaStreamSynchronize(dev->stream);
        cudaFree(*memory);
        *memory = NULL;
        *size = 0;
    }
    if (lw_cuda_alloc(dev, wanted, memory, err))
        return LW_EMEM;
    *size = wanted;
    return 0;
}

static int make_lengths(struct lw_device *dev, const struct lw_sdpa *shape, struct lw_error *err)
{
    struct lw_cuda_attention *s = dev->attention;
    int32_t *host;
    int rc;

    if (s->lengths && s->lengths_batch >= shape->batch && s->lengths_value == shape->length)
        return 0;
    host = malloc((size_t)shape->batch * sizeof *host);
    if (!host)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (int i = 0; i < shape->batch; i++)
        host[i] = shape->length;
    cudaFree(s->lengths);
    s->lengths = NULL;
    rc = lw_cuda_alloc(dev, (size_t)shape->batch * sizeof *host, (void **)&s->lengths, err);
    if (!rc &&
        cudaMemcpy(s->lengths, host, (size_t)shape->batch * sizeof *host, cudaMemcpyHostToDevice))
        rc = lw_fail(err, LW_EBACKEND, "copy to the GPU failed");
    s->lengths_batch = shape->batch;
    s->lengths_value = shape->length;
    free(host);
    return rc;
}

static int find_plan(struct lw_device *dev, const struct lw_attention *a, bool backward,
                     struct plan **out, struct lw_error *err)
{
    struct lw_cuda_attention *s = dev->attention;
    struct lw_sdpa shape = {.batch = a->batch,
                            .length = a->length,
                            .heads = a->heads,
                            .head_dim = a->head_dim,
                            .type = dev->type,
                            .causal = a->causal,
                            .padded = lw_sdpa_needs_padding(s->lib.version, a),
                            .backward = backward,
                            .deterministic = backward && dev->options.deterministic,
                            .dropout = a->dropout.p};
    struct plan *p;
    int64_t bytes = 0, n;
    int rc = 0;

    for (int i = 0; i < s->count; i++)
        if (same_shape(&s->plans[i].shape, &shape)) {
            *out = &s->plans[i];
            return 0;
        }
    if (s->count == PLANS)
        return lw_fail(err, LW_EBACKEND, "more than %d attention shapes in one run", PLANS);
    p = &s->plans[s->count];
    memset(p, 0, sizeof *p);
    p->shape = shape;
    p->keep = 1 - shape.dropout;
    p->drop_scale = 1 / p->keep;
    p->plan = plan_from_disk(dev, &shape);
    if (!p->plan) {
        rc = build_plan(dev, p, err);
        if (rc)
            return rc;
        plan_to_disk(dev, &shape, p->plan);
    }
    s->count++;
    if (s->lib.get(p->plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n,
                   &bytes))
        return lw_fail(err, LW_EBACKEND, "cuDNN does not say what its attention needs");
    p->workspace = (size_t)bytes;
    rc = grow(dev, &s->workspace, &s->workspace_size, p->workspace, err);
    if (!rc && backward && !shape.deterministic)
        rc = grow(dev, (void **)&s->dq_sum, &s->dq_sum_size,
                  (size_t)a->batch * a->heads * a->length * a->head_dim * sizeof(float), err);
    if (!rc && shape.padded)
        rc = make_lengths(dev, &shape, err);
    if (!rc && shape.dropout > 0 && !s->seed)
        rc = lw_cuda_alloc(dev, 2 * sizeof *s->seed, (void **)&s->seed, err);
    *out = p;
    return rc;
}

int lw_cudnn_prepare(struct lw_device *dev, const struct lw_attention *a, bool training,
                     struct lw_error *err)
{
    struct lw_attention quiet = *a; /* as evaluation has it */
    struct plan *p;
    int rc;

    quiet.dropout.p = 0;
    rc = find_plan(dev, &quiet, false, &p, err);
    if (!rc && training && a->dropout.p > 0)
        rc = find_plan(dev, a, false, &p, err);
    if (!rc && training)
        rc = find_plan(dev, a, true, &p, err);
    return rc;
}

/* Host scalars are read when the plan runs: they live as long as the program. */
static const float minus_inf = -INFINITY;

struct pack {
    int64_t id[20];
    void *pointer[20];
    int count;
};

static void put(struct pack *p, enum lw_tensor_id id, const void *pointer)
{
    p->id[p->count] = id;
    p->pointer[p->count++] = (void *)pointer;
}

static void put_common(struct pack *pack, const struct lw_cuda_attention *s, const struct plan *p,
                       const float *scale)
{
    put(pack, LW_ID_SCALE, scale);
    if (p->shape.causal || p->shape.padded)
        put(pack, LW_ID_MINUS_INF, &minus_inf);
    if (p->shape.padded) {
        put(pack, LW_ID_LENGTH_Q, s->lengths);
        put(pack, LW_ID_LENGTH_K, s->lengths);
    }
    if (p->shape.dropout > 0) {
        put(pack, LW_ID_DROP_SCALE, &p->drop_scale);
        put(pack, LW_ID_SEED, s->seed);
        put(pack, LW_ID_OFFSET, s->seed + 1);
    }
}

static void run(struct lw_device *dev, const struct plan *p, struct pack *pack, const char *op)
{
    struct lw_cuda_attention *s = dev->attention;
    cudnnBackendDescriptor_t d = NULL;

    if (s->lib.make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &d) ||
        s->lib.set(d, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, pack->count,
                   pack->id) ||
        s->lib.set(d, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pack->count,
                   pack->pointer) ||
        s->lib.set(d, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &s->workspace) ||
        s->lib.finalize(d) || s->lib.execute(s->handle, p->plan, d)) {
        char why[256] = "";

        s->lib.last_error(why, sizeof why);
        lw_cuda_failed(dev, op, why);
    }
    if (d)
        s->lib.drop(d);
}

static const char *part(const struct lw_device *dev, const struct lw_attention *a, const void *qkv,
                        int which)
{
    return (const char *)qkv + (size_t)which * a->heads * a->head_dim * lw_dtype_size(dev->type);
}

bool lw_cudnn_attention(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                        const void *qkv)
{
    struct pack pack = {.count = 0};
    struct lw_error err;
    struct plan *p;

    if (find_plan(dev, a, false, &p, &err)) {
        lw_cuda_failed(dev, "attention", err.text);
        return false;
    }
    put(&pack, LW_ID_Q, part(dev, a, qkv, 0));
    put(&pack, LW_ID_K, part(dev, a, qkv, 1));
    put(&pack, LW_ID_V, part(dev, a, qkv, 2));
    put(&pack, LW_ID_O, out);
    put(&pack, LW_ID_STATS, lse);
    put_common(&pack, dev->attention, p, &a->scale);
    if (a->dropout.p > 0)
        lw_cuda_attention_seed(dev, dev->attention->seed, a->dropout.site);
    run(dev, p, &pack, "attention");
    return true;
}

bool lw_cudnn_attention_backward(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                                 const void *dout, const void *out, const float *lse,
                                 const void *qkv)
{
    struct pack pack = {.count = 0};
    struct lw_error err;
    struct plan *p;

    if (find_plan(dev, a, true, &p, &err)) {
        lw_cuda_failed(dev, "attention backward", err.text);
        return false;
    }
    put(&pack, LW_ID_Q, part(dev, a, qkv, 0));
    put(&pack, LW_ID_K, part(dev, a, qkv, 1));
    put(&pack, LW_ID_V, part(dev, a, qkv, 2));
    put(&pack, LW_ID_O, out);
    put(&pack, LW_ID_DO, dout);
    put(&pack, LW_ID_STATS, lse);
    put(&pack, LW_ID_DQ, part(dev, a, dqkv, 0));
    put(&pack, LW_ID_DK, part(dev, a, dqkv, 1));
    put(&pack, LW_ID_DV, part(dev, a, dqkv, 2));
    put(&pack, LW_ID_ONE, &p->keep);
    if (!p->shape.deterministic)
        put(&pack, LW_ID_DQ_SUM, dev->attention->dq_sum);
    put_common(&pack, dev->attention, p, &a->scale);
    if (a->dropout.p > 0) /* the same as in the forward pass */
        lw_cuda_attention_seed(dev, dev->attention->seed, a->dropout.site);
    run(dev, p, &pack, "attention backward");
    return true;
}

void lw_cudnn_close(struct lw_device *dev)
{
    struct lw_cuda_attention *s = dev->attention;

    if (!s)
        return;
    for (int i = 0; i < s->count; i++) {
        s->lib.drop(s->plans[i].plan);
        if (s->plans[i].engine)
            s->lib.drop(s->plans[i].engine);
        lw_sdpa_graph_free(&s->lib, &s->plans[i].graph);
    }
    if (s->handle)
        s->lib.destroy(s->handle);
    cudaFree(s->workspace);
    cudaFree(s->dq_sum);
    cudaFree(s->lengths);
    cudaFree(s->seed);
    free(s);
    dev->attention = NULL;
}
