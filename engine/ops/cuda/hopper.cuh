/* SPDX-License-Identifier: MIT
 *
 * What Hopper's tensor cores and copy engine are told with, a function an instruction (NVIDIA, "PTX
 * ISA", 8.0). LW_HOPPER is defined where the compiler makes code for compute capability 9.0 with
 * the instructions that it alone has.
 */
#ifndef LW_OPS_CUDA_HOPPER_CUH
#define LW_OPS_CUDA_HOPPER_CUH

#include <cuda.h>

#include "engine/ops/cuda/kernel.cuh"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define LW_HOPPER

static __device__ __forceinline__ uint32_t address(const void *p)
{
    return (uint32_t)__cvta_generic_to_shared(p);
}

/* A barrier in shared memory; its phases end by turns in parity 0 and 1, once all arrivals and all
 * bytes that were expected are there. */
static __device__ __forceinline__ void barrier_init(uint64_t *b, int arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address(b)), "r"(arrivals));
}

/* Behind the last init, and before the cluster is synchronised. */
static __device__ __forceinline__ void barriers_made(void)
{
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

/* Arrive, and expect so many bytes besides. */
static __device__ __forceinline__ void barrier_expect(uint64_t *b, uint32_t bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address(b)),
                 "r"(bytes)
                 : "memory");
}

/* Until the phase of that parity has ended. */
static __device__ __forceinline__ void barrier_wait(uint64_t *b, uint32_t parity)
{
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@done bra ended;\n"
                 "bra again;\n"
                 "ended:\n"
                 "}" ::"r"(address(b)),
                 "r"(parity)
                 : "memory");
}

/* Arrive at the same barrier in a multiprocessor of this cluster. What it says is that the tensor
 * cores have read something: no ordinary write has to become visible first. */
static __device__ __forceinline__ void barrier_arrive_at(uint64_t *b, uint32_t which)
{
    asm volatile("{\n"
                 ".reg .b32 there;\n"
                 "mapa.shared::cluster.u32 there, %0, %1;\n"
                 "mbarrier.arrive.shared::cluster.b64 _, [there];\n"
                 "}" ::"r"(address(b)),
                 "r"(which)
                 : "memory");
}

/* What L2 does with lines that the copy engine moves: keeps them longest, lets them go first. */
static __device__ __forceinline__ uint64_t keep_last(void)
{
    uint64_t policy;

    asm("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}

static __device__ __forceinline__ uint64_t drop_first(void)
{
    uint64_t policy;

    asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}

/* The copy engine (TMA) brings the box at column x and row y of a matrix into shared memory, zeros
 * for what lies outside; its bytes count at `arrived`, where they are expected. */
static __device__ __forceinline__ void bring(void *to, const CUtensorMap *from, int x, int y,
                                             uint64_t *arrived)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
                 " [%0], [%1, {%3, %4}], [%2];" ::"r"(address(to)),
                 "l"(from), "r"(address(arrived)), "r"(x), "r"(y)
                 : "memory");
}

/* What nobody reads again. */
static __device__ __forceinline__ void bring_once(void *to, const CUtensorMap *from, int x, int y,
                                                  uint64_t *arrived)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
                 ".L2::cache_hint [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(address(to)),
                 "l"(from), "r"(address(arrived)), "r"(x), "r"(y), "l"(drop_first())
                 : "memory");
}

/* To the same place in both multiprocessors of a cluster of two; others will read it again. */
static __device__ __forceinline__ void bring_to_both(void *to, const CUtensorMap *from, int x,
                                                     int y, uint64_t *arrived)
{
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
        ".multicast::cluster.L2::cache_hint [%0], [%1, {%3, %4}], [%2], %5, %6;" ::"r"(address(to)),
        "l"(from), "r"(address(arrived)), "r"(x), "r"(y), "h"((uint16_t)3), "l"(keep_last())
        : "memory");
}

/* And from there to a matrix, which nobody reads soon; what lies outside is left out. */
static __device__ __forceinline__ void take_away(const CUtensorMap *to, const void *from, int x,
                                                 int y)
{
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group.L2::cache_hint"
                 " [%0, {%2, %3}], [%1], %4;" ::"l"(to),
                 "r"(address(from)), "r"(x), "r"(y), "l"(drop_first())
                 : "memory");
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}

/* What this thread wrote into shared memory becomes what the copy engine and the tensor cores see.
 */
static __device__ __forceinline__ void show_copy_engine(void)
{
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/* Until the copy engine has read all that this thread told it to take away. */
static __device__ __forceinline__ void taken(void)
{
    asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
}

/* A barrier among some of a block's threads; named barriers 1 to 15 are free. */
static __device__ __forceinline__ void meet(int name, int threads)
{
    asm volatile("bar.sync %0, %1;" ::"r"(name), "r"(threads) : "memory");
}

static __device__ __forceinline__ void announce(int name, int threads)
{
    asm volatile("bar.arrive %0, %1;" ::"r"(name), "r"(threads) : "memory");
}

/* A barrier among all threads of a cluster. */
static __device__ __forceinline__ void cluster_sync(void)
{
    asm volatile("barrier.cluster.arrive.release.aligned;\n"
                 "barrier.cluster.wait.acquire.aligned;" ::
                     : "memory");
}

/* How wgmma finds a matrix in swizzled shared memory: address, distance between its 64-element
 * pieces where the other dimension is contiguous, distance between groups of 8 rows (PTX ISA,
 * "Matrix descriptor"). */
static __device__ __forceinline__ uint64_t describe(const void *p, uint32_t pieces)
{
    return (uint64_t)((address(p) & 0x3ffff) >> 4) | (uint64_t)(pieces >> 4) << 16 |
           (uint64_t)(1024 >> 4) << 32 | (uint64_t)1 << 62;
}

#define UNITS(bytes) ((bytes) >> 4) /* addresses in it, which can be added to */

#define R8(x, i)                                                                                   \
    "+f"(x[i]), "+f"(x[i + 1]), "+f"(x[i + 2]), "+f"(x[i + 3]), "+f"(x[i + 4]), "+f"(x[i + 5]),    \
        "+f"(x[i + 6]), "+f"(x[i + 7])

/* c (64 x 128) = or += a (64 x 16) b (16 x 128), enqueued. TURNED: b's columns are contiguous. */
template <int TURNED>
static __device__ __forceinline__ void multiply(float (&c)[64], uint64_t a, uint64_t b, int add)
{
    asm volatile("{\n"
                 ".reg .pred add;\n"
                 "setp.ne.b32 add, %66, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
                 "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
                 "%64, %65, add, 1, 1, 0, %67;\n"
                 "}"
                 : R8(c, 0), R8(c, 8), R8(c, 16), R8(c, 24), R8(c, 32), R8(c, 40), R8(c, 48),
                   R8(c, 56)
                 : "l"(a), "l"(b), "r"(add), "n"(TURNED));
}

static __device__ __forceinline__ void products_begin(void)
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

static __device__ __forceinline__ void products_commit(void)
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* Until at most N of the committed groups of products are under way. */
template <int N> static __device__ __forceinline__ void products_wait(void)
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

/* Registers that products wrote are read behind this, not before. */
static __device__ __forceinline__ void products_ended(float (&c)[64])
{
    products_wait<0>();
#pragma unroll
    for (int i = 0; i < 64; i += 8)
        asm volatile("" : R8(c, i)::"memory");
}

#endif
#endif
