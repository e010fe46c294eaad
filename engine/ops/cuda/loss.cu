/* SPDX-License-Identifier: MIT
 *
 * The head and the loss, over chunks of rows: logits, softmax cross-entropy whose gradient takes
 * the logits' place, and the products with that gradient.
 */
#include "engine/ops/cuda/kernel.cuh"

struct Row {
    float loss;
    int counted, correct, top5;
};

static __device__ __forceinline__ float exponential(float x, float)
{
    return expf(x);
}
static __device__ __forceinline__ float exponential(float x, bf16)
{
    return __expf(x);
}

/* A vector of logits from class c on, with the bias; classes that do not exist are -inf. */
template <typename T>
static __device__ __forceinline__ Vec<T> logits_at(const T *row, const T *bias, int c, int classes)
{
    Vec<T> x;

    x.load(row + c);
    if (bias) {
        Vec<T> b;

        b.load(bias + c);
        for (int k = 0; k < Vec<T>::n; k++)
            x.v[k] += b.v[k];
    }
    if (c + Vec<T>::n > classes)
        for (int k = 0; k < Vec<T>::n; k++)
            if (c + k >= classes)
                x.v[k] = -INFINITY;
    return x;
}

/* Running maximum, where it was first met (the vector it is in) and sum of exp(x - top). */
struct Running {
    float top, sum;
    int at;
};

static __device__ __forceinline__ Running merge(Running a, Running b)
{
    const float top = fmaxf(a.top, b.top);
    Running r;

    r.top = top;
    r.sum =
        top == -INFINITY ? a.sum + b.sum : a.sum * expf(a.top - top) + b.sum * expf(b.top - top);
    r.at = a.top > b.top || (a.top == b.top && a.at < b.at) ? a.at : b.at;
    return r;
}

static __device__ __forceinline__ Running merge_across(Running r, int distance)
{
    Running other;

    other.top = __shfl_xor_sync(0xffffffffu, r.top, distance);
    other.sum = __shfl_xor_sync(0xffffffffu, r.sum, distance);
    other.at = __shfl_xor_sync(0xffffffffu, r.at, distance);
    return merge(r, other);
}

/* All threads of the block get the row's totals. */
static __device__ Running merge_block(Running r, Running *shared)
{
    const int warps = blockDim.x / 32, lane = threadIdx.x % 32;

    for (int d = 16; d; d >>= 1)
        r = merge_across(r, d);
    if (!lane)
        shared[threadIdx.x / 32] = r;
    __syncthreads();
    r = shared[lane < warps ? lane : 0];
    if (lane >= warps)
        r.top = -INFINITY, r.sum = 0, r.at = 0x7fffffff;
    for (int d = 16; d; d >>= 1)
        r = merge_across(r, d);
    return r;
}

/* How many classes come before the target in a row of few, for all threads of the block. */
template <typename T>
static __device__ int classes_before(const T *row, const T *bias, int target, int classes)
{
    const float mine = to_float(row[target]) + (bias ? to_float(bias[target]) : 0.f);
    int total = 0;

    for (int from = 0; from < classes; from += blockDim.x) {
        const int c = from + threadIdx.x;
        const float other =
            c < classes ? to_float(row[c]) + (bias ? to_float(bias[c]) : 0.f) : -INFINITY;

        total += __syncthreads_count(other > mine || (other == mine && c < target));
    }
    return total;
}

/* One block a row, two passes: the first gathers maximum and sum, the second writes the gradient
 * where the logits were, reading them again. Two rows at a time on a multiprocessor: enough that
 * loads hide behind exponentials, and few enough that a row of 50,304 is still in L2 the second
 * time. NaN spreads through the sum. */
template <typename T>
static __global__ void __launch_bounds__(768, 2)
    softmax_loss(T *logits, struct Row *out, int32_t *argmax, const T *bias, const int32_t *targets,
                 int classes, int padded, bool gradient, bool top5)
{
    constexpr int n = Vec<T>::n;
    __shared__ Running shared[24];
    T *row = logits + (size_t)blockIdx.x * padded;
    const int target = targets[blockIdx.x];
    Running mine = {-INFINITY, 0.f, 0x7fffffff};

#pragma unroll 4
    for (int c = threadIdx.x * n; c < padded; c += blockDim.x * n) {
        const Vec<T> x = logits_at(row, bias, c, classes);
        float top = x.v[0], sum = 0;

        for (int k = 1; k < n; k++)
            top = fmaxf(top, x.v[k]);
        if (top > mine.top) {
            mine.sum *= exponential(mine.top - top, T());
            mine.top = top;
            mine.at = c;
        }
        const float base = mine.top == -INFINITY ? 0.f : mine.top; /* all masked so far */
        for (int k = 0; k < n; k++)
            sum += exponential(x.v[k] - base, T());
        mine.sum += sum;
    }
    const Running all = merge_block(mine, shared);
    int before = 5;

    if (top5 && target != LW_IGNORED)
        before = classes_before(row, bias, target, classes);
    if (!threadIdx.x) {
        struct Row *r = out + blockIdx.x;
        const Vec<T> x = logits_at(row, bias, all.at < padded ? all.at : 0, classes);
        int best = all.at;

        for (int k = n - 1; k >= 0; k--)
            if (x.v[k] == all.top)
                best = all.at + k;
        r->counted = target != LW_IGNORED;
        r->correct = r->counted && best == target;
        r->top5 = before < 5;
        r->loss = 0;
        if (r->counted)
            r->loss = all.top + logf(all.sum) - to_float(row[target]) -
                      (bias ? to_float(bias[target]) : 0.f);
        if (argmax)
            argmax[blockIdx.x] = best;
    }
    if (!gradient)
        return;
    __syncthreads(); /* the target's logit has been read */
    const float scale = target == LW_IGNORED ? 0.f : 1.f / all.sum;
#pragma unroll 2
    for (int c = threadIdx.x * n; c < padded; c += blockDim.x * n) {
        Vec<T> x = logits_at(row, bias, c, classes);

        for (int k = 0; k < n; k++)
            x.v[k] = exponential(x.v[k] - all.top, T()) * scale;
        if (target >= c && target < c + n)
            for (int k = 0; k < n; k++)
                x.v[k] -= c + k == target ? 1.f : 0.f;
        x.store_once(row + c);
    }
}

#define KEPT_THREADS 1024

/* 2^x, results below the smallest normal number being 0. */
static __device__ __forceinline__ float power_of_two(float x)
{
    float y;

    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/* Start copying a row to shared memory; every thread fetches the vectors that it will read. */
static __device__ __forceinline__ void fetch_row(uint4 *to, const bf16 *row, int vectors)
{
    for (int v = threadIdx.x; v < vectors; v += KEPT_THREADS) {
        const uint32_t address = (uint32_t)__cvta_generic_to_shared(to + v);

        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(row + v * 8)
                     : "memory");
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Maximum or sum over the block, to all its threads. `shared` is free again after the next
 * barrier. */
template <bool maximum> static __device__ __forceinline__ float reduce_block(float x, float *shared)
{
    const int warps = KEPT_THREADS / 32;

    x = maximum ? warp_max(x) : warp_sum(x);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = x;
    __syncthreads();
    x = shared[threadIdx.x % warps];
    return maximum ? warp_max(x) : warp_sum(x);
}

/* softmax_loss for rows of bf16 that fit into shared memory twice: a block walks over rows, works
 * on one there while the next is on its way, and so reads and writes logits once. A thread touches
 * its own vectors alone, but for the target's logit. */
static __global__ void __launch_bounds__(KEPT_THREADS, 1)
    softmax_loss_kept(bf16 *logits, struct Row *out, int32_t *argmax, const int32_t *targets,
                      int rows, int classes, int padded, bool gradient)
{
    constexpr float log2e = 1.44269504088896341f;
    extern __shared__ uint4 buffers[]; /* two rows */
    __shared__ float shared[2][32];
    __shared__ int first[2]; /* the lowest class whose logit is the largest, for alternate rows */
    const int vectors = padded / 8, whole = classes / 8;
    int turn = 0;

    if ((int)blockIdx.x < rows)
        fetch_row(buffers, logits + (size_t)blockIdx.x * padded, vectors);
    for (int r = blockIdx.x; r < rows; r += gridDim.x, turn ^= 1) {
        bf16 *row = logits + (size_t)r * padded;
        uint4 *mine = buffers + (size_t)turn * vectors;
        const int target = targets[r];
        float top = -INFINITY, sum = 0;
        Vec<bf16> x;

        asm volatile("cp.async.wait_all;" ::: "memory");
        if (r + (int)gridDim.x < rows)
            fetch_row(buffers + (size_t)(turn ^ 1) * vectors, row + (size_t)gridDim.x * padded,
                      vectors);
        for (int v = threadIdx.x; v < vectors; v += KEPT_THREADS) {
            x.unpack(mine[v]);
            if (v >= whole) { /* classes that do not exist */
                for (int k = 0; k < 8; k++)
                    if (v * 8 + k >= classes)
                        x.v[k] = -INFINITY;
                mine[v] = x.pack();
            }
            for (int k = 0; k < 8; k++)
                top = fmaxf(top, x.v[k]);
        }
        const float own = top;
        if (!threadIdx.x)
            first[turn] = 0x7fffffff;
        top = reduce_block<true>(top, shared[0]);
        const float base = top * log2e;
        float aimed = 0; /* read before the next barrier: behind it this row may be overwritten */
        if (!threadIdx.x && target != LW_IGNORED)
            aimed = to_float(((const bf16 *)mine)[target]);
        for (int v = threadIdx.x; v < vectors; v += KEPT_THREADS) {
            x.unpack(mine[v]);
            if (own == top)
                for (int k = 0; k < 8; k++)
                    if (x.v[k] == top)
                        atomicMin(&first[turn], v * 8 + k);
            for (int k = 0; k < 8; k++)
                sum += power_of_two(x.v[k] * log2e - base);
        }
        sum = reduce_block<false>(sum, shared[1]);
        if (!threadIdx.x) {
            const bool counts = target != LW_IGNORED;
            const int best = first[turn];

            out[r].counted = counts;
            out[r].correct = counts && best == target;
            out[r].top5 = 0; /* not counted here */
            out[r].loss = 0;
            if (counts)
                out[r].loss = top + logf(sum) - aimed;
            if (argmax)
                argmax[r] = best < classes ? best : 0; /* all NaN */
        }
        if (!gradient)
            continue;
        const float scale = target == LW_IGNORED ? 0.f : 1.f / sum;
        for (int v = threadIdx.x; v < vectors; v += KEPT_THREADS) {
            x.unpack(mine[v]);
            for (int k = 0; k < 8; k++)
                x.v[k] = power_of_two(x.v[k] * log2e - base) * scale;
            if (target / 8 == v && target >= 0)
                for (int k = 0; k < 8; k++)
                    x.v[k] -= target % 8 == k ? 1.f : 0.f;
            x.store_once(row + (size_t)v * 8);
        }
    }
}

/* Add a chunk's rows to the record, always in the same order. */
static __global__ void add_rows(lw_record *record, const struct Row *rows, int count)
{
    __shared__ double shared[4][32];
    double loss = 0, targets = 0, correct = 0, top5 = 0;

    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        loss += rows[i].loss;
        targets += rows[i].counted;
        correct += rows[i].correct;
        top5 += rows[i].top5;
    }
    loss = warp_sum(loss);
    targets = warp_sum(targets);
    correct = warp_sum(correct);
    top5 = warp_sum(top5);
    if (threadIdx.x % 32 == 0) {
        shared[0][threadIdx.x / 32] = loss;
        shared[1][threadIdx.x / 32] = targets;
        shared[2][threadIdx.x / 32] = correct;
        shared[3][threadIdx.x / 32] = top5;
    }
    __syncthreads();
    if (threadIdx.x)
        return;
    for (int w = 1; w < (int)blockDim.x / 32; w++) {
        loss += shared[0][w];
        targets += shared[1][w];
        correct += shared[2][w];
        top5 += shared[3][w];
    }
    record->loss_sum += loss;
    record->targets += targets;
    record->correct += correct;
    record->top5 += top5;
}

/* Whether softmax_loss_kept can take this, and then it does. Small rows gain nothing by it. */
static bool launch_kept(struct lw_device *dev, int rows, int32_t *argmax, const int32_t *targets,
                        int classes, int padded, bool gradient)
{
    const size_t shared = (size_t)padded * 2 * sizeof(bf16);
    const int most = dev->properties.multiProcessorCount, grid = rows < most ? rows : most;

    if (dev->type != LW_BF16 || padded % 8 || padded < 2 * 8 * KEPT_THREADS ||
        shared + 1024 > (size_t)dev->properties.sharedMemPerBlockOptin ||
        cudaFuncSetAttribute(softmax_loss_kept, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             (int)shared))
        return false;
    softmax_loss_kept<<<grid, KEPT_THREADS, shared, dev->stream>>>(
        (bf16 *)dev->logits, (struct Row *)dev->row_loss, argmax, targets, rows, classes, padded,
        gradient);
    return true;
}

template <typename T>
static void launch(struct lw_device *dev, int rows, int32_t *argmax, const void *bias,
                   const int32_t *targets, int classes, int padded, bool gradient, bool top5)
{
    const int vectors = (padded + Vec<T>::n - 1) / Vec<T>::n;
    struct Row *out = (struct Row *)dev->row_loss;

    if (bias || top5 || !launch_kept(dev, rows, argmax, targets, classes, padded, gradient))
        softmax_loss<T><<<rows, vectors <= 768 ? 96 : 768, 0, dev->stream>>>(
            (T *)dev->logits, out, argmax, (const T *)bias, targets, classes, padded, gradient,
            top5);
    add_rows<<<1, 1024, 0, dev->stream>>>(dev->record, out, rows);
}

/* logits (rows, padded) = x W^T, W (padded, channels); all row major, so transposed for cuBLASLt.
 */
static void chunk_logits(struct lw_device *dev, const struct lw_head *h, int rows, const char *x,
                         const void *w)
{
    const struct lw_matmul mm = {.m = h->padded_classes,
                                 .n = rows,
                                 .k = h->channels,
                                 .transpose_a = true,
                                 .lda = h->channels,
                                 .ldb = h->channels,
                                 .ldd = h->padded_classes,
                                 .type_ab = dev->type,
                                 .type_d = dev->type,
                                 .batch = 1,
                                 .alpha = 1};

    lw_matmul_run(dev, "head", &mm, w, x, dev->logits, NULL, NULL);
}

extern "C" void lw_cuda_head_loss(struct lw_device *dev, const struct lw_head *h, void *dx,
                                  void *dw, void *dbias, int32_t *argmax, const void *x,
                                  const void *w, const void *bias, const int32_t *targets,
                                  bool accumulate)
{
    const size_t row_bytes = h->channels * lw_dtype_size(dev->type);

    for (int at = 0; at < h->rows; at += dev->head_rows) {
        const int rows = h->rows - at < dev->head_rows ? h->rows - at : dev->head_rows;
        const char *xs = (const char *)x + at * row_bytes;
        const bool add = accumulate || at;
        struct lw_matmul mm = {.m = h->channels,
                               .n = rows,
                               .k = h->padded_classes,
                               .lda = h->channels,
                               .ldb = h->padded_classes,
                               .ldd = h->channels,
                               .type_ab = dev->type,
                               .type_d = dev->type,
                               .batch = 1,
                               .alpha = 1};

        chunk_logits(dev, h, rows, xs, w);
        LW_BY_TYPE(dev, launch<T>(dev, rows, argmax ? argmax + at : NULL, bias, targets + at,
                                  h->classes, h->padded_classes, dx != NULL, h->top5));
        lw_cuda_launched(dev, "head loss");
        if (!dx)
            continue;
        lw_matmul_run(dev, "head backward", &mm, w, dev->logits, (char *)dx + at * row_bytes, NULL,
                      NULL);
        mm.n = h->padded_classes;
        mm.k = rows;
        mm.transpose_b = true;
        mm.type_d = LW_F32;
        mm.accumulate = add;
        lw_matmul_run(dev, "head weight gradient", &mm, xs, dev->logits, dw, NULL, NULL);
        if (dbias)
            lw_cuda_column_sums(dev, (float *)dbias, dev->logits, rows, h->padded_classes, add);
    }
}

template <typename T>
static __global__ void widen(float *out, const T *logits, const T *bias, int classes, int padded,
                             size_t count)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    if (i >= count)
        return;
    const size_t row = i / classes, c = i % classes;
    out[i] = to_float(logits[row * padded + c]) + (bias ? to_float(bias[c]) : 0.f);
}

extern "C" void lw_cuda_head_logits(struct lw_device *dev, const struct lw_head *h, float *logits,
                                    const void *x, const void *w, const void *bias)
{
    for (int at = 0; at < h->rows; at += dev->head_rows) {
        const int rows = h->rows - at < dev->head_rows ? h->rows - at : dev->head_rows;
        const size_t count = (size_t)rows * h->classes;

        chunk_logits(dev, h, rows,
                     (const char *)x + (size_t)at * h->channels * lw_dtype_size(dev->type), w);
        LW_BY_TYPE(dev, (widen<T><<<(unsigned)((count + 255) / 256), 256, 0, dev->stream>>>(
                            logits + (size_t)at * h->classes, (const T *)dev->logits,
                            (const T *)bias, h->classes, h->padded_classes, count)));
        lw_cuda_launched(dev, "head logits");
    }
}
