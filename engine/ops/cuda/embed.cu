/* SPDX-License-Identifier: MIT */
#include "engine/ops/cuda/kernel.cuh"

#include <cub/device/device_radix_sort.cuh>

/* One thread a vector of the output. */
template <typename T>
static __global__ void embed(T *out, const int32_t *tokens, const T *wte, const T *wpe, int length,
                             int channels, size_t vectors, Dropout drop_rule,
                             const lw_record *record)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int per_row = channels / Vec<T>::n;
    Vec<T> a, b;

    if (i >= vectors)
        return;
    const size_t row = i / per_row;
    const int c = (int)(i % per_row) * Vec<T>::n;
    a.load(wte + (size_t)tokens[row] * channels + c);
    b.load(wpe + (size_t)(row % length) * channels + c);
    for (int k = 0; k < Vec<T>::n; k++)
        a.v[k] += b.v[k];
    if (drop_rule.p > 0)
        drop(a.v, drop_rule, record->step, row * channels + c);
    a.store(out + row * channels + c);
}

extern "C" void lw_cuda_embed(struct lw_device *dev, int batch, int length, int channels, void *out,
                              const int32_t *tokens, const void *wte, const void *wpe,
                              struct lw_dropout dropout)
{
    const Dropout d = {dropout.p, dropout.site};

    LW_BY_TYPE(dev, {
        size_t vectors = (size_t)batch * length * channels / Vec<T>::n;
        embed<T><<<(unsigned)((vectors + 255) / 256), 256, 0, dev->stream>>>(
            (T *)out, tokens, (const T *)wte, (const T *)wpe, length, channels, vectors, d,
            dev->record);
    });
    lw_cuda_launched(dev, "embed");
}

/* dwpe[t] = sum over b of dout[b, t]: one thread a vector of dwpe, in the order of b. */
template <typename T>
static __global__ void positions_backward(float *dwpe, const T *dout, int batch, int length,
                                          int channels, int position_rows, Dropout drop_rule,
                                          const lw_record *record, bool accumulate)
{
    const int per_row = channels / Vec<T>::n;
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int t = (int)(i / per_row), c = (int)(i % per_row) * Vec<T>::n;
    float sum[Vec<T>::n] = {};

    if (t >= position_rows || (t >= length && accumulate))
        return;
    for (int b = 0; b < batch && t < length; b++) {
        const size_t at = ((size_t)b * length + t) * channels + c;
        Vec<T> d;

        d.load(dout + at);
        if (drop_rule.p > 0)
            drop(d.v, drop_rule, record->step, at);
        for (int k = 0; k < Vec<T>::n; k++)
            sum[k] += d.v[k];
    }
    float *out = dwpe + (size_t)t * channels + c;
    for (int k = 0; k < Vec<T>::n; k++)
        out[k] = accumulate ? out[k] + sum[k] : sum[k];
}

/* dwte[token] += dout, in whatever order the rows come: fast, but not bit-for-bit repeatable. */
template <typename T>
static __global__ void tokens_backward(float *dwte, const int32_t *tokens, const T *dout,
                                       int channels, size_t vectors, Dropout drop_rule,
                                       const lw_record *record)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int per_row = channels / Vec<T>::n;
    Vec<T> d;

    if (i >= vectors)
        return;
    const size_t row = i / per_row, c = (i % per_row) * Vec<T>::n;
    d.load(dout + row * channels + c);
    if (drop_rule.p > 0)
        drop(d.v, drop_rule, record->step, row * channels + c);
    float *out = dwte + (size_t)tokens[row] * channels + c;
    for (int k = 0; k < Vec<T>::n; k += 4) {
#if __CUDA_ARCH__ >= 900
        atomicAdd(reinterpret_cast<float4 *>(out + k),
                  make_float4(d.v[k], d.v[k + 1], d.v[k + 2], d.v[k + 3]));
#else
        for (int j = k; j < k + 4; j++)
            atomicAdd(out + j, d.v[j]);
#endif
    }
}

static __global__ void number_rows(int *rows, int n)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;

    if (i < n)
        rows[i] = i;
}

/* The deterministic form: rows sorted by token (stably), and the block at the first row of a run
 * of equal tokens adds the whole run in order. */
template <typename T>
static __global__ void runs_backward(float *dwte, const int *token, const int *row, int rows,
                                     const T *dout, int channels, Dropout drop_rule,
                                     const lw_record *record)
{
    const int first = blockIdx.x;

    if (first && token[first - 1] == token[first])
        return;
    for (int c = threadIdx.x * Vec<T>::n; c < channels; c += blockDim.x * Vec<T>::n) {
        float *out = dwte + (size_t)token[first] * channels + c;
        float sum[Vec<T>::n];

        for (int k = 0; k < Vec<T>::n; k++)
            sum[k] = out[k];
        for (int i = first; i < rows && token[i] == token[first]; i++) {
            const size_t at = (size_t)row[i] * channels + c;
            Vec<T> d;

            d.load(dout + at);
            if (drop_rule.p > 0)
                drop(d.v, drop_rule, record->step, at);
            for (int k = 0; k < Vec<T>::n; k++)
                sum[k] += d.v[k];
        }
        for (int k = 0; k < Vec<T>::n; k++)
            out[k] = sum[k];
    }
}

/* Sort into dev->order: tokens sorted, then their rows, with what the sort needs in workspace. */
static bool sort_rows(struct lw_device *dev, const int32_t *tokens, int rows)
{
    int *sorted = dev->order, *sorted_rows = dev->order + rows, *numbers = dev->order + 2 * rows;
    size_t bytes = 0;

    number_rows<<<(rows + 255) / 256, 256, 0, dev->stream>>>(numbers, rows);
    if (cub::DeviceRadixSort::SortPairs(NULL, bytes, tokens, sorted, numbers, sorted_rows, rows, 0,
                                        32, dev->stream) ||
        bytes > dev->workspace_size ||
        cub::DeviceRadixSort::SortPairs(dev->workspace, bytes, tokens, sorted, numbers,
                                        sorted_rows, rows, 0, 32, dev->stream)) {
        lw_cuda_failed(dev, "embed_backward", "sorting the tokens failed");
        return false;
    }
    return true;
}

extern "C" void lw_cuda_clear(struct lw_device *dev, void *grads, size_t count)
{
    if (cudaMemsetAsync(grads, 0, count * sizeof(float), dev->stream))
        lw_cuda_failed(dev, "clear", "clearing gradients failed");
}

extern "C" void lw_cuda_embed_backward(struct lw_device *dev, int batch, int length, int channels,
                                       int position_rows, void *dwte, void *dwpe, const void *dout,
                                       const int32_t *tokens, struct lw_dropout dropout,
                                       bool accumulate)
{
    const Dropout d = {dropout.p, dropout.site};
    const int rows = batch * length;

    LW_BY_TYPE(dev, {
        size_t places = (size_t)position_rows * channels / Vec<T>::n;
        size_t vectors = (size_t)rows * channels / Vec<T>::n;

        positions_backward<T><<<(unsigned)((places + 127) / 128), 128, 0, dev->stream>>>(
            (float *)dwpe, (const T *)dout, batch, length, channels, position_rows, d, dev->record,
            accumulate);
        if (!dev->options.deterministic)
            tokens_backward<T><<<(unsigned)((vectors + 255) / 256), 256, 0, dev->stream>>>(
                (float *)dwte, tokens, (const T *)dout, channels, vectors, d, dev->record);
        else if (sort_rows(dev, tokens, rows))
            runs_backward<T><<<rows, 128, 0, dev->stream>>>(
                (float *)dwte, dev->order, dev->order + rows, rows, (const T *)dout, channels, d,
                dev->record);
    });
    lw_cuda_launched(dev, "embed_backward");
}
