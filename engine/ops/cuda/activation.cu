/* SPDX-License-Identifier: MIT
 *
 * What surrounds the matrix products of the linear layers where cuBLASLt's epilogues don't.
 */
#include "engine/ops/cuda/kernel.cuh"

/* The tanh form, with its derivative's pieces. */
static __device__ __forceinline__ float gelu_tanh(float x)
{
    const float u = 0.7978845608028654f * (x + 0.044715f * x * x * x);

    return 0.5f * x * (1.f + tanhf(u));
}

static __device__ __forceinline__ float gelu_tanh_slope(float x)
{
    const float t = tanhf(0.7978845608028654f * (x + 0.044715f * x * x * x));

    return 0.5f * (1.f + t) +
           0.5f * x * (1.f - t * t) * 0.7978845608028654f * (1.f + 0.134145f * x * x);
}

static __device__ __forceinline__ float gelu_erf(float x)
{
    return x * normcdff(x);
}

static __device__ __forceinline__ float gelu_erf_slope(float x)
{
    return normcdff(x) + x * 0.3989422804014327f * expf(-0.5f * x * x);
}

/* Which vector is the thread's: see device.h on the order. */
static __device__ __forceinline__ size_t own_vector()
{
    return (size_t)(gridDim.x - 1 - blockIdx.x) * blockDim.x + threadIdx.x;
}

template <typename T>
static __global__ void activate(T *y, const T *pre, size_t vectors, enum lw_activation kind)
{
    const size_t i = own_vector();
    Vec<T> x;

    if (i >= vectors)
        return;
    x.load(pre + i * Vec<T>::n);
    for (int k = 0; k < Vec<T>::n; k++)
        x.v[k] = kind == LW_GELU_TANH ? gelu_tanh(x.v[k]) : gelu_erf(x.v[k]);
    x.store(y + i * Vec<T>::n);
}

template <typename T>
static __global__ void activate_backward(T *dx, const T *pre, size_t vectors,
                                         enum lw_activation kind)
{
    const size_t i = own_vector();
    Vec<T> x, d;

    if (i >= vectors)
        return;
    x.load(pre + i * Vec<T>::n);
    d.load(dx + i * Vec<T>::n);
    for (int k = 0; k < Vec<T>::n; k++)
        d.v[k] *= kind == LW_GELU_TANH ? gelu_tanh_slope(x.v[k]) : gelu_erf_slope(x.v[k]);
    d.store(dx + i * Vec<T>::n);
}

template <typename T>
static __global__ void add(T *x, const T *added, size_t period, size_t vectors)
{
    const size_t i = own_vector();
    const size_t at = i * Vec<T>::n;
    Vec<T> v, b;

    if (i >= vectors)
        return;
    v.load(x + at);
    b.load(added + (at < period ? at : at % period));
    for (int k = 0; k < Vec<T>::n; k++)
        v.v[k] += b.v[k];
    v.store(x + at);
}

/* Blocks of 32 vectors of columns times 8 strands of rows; gridDim.y slices of the rows. */
template <typename T>
static __global__ void sum_columns(float *partials, const T *x, int rows, int columns)
{
    constexpr int n = Vec<T>::n;
    __shared__ float strand[8][32 * n];
    const int c = (blockIdx.x * 32 + threadIdx.x) * n;
    float sum[n] = {};

    if (c < columns)
#pragma unroll 4
        for (int r = rows - 1 - (int)(blockIdx.y * 8 + threadIdx.y); r >= 0;
             r -= (int)gridDim.y * 8) {
            Vec<T> v;

            v.load(x + (size_t)r * columns + c);
            for (int k = 0; k < n; k++)
                sum[k] += v.v[k];
        }
    for (int k = 0; k < n; k++)
        strand[threadIdx.y][threadIdx.x * n + k] = sum[k];
    __syncthreads();
    for (int k = threadIdx.y * 32 + threadIdx.x; k < 32 * n; k += 256) {
        const int column = blockIdx.x * 32 * n + k;
        float total = 0;

        for (int i = 0; i < 8; i++)
            total += strand[i][k];
        if (column < columns)
            partials[(size_t)blockIdx.y * columns + column] = total;
    }
}

static __global__ void __launch_bounds__(1024)
add_slices(float *out, const float *partials, int slices, int columns, bool accumulate)
{
    const float sum = sum_strands(partials, slices, columns, blockIdx.x * 32 + threadIdx.x);
    const int c = blockIdx.x * 32 + threadIdx.y;

    if (!threadIdx.x && c < columns)
        out[c] = accumulate ? out[c] + sum : sum;
}

static unsigned blocks_for(size_t vectors)
{
    return (unsigned)((vectors + 255) / 256);
}

extern "C" void lw_cuda_add_slices(struct lw_device *dev, float *out, int slices, int columns,
                                   bool accumulate)
{
    add_slices<<<(columns + 31) / 32, dim3(32, 32), 0, dev->stream>>>(out, dev->partials, slices,
                                                                      columns, accumulate);
    lw_cuda_launched(dev, "bias gradient");
}

extern "C" void lw_cuda_column_sums(struct lw_device *dev, float *out, const void *x, int rows,
                                    int columns, bool accumulate)
{
    LW_BY_TYPE(dev, {
        const int tiles = (columns + 32 * Vec<T>::n - 1) / (32 * Vec<T>::n);
        int slices = dev->properties.multiProcessorCount * 6 / tiles;

        if (slices > (rows + 31) / 32)
            slices = (rows + 31) / 32;
        if ((size_t)slices * columns > dev->partials_count)
            slices = (int)(dev->partials_count / columns);
        if (slices < 1)
            slices = 1;
        sum_columns<T><<<dim3(tiles, slices), dim3(32, 8), 0, dev->stream>>>(
            dev->partials, (const T *)x, rows, columns);
        lw_cuda_add_slices(dev, out, slices, columns, accumulate);
    });
}

extern "C" void lw_cuda_add(struct lw_device *dev, void *x, const void *added, size_t count,
                            size_t period)
{
    LW_BY_TYPE(dev, {
        const size_t vectors = count / Vec<T>::n;
        add<T><<<blocks_for(vectors), 256, 0, dev->stream>>>((T *)x, (const T *)added, period,
                                                             vectors);
    });
    lw_cuda_launched(dev, "addition");
}

extern "C" void lw_cuda_activate(struct lw_device *dev, enum lw_activation a, void *y,
                                 const void *pre, size_t count)
{
    LW_BY_TYPE(dev, {
        const size_t vectors = count / Vec<T>::n;
        activate<T><<<blocks_for(vectors), 256, 0, dev->stream>>>((T *)y, (const T *)pre, vectors,
                                                                  a);
    });
    lw_cuda_launched(dev, "activation");
}

extern "C" void lw_cuda_activate_backward(struct lw_device *dev, enum lw_activation a, void *dx,
                                          const void *pre, size_t count)
{
    LW_BY_TYPE(dev, {
        const size_t vectors = count / Vec<T>::n;
        activate_backward<T><<<blocks_for(vectors), 256, 0, dev->stream>>>(
            (T *)dx, (const T *)pre, vectors, a);
    });
    lw_cuda_launched(dev, "activation backward");
}
