/* SPDX-License-Identifier: MIT
 *
 * Counts of what the model says. Integers throughout, so atomics leave no trace of their order.
 */
#include "engine/ops/cuda/kernel.cuh"

#define TILE 256

static __device__ __forceinline__ int32_t counted(const int32_t *ids, const int32_t *targets, int i,
                                                  int length, int classes)
{
    if (i >= length || targets[i] == LW_IGNORED || ids[i] < 0 || ids[i] >= classes)
        return -1;
    return ids[i];
}

/* A thread an id, a block 256 ids of a unit: each is looked for in the whole unit, and its first
 * place adds what was found. */
static __global__ void tally_units(unsigned long long *table, const int32_t *ids,
                                   const int32_t *targets, int length, int classes)
{
    __shared__ int32_t tile[TILE];
    const int i = blockIdx.y * TILE + threadIdx.x;
    unsigned long long x = 0, n = 0;

    ids += (size_t)blockIdx.x * length;
    targets += (size_t)blockIdx.x * length;
    const int32_t id = counted(ids, targets, i, length, classes);
    bool first = id >= 0;
    for (int at = 0; at < length; at += TILE) {
        __syncthreads();
        tile[threadIdx.x] = counted(ids, targets, at + threadIdx.x, length, classes);
        __syncthreads();
        for (int k = 0; k < TILE; k++) {
            n += tile[k] >= 0;
            x += tile[k] == id;
            first = first && (tile[k] != id || at + k >= i);
        }
    }
    if (first) {
        unsigned long long *row = table + (size_t)id * LW_TALLY_COLUMNS;

        atomicAdd(row, x);
        atomicAdd(row + 1, x * x);
        atomicAdd(row + 2, x * n);
    }
    if (!i && n) {
        unsigned long long *all = table + (size_t)classes * LW_TALLY_COLUMNS;

        atomicAdd(all, n);
        atomicAdd(all + 1, 1ull);
        atomicAdd(all + 2, n * n);
    }
}

static __global__ void move(unsigned long long *to, unsigned long long *from, size_t count)
{
    const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    if (i >= count)
        return;
    to[i] += from[i];
    from[i] = 0;
}

extern "C" void lw_cuda_tally(struct lw_device *dev, int units, int length, int classes,
                              uint64_t *table, const int32_t *ids, const int32_t *targets)
{
    const dim3 grid(units, (length + TILE - 1) / TILE);

    tally_units<<<grid, TILE, 0, dev->stream>>>((unsigned long long *)table, ids, targets, length,
                                                classes);
    lw_cuda_launched(dev, "tally");
}

extern "C" void lw_cuda_tally_move(struct lw_device *dev, uint64_t *to, uint64_t *from,
                                   size_t count)
{
    move<<<(unsigned)((count + 255) / 256), 256, 0, dev->stream>>>(
        (unsigned long long *)to, (unsigned long long *)from, count);
    lw_cuda_launched(dev, "tally");
}
