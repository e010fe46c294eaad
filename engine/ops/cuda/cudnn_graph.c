/* SPDX-License-Identifier: MIT */
#include "engine/ops/cuda/cudnn_graph.h"

#include <stdio.h>
#include <string.h>

typedef cudnnBackendDescriptor_t desc;

struct builder {
    const struct lw_cudnn *lib;
    const struct lw_sdpa *shape;
    struct lw_sdpa_graph *out;
    desc operations[40];
    int operation_count;
    int64_t next_id;
    cudnnDataType_t io; /* bf16 or fp16 */
    bool failed;
    char where[64]; /* the first descriptor that failed */
    char why[256];
};

static void fail(struct builder *b, const char *where)
{
    if (b->failed)
        return;
    b->failed = true;
    snprintf(b->where, sizeof b->where, "%s", where);
    b->lib->last_error(b->why, sizeof b->why);
}

static desc make(struct builder *b, cudnnBackendDescriptorType_t type, const char *where)
{
    desc d = NULL;

    if (b->failed)
        return NULL;
    if (b->out->count == (int)(sizeof b->out->made / sizeof b->out->made[0]) ||
        b->lib->make(type, &d)) {
        fail(b, where);
        return NULL;
    }
    b->out->made[b->out->count++] = d;
    return d;
}

static void set(struct builder *b, desc d, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t count, const void *value)
{
    if (!b->failed && b->lib->set(d, name, type, count, value))
        fail(b, "an attribute");
}

static void set_desc(struct builder *b, desc d, cudnnBackendAttributeName_t name, desc value)
{
    set(b, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static void finish(struct builder *b, desc d, const char *where)
{
    if (!b->failed && b->lib->finalize(d))
        fail(b, where);
}

enum kind { REAL, VIRTUAL, HOST };

static desc tensor(struct builder *b, int64_t id, enum kind kind, cudnnDataType_t type,
                   const int64_t dims[4], const int64_t strides[4])
{
    desc t = make(b, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "a tensor");
    const int64_t alignment = 16;
    const bool yes = true;

    if (!id)
        id = b->next_id++;
    set(b, t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(b, t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims);
    set(b, t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
    set(b, t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(b, t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    if (kind == VIRTUAL)
        set(b, t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &yes);
    if (kind == HOST)
        set(b, t, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &yes);
    finish(b, t, "a tensor");
    return t;
}

/* The shapes of the pattern. B, H, S, D, and W = 3·H·D elements from a token to the next. */

static desc packed(struct builder *b, int64_t id, enum kind kind, bool transposed)
{
    const int64_t B = b->shape->batch, H = b->shape->heads, S = b->shape->length;
    const int64_t D = b->shape->head_dim, W = 3 * H * D;
    const int64_t plain[4] = {B, H, S, D}, across[4] = {B, H, D, S};
    const int64_t plain_strides[4] = {S * W, D, W, 1}, across_strides[4] = {S * W, D, 1, W};

    return tensor(b, id, kind, b->io, transposed ? across : plain,
                  transposed ? across_strides : plain_strides);
}

static desc output(struct builder *b, int64_t id)
{
    const int64_t B = b->shape->batch, H = b->shape->heads, S = b->shape->length;
    const int64_t D = b->shape->head_dim;
    const int64_t dims[4] = {B, H, S, D}, strides[4] = {S * H * D, D, H * D, 1};

    return tensor(b, id, REAL, b->io, dims, strides);
}

static desc square(struct builder *b, cudnnDataType_t type)
{
    const int64_t B = b->shape->batch, H = b->shape->heads, S = b->shape->length;
    const int64_t dims[4] = {B, H, S, S}, strides[4] = {H * S * S, S * S, S, 1};

    return tensor(b, 0, VIRTUAL, type, dims, strides);
}

static desc square_transposed(struct builder *b)
{
    const int64_t B = b->shape->batch, H = b->shape->heads, S = b->shape->length;
    const int64_t dims[4] = {B, H, S, S}, strides[4] = {H * S * S, S * S, 1, S};

    return tensor(b, 0, VIRTUAL, b->io, dims, strides);
}

static desc per_row(struct builder *b, int64_t id)
{
    const int64_t B = b->shape->batch, H = b->shape->heads, S = b->shape->length;
    const int64_t dims[4] = {B, H, S, 1}, strides[4] = {H * S, S, 1, 1};

    return tensor(b, id, id ? REAL : VIRTUAL, CUDNN_DATA_FLOAT, dims, strides);
}

static desc per_channel(struct builder *b, int64_t id, cudnnDataType_t type)
{
    const int64_t B = b->shape->batch, H = b->shape->heads, S = b->shape->length;
    const int64_t D = b->shape->head_dim;
    const int64_t dims[4] = {B, H, S, D}, strides[4] = {H * S * D, S * D, D, 1};

    return tensor(b, id, id ? REAL : VIRTUAL, type, dims, strides);
}

static desc host_float(struct builder *b, int64_t id)
{
    const int64_t one[4] = {1, 1, 1, 1};

    return tensor(b, id, HOST, CUDNN_DATA_FLOAT, one, one);
}

static desc lengths(struct builder *b, int64_t id)
{
    const int64_t dims[4] = {b->shape->batch, 1, 1, 1}, strides[4] = {1, 1, 1, 1};

    return tensor(b, id, REAL, CUDNN_DATA_INT32, dims, strides);
}

/* Operations. */

static void add_operation(struct builder *b, desc operation, const char *where)
{
    finish(b, operation, where);
    if (b->operation_count == (int)(sizeof b->operations / sizeof b->operations[0]))
        fail(b, where);
    else
        b->operations[b->operation_count++] = operation;
}

/* y = mode(x, other, condition); other and condition may be NULL; axis -1: none. */
static void pointwise(struct builder *b, cudnnPointwiseMode_t mode, cudnnDataType_t precision,
                      int64_t axis, desc x, desc other, desc condition, desc y)
{
    desc rule = make(b, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, "a pointwise rule"), operation;

    set(b, rule, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(b, rule, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &precision);
    if (axis >= 0)
        set(b, rule, CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, 1, &axis);
    finish(b, rule, "a pointwise rule");
    operation = make(b, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "a pointwise operation");
    set_desc(b, operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, rule);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (other)
        set_desc(b, operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, other);
    if (condition)
        set_desc(b, operation, CUDNN_ATTR_OPERATION_POINTWISE_TDESC, condition);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    add_operation(b, operation, "a pointwise operation");
}

static void apply(struct builder *b, cudnnPointwiseMode_t mode, desc x, desc other, desc y)
{
    pointwise(b, mode, CUDNN_DATA_FLOAT, -1, x, other, NULL, y);
}

/* With a padding mask, the lengths that bound the product's M, N and K; NULL: unbounded. */
static void multiply(struct builder *b, desc a, desc other, desc c, desc m, desc n, desc k)
{
    const cudnnDataType_t precision = CUDNN_DATA_FLOAT;
    desc rule = make(b, CUDNN_BACKEND_MATMUL_DESCRIPTOR, "a matrix product"), operation;

    set(b, rule, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &precision);
    finish(b, rule, "a matrix product");
    operation = make(b, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, "a matrix product");
    set_desc(b, operation, CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_MATMUL_BDESC, other);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_MATMUL_DESC, rule);
    if (m)
        set_desc(b, operation, CUDNN_ATTR_OPERATION_MATMUL_GEMM_M_OVERRIDE_DESC, m);
    if (n)
        set_desc(b, operation, CUDNN_ATTR_OPERATION_MATMUL_GEMM_N_OVERRIDE_DESC, n);
    if (k)
        set_desc(b, operation, CUDNN_ATTR_OPERATION_MATMUL_GEMM_K_OVERRIDE_DESC, k);
    add_operation(b, operation, "a matrix product");
}

static void reduce(struct builder *b, cudnnReduceTensorOp_t how, desc x, desc y)
{
    const cudnnDataType_t precision = CUDNN_DATA_FLOAT;
    desc rule = make(b, CUDNN_BACKEND_REDUCTION_DESCRIPTOR, "a reduction"), operation;

    set(b, rule, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &precision);
    set(b, rule, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &how);
    finish(b, rule, "a reduction");
    operation = make(b, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, "a reduction");
    set_desc(b, operation, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_REDUCTION_DESC, rule);
    add_operation(b, operation, "a reduction");
}

static void reshape(struct builder *b, desc x, desc y)
{
    desc operation = make(b, CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR, "a reshape");

    set_desc(b, operation, CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y);
    add_operation(b, operation, "a reshape");
}

/* What dropout keeps of each probability: 1 or 0, the same for the same seed. */
struct drop {
    desc mask, scale;
};

static struct drop make_drop(struct builder *b)
{
    const cudnnRngDistribution_t distribution = CUDNN_RNG_DISTRIBUTION_BERNOULLI;
    const double keep = 1.0 - (double)b->shape->dropout;
    const int64_t one[4] = {1, 1, 1, 1};
    desc rule = make(b, CUDNN_BACKEND_RNG_DESCRIPTOR, "a random rule"), operation;
    struct drop d = {square(b, CUDNN_DATA_FLOAT), host_float(b, LW_ID_DROP_SCALE)};
    desc seed = tensor(b, LW_ID_SEED, REAL, CUDNN_DATA_INT64, one, one);
    desc offset = tensor(b, LW_ID_OFFSET, REAL, CUDNN_DATA_INT64, one, one);

    set(b, rule, CUDNN_ATTR_RNG_DISTRIBUTION, CUDNN_TYPE_RNG_DISTRIBUTION, 1, &distribution);
    set(b, rule, CUDNN_ATTR_RNG_BERNOULLI_DIST_PROBABILITY, CUDNN_TYPE_DOUBLE, 1, &keep);
    finish(b, rule, "a random rule");
    operation = make(b, CUDNN_BACKEND_OPERATION_RNG_DESCRIPTOR, "a random operation");
    set_desc(b, operation, CUDNN_ATTR_OPERATION_RNG_YDESC, d.mask);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_RNG_DESC, rule);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_RNG_SEED, seed);
    set_desc(b, operation, CUDNN_ATTR_OPERATION_RNG_OFFSET_DESC, offset);
    add_operation(b, operation, "a random operation");
    return d;
}

/* x times the mask, and where scaled also times 1 / (1 - p), into a tensor of that type. */
static desc masked(struct builder *b, const struct drop *d, desc x, bool scaled,
                   cudnnDataType_t type)
{
    desc kept = square(b, CUDNN_DATA_FLOAT), out;

    apply(b, CUDNN_POINTWISE_MUL, x, d->mask, kept);
    if (!scaled)
        return kept;
    out = square(b, type);
    apply(b, CUDNN_POINTWISE_MUL, kept, d->scale, out);
    return out;
}

/* The index of each score along an axis: 2 is the query, 3 the key. */
static desc index_along(struct builder *b, desc scores, int64_t axis, cudnnDataType_t precision)
{
    desc index = square(b, CUDNN_DATA_INT32);

    pointwise(b, CUDNN_POINTWISE_GEN_INDEX, precision, axis, scores, NULL, NULL, index);
    return index;
}

static desc select(struct builder *b, desc scores, desc keep, desc minus_inf)
{
    desc masked = square(b, CUDNN_DATA_FLOAT);

    pointwise(b, CUDNN_POINTWISE_BINARY_SELECT, CUDNN_DATA_FLOAT, -1, scores, minus_inf, keep,
              masked);
    return masked;
}

static desc mask_padding(struct builder *b, desc scores, desc minus_inf, desc length_q,
                         desc length_k)
{
    desc row = index_along(b, scores, 2, CUDNN_DATA_INT32);
    desc column = index_along(b, scores, 3, CUDNN_DATA_INT32);
    desc row_in = square(b, CUDNN_DATA_BOOLEAN), column_in = square(b, CUDNN_DATA_BOOLEAN);
    desc both = square(b, CUDNN_DATA_BOOLEAN);

    pointwise(b, CUDNN_POINTWISE_CMP_LT, CUDNN_DATA_BOOLEAN, -1, row, length_q, NULL, row_in);
    pointwise(b, CUDNN_POINTWISE_CMP_LT, CUDNN_DATA_BOOLEAN, -1, column, length_k, NULL, column_in);
    pointwise(b, CUDNN_POINTWISE_LOGICAL_AND, CUDNN_DATA_BOOLEAN, -1, row_in, column_in, NULL,
              both);
    return select(b, scores, both, minus_inf);
}

static desc mask_future(struct builder *b, desc scores, desc minus_inf)
{
    desc row = index_along(b, scores, 2, CUDNN_DATA_FLOAT);
    desc column = index_along(b, scores, 3, CUDNN_DATA_FLOAT);
    desc seen = square(b, CUDNN_DATA_BOOLEAN);

    pointwise(b, CUDNN_POINTWISE_CMP_GE, CUDNN_DATA_BOOLEAN, -1, row, column, NULL, seen);
    return select(b, scores, seen, minus_inf);
}

struct masks {
    desc minus_inf, length_q, length_k;
};

static struct masks make_masks(struct builder *b)
{
    struct masks m = {NULL, NULL, NULL};

    if (b->shape->causal || b->shape->padded)
        m.minus_inf = host_float(b, LW_ID_MINUS_INF);
    if (b->shape->padded) {
        m.length_q = lengths(b, LW_ID_LENGTH_Q);
        m.length_k = lengths(b, LW_ID_LENGTH_K);
    }
    return m;
}

/* scale Q K^T, masked; backward takes the statistics away before the causal mask. */
static desc masked_scores(struct builder *b, const struct masks *m, desc q, desc k, desc scale,
                          desc stats)
{
    desc product = square(b, CUDNN_DATA_FLOAT), scores = square(b, CUDNN_DATA_FLOAT);

    multiply(b, q, k, product, m->length_q, m->length_k, NULL);
    apply(b, CUDNN_POINTWISE_MUL, product, scale, scores);
    if (b->shape->padded)
        scores = mask_padding(b, scores, m->minus_inf, m->length_q, m->length_k);
    if (stats) {
        desc shifted = square(b, CUDNN_DATA_FLOAT);

        apply(b, CUDNN_POINTWISE_SUB, scores, stats, shifted);
        scores = shifted;
    }
    if (b->shape->causal)
        scores = mask_future(b, scores, m->minus_inf);
    return scores;
}

static void build_forward(struct builder *b)
{
    desc q = packed(b, LW_ID_Q, REAL, false), k = packed(b, LW_ID_K, REAL, true);
    desc v = packed(b, LW_ID_V, REAL, false), o = output(b, LW_ID_O);
    desc scale = host_float(b, LW_ID_SCALE), stats = per_row(b, LW_ID_STATS);
    const struct masks m = make_masks(b);
    desc scores = masked_scores(b, &m, q, k, scale, NULL);
    desc top = per_row(b, 0), sum = per_row(b, 0), log_sum = per_row(b, 0);
    desc shifted = square(b, CUDNN_DATA_FLOAT), raised = square(b, CUDNN_DATA_FLOAT);
    const bool drops = b->shape->dropout > 0;
    desc probabilities = square(b, drops ? CUDNN_DATA_FLOAT : b->io);

    reduce(b, CUDNN_REDUCE_TENSOR_MAX, scores, top);
    apply(b, CUDNN_POINTWISE_SUB, scores, top, shifted);
    apply(b, CUDNN_POINTWISE_EXP, shifted, NULL, raised);
    reduce(b, CUDNN_REDUCE_TENSOR_ADD, raised, sum);
    apply(b, CUDNN_POINTWISE_LOG, sum, NULL, log_sum);
    apply(b, CUDNN_POINTWISE_ADD, top, log_sum, stats);
    apply(b, CUDNN_POINTWISE_DIV, raised, sum, probabilities);
    if (drops) {
        const struct drop d = make_drop(b);

        probabilities = masked(b, &d, probabilities, true, b->io);
    }
    multiply(b, probabilities, v, o, m.length_q, NULL, m.length_k);
}

/* The row sums of dO·O that softmax's backward takes away. Multiplying by one (with dropout 1 - p)
 * is part of the pattern: without it cuDNN computes something else. */
static desc row_products(struct builder *b, desc o, desc dout)
{
    desc product = per_channel(b, 0, CUDNN_DATA_FLOAT), sum = per_row(b, 0);
    desc out = per_row(b, 0), one = host_float(b, LW_ID_ONE);

    apply(b, CUDNN_POINTWISE_MUL, dout, o, product);
    reduce(b, CUDNN_REDUCE_TENSOR_ADD, product, sum);
    apply(b, CUDNN_POINTWISE_MUL, sum, one, out);
    return out;
}

static void build_backward(struct builder *b)
{
    desc q = packed(b, LW_ID_Q, REAL, false), k = packed(b, LW_ID_K, REAL, true);
    desc v = packed(b, LW_ID_V, REAL, true), o = output(b, LW_ID_O), dout = output(b, LW_ID_DO);
    desc dq = packed(b, LW_ID_DQ, REAL, false), dk = packed(b, LW_ID_DK, REAL, false);
    desc dv = packed(b, LW_ID_DV, REAL, false), stats = per_row(b, LW_ID_STATS);
    desc scale = host_float(b, LW_ID_SCALE), row_sums = row_products(b, o, dout);
    const struct masks m = make_masks(b);
    desc scores = masked_scores(b, &m, q, k, scale, stats);
    desc p = square(b, CUDNN_DATA_FLOAT), p_turned = square_transposed(b), kept = p;
    desc dp = square(b, CUDNN_DATA_FLOAT), centred = square(b, CUDNN_DATA_FLOAT);
    desc weighted = square(b, CUDNN_DATA_FLOAT), ds = square(b, CUDNN_DATA_FLOAT);
    desc ds_turned = square_transposed(b), k_plain = packed(b, 0, VIRTUAL, false);
    const bool drops = b->shape->dropout > 0;
    struct drop d = {NULL, NULL};

    apply(b, CUDNN_POINTWISE_EXP, scores, NULL, p);
    if (drops) {
        d = make_drop(b);
        kept = masked(b, &d, p, true, CUDNN_DATA_FLOAT);
    }
    reshape(b, kept, p_turned);
    multiply(b, p_turned, dout, dv, m.length_k, NULL, m.length_q);
    multiply(b, dout, v, dp, m.length_q, m.length_k, NULL);
    if (drops)
        dp = masked(b, &d, dp, false, CUDNN_DATA_FLOAT);
    apply(b, CUDNN_POINTWISE_SUB, dp, row_sums, centred);
    apply(b, CUDNN_POINTWISE_MUL, centred, p, weighted);
    if (drops) {
        desc scaled = square(b, CUDNN_DATA_FLOAT);

        apply(b, CUDNN_POINTWISE_MUL, weighted, d.scale, scaled);
        weighted = scaled;
    }
    apply(b, CUDNN_POINTWISE_MUL, weighted, scale, ds);
    reshape(b, ds, ds_turned);
    multiply(b, ds_turned, q, dk, m.length_k, NULL, m.length_q);
    reshape(b, k,
            k_plain); /* K where it lies: the deterministic kernel reads it by these strides */
    if (b->shape->deterministic) {
        multiply(b, ds, k_plain, dq, m.length_q, NULL, m.length_k);
    } else {
        desc dq_sum = per_channel(b, LW_ID_DQ_SUM, CUDNN_DATA_FLOAT);

        multiply(b, ds, k_plain, dq_sum, m.length_q, NULL, m.length_k);
        apply(b, CUDNN_POINTWISE_IDENTITY, dq_sum, NULL, dq);
    }
}

int lw_sdpa_graph_build(const struct lw_cudnn *lib, cudnnHandle_t handle,
                        const struct lw_sdpa *shape, struct lw_sdpa_graph *out,
                        struct lw_error *err)
{
    struct builder b = {.lib = lib,
                        .shape = shape,
                        .out = out,
                        .next_id = LW_ID_FIRST_VIRTUAL,
                        .io = shape->type == LW_F16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16};
    desc graph;

    memset(out, 0, sizeof *out);
    if (shape->backward)
        build_backward(&b);
    else
        build_forward(&b);
    graph = make(&b, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "the operation graph");
    set(&b, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, b.operation_count,
        b.operations);
    if (handle)
        set(&b, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    finish(&b, graph, "the operation graph");
    if (b.failed) {
        lw_sdpa_graph_free(lib, out);
        return lw_fail(err, LW_EBACKEND, "cuDNN refused %s of the attention %s: %s", b.where,
                       shape->backward ? "backward" : "forward", b.why);
    }
    out->graph = graph;
    return 0;
}

void lw_sdpa_graph_free(const struct lw_cudnn *lib, struct lw_sdpa_graph *graph)
{
    while (graph->count)
        lib->drop(graph->made[--graph->count]);
    graph->graph = NULL;
}
