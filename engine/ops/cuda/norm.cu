/* SPDX-License-Identifier: MIT
 *
 * Layer norm with the residual addition before it. Forward, a warp holds a row in registers;
 * backward, a block does: either way a row is read once and written once.
 */
#include "engine/ops/cuda/kernel.cuh"

#define WARPS 4      /* rows a block works on at a time */
#define WIDEST 2048  /* channels, at most */

/* All of a row is on its way before any of it is used. ADD: a branch is added to the residual. */
template <typename T, int VECTORS, bool ADD>
static __global__ void __launch_bounds__(WARPS * 32)
norm_forward(T *y, T *sum, float *mean_out, float *rstd_out, const T *residual, const T *branch,
             const T *__restrict__ weight, const T *__restrict__ bias, int rows, int channels,
             float epsilon, Dropout drop_rule, const lw_record *record)
{
    constexpr int n = Vec<T>::n, stride = 32 * n;
    const int row = rows - 1 - (int)(blockIdx.x * WARPS + threadIdx.x / 32);
    const int lane = threadIdx.x % 32, left = channels - lane * n;
    const size_t base = (size_t)row * channels + lane * n;
    uint4 raw[VECTORS] = {}, raw_branch[ADD ? VECTORS : 1] = {};
    float total = 0, square = 0;
    Vec<T> x, w, b;

    if (row < 0)
        return;
#pragma unroll
    for (int i = 0; i < VECTORS; i++)
        if (i * stride < left) {
            raw[i] = *reinterpret_cast<const uint4 *>(residual + base + i * stride);
            if (ADD)
                raw_branch[i] = *reinterpret_cast<const uint4 *>(branch + base + i * stride);
        }
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        x.unpack(raw[i]);
        if (ADD && i * stride < left) {
            b.unpack(raw_branch[i]);
            if (drop_rule.p > 0)
                drop(b.v, drop_rule, record->step, base + i * stride);
            for (int k = 0; k < n; k++)
                x.v[k] += b.v[k];
            x.store(sum + base + i * stride);
            raw[i] = x.pack(); /* normalise what backward will read */
            x.unpack(raw[i]);
        }
        for (int k = 0; k < n; k++)
            total += x.v[k];
    }
    const float mean = warp_sum(total) / channels;
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        x.unpack(raw[i]);
        if (i * stride < left)
            for (int k = 0; k < n; k++)
                square += (x.v[k] - mean) * (x.v[k] - mean);
    }
    const float rstd = rsqrtf(warp_sum(square) / channels + epsilon);
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int c = lane * n + i * stride;

        if (i * stride >= left)
            continue;
        x.unpack(raw[i]);
        w.load(weight + c);
        b.load(bias + c);
        for (int k = 0; k < n; k++)
            x.v[k] = (x.v[k] - mean) * rstd * w.v[k] + b.v[k];
        x.store(y + base + i * stride);
    }
    if (!lane) {
        mean_out[row] = mean;
        rstd_out[row] = rstd;
    }
}

#define AHEAD 4 /* rows that a block of the backward pass works on together */

/* dsum += rstd (g - mean(g) - xhat mean(g xhat)), g = dy weight. A thread has the same vector of
 * columns in every row that its block walks over, and keeps its shares of dweight, dbias and the
 * branch's column sums in registers; rows come AHEAD at a time, so that one barrier serves several
 * and loads are many. partials (blocks, 3, channels). */
template <typename T>
static __global__ void __launch_bounds__(WIDEST / Vec<T>::n, Vec<T>::n / 4)
norm_backward(T *dsum, bool dsum_zero, T *dbranch, float *partials, const T *dy, const T *sum,
              const float *mean_in, const float *rstd_in, const T *weight, int rows, int channels,
              Dropout drop_rule, const lw_record *record)
{
    constexpr int n = Vec<T>::n;
    __shared__ float2 shared[2][AHEAD][32]; /* of each warp; alternating, so one barrier is enough */
    const int c = threadIdx.x * n, warp = threadIdx.x / 32, warps = blockDim.x / 32;
    const bool inside = c < channels;
    const float share = 1.f / channels;
    float dw[n] = {}, db[n] = {}, ds[n] = {};
    int turn = 0;
    Vec<T> w = {};

    if (inside)
        w.load(weight + c);
    for (int at = ((rows - 1) / AHEAD - (int)blockIdx.x) * AHEAD; at >= 0;
         at -= (int)gridDim.x * AHEAD, turn ^= 1) {
        uint4 raw_dy[AHEAD] = {}, raw_x[AHEAD] = {}, raw_d[AHEAD] = {};
        float mean[AHEAD], rstd[AHEAD];

#pragma unroll
        for (int i = 0; i < AHEAD; i++) {
            const size_t base = (size_t)(at + i) * channels + c;

            mean[i] = rstd[i] = 0;
            if (at + i >= rows)
                continue;
            mean[i] = mean_in[at + i];
            rstd[i] = rstd_in[at + i];
            if (!inside)
                continue;
            raw_dy[i] = *reinterpret_cast<const uint4 *>(dy + base);
            raw_x[i] = *reinterpret_cast<const uint4 *>(sum + base);
            if (!dsum_zero)
                raw_d[i] = *reinterpret_cast<const uint4 *>(dsum + base);
        }
#pragma unroll
        for (int i = 0; i < AHEAD; i++) {
            float2 part = make_float2(0, 0);
            Vec<T> g, x;

            g.unpack(raw_dy[i]);
            x.unpack(raw_x[i]);
            for (int k = 0; k < n; k++) {
                const float hat = (x.v[k] - mean[i]) * rstd[i], gw = g.v[k] * w.v[k];

                dw[k] += g.v[k] * hat;
                db[k] += g.v[k];
                part.x += gw;
                part.y += gw * hat;
            }
            part.x = warp_sum(part.x);
            part.y = warp_sum(part.y);
            if (threadIdx.x % 32 == 0)
                shared[turn][i][warp] = part;
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < AHEAD; i++) {
            const size_t base = (size_t)(at + i) * channels + c;
            float2 all = make_float2(0, 0);
            Vec<T> g, x, d;

            for (int v = 0; v < warps; v++) {
                all.x += shared[turn][i][v].x;
                all.y += shared[turn][i][v].y;
            }
            if (!inside || at + i >= rows)
                continue;
            g.unpack(raw_dy[i]);
            x.unpack(raw_x[i]);
            d.unpack(raw_d[i]);
            for (int k = 0; k < n; k++) {
                const float hat = (x.v[k] - mean[i]) * rstd[i];

                d.v[k] += rstd[i] * (g.v[k] * w.v[k] - share * (all.x + hat * all.y));
            }
            d.store(dsum + base);
            if (dbranch) {
                if (drop_rule.p > 0)
                    drop(d.v, drop_rule, record->step, base);
                d.store(dbranch + base);
            }
            for (int k = 0; k < n; k++)
                ds[k] += d.v[k];
        }
    }
    if (!inside)
        return;
    partials += (size_t)blockIdx.x * 3 * channels + c;
    for (int k = 0; k < n; k++) {
        partials[k] = dw[k];
        partials[channels + k] = db[k];
        partials[2 * channels + k] = ds[k];
    }
}

/* Where the three rows of column sums go; branch may be NULL. */
struct ColumnSums {
    float *weight, *bias, *branch;
};

/* Add the blocks' partial sums. */
static __global__ void __launch_bounds__(1024)
add_partials(ColumnSums to, const float *partials, int blocks, int channels, bool accumulate)
{
    const float sum = sum_strands(partials, blocks, 3 * channels, blockIdx.x * 32 + threadIdx.x);
    const int c = blockIdx.x * 32 + threadIdx.y;
    float *out = c < channels       ? to.weight + c
                 : c < 2 * channels ? to.bias + c - channels
                 : to.branch        ? to.branch + c - 2 * channels
                                    : NULL;

    if (threadIdx.x || c >= 3 * channels || !out)
        return;
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
        } else if (vectors <= 5) {                                                                 \
            constexpr int V = 5;                                                                   \
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
            const auto kernel = branch ? norm_forward<T, V, true> : norm_forward<T, V, false>;

            kernel<<<blocks, WARPS * 32, 0, dev->stream>>>(
                (T *)y, (T *)sum, mean, rstd, (const T *)residual, (const T *)branch,
                (const T *)weight, (const T *)bias, n->rows, n->channels, n->epsilon, d,
                dev->record);
        });
    });
    lw_cuda_launched(dev, "norm");
}

extern "C" void lw_cuda_norm_backward(struct lw_device *dev, const struct lw_norm *n, void *dsum,
                                      bool dsum_zero, void *dbranch, void *dweight, void *dbias,
                                      void *dbranch_sums, const void *dy, const void *sum,
                                      const float *mean, const float *rstd, const void *weight,
                                      bool accumulate)
{
    const ColumnSums to = {(float *)dweight, (float *)dbias, (float *)dbranch_sums};
    const int columns = (dbranch_sums ? 3 : 2) * n->channels;
    const Dropout d = {n->dropout.p, n->dropout.site};
    int blocks = (n->rows + AHEAD - 1) / AHEAD;

    LW_BY_TYPE(dev, {
        const int threads = (n->channels / Vec<T>::n + 31) / 32 * 32;
        const int most = resident_blocks(dev, norm_backward<T>, threads, 0);

        if (blocks > most)
            blocks = most;
        if ((size_t)blocks * 3 * n->channels > dev->partials_count)
            blocks = (int)(dev->partials_count / (3 * n->channels));
        norm_backward<T><<<blocks, threads, 0, dev->stream>>>(
            (T *)dsum, dsum_zero, (T *)dbranch, dev->partials, (const T *)dy, (const T *)sum, mean,
            rstd, (const T *)weight, n->rows, n->channels, d, dev->record);
    });
    add_partials<<<(columns + 31) / 32, dim3(32, 32), 0, dev->stream>>>(to, dev->partials, blocks,
                                                                        n->channels, accumulate);
    lw_cuda_launched(dev, "norm_backward");
}
