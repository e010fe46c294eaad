/* SPDX-License-Identifier: MIT
 *
 * The two matrix products of a feed-forward layer that have GELU behind them, for Hopper's tensor
 * cores (compute capability 9.0): y = gelu(x W + b), and dx = (dy W^T) gelu'(pre) with its column
 * sums, which are the gradient of b.
 *
 * cuBLASLt's epilogues for these cost a quarter to a third of the product, because the tensor cores
 * wait while GELU is computed and a second matrix is moved. Here two groups of four warps take
 * tiles of 128 x 128 in turn: while one multiplies, the other one finishes its tile. A warp besides
 * brings what both need, 64 deep, into a ring in shared memory by the copy engine; two
 * multiprocessors that work on tiles one above the other share what they read of W.
 */
#include "engine/ops/cuda/hopper.cuh"

#define TILE        128 /* rows and columns of a tile */
#define DEPTH       64  /* of a slot of the ring: 128 bytes, what a swizzle spans */
#define SLOTS       6
#define SLOT_BYTES  (TILE * DEPTH * 2) /* for each operand */
#define PANEL       64                 /* columns of a tile that the copy engine moves at once */
#define PANEL_BYTES (TILE * PANEL * 2)
#define THREADS     384 /* one group brings, two multiply */

enum Epilogue { GELU, SLOPE };

/* Shared memory; the matrices begin at multiples of 1024 bytes, as their swizzle asks. */
struct Shared {
    uint8_t a[SLOTS][SLOT_BYTES], b[SLOTS][SLOT_BYTES];
    uint8_t panel[2][PANEL_BYTES]; /* of each group */
    float sums[2][4][PANEL];       /* of each group's warps */
    uint64_t full[SLOTS], empty[SLOTS], pre_here[2];
};

struct Problem {
    int rows, columns, depth; /* of x, of y, and what is summed over */
    const bf16 *bias;         /* (columns); GELU */
    float *sums;              /* (ceil(rows / TILE), columns); SLOPE */
};

#ifdef LW_HOPPER

/* GELU as activation.cu has it, in the fewest instructions: they keep the tensor cores waiting.
 * 1 / (1 + exp(-2 u)) = (1 + tanh(u)) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3). */
static __device__ __forceinline__ float gate(float x, float square)
{
    const float c = -2.f * 0.7978845608028654f * 1.44269504088896341f;
    float power, inverse;

    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x * fmaf(square, c * 0.044715f, c)));
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(1.f + power));
    return inverse;
}

static __device__ __forceinline__ float gelu(float x)
{
    return x * gate(x, x * x);
}

static __device__ __forceinline__ float gelu_slope(float x)
{
    const float square = x * x, g = gate(x, square);

    return fmaf(x * g * (1.f - g),
                fmaf(square, 6.f * 0.7978845608028654f * 0.044715f, 2.f * 0.7978845608028654f), g);
}

/* Where a thread's pair of columns 8 j + 2 (lane % 4) of a row lies in a panel. row % 8 is
 * lane / 4 for every row that a thread has. */
static __device__ __forceinline__ uint32_t *pair_at(uint8_t *panel, int row, int j, int lane)
{
    return reinterpret_cast<uint32_t *>(panel + row * 128 + ((j ^ lane / 4) * 16) + lane % 4 * 4);
}

/* Two lanes add up their 2 HALF sums and keep half of them each. */
template <int HALF> static __device__ __forceinline__ void share_sums(float (&s)[16], int lane)
{
    const bool upper = lane & 2 * HALF;

#pragma unroll
    for (int i = 0; i < HALF; i++) {
        const float mine = upper ? s[i + HALF] : s[i], other = upper ? s[i] : s[i + HALF];

        s[i] = mine + __shfl_xor_sync(0xffffffffu, other, 2 * HALF);
    }
}

/* Sums over a panel's rows, from each thread's share of 16 columns: eight lanes have the same ones,
 * in other rows, and end with two of them each. */
static __device__ __forceinline__ void keep_sums(float (&s)[16], float *warp_sums, int lane)
{
    share_sums<8>(s, lane);
    share_sums<4>(s, lane);
    share_sums<2>(s, lane);
    /* pairs of columns j were s[2 j], s[2 j + 1]: lane / 4 says which pair is left */
    *reinterpret_cast<float2 *>(warp_sums + lane / 4 * 8 + lane % 4 * 2) = make_float2(s[0], s[1]);
}

/* A group's panel goes to where it belongs. */
static __device__ __forceinline__ void panel_out(Shared &sh, const CUtensorMap *to, int group,
                                                 int row, int column)
{
    show_copy_engine();
    meet(3 + group, 128);
    if (threadIdx.x % 128 == 0)
        take_away(to, sh.panel[group], column, row);
}

static __device__ __forceinline__ void panel_free(int group)
{
    if (threadIdx.x % 128 == 0)
        taken();
    meet(3 + group, 128);
}

/* A thread's columns of pre, or of y where ACTIVE, packed into the panel. Sums of products are only
 * read: writing to their registers would make the compiler wait after each product. */
template <int SIDE, bool ACTIVE>
static __device__ __forceinline__ void fill_panel(uint8_t *panel, const float (&c)[2][64],
                                                  const uint32_t (&bias)[8], int lane, int first)
{
#pragma unroll
    for (int j = 0; j < 8; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float *const x = &c[i / 2][(SIDE * 8 + j) * 4 + i % 2 * 2];
            const float low = x[0] + low_half(bias[j]), high = x[1] + high_half(bias[j]);

            *pair_at(panel, first + i / 2 * 64 + i % 2 * 8, j, lane) =
                ACTIVE ? pack_halves(gelu(low), gelu(high)) : pack_halves(low, high);
        }
}

/* Columns [column, column + PANEL) of pre and then of y; SIDE says which of a tile's they are. */
template <int SIDE>
static __device__ __forceinline__ void
finish_gelu(Shared &sh, const float (&c)[2][64], const Problem &p, const CUtensorMap *y,
            const CUtensorMap *pre, int group, int row, int column)
{
    const int lane = threadIdx.x % 32, first = threadIdx.x % 128 / 32 * 16 + lane / 4;
    uint32_t bias[8];

#pragma unroll
    for (int j = 0; j < 8; j++)
        bias[j] = __ldg(reinterpret_cast<const uint32_t *>(p.bias + column + j * 8 + lane % 4 * 2));
    panel_free(group);
    fill_panel<SIDE, false>(sh.panel[group], c, bias, lane, first);
    panel_out(sh, pre, group, row, column);
    panel_free(group);
    fill_panel<SIDE, true>(sh.panel[group], c, bias, lane, first);
    panel_out(sh, y, group, row, column);
}

/* The part of pre that the panel will hold. */
static __device__ __forceinline__ void fetch_pre(Shared &sh, const CUtensorMap *pre, int group,
                                                 int row, int column)
{
    if (threadIdx.x % 128)
        return;
    taken();
    barrier_expect(&sh.pre_here[group], PANEL_BYTES);
    bring_once(sh.panel[group], pre, column, row, &sh.pre_here[group]);
}

/* The same columns of dx, in the place of pre's in the panel, and their sums. */
template <int SIDE>
static __device__ __forceinline__ void finish_slope(Shared &sh, const float (&c)[2][64],
                                                    const Problem &p, const CUtensorMap *dx,
                                                    int group, int row, int column)
{
    constexpr int AHEAD = 4;
    const int thread = threadIdx.x % 128, lane = thread % 32, first = thread / 32 * 16 + lane / 4;
    float(&warp_sums)[4][PANEL] = sh.sums[group];
    uint8_t *const panel = sh.panel[group];
    float sums[16] = {};

    barrier_wait(&sh.pre_here[group], SIDE);
#pragma unroll
    for (int j = 0; j < 8; j += AHEAD) {
        uint32_t pre[AHEAD][4]; /* read together: a store lets no later read go before it */

#pragma unroll
        for (int k = 0; k < AHEAD; k++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                pre[k][i] = *pair_at(panel, first + i / 2 * 64 + i % 2 * 8, j + k, lane);
#pragma unroll
        for (int k = 0; k < AHEAD; k++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float *const d = &c[i / 2][(SIDE * 8 + j + k) * 4 + i % 2 * 2];
                const float low = d[0] * gelu_slope(low_half(pre[k][i]));
                const float high = d[1] * gelu_slope(high_half(pre[k][i]));

                *pair_at(panel, first + i / 2 * 64 + i % 2 * 8, j + k, lane) =
                    pack_halves(low, high);
                sums[2 * (j + k)] += low;
                sums[2 * (j + k) + 1] += high;
            }
    }
    keep_sums(sums, warp_sums[thread / 32], lane);
    panel_out(sh, dx, group, row, column);
    if (thread < PANEL && row < p.rows)
        p.sums[(size_t)(row / TILE) * p.columns + column + thread] =
            warp_sums[0][thread] + warp_sums[1][thread] + warp_sums[2][thread] +
            warp_sums[3][thread];
    meet(3 + group, 128); /* before they are written again */
}

/* The tiles of a pair of multiprocessors, two rows of them at a time and column by column, so that
 * those worked on at the same time share what is read of x. */
struct Tiles {
    int across, count, pair, pairs;
    __device__ __forceinline__ Tiles(const Problem &p)
        : across(p.columns / TILE), count((p.rows + 2 * TILE - 1) / (2 * TILE) * across),
          pair(blockIdx.x / 2), pairs(gridDim.x / 2)
    {
    }
    /* Of the upper one's or the lower one's. */
    __device__ __forceinline__ int row(int tile, int which) const
    {
        return (tile / across * 2 + which) * TILE;
    }
    __device__ __forceinline__ int column(int tile) const
    {
        return tile % across * TILE;
    }
};

/* A place in the ring, and whether it is an odd round. */
struct Turn {
    int slot;
    uint32_t odd;
    __device__ __forceinline__ void next(void)
    {
        if (++slot == SLOTS) {
            slot = 0;
            odd ^= 1;
        }
    }
    __device__ __forceinline__ void skip(int turns)
    {
        slot += turns;
        odd ^= slot / SLOTS & 1;
        slot %= SLOTS;
    }
};

template <int TURNED>
static __device__ __forceinline__ void bring_all(Shared &sh, const Problem &p, const Tiles &tiles,
                                                 int which, const CUtensorMap *a,
                                                 const CUtensorMap *b)
{
    Turn turn = {0, 0};

    for (int tile = tiles.pair; tile < tiles.count; tile += tiles.pairs) {
        const int row = tiles.row(tile, which), column = tiles.column(tile) + which * PANEL;

        for (int k = 0; k < p.depth; k += DEPTH, turn.next()) {
            uint64_t *const full = &sh.full[turn.slot];
            uint8_t *const half = sh.b[turn.slot] + which * (SLOT_BYTES / 2);

            barrier_wait(&sh.empty[turn.slot], turn.odd ^ 1);
            barrier_expect(full, 2 * SLOT_BYTES);
            bring(sh.a[turn.slot], a, k, row, full);
            bring_to_both(half, b, TURNED ? column : k, TURNED ? k : column, full);
        }
    }
}

/* The sums over depth of one tile, which begins at this turn of the ring and leaves it at the last
 * one, not yet freed. */
template <int TURNED>
static __device__ __forceinline__ void multiply_all(Shared &sh, float (&c)[2][64], int turns,
                                                    Turn &turn)
{
    const uint64_t first_a = describe(sh.a[0], 16), first_b = describe(sh.b[0], SLOT_BYTES / 2);
    const int thread = threadIdx.x % 128;

    for (int i = 0;; i++) {
        const uint64_t a = first_a + turn.slot * UNITS(SLOT_BYTES);
        const uint64_t b = first_b + turn.slot * UNITS(SLOT_BYTES);
        const int before = turn.slot ? turn.slot - 1 : SLOTS - 1;

        barrier_wait(&sh.full[turn.slot], turn.odd);
        products_begin();
#pragma unroll
        for (int k = 0; k < DEPTH / 16; k++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                multiply<TURNED>(c[half], a + half * UNITS(SLOT_BYTES / 2) + k * UNITS(32),
                                 b + k * UNITS(TURNED ? 16 * 128 : 32), i || k);
        products_commit();
        products_wait<1>();
        if (i && thread < 2)
            barrier_arrive_at(&sh.empty[before], thread);
        if (i == turns - 1)
            return;
        turn.next();
    }
}

template <int TURNED, Epilogue EPILOGUE>
static __device__ __forceinline__ void
multiply_and_finish(Shared &sh, const Problem &p, const Tiles &tiles, int which, int group,
                    const CUtensorMap *y, const CUtensorMap *pre)
{
    const int thread = threadIdx.x % 128, turns = p.depth / DEPTH;
    Turn turn = {0, 0};
    float c[2][64];

    turn.skip(group * turns);
    for (int tile = tiles.pair + group * tiles.pairs; tile < tiles.count; tile += 2 * tiles.pairs) {
        const int row = tiles.row(tile, which), column = tiles.column(tile);

        if (EPILOGUE == SLOPE)
            fetch_pre(sh, pre, group, row, column);
        if (tile != tiles.pair) /* until the other group has enqueued its tile's products */
            meet(1 + group, 256);
        multiply_all<TURNED>(sh, c, turns, turn);
        if (tile + tiles.pairs < tiles.count)
            announce(2 - group, 256);
        products_ended(c[0]);
        products_ended(c[1]);
        if (thread < 2)
            barrier_arrive_at(&sh.empty[turn.slot], thread);
        turn.skip(turns + 1); /* the other group's tile */
        if (EPILOGUE == GELU) {
            finish_gelu<0>(sh, c, p, y, pre, group, row, column);
            finish_gelu<1>(sh, c, p, y, pre, group, row, column + PANEL);
        } else {
            finish_slope<0>(sh, c, p, y, group, row, column);
            fetch_pre(sh, pre, group, row, column + PANEL);
            finish_slope<1>(sh, c, p, y, group, row, column + PANEL);
        }
    }
    if (!thread)
        taken();
}

#endif

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
#define PAIRS /* there are none */
#else
#define PAIRS __cluster_dims__(2, 1, 1)
#endif

/* x (rows, depth), w (columns, depth), or TURNED (depth, columns); y and pre (rows, columns). */
template <int TURNED, Epilogue EPILOGUE>
static __global__ void PAIRS __launch_bounds__(THREADS, 1)
    feed_forward(const __grid_constant__ CUtensorMap x, const __grid_constant__ CUtensorMap w,
                 const __grid_constant__ CUtensorMap y, const __grid_constant__ CUtensorMap pre,
                 const Problem p)
{
#ifdef LW_HOPPER
    extern __shared__ __align__(1024) uint8_t memory[];
    Shared &sh = *reinterpret_cast<Shared *>(memory);
    const Tiles tiles(p);
    const int which = blockIdx.x % 2;
    /* the same in all of a warp, which the compiler does not see by itself */
    const int group = __shfl_sync(0xffffffffu, (int)threadIdx.x / 128, 0) - 1;

    if (!threadIdx.x) {
        for (int i = 0; i < SLOTS; i++) {
            barrier_init(&sh.full[i], 1);
            barrier_init(&sh.empty[i], 2); /* a group of each of the pair */
        }
        barrier_init(&sh.pre_here[0], 1);
        barrier_init(&sh.pre_here[1], 1);
        barriers_made();
    }
    cluster_sync();
    if (group < 0) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        if (!threadIdx.x)
            bring_all<TURNED>(sh, p, tiles, which, &x, &w);
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        multiply_and_finish<TURNED, EPILOGUE>(sh, p, tiles, which, group, &y, &pre);
    }
    __syncwarp();
    cluster_sync(); /* the other one may still write into this one's shared memory */
#endif
}

typedef CUresult (*Encode)(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *,
                           const cuuint64_t *, const cuuint64_t *, const cuuint32_t *,
                           const cuuint32_t *, CUtensorMapInterleave, CUtensorMapSwizzle,
                           CUtensorMapL2promotion, CUtensorMapFloatOOBfill);

/* The driver's function, which the CUDA runtime finds for us. */
static Encode encoder(void)
{
    static Encode found;
    cudaDriverEntryPointQueryResult how;
    void *f = NULL;

    if (found)
        return found;
#if CUDART_VERSION >= 12050
    if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &f, 12000, cudaEnableDefault,
                                         &how))
        return NULL;
#else
    if (cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &f, cudaEnableDefault, &how))
        return NULL;
#endif
    if (how == cudaDriverEntryPointSuccess)
        found = (Encode)f;
    return found;
}

/* How the copy engine sees a dense (rows, columns) matrix, of which it moves boxes. */
static bool describe_matrix(CUtensorMap *map, const void *at, int rows, int columns, int box_rows)
{
    const cuuint64_t sizes[2] = {(cuuint64_t)columns, (cuuint64_t)rows};
    const cuuint64_t pitch[1] = {(cuuint64_t)columns * sizeof(bf16)};
    const cuuint32_t box[2] = {PANEL, (cuuint32_t)box_rows}, steps[2] = {1, 1};
    const Encode encode = encoder();

    return encode && !encode(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, (void *)at, sizes, pitch,
                             box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

template <int TURNED, Epilogue EPILOGUE>
static bool launch(struct lw_device *dev, const Problem &p, const void *x, const void *w, void *y,
                   const void *pre)
{
    const int pairs = (p.rows + 2 * TILE - 1) / (2 * TILE) * (p.columns / TILE);
    const int most = dev->properties.multiProcessorCount / 2;
    CUtensorMap maps[4];

    if (!describe_matrix(&maps[0], x, p.rows, p.depth, TILE) ||
        !(TURNED ? describe_matrix(&maps[1], w, p.depth, p.columns, DEPTH)
                 : describe_matrix(&maps[1], w, p.columns, p.depth, TILE / 2)) ||
        !describe_matrix(&maps[2], y, p.rows, p.columns, TILE) ||
        !describe_matrix(&maps[3], pre, p.rows, p.columns, TILE) ||
        cudaFuncSetAttribute(feed_forward<TURNED, EPILOGUE>,
                             cudaFuncAttributeMaxDynamicSharedMemorySize, sizeof(Shared))) {
        cudaGetLastError();
        return false;
    }
    feed_forward<TURNED, EPILOGUE>
        <<<2 * (pairs < most ? pairs : most), THREADS, sizeof(Shared), dev->stream>>>(
            maps[0], maps[1], maps[2], maps[3], p);
    return true;
}

static bool fits(const struct lw_device *dev, int columns, int depth)
{
    return dev->type == LW_BF16 && dev->properties.major == 9 && columns % TILE == 0 &&
           depth % DEPTH == 0 && dev->properties.sharedMemPerBlockOptin >= sizeof(Shared);
}

extern "C" bool lw_hopper_linear_gelu(struct lw_device *dev, const struct lw_linear *l, void *y,
                                      void *pre, const void *x, const void *w, const void *bias)
{
    const Problem p = {l->rows, l->out, l->in, (const bf16 *)bias, NULL};
    bool done;

    if (!fits(dev, l->out, l->in))
        return false;
    done = l->layout == LW_IN_OUT ? launch<1, GELU>(dev, p, x, w, y, pre)
                                  : launch<0, GELU>(dev, p, x, w, y, pre);
    if (done)
        lw_cuda_launched(dev, "linear");
    return done;
}

extern "C" bool lw_hopper_gelu_backward(struct lw_device *dev, const struct lw_linear *l, void *dx,
                                        float *dx_sums, const void *dy, const void *w,
                                        const void *x_pre, bool accumulate)
{
    const Problem p = {l->rows, l->in, l->out, NULL, dev->partials};
    const int slices = (l->rows + TILE - 1) / TILE;
    bool done;

    if (!fits(dev, l->in, l->out) || (size_t)slices * l->in > dev->partials_count)
        return false;
    done = l->layout == LW_IN_OUT ? launch<0, SLOPE>(dev, p, dy, w, dx, x_pre)
                                  : launch<1, SLOPE>(dev, p, dy, w, dx, x_pre);
    if (!done)
        return false;
    lw_cuda_launched(dev, "linear backward");
    if (dx_sums)
        lw_cuda_add_slices(dev, dx_sums, slices, l->in, accumulate);
    return true;
}
