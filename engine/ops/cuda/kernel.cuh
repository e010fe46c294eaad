/* SPDX-License-Identifier: MIT
 *
 * Small device functions that the kernels share: 16-byte vectors, warp and block sums, Philox.
 */
#ifndef LW_OPS_CUDA_KERNEL_CUH
#define LW_OPS_CUDA_KERNEL_CUH

#include <cuda_bf16.h>
#include <stdint.h>

extern "C" {
#include "engine/ops/ops.h"
}
#include "engine/ops/cuda/device.h"

typedef __nv_bfloat16 bf16;

/* 16 bytes of T as floats. */
template <typename T> struct Vec;

template <> struct Vec<float> {
    static constexpr int n = 4;
    float v[4];
    __device__ __forceinline__ void unpack(uint4 x)
    {
        v[0] = __uint_as_float(x.x), v[1] = __uint_as_float(x.y);
        v[2] = __uint_as_float(x.z), v[3] = __uint_as_float(x.w);
    }
    __device__ __forceinline__ uint4 pack() const
    {
        return make_uint4(__float_as_uint(v[0]), __float_as_uint(v[1]), __float_as_uint(v[2]),
                          __float_as_uint(v[3]));
    }
    __device__ __forceinline__ void load(const float *p)
    {
        unpack(*reinterpret_cast<const uint4 *>(p));
    }
    __device__ __forceinline__ void store_once(float *p) const
    {
        __stcs(reinterpret_cast<float4 *>(p), make_float4(v[0], v[1], v[2], v[3]));
    }
    __device__ __forceinline__ void store(float *p) const
    {
        *reinterpret_cast<float4 *>(p) = make_float4(v[0], v[1], v[2], v[3]);
    }
};

/* The two of a word: a bf16 is the upper half of an fp32. */
__device__ __forceinline__ float low_half(uint32_t x)
{
    return __uint_as_float(x << 16);
}

__device__ __forceinline__ float high_half(uint32_t x)
{
    return __uint_as_float(x & 0xffff0000u);
}

__device__ __forceinline__ uint32_t pack_halves(float low, float high)
{
    const __nv_bfloat162 h = __floats2bfloat162_rn(low, high);

    return *reinterpret_cast<const uint32_t *>(&h);
}

template <> struct Vec<bf16> {
    static constexpr int n = 8;
    float v[8];
    __device__ __forceinline__ void unpack(uint4 x)
    {
        const uint32_t w[4] = {x.x, x.y, x.z, x.w};

        for (int i = 0; i < 4; i++) {
            v[2 * i] = low_half(w[i]);
            v[2 * i + 1] = high_half(w[i]);
        }
    }
    __device__ __forceinline__ uint4 pack() const
    {
        uint32_t w[4];

        for (int i = 0; i < 4; i++)
            w[i] = pack_halves(v[2 * i], v[2 * i + 1]);
        return make_uint4(w[0], w[1], w[2], w[3]);
    }
    __device__ __forceinline__ void load(const bf16 *p)
    {
        unpack(*reinterpret_cast<const uint4 *>(p));
    }
    /* Past the caches: nothing reads it soon. */
    __device__ __forceinline__ void store_once(bf16 *p) const
    {
        __stcs(reinterpret_cast<uint4 *>(p), pack());
    }
    __device__ __forceinline__ void store(bf16 *p) const
    {
        *reinterpret_cast<uint4 *>(p) = pack();
    }
};

__device__ __forceinline__ float to_float(float x)
{
    return x;
}
__device__ __forceinline__ float to_float(bf16 x)
{
    return __bfloat162float(x);
}
template <typename T> __device__ __forceinline__ T from_float(float x);
template <> __device__ __forceinline__ float from_float<float>(float x)
{
    return x;
}
template <> __device__ __forceinline__ bf16 from_float<bf16>(float x)
{
    return __float2bfloat16_rn(x);
}

__device__ __forceinline__ float warp_sum(float x)
{
    for (int d = 16; d; d >>= 1)
        x += __shfl_xor_sync(0xffffffffu, x, d);
    return x;
}

__device__ __forceinline__ double warp_sum(double x)
{
    for (int d = 16; d; d >>= 1)
        x += __shfl_xor_sync(0xffffffffu, x, d);
    return x;
}

__device__ __forceinline__ float warp_max(float x)
{
    for (int d = 16; d; d >>= 1)
        x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, d));
    return x;
}

/* engine/base/random.h's generator: four words at (seed, stream, position). */
__device__ __forceinline__ uint4 philox(uint64_t seed, uint64_t stream, uint64_t position)
{
    uint32_t c0 = (uint32_t)position, c1 = (uint32_t)(position >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

#pragma unroll
    for (int round = 0; round < 10; round++) {
        uint32_t h0 = __umulhi(0xD2511F53u, c0), l0 = 0xD2511F53u * c0;
        uint32_t h2 = __umulhi(0xCD9E8D57u, c2), l2 = 0xCD9E8D57u * c2;

        c0 = h2 ^ c1 ^ k0;
        c2 = h0 ^ c3 ^ k1;
        c1 = l2;
        c3 = l0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return make_uint4(c0, c1, c2, c3);
}

/* ops.h's rule for dropout at one site and micro-step. */
struct Dropout {
    float p;
    uint32_t site;
};

/* Scale n (a multiple of 4) consecutive values that begin at element `at` of the site. */
template <int n>
__device__ __forceinline__ void drop(float (&v)[n], const Dropout d, const lw_step &step,
                                     uint64_t at)
{
    const uint64_t stream = 3 | (uint64_t)d.site << 8 | (step.step * 4096 + step.micro) << 24;
    const uint32_t limit = (uint32_t)fminf(d.p * 4294967296.f, 4294967040.f);
    const float keep = 1.f / (1.f - d.p);

#pragma unroll
    for (int i = 0; i < n; i += 4) {
        uint4 w = philox(step.seed, stream, (at + i) / 4);

        v[i] = w.x >= limit ? v[i] * keep : 0.f;
        v[i + 1] = w.y >= limit ? v[i + 1] * keep : 0.f;
        v[i + 2] = w.z >= limit ? v[i + 2] * keep : 0.f;
        v[i + 3] = w.w >= limit ? v[i + 3] * keep : 0.f;
    }
}

/* out[c] (+)= sum over b of partials[b, c], for the columns of a block of 32 x 32 threads; every
 * thread row adds its share in order, so the sum is the same each time. */
__device__ __forceinline__ float sum_strands(const float *partials, int count, int columns, int c)
{
    __shared__ float strand[32][33];
    float sum = 0;

    if (c < columns)
        for (int b = threadIdx.y; b < count; b += 32)
            sum += partials[(size_t)b * columns + c];
    strand[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    return warp_sum(strand[threadIdx.x][threadIdx.y]); /* of column threadIdx.y, in every lane */
}

/* How many blocks of a kernel the device holds at once: a grid of that size has no second wave. */
template <typename Kernel>
static int resident_blocks(const struct lw_device *dev, Kernel kernel, int threads, size_t shared)
{
    int blocks = 0;

    if (cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, shared))
        blocks = 1;
    return (blocks > 0 ? blocks : 1) * dev->properties.multiProcessorCount;
}

#define LW_BY_TYPE(dev, ...)                                                                       \
    do {                                                                                           \
        if ((dev)->type == LW_BF16) {                                                              \
            typedef bf16 T;                                                                        \
            __VA_ARGS__;                                                                           \
        } else {                                                                                   \
            typedef float T;                                                                       \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)

#endif
