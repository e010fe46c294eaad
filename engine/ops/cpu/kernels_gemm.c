/* SPDX-License-Identifier: MIT
 *
 * Matrix products by one thread, after Goto & van de Geijn, "Anatomy of High-Performance Matrix
 * Multiplication" (2008): a tile of C stays in registers while a packed strip of A (broadcast) and
 * one of B (vectors) stream past it from the cache.
 */
#include "engine/ops/cpu/kernels_table.h"

enum {
    TILE_ROWS = LW_LANES == 16 ? 8 : 4, /* with WIDTH vectors each: 24 of 32 registers, 12 of 16 */
    WIDTH = 3,
    TILE_COLUMNS = WIDTH * LW_LANES,
    BLOCK_ROWS = LW_CPU_GEMM_ROWS,
    BLOCK_DEPTH = LW_CPU_GEMM_DEPTH,
};

_Static_assert((int)TILE_COLUMNS <= (int)LW_CPU_GEMM_COLUMNS, "packed B does not fit");

typedef float four __attribute__((vector_size(16)));
typedef float four_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

static inline four load_four(const float *p)
{
    return *(const four_unaligned *)p;
}

static inline void store_four(float *p, four v)
{
    *(four_unaligned *)p = v;
}

/* out[j * to + i] = x[i * from + j], i and j < 4. */
static inline void transpose_four(float *out, size_t to, const float *x, size_t from)
{
    four a = load_four(x), b = load_four(x + from);
    four c = load_four(x + 2 * from), d = load_four(x + 3 * from);
    four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    four ef = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);

    store_four(out, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
    store_four(out + to, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
    store_four(out + 2 * to, __builtin_shufflevector(ef, gh, 0, 1, 4, 5));
    store_four(out + 3 * to, __builtin_shufflevector(ef, gh, 2, 3, 6, 7));
}

/* How much of a strip is read when n of its lines exist. */
static inline size_t read_width(size_t n, size_t width)
{
    size_t whole = (n + LW_LANES - 1) / LW_LANES * LW_LANES;

    return whole < width ? whole : width;
}

/* A strip of `width` lines of which n exist, to out[k * width + line]; what else is read
 * is zero. The lines run along memory (element k of line i at x[i * stride + k]): it is turned. */
static inline void pack_turned(float *out, const float *x, size_t stride, size_t n, size_t depth,
                               size_t width)
{
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        size_t k = 0;

        for (; k + 4 <= depth; k += 4)
            transpose_four(out + k * width + i, width, x + i * stride + k, stride);
        for (; k < depth; k++)
            for (size_t j = i; j < i + 4; j++)
                out[k * width + j] = x[j * stride + k];
    }
    for (; i < read_width(n, width); i++)
        for (size_t k = 0; k < depth; k++)
            out[k * width + i] = i < n ? x[i * stride + k] : 0.0f;
}

/* The same of lines that lie across memory (element k of line i at x[k * stride + i]). */
static inline void pack_straight(float *out, const float *x, size_t stride, size_t n, size_t depth,
                                 size_t width)
{
    if (n == width) {
        for (size_t k = 0; k < depth; k++)
            memcpy(out + k * width, x + k * stride, width * sizeof(float));
        return;
    }
    for (size_t k = 0; k < depth; k++) {
        size_t i = 0;

        for (; i + LW_LANES <= n; i += LW_LANES)
            lw_vstore(out + k * width + i, lw_vload(x + k * stride + i));
        for (; i < n; i++)
            out[k * width + i] = x[k * stride + i];
        for (; i < read_width(n, width); i++)
            out[k * width + i] = 0.0f;
    }
}

static inline __attribute__((always_inline)) void put(float *c, lw_vf sum, float alpha, bool add)
{
    sum *= alpha;
    lw_vstore(c, add ? lw_vload(c) + sum : sum);
}

/* rows x width vectors of C; both are constants where this is called. */
static inline __attribute__((always_inline)) void tile(const int rows, const int width,
                                                       const float *a, const float *b, size_t depth,
                                                       float *c, size_t ldc, float alpha, bool add)
{
    lw_vf sum[TILE_ROWS][WIDTH], line[WIDTH];

    LW_UNROLLED
    for (int r = 0; r < rows; r++) {
        LW_UNROLLED
        for (int j = 0; j < width; j++)
            sum[r][j] = lw_vset(0);
    }
    for (size_t k = 0; k < depth; k++, a += TILE_ROWS, b += TILE_COLUMNS) {
        LW_UNROLLED
        for (int j = 0; j < width; j++)
            line[j] = lw_vload(b + j * LW_LANES);
        LW_UNROLLED
        for (int r = 0; r < rows; r++) {
            LW_UNROLLED
            for (int j = 0; j < width; j++)
                sum[r][j] += a[r] * line[j];
        }
    }
    LW_UNROLLED
    for (int r = 0; r < rows; r++) {
        LW_UNROLLED
        for (int j = 0; j < width; j++)
            put(c + (size_t)r * ldc + (size_t)j * LW_LANES, sum[r][j], alpha, add);
    }
}

static inline __attribute__((always_inline)) void wide_tile(const int rows, int width,
                                                            const float *a, const float *b,
                                                            size_t depth, float *c, size_t ldc,
                                                            float alpha, bool add)
{
    if (width == 3)
        tile(rows, 3, a, b, depth, c, ldc, alpha, add);
    else if (width == 2)
        tile(rows, 2, a, b, depth, c, ldc, alpha, add);
    else
        tile(rows, 1, a, b, depth, c, ldc, alpha, add);
}

static void any_tile(int rows, int width, const float *a, const float *b, size_t depth, float *c,
                     size_t ldc, float alpha, bool add)
{
    switch (rows) {
    case 1:
        wide_tile(1, width, a, b, depth, c, ldc, alpha, add);
        break;
    case 2:
        wide_tile(2, width, a, b, depth, c, ldc, alpha, add);
        break;
    case 3:
        wide_tile(3, width, a, b, depth, c, ldc, alpha, add);
        break;
    case 4:
        wide_tile(4, width, a, b, depth, c, ldc, alpha, add);
        break;
#if LW_LANES == 16
    case 5:
        wide_tile(5, width, a, b, depth, c, ldc, alpha, add);
        break;
    case 6:
        wide_tile(6, width, a, b, depth, c, ldc, alpha, add);
        break;
    case 7:
        wide_tile(7, width, a, b, depth, c, ldc, alpha, add);
        break;
    default:
        wide_tile(8, width, a, b, depth, c, ldc, alpha, add);
#endif
    }
}

/* A tile whose last vector is not whole. */
static void edge_tile(int rows, int columns, const float *a, const float *b, size_t depth, float *c,
                      size_t ldc, float alpha, bool add)
{
    float whole[TILE_ROWS * TILE_COLUMNS];

    any_tile(rows, (columns + LW_LANES - 1) / LW_LANES, a, b, depth, whole, TILE_COLUMNS, alpha,
             false);
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < columns; j++)
            c[(size_t)r * ldc + (size_t)j] =
                (add ? c[(size_t)r * ldc + (size_t)j] : 0.0f) + whole[r * TILE_COLUMNS + j];
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void pack_a(const struct lw_cpu_gemm *g, float *out, int row, int rows, int k, size_t depth)
{
    enum { WHOLE = 32 }; /* two cache lines of A as it lies */
    size_t lda = (size_t)g->lda;
    int i = 0;

    for (; g->transpose_a && i + WHOLE <= rows; i += WHOLE) {
        const float *x = g->a + (size_t)k * lda + (size_t)(row + i);

        for (size_t l = 0; l < depth; l++)
            for (size_t s = 0; s < WHOLE; s += TILE_ROWS)
                memcpy(out + ((size_t)i + s) * depth + l * TILE_ROWS, x + l * lda + s,
                       TILE_ROWS * sizeof(float));
    }
    for (; i < rows; i += TILE_ROWS) {
        size_t n = (size_t)least(TILE_ROWS, rows - i), at = (size_t)(row + i);
        float *strip = out + (size_t)i * depth;

        if (g->transpose_a)
            pack_straight(strip, g->a + (size_t)k * lda + at, lda, n, depth, TILE_ROWS);
        else
            pack_turned(strip, g->a + at * lda + (size_t)k, lda, n, depth, TILE_ROWS);
    }
}

static void pack_b(const struct lw_cpu_gemm *g, float *out, int column, int columns, int k,
                   size_t depth)
{
    size_t ldb = (size_t)g->ldb, at = (size_t)column, n = (size_t)columns;

    if (g->transpose_b)
        pack_turned(out, g->b + at * ldb + (size_t)k, ldb, n, depth, TILE_COLUMNS);
    else
        pack_straight(out, g->b + (size_t)k * ldb + at, ldb, n, depth, TILE_COLUMNS);
}

/* The block of C that begins at `row`, with all columns and `depth` of the sum. */
static void block(const struct lw_cpu_gemm *g, float *pack, int row, int rows, int k, size_t depth)
{
    float *a = pack, *b = pack + BLOCK_ROWS * BLOCK_DEPTH;
    size_t ldc = (size_t)g->ldc;
    bool add = g->add || k > 0;

    pack_a(g, a, row, rows, k, depth);
    for (int j = 0; j < g->columns; j += TILE_COLUMNS) {
        int columns = least(TILE_COLUMNS, g->columns - j);

        pack_b(g, b, j, columns, k, depth);
        for (int i = 0; i < rows; i += TILE_ROWS) {
            const float *strip = a + (size_t)i * depth;
            float *c = g->c + (size_t)(row + i) * ldc + (size_t)j;
            int n = least(TILE_ROWS, rows - i);

            if (columns % LW_LANES)
                edge_tile(n, columns, strip, b, depth, c, ldc, g->alpha, add);
            else
                any_tile(n, columns / LW_LANES, strip, b, depth, c, ldc, g->alpha, add);
        }
    }
}

/* n cut into equal parts of at most `most`, a part being a multiple of `unit`. */
static int part(int n, int most, int unit)
{
    int parts = (n + most - 1) / most, size = (n + parts - 1) / parts;

    return (size + unit - 1) / unit * unit;
}

void LW_NAME(gemm)(const struct lw_cpu_gemm *g, float *pack)
{
    int depth = part(g->depth, BLOCK_DEPTH, 4), rows = part(g->rows, BLOCK_ROWS, TILE_ROWS);

    for (int row = 0; row < g->rows; row += rows)
        for (int k = 0; k < g->depth; k += depth)
            block(g, pack, row, least(rows, g->rows - row), k, (size_t)least(depth, g->depth - k));
}
