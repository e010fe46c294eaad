/* SPDX-License-Identifier: MIT
 *
 * Images to patches and to a sequence, and rows picked out of one.
 */
#include "engine/ops/cuda/kernel.cuh"

struct Scaling {
    float scale[3], shift[3];
};

static unsigned blocks_for(size_t threads)
{
    return (unsigned)((threads + 255) / 256);
}

/* One thread for n neighbouring pixels of a patch's row; n divides the patch's side. */
template <typename T, int n>
static __global__ void cut_patches(T *out, const uint8_t *pixels, int image, int patch,
                                   size_t groups, Scaling s)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int across = image / patch, length = 1 + across * across;
    const int per_row = 3 * patch * patch / n;

    if (i >= groups)
        return;
    const size_t row = i / per_row;
    const int at = (int)(i % per_row) * n, tile = (int)(row % length) - 1;
    const int c = at / (patch * patch), y = at / patch % patch, x = at % patch;
    T *to = out + row * per_row * n + at;

    if (tile < 0) {
        for (int k = 0; k < n; k++)
            to[k] = from_float<T>(0.f);
        return;
    }
    const uint8_t *from = pixels + ((row / length * 3 + c) * image + tile / across * patch + y) *
                                       (size_t)image +
                          tile % across * patch + x;
    alignas(8) uint8_t p[n];
    if constexpr (n == 8)
        *reinterpret_cast<uint2 *>(p) = *reinterpret_cast<const uint2 *>(from);
    else if constexpr (n == 4)
        *reinterpret_cast<uint32_t *>(p) = *reinterpret_cast<const uint32_t *>(from);
    else
        p[0] = *from;
    if constexpr (n == Vec<T>::n) {
        Vec<T> v;

        for (int k = 0; k < n; k++)
            v.v[k] = p[k] * s.scale[c] + s.shift[c];
        v.store(to);
    } else {
        for (int k = 0; k < n; k++)
            to[k] = from_float<T>(p[k] * s.scale[c] + s.shift[c]);
    }
}

extern "C" void lw_cuda_patches(struct lw_device *dev, const struct lw_patches *p, void *out,
                                const uint8_t *pixels)
{
    const int across = p->image / p->patch;
    const size_t count =
        (size_t)p->batch * (1 + across * across) * 3 * (size_t)p->patch * p->patch;
    Scaling s;

    for (int c = 0; c < 3; c++) {
        s.scale[c] = p->scale[c];
        s.shift[c] = p->shift[c];
    }
    LW_BY_TYPE(dev, {
        constexpr int n = Vec<T>::n;
        if (p->patch % n)
            cut_patches<T, 1><<<blocks_for(count), 256, 0, dev->stream>>>(
                (T *)out, pixels, p->image, p->patch, count, s);
        else
            cut_patches<T, n><<<blocks_for(count / n), 256, 0, dev->stream>>>(
                (T *)out, pixels, p->image, p->patch, count / n, s);
    });
    lw_cuda_launched(dev, "patches");
}

template <typename T>
static __global__ void place(T *x, const T *token, const T *bias, const T *wpe, int length,
                             int channels, size_t vectors, Dropout drop_rule,
                             const lw_record *record)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int per_row = channels / Vec<T>::n;
    Vec<T> a, b, e;

    if (i >= vectors)
        return;
    const size_t row = i / per_row;
    const int c = (int)(i % per_row) * Vec<T>::n, t = (int)(row % length);
    a.load(x + row * channels + c);
    b.load(wpe + (size_t)t * channels + c);
    e.load((t ? bias : token) + c);
    for (int k = 0; k < Vec<T>::n; k++)
        a.v[k] += b.v[k] + e.v[k];
    if (drop_rule.p > 0)
        drop(a.v, drop_rule, record->step, row * channels + c);
    a.store(x + row * channels + c);
}

extern "C" void lw_cuda_place(struct lw_device *dev, int batch, int length, int channels, void *x,
                              const void *token, const void *bias, const void *wpe,
                              struct lw_dropout dropout)
{
    const Dropout d = {dropout.p, dropout.site};

    LW_BY_TYPE(dev, {
        const size_t vectors = (size_t)batch * length * channels / Vec<T>::n;
        place<T><<<blocks_for(vectors), 256, 0, dev->stream>>>(
            (T *)x, (const T *)token, (const T *)bias, (const T *)wpe, length, channels, vectors, d,
            dev->record);
    });
    lw_cuda_launched(dev, "place");
}

/* One thread a vector of dwpe, over b in its order; the sums of this call alone go to fresh too. */
template <typename T>
static __global__ void place_backward(float *dwpe, float *fresh, T *d, int batch, int length,
                                      int channels, Dropout drop_rule, const lw_record *record,
                                      bool accumulate)
{
    const int per_row = channels / Vec<T>::n;
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int t = (int)(i / per_row), c = (int)(i % per_row) * Vec<T>::n;
    float sum[Vec<T>::n] = {};

    if (t >= length)
        return;
#pragma unroll 8
    for (int b = 0; b < batch; b++) {
        const size_t at = ((size_t)b * length + t) * channels + c;
        Vec<T> v;

        v.load(d + at);
        if (drop_rule.p > 0) {
            drop(v.v, drop_rule, record->step, at);
            v.store(d + at);
        }
        for (int k = 0; k < Vec<T>::n; k++)
            sum[k] += v.v[k];
    }
    const size_t at = (size_t)t * channels + c;
    for (int k = 0; k < Vec<T>::n; k++) {
        fresh[at + k] = sum[k];
        dwpe[at + k] = accumulate ? dwpe[at + k] + sum[k] : sum[k];
    }
}

/* Row 0 of fresh is the class token's, the others add up to the patches' bias. */
static __global__ void __launch_bounds__(1024)
token_and_bias(float *dtoken, float *dbias, const float *fresh, int length, int channels,
               bool accumulate)
{
    const float sum = sum_strands(fresh + channels, length - 1, channels,
                                  blockIdx.x * 32 + threadIdx.x);
    const int c = blockIdx.x * 32 + threadIdx.y;

    if (threadIdx.x || c >= channels)
        return;
    dbias[c] = accumulate ? dbias[c] + sum : sum;
    dtoken[c] = accumulate ? dtoken[c] + fresh[c] : fresh[c];
}

extern "C" void lw_cuda_place_backward(struct lw_device *dev, int batch, int length, int channels,
                                       void *d, void *dtoken, void *dbias, void *dwpe,
                                       struct lw_dropout dropout, bool accumulate)
{
    const Dropout rule = {dropout.p, dropout.site};

    LW_BY_TYPE(dev, {
        const size_t places = (size_t)length * channels / Vec<T>::n;
        place_backward<T><<<(unsigned)((places + 127) / 128), 128, 0, dev->stream>>>(
            (float *)dwpe, dev->partials, (T *)d, batch, length, channels, rule, dev->record,
            accumulate);
    });
    token_and_bias<<<(channels + 31) / 32, dim3(32, 32), 0, dev->stream>>>(
        (float *)dtoken, (float *)dbias, dev->partials, length, channels, accumulate);
    lw_cuda_launched(dev, "place backward");
}

/* One thread a vector of the picked rows, from `in` to `out`: gather reads by index, scatter
 * writes by it. */
template <typename T, bool scatter>
static __global__ void move_rows(T *out, const T *in, const int32_t *index, int channels,
                                 size_t vectors)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int per_row = channels / Vec<T>::n;

    if (i >= vectors)
        return;
    const size_t row = i / per_row, there = index[row];
    const int c = (int)(i % per_row) * Vec<T>::n;
    *reinterpret_cast<uint4 *>(out + (scatter ? there : row) * channels + c) =
        *reinterpret_cast<const uint4 *>(in + (scatter ? row : there) * channels + c);
}

extern "C" void lw_cuda_gather(struct lw_device *dev, int n, int channels, void *out,
                               const void *in, const int32_t *index)
{
    LW_BY_TYPE(dev, {
        const size_t vectors = (size_t)n * channels / Vec<T>::n;
        move_rows<T, false><<<blocks_for(vectors), 256, 0, dev->stream>>>(
            (T *)out, (const T *)in, index, channels, vectors);
    });
    lw_cuda_launched(dev, "gather");
}

extern "C" void lw_cuda_scatter(struct lw_device *dev, int rows, int n, int channels, void *out,
                                const void *in, const int32_t *index)
{
    if (cudaMemsetAsync(out, 0, (size_t)rows * channels * lw_dtype_size(dev->type), dev->stream))
        lw_cuda_failed(dev, "scatter", "clearing the rows failed");
    LW_BY_TYPE(dev, {
        const size_t vectors = (size_t)n * channels / Vec<T>::n;
        move_rows<T, true><<<blocks_for(vectors), 256, 0, dev->stream>>>(
            (T *)out, (const T *)in, index, channels, vectors);
    });
    lw_cuda_launched(dev, "scatter");
}
