/* SPDX-License-Identifier: MIT
 *
 * The end of a step: the global norm, clipping, the NaN guard and AdamW.
 */
#include "engine/ops/cuda/kernel.cuh"

#define NORM_BLOCKS 1056 /* a multiple of the multiprocessors there are; sums stay in order */
#define SPANS 240        /* spans that fit a kernel's parameters */

struct Spans {
    int count;
    unsigned long long end[SPANS]; /* element after the span, shifted left; lowest bit: decay */
};

struct Rule {
    float beta1, beta2, epsilon, weight_decay;
};

static __global__ void sum_squares(double *sums, const float *g, size_t vectors)
{
    __shared__ double shared[8];
    double sum = 0;

    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < vectors;
         i += (size_t)gridDim.x * blockDim.x) {
        const float4 x = reinterpret_cast<const float4 *>(g)[i];

        sum += (double)(x.x * x.x + x.y * x.y) + (double)(x.z * x.z + x.w * x.w);
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x)
        return;
    for (int w = 1; w < 8; w++)
        sum += shared[w];
    sums[blockIdx.x] = sum;
}

/* One block: finish the norm, decide whether this step counts, and set what the update needs. */
static __global__ void decide(lw_record *record, const double *sums, int count, float max_norm,
                              double beta1, double beta2)
{
    __shared__ double shared[32];
    double sum = 0;

    for (int i = threadIdx.x; i < count; i += blockDim.x)
        sum += sums[i];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x)
        return;
    for (int w = 1; w < (int)blockDim.x / 32; w++)
        sum += shared[w];

    const double norm = record->targets > 0 ? sqrt(sum) / record->targets : 0.0;
    const bool finite = isfinite(norm) && isfinite(record->loss_sum) && record->targets > 0;
    double clip = 1;

    if (max_norm > 0 && norm > max_norm)
        clip = fmin(1.0, max_norm / (norm + 1e-6));
    record->square_sum = sum;
    record->norm = norm;
    record->norm_clipped = norm * clip;
    record->scale = record->targets > 0 ? (float)(clip / record->targets) : 0.f;
    record->updated = 1;
    record->skipped = !finite;
    if (finite) {
        record->updates++;
        record->correction1 = (float)(1 / (1 - pow(beta1, (double)record->updates)));
        record->correction2 = (float)(1 / (1 - pow(beta2, (double)record->updates)));
    }
}

template <bool MASTER>
static __global__ void __launch_bounds__(256)
adamw(float *master, bf16 *weights, const float *grads, float *m, float *v, size_t vectors,
      size_t start, const __grid_constant__ Spans spans, Rule rule, const lw_record *record)
{
    const size_t i = start / 4 + (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    if (i >= vectors || record->skipped)
        return;
    int low = 0, high = spans.count - 1;
    while (low < high) {
        const int middle = (low + high) / 2;

        if (4 * i < spans.end[middle] >> 1)
            high = middle;
        else
            low = middle + 1;
    }
    const float decay = spans.end[low] & 1 ? rule.weight_decay : 0.f;
    const float lr = record->step.learning_rate, scale = record->scale;
    const float c1 = record->correction1, c2 = record->correction2;
    float4 p4 = reinterpret_cast<float4 *>(master)[i];
    const float4 g4 = reinterpret_cast<const float4 *>(grads)[i];
    float4 m4 = reinterpret_cast<float4 *>(m)[i], v4 = reinterpret_cast<float4 *>(v)[i];
    float p[4] = {p4.x, p4.y, p4.z, p4.w}, ms[4] = {m4.x, m4.y, m4.z, m4.w};
    float vs[4] = {v4.x, v4.y, v4.z, v4.w};
    const float g[4] = {g4.x * scale, g4.y * scale, g4.z * scale, g4.w * scale};

#pragma unroll
    for (int k = 0; k < 4; k++) {
        ms[k] += (1.f - rule.beta1) * (g[k] - ms[k]);
        vs[k] = rule.beta2 * vs[k] + (1.f - rule.beta2) * g[k] * g[k];
        p[k] -= lr * (ms[k] * c1 / (sqrtf(vs[k] * c2) + rule.epsilon) + decay * p[k]);
    }
    reinterpret_cast<float4 *>(m)[i] = make_float4(ms[0], ms[1], ms[2], ms[3]);
    reinterpret_cast<float4 *>(v)[i] = make_float4(vs[0], vs[1], vs[2], vs[3]);
    reinterpret_cast<float4 *>(master)[i] = make_float4(p[0], p[1], p[2], p[3]);
    /* To the nearest: with masters no update is lost, and rounding at random, fair as it is, puts
     * fresh noise on all weights at every step, which a loss curve shows. */
    if (MASTER) {
        const __nv_bfloat162 w[2] = {__floats2bfloat162_rn(p[0], p[1]),
                                     __floats2bfloat162_rn(p[2], p[3])};

        reinterpret_cast<uint2 *>(weights)[i] = *reinterpret_cast<const uint2 *>(w);
    }
}

extern "C" void lw_cuda_update(struct lw_device *dev, const struct lw_update *u, void *weights,
                               float *master, const void *grads, float *m, float *v)
{
    const Rule rule = {u->beta1, u->beta2, u->epsilon, u->weight_decay};

    sum_squares<<<NORM_BLOCKS, 256, 0, dev->stream>>>(dev->sums, (const float *)grads,
                                                      u->count / 4);
    decide<<<1, 1024, 0, dev->stream>>>(dev->record, dev->sums, NORM_BLOCKS, u->max_norm,
                                        u->beta1, u->beta2);
    for (int at = 0; at < u->span_count; at += SPANS) {
        const int last = at + SPANS < u->span_count ? at + SPANS : u->span_count;
        const size_t start = u->spans[at].offset;
        const size_t end = u->spans[last - 1].offset + u->spans[last - 1].count;
        const unsigned blocks = (unsigned)(((end - start) / 4 + 255) / 256);
        Spans spans;

        spans.count = last - at;
        for (int i = at; i < last; i++)
            spans.end[i - at] = (u->spans[i].offset + u->spans[i].count) << 1 | u->spans[i].decay;
        if (master)
            adamw<true><<<blocks, 256, 0, dev->stream>>>(master, (bf16 *)weights,
                                                         (const float *)grads, m, v, end / 4,
                                                         start, spans, rule, dev->record);
        else
            adamw<false><<<blocks, 256, 0, dev->stream>>>((float *)weights, NULL,
                                                          (const float *)grads, m, v, end / 4,
                                                          start, spans, rule, dev->record);
    }
    lw_cuda_launched(dev, "update");
}
