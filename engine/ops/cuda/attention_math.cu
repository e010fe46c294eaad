/* SPDX-License-Identifier: MIT
 *
 * Attention with the T x T matrices written out: scores in fp32, probabilities in the activation
 * type. The reference, and what remains where the fused kernel cannot run.
 */
#include "engine/ops/cuda/kernel.cuh"

/* One block a row (b, h, query): probabilities of the keys it may see, 0 for the others. */
template <typename T>
static __global__ void softmax_rows(T *p, float *lse, const float *scores, int length, bool causal)
{
    __shared__ float shared[32];
    const size_t base = (size_t)blockIdx.x * length;
    const int query = blockIdx.x % length, seen = causal ? query + 1 : length;
    const int warps = blockDim.x / 32;
    float top = -INFINITY, sum = 0;

    for (int k = threadIdx.x; k < seen; k += blockDim.x)
        top = fmaxf(top, scores[base + k]);
    top = warp_max(top);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = top;
    __syncthreads();
    top = shared[0];
    for (int w = 1; w < warps; w++)
        top = fmaxf(top, shared[w]);
    __syncthreads();
    for (int k = threadIdx.x; k < seen; k += blockDim.x)
        sum += expf(scores[base + k] - top);
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = shared[0];
    for (int w = 1; w < warps; w++)
        sum += shared[w];
    for (int k = threadIdx.x; k < length; k += blockDim.x)
        p[base + k] = from_float<T>(k < seen ? expf(scores[base + k] - top) / sum : 0.f);
    if (!threadIdx.x)
        lse[blockIdx.x] = top + logf(sum);
}

static __device__ float kept(const Dropout d, const lw_step &step, size_t at)
{
    float v[4] = {1, 1, 1, 1};

    drop(v, d, step, at / 4 * 4);
    return v[at % 4];
}

template <typename T>
static __global__ void drop_rows(T *out, const T *p, size_t count, Dropout d,
                                 const lw_record *record)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    if (i < count)
        out[i] = from_float<T>(to_float(p[i]) * kept(d, record->step, i));
}

/* dS = P (dP - sum(P dP)), dP having gone through dropout's mask. */
template <typename T>
static __global__ void softmax_rows_backward(T *ds, const T *p, const float *dp, int length,
                                             bool causal, Dropout d, const lw_record *record)
{
    __shared__ float shared[32];
    const size_t base = (size_t)blockIdx.x * length;
    const int query = blockIdx.x % length, seen = causal ? query + 1 : length;
    float sum = 0;

    for (int k = threadIdx.x; k < seen; k += blockDim.x) {
        const float mask = d.p > 0 ? kept(d, record->step, base + k) : 1.f;

        sum += to_float(p[base + k]) * dp[base + k] * mask;
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0;
    for (int w = 0; w < (int)blockDim.x / 32; w++)
        sum += shared[w];
    for (int k = threadIdx.x; k < length; k += blockDim.x) {
        float g = 0;

        if (k < seen) {
            const float mask = d.p > 0 ? kept(d, record->step, base + k) : 1.f;

            g = to_float(p[base + k]) * (dp[base + k] * mask - sum);
        }
        ds[base + k] = from_float<T>(g);
    }
}

/* The products of one sequence, batched over heads. Offsets are in elements of the packed row. */
struct Product {
    const void *a, *b;
    void *d;
    int m, n, k, lda, ldb, ldd;
    bool transpose_a, transpose_b;
    long long stride_a, stride_b, stride_d;
    enum lw_dtype type_d;
    float alpha;
};

static void multiply(struct lw_device *dev, int heads, const Product &p)
{
    struct lw_matmul mm = {};

    mm.m = p.m, mm.n = p.n, mm.k = p.k;
    mm.transpose_a = p.transpose_a, mm.transpose_b = p.transpose_b;
    mm.lda = p.lda, mm.ldb = p.ldb, mm.ldd = p.ldd;
    mm.type_ab = dev->type, mm.type_d = p.type_d;
    mm.batch = heads;
    mm.stride_a = p.stride_a, mm.stride_b = p.stride_b, mm.stride_d = p.stride_d;
    mm.alpha = p.alpha;
    lw_matmul_run(dev, "math attention", &mm, p.a, p.b, p.d, NULL, NULL);
}

/* Where the tensors of sequence b begin. */
struct Sequence {
    const char *q, *k, *v;
    size_t square; /* elements of (H, T, T) before it */
    size_t out;    /* bytes of (T, H, D) before it */
};

static Sequence sequence(const struct lw_device *dev, const struct lw_attention *a,
                         const void *qkv, int b)
{
    const size_t size = lw_dtype_size(dev->type), width = (size_t)a->heads * a->head_dim;
    const char *base = (const char *)qkv + size * 3 * width * a->length * b;
    Sequence s = {base, base + size * width, base + size * 2 * width,
                  (size_t)b * a->heads * a->length * a->length, size * width * a->length * b};
    return s;
}

extern "C" void lw_cuda_attention_math(struct lw_device *dev, const struct lw_attention *a,
                                       void *out, float *lse, void *p, const void *qkv)
{
    const int t = a->length, d = a->head_dim, width = a->heads * d;
    const size_t count = (size_t)a->batch * a->heads * t * t, size = lw_dtype_size(dev->type);
    const Dropout rule = {a->dropout.p, a->dropout.site};
    const char *probabilities = (const char *)p;

    for (int b = 0; b < a->batch; b++) {
        const Sequence s = sequence(dev, a, qkv, b);

        multiply(dev, a->heads, {s.k, s.q, dev->scores + s.square, t, t, d, 3 * width, 3 * width, t,
                                 true, false, d, d, (long long)t * t, LW_F32, a->scale});
    }
    LW_BY_TYPE(dev, {
        softmax_rows<T><<<a->batch * a->heads * t, 128, 0, dev->stream>>>((T *)p, lse, dev->scores,
                                                                        t, a->causal);
        if (rule.p > 0) {
            drop_rows<T><<<(unsigned)((count + 255) / 256), 256, 0, dev->stream>>>(
                (T *)dev->dscores, (const T *)p, count, rule, dev->record);
            probabilities = (const char *)dev->dscores;
        }
    });
    for (int b = 0; b < a->batch; b++) {
        const Sequence s = sequence(dev, a, qkv, b);

        multiply(dev, a->heads, {s.v, probabilities + size * s.square, (char *)out + s.out, d, t, t,
                                 3 * width, t, width, false, false, d, (long long)t * t, d,
                                 dev->type, 1.f});
    }
    lw_cuda_launched(dev, "math attention");
}

extern "C" void lw_cuda_attention_math_backward(struct lw_device *dev,
                                                const struct lw_attention *a, void *dqkv,
                                                const void *dout, const void *p, const void *qkv)
{
    const int t = a->length, d = a->head_dim, width = a->heads * d;
    const size_t count = (size_t)a->batch * a->heads * t * t, size = lw_dtype_size(dev->type);
    const long long square = (long long)t * t;
    const Dropout rule = {a->dropout.p, a->dropout.site};
    const char *probabilities = (const char *)p;
    char *ds = (char *)dev->dscores;

    if (rule.p > 0) {
        LW_BY_TYPE(dev, (drop_rows<T><<<(unsigned)((count + 255) / 256), 256, 0, dev->stream>>>(
                            (T *)ds, (const T *)p, count, rule, dev->record)));
        probabilities = ds;
    }
    for (int b = 0; b < a->batch; b++) {
        const Sequence s = sequence(dev, a, qkv, b), g = sequence(dev, a, dqkv, b);
        const char *go = (const char *)dout + s.out;

        multiply(dev, a->heads, {go, probabilities + size * s.square, (char *)g.v, d, t, t, width,
                                 t, 3 * width, false, true, d, square, d, dev->type, 1.f});
        multiply(dev, a->heads, {s.v, go, dev->scores + s.square, t, t, d, 3 * width, width, t,
                                 true, false, d, d, square, LW_F32, 1.f});
    }
    LW_BY_TYPE(dev, (softmax_rows_backward<T><<<a->batch * a->heads * t, 128, 0, dev->stream>>>(
                        (T *)ds, (const T *)p, dev->scores, t, a->causal, rule, dev->record)));
    for (int b = 0; b < a->batch; b++) {
        const Sequence s = sequence(dev, a, qkv, b), g = sequence(dev, a, dqkv, b);
        const char *gs = ds + size * s.square;

        multiply(dev, a->heads, {s.k, gs, (char *)g.q, d, t, t, 3 * width, t, 3 * width, false,
                                 false, d, square, d, dev->type, a->scale});
        multiply(dev, a->heads, {s.q, gs, (char *)g.k, d, t, t, 3 * width, t, 3 * width, false,
                                 true, d, square, d, dev->type, a->scale});
    }
    lw_cuda_launched(dev, "math attention backward");
}

/* One block a (b, h): the new key and value go into the cache, then one query sees them all. */
template <typename T>
static __global__ void decode(T *out, T *keys, T *values, const T *qkv, int heads, int head_dim,
                              int length, int position, float scale)
{
    extern __shared__ float score[]; /* position + 1 */
    __shared__ float shared[32];
    const int b = blockIdx.x / heads, h = blockIdx.x % heads, warps = blockDim.x / 32;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, width = heads * head_dim;
    const T *q = qkv + (size_t)b * 3 * width + h * head_dim;
    T *k = keys + (size_t)b * length * width + h * head_dim;
    T *v = values + (size_t)b * length * width + h * head_dim;
    float top = -INFINITY, sum = 0;

    for (int d = threadIdx.x; d < head_dim; d += blockDim.x) {
        k[(size_t)position * width + d] = q[width + d];
        v[(size_t)position * width + d] = q[2 * width + d];
    }
    __syncthreads();
    for (int t = warp; t <= position; t += warps) {
        float dot = 0;

        for (int d = lane; d < head_dim; d += 32)
            dot += to_float(q[d]) * to_float(k[(size_t)t * width + d]);
        dot = warp_sum(dot) * scale;
        if (!lane)
            score[t] = dot;
    }
    __syncthreads();
    for (int t = threadIdx.x; t <= position; t += blockDim.x)
        top = fmaxf(top, score[t]);
    top = warp_max(top);
    if (!lane)
        shared[warp] = top;
    __syncthreads();
    for (int w = 0; w < warps; w++)
        top = fmaxf(top, shared[w]);
    __syncthreads();
    for (int t = threadIdx.x; t <= position; t += blockDim.x) {
        score[t] = expf(score[t] - top);
        sum += score[t];
    }
    sum = warp_sum(sum);
    if (!lane)
        shared[warp] = sum;
    __syncthreads();
    sum = 0;
    for (int w = 0; w < warps; w++)
        sum += shared[w];
    for (int d = threadIdx.x; d < head_dim; d += blockDim.x) {
        float o = 0;

        for (int t = 0; t <= position; t++)
            o += score[t] * to_float(v[(size_t)t * width + d]);
        out[(size_t)b * width + h * head_dim + d] = from_float<T>(o / sum);
    }
}

extern "C" void lw_cuda_attention_decode(struct lw_device *dev, const struct lw_attention *a,
                                         void *out, void *keys, void *values, const void *qkv,
                                         int position)
{
    const size_t shared = (size_t)(position + 4) / 4 * 16; /* loads take four scores at a time */

    LW_BY_TYPE(dev, (decode<T><<<a->batch * a->heads, 128, shared, dev->stream>>>(
                        (T *)out, (T *)keys, (T *)values, (const T *)qkv, a->heads, a->head_dim,
                        a->length, position, a->scale)));
    lw_cuda_launched(dev, "attention decode");
}
