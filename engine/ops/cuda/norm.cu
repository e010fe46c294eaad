/* SPDX-License-Identifier: MIT
 *
 * Layer norm with the residual addition before it. One warp holds one row in registers, so that a
 * row is read once and written once.
 */
#include "engine/ops/cuda/kernel.cuh"

#define WARPS 4      /* rows a block works on at a time */
#define WIDEST 2048  /* channels; wider rows take the vectors in more registers than a warp has */

template <typename T, int VECTORS>
static __global__ void __launch_bounds__(WARPS * 32)
norm_forward(T *y, T *sum, float *mean_out, float *rstd_out, const T *residual, const T *branch,
             const T *weight, const T *bias, int rows, int channels, float epsilon,
             Dropout drop_rule, const lw_record *record)
{
    constexpr int n = Vec<T>::n;
    const int row = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
    Vec<T> x[VECTORS];
    float total = 0, square = 0;

    if (row >= rows)
        return;
    const size_t base = (size_t)row * channels;
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int c = (i * 32 + lane) * n;

        if (c >= channels)
            continue;
        x[i].load(residual + base + c);
        if (branch) {
            Vec<T> b;

            b.load(branch + base + c);
            if (drop_rule.p > 0)
                drop(b.v, drop_rule, record->step, base + c);
            for (int k = 0; k < n; k++)
                x[i].v[k] += b.v[k];
            x[i].store(sum + base + c);
            for (int k = 0; k < n; k++) /* normalise what backward will read */
                x[i].v[k] = to_float(from_float<T>(x[i].v[k]));
        }
        for (int k = 0; k < n; k++)
            total += x[i].v[k];
    }
    const float mean = warp_sum(total) / channels;
#pragma unroll
    for (int i = 0; i < VECTORS; i++)
        if ((i * 32 + lane) * n < channels)
            for (int k = 0; k < n; k++)
                square += (x[i].v[k] - mean) * (x[i].v[k] - mean);
    const float rstd = rsqrtf(warp_sum(square) / channels + epsilon);
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int c = (i * 32 + lane) * n;
        Vec<T> w, b;

        if (c >= channels)
            continue;
        w.load(weight + c);
        b.load(bias + c);
        for (int k = 0; k < n; k++)
            x[i].v[k] = (x[i].v[k] - mean) * rstd * w.v[k] + b.v[k];
        x[i].store(y + base + c);
    }
    if (!lane) {
        mean_out[row] = mean;
        rstd_out[row] = rstd;
    }
}

/* A row of the three inputs as they lie in memory, so that the next row can be on its way while
 * this one is worked on. */
template <int VECTORS> struct RawRow {
    uint4 dy[VECTORS], x[VECTORS], dsum[VECTORS];
};

template <typename T, int VECTORS>
static __device__ __forceinline__ void load_row(RawRow<VECTORS> &raw, const T *dy, const T *sum,
                                                const T *dsum, bool dsum_zero, size_t base,
                                                int lane, int channels)
{
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int c = (i * 32 + lane) * Vec<T>::n;

        if (c >= channels)
            continue;
        raw.dy[i] = *reinterpret_cast<const uint4 *>(dy + base + c);
        raw.x[i] = *reinterpret_cast<const uint4 *>(sum + base + c);
        raw.dsum[i] = make_uint4(0, 0, 0, 0);
        if (!dsum_zero)
            raw.dsum[i] = *reinterpret_cast<const uint4 *>(dsum + base + c);
    }
}

/* dsum += rstd (g - mean(g) - xhat mean(g xhat)), g = dy weight. Each warp walks many rows and
 * keeps its share of dweight and dbias in registers; the block's warps are added in order. */
template <typename T, int VECTORS>
static __global__ void __launch_bounds__(WARPS * 32)
norm_backward(T *dsum, bool dsum_zero, T *dbranch, float *partials, const T *dy, const T *sum,
              const float *mean_in, const float *rstd_in, const T *weight, int rows, int channels,
              Dropout drop_rule, const lw_record *record)
{
    constexpr int n = Vec<T>::n;
    extern __shared__ float shared[]; /* dweight and dbias, one warp after another */
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, stride = gridDim.x * WARPS;
    float dw[VECTORS][n] = {}, db[VECTORS][n] = {};
    RawRow<VECTORS> next;
    int row = blockIdx.x * WARPS + warp;

    if (row < rows)
        load_row(next, dy, sum, dsum, dsum_zero, (size_t)row * channels, lane, channels);
    for (; row < rows; row += stride) {
        const size_t base = (size_t)row * channels;
        const float mean = mean_in[row], rstd = rstd_in[row];
        const RawRow<VECTORS> raw = next;
        float g_sum = 0, gx_sum = 0;

        if (row + stride < rows)
            load_row(next, dy, sum, dsum, dsum_zero, (size_t)(row + stride) * channels, lane,
                     channels);
#pragma unroll
        for (int i = 0; i < VECTORS; i++) {
            const int c = (i * 32 + lane) * n;
            Vec<T> g, x, w;

            if (c >= channels)
                continue;
            g.unpack(raw.dy[i]);
            x.unpack(raw.x[i]);
            w.load(weight + c);
            for (int k = 0; k < n; k++) {
                const float hat = (x.v[k] - mean) * rstd, gw = g.v[k] * w.v[k];

                dw[i][k] += g.v[k] * hat;
                db[i][k] += g.v[k];
                g_sum += gw;
                gx_sum += gw * hat;
            }
        }
        g_sum = warp_sum(g_sum) / channels;
        gx_sum = warp_sum(gx_sum) / channels;
#pragma unroll
        for (int i = 0; i < VECTORS; i++) {
            const int c = (i * 32 + lane) * n;
            Vec<T> g, x, w, d;

            if (c >= channels)
                continue;
            g.unpack(raw.dy[i]);
            x.unpack(raw.x[i]);
            d.unpack(raw.dsum[i]);
            w.load(weight + c);
            for (int k = 0; k < n; k++)
                d.v[k] += rstd * (g.v[k] * w.v[k] - g_sum - (x.v[k] - mean) * rstd * gx_sum);
            d.store(dsum + base + c);
            if (dbranch) {
                if (drop_rule.p > 0)
                    drop(d.v, drop_rule, record->step, base + c);
                d.store(dbranch + base + c);
            }
        }
    }
    for (int turn = 0; turn < WARPS; turn++) {
        if (warp == turn)
#pragma unroll
            for (int i = 0; i < VECTORS; i++) {
                const int c = (i * 32 + lane) * n;

                if (c < channels)
                    for (int k = 0; k < n; k++) {
                        shared[c + k] = (turn ? shared[c + k] : 0) + dw[i][k];
                        shared[channels + c + k] = (turn ? shared[channels + c + k] : 0) + db[i][k];
                    }
            }
        __syncthreads();
    }
    for (int c = threadIdx.x; c < 2 * channels; c += blockDim.x)
        partials[(size_t)blockIdx.x * 2 * channels + c] = shared[c];
}

/* Add the blocks' partial sums. */
static __global__ void __launch_bounds__(1024)
add_partials(float *dweight, float *dbias, const float *partials, int blocks, int channels,
             bool accumulate)
{
    const float sum = sum_strands(partials, blocks, 2 * channels, blockIdx.x * 32 + threadIdx.x);
    const int c = blockIdx.x * 32 + threadIdx.y;

    if (threadIdx.x || c >= 2 * channels)
        return;
    float *out = c < channels ? dweight + c : dbias + c - channels;
    *out = accumulate ? *out + sum : sum;
}

#define BY_WIDTH(channels, ...)                                                                    \
    do {                                                                                           \
        const int vectors = ((channels) + 32 * Vec<T>::n - 1) / (32 * Vec<T>::n);                  \
        if (vectors <= 2) {                                                                        \
            constexpr int V = 2;                                                                   \
            __VA_ARGS__;                                                                           \
        } else if (vectors <= 3) {                                                                 \
            constexpr int V = 3;                                                                   \
            __VA_ARGS__;                                                                           \
        } else if (vectors <= 4) {                                                                 \
            constexpr int V = 4;                                                                   \
            __VA_ARGS__;                                                                           \
        } else if (vectors <= 7) {                                                                 \
            constexpr int V = 7;                                                                   \
            __VA_ARGS__;                                                                           \
        } else {                                                                                   \
            constexpr int V = WIDEST / (32 * Vec<T>::n);                                           \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)

extern "C" void lw_cuda_norm(struct lw_device *dev, const struct lw_norm *n, void *y, void *sum,
                             float *mean, float *rstd, const void *residual, const void *branch,
                             const void *weight, const void *bias)
{
    const unsigned blocks = (unsigned)((n->rows + WARPS - 1) / WARPS);
    const Dropout d = {n->dropout.p, n->dropout.site};

    LW_BY_TYPE(dev, {
        BY_WIDTH(n->channels, {
            norm_forward<T, V><<<blocks, WARPS * 32, 0, dev->stream>>>(
                (T *)y, (T *)sum, mean, rstd, (const T *)residual, (const T *)branch,
                (const T *)weight, (const T *)bias, n->rows, n->channels, n->epsilon, d,
                dev->record);
        });
    });
    lw_cuda_launched(dev, "norm");
}

extern "C" void lw_cuda_norm_backward(struct lw_device *dev, const struct lw_norm *n, void *dsum,
                                      bool dsum_zero, void *dbranch, void *dweight, void *dbias,
                                      const void *dy, const void *sum, const float *mean,
                                      const float *rstd, const void *weight, bool accumulate)
{
    int blocks = (n->rows + WARPS - 1) / WARPS;
    const size_t shared = 2 * (size_t)n->channels * sizeof(float);
    const Dropout d = {n->dropout.p, n->dropout.site};

    LW_BY_TYPE(dev, {
        BY_WIDTH(n->channels, {
            const int most = resident_blocks(dev, norm_backward<T, V>, WARPS * 32, shared);

            if (blocks > most)
                blocks = most;
            norm_backward<T, V><<<blocks, WARPS * 32, shared, dev->stream>>>(
                (T *)dsum, dsum_zero, (T *)dbranch, dev->partials, (const T *)dy, (const T *)sum,
                mean, rstd, (const T *)weight, n->rows, n->channels, d, dev->record);
        });
    });
    add_partials<<<(2 * n->channels + 31) / 32, dim3(32, 32), 0, dev->stream>>>(
        (float *)dweight, (float *)dbias, dev->partials, blocks, n->channels, accumulate);
    lw_cuda_launched(dev, "norm_backward");
}
