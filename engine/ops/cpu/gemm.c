/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

#include <cblas.h>
#include <dlfcn.h>
#include <omp.h>
#include <string.h>

static void multiply_blas(const struct lw_cpu_gemm *g)
{
    cblas_sgemm(CblasRowMajor, g->transpose_a ? CblasTrans : CblasNoTrans,
                g->transpose_b ? CblasTrans : CblasNoTrans, g->rows, g->columns, g->depth, g->alpha,
                g->a, g->lda, g->b, g->ldb, g->add ? 1.0f : 0.0f, g->c, g->ldc);
}

void lw_cpu_gemm_serial(const struct lw_device *dev, const struct lw_cpu_gemm *g)
{
    switch (dev->products) {
    case LW_CPU_OWN_PRODUCTS:
        dev->k->gemm(g, dev->pack + (size_t)omp_get_thread_num() * LW_CPU_GEMM_PACK);
        break;
    case LW_CPU_BLAS:
        multiply_blas(g);
        break;
    case LW_CPU_BLAS_ONE_BY_ONE:
#pragma omp critical(lw_cpu_blas)
        multiply_blas(g);
        break;
    }
}

enum lw_cpu_products lw_cpu_choose_products(const struct lw_cpu_kernels *k)
{
    void *symbol = dlsym(RTLD_DEFAULT, "openblas_get_parallel");
    int (*parallel)(void);

    if (k->lanes > 4)
        return LW_CPU_OWN_PRODUCTS;
    memcpy(&parallel, &symbol, sizeof(parallel));
    return symbol && parallel() == 0 ? LW_CPU_BLAS_ONE_BY_ONE : LW_CPU_BLAS;
}

/* Panels are multiples of this many rows or columns, so that few kernel tiles are partial. */
enum { STEP = 48, MOST_ROWS = 1024 };

struct grid {
    int down, across; /* panels */
    int rows, columns;
};

static int pieces(int n, int size)
{
    return (n + size - 1) / size;
}

/* Each thread gets one panel, as square as possible, since a product packs rows + columns of its
 * operands; where there are many rows, several panels one after another, whose epilogue then finds
 * them in the cache. */
static struct grid grid_of(int threads, int rows, int columns)
{
    struct grid best = {1, 1, rows, columns};
    double least = 0;

    for (int down = 1; down <= threads; down++) {
        struct grid g = {.down = down, .across = threads / down};
        double cost;

        if (threads % down)
            continue;
        g.rows = pieces(pieces(rows, g.down), STEP) * STEP;
        g.columns = pieces(pieces(columns, g.across), STEP) * STEP;
        /* the slowest thread's work first, then what it packs */
        cost = (double)g.rows * g.columns + 16.0 * (g.rows + g.columns);
        if (least == 0 || cost < least) {
            least = cost;
            best = g;
        }
    }
    if (best.rows > MOST_ROWS)
        best.rows = pieces(pieces(best.rows, pieces(best.rows, MOST_ROWS)), STEP) * STEP;
    best.down = pieces(rows, best.rows);
    best.across = pieces(columns, best.columns);
    return best;
}

int lw_cpu_panel_count(const struct lw_device *dev, int rows, int columns)
{
    struct grid g = grid_of(dev->threads, rows, columns);

    return g.down * g.across;
}

struct lw_cpu_panel lw_cpu_panel_at(const struct lw_device *dev, int rows, int columns, int index)
{
    struct grid g = grid_of(dev->threads, rows, columns);
    struct lw_cpu_panel p = {.row = index / g.across * g.rows,
                             .column = index % g.across * g.columns};

    p.rows = rows - p.row < g.rows ? rows - p.row : g.rows;
    p.columns = columns - p.column < g.columns ? columns - p.column : g.columns;
    return p;
}

void lw_cpu_gemm_panel(const struct lw_device *dev, const struct lw_cpu_gemm *g,
                       const struct lw_cpu_panel *p)
{
    struct lw_cpu_gemm part = *g;
    size_t row = (size_t)p->row, column = (size_t)p->column;

    part.rows = p->rows;
    part.columns = p->columns;
    part.a += g->transpose_a ? row : row * (size_t)g->lda;
    part.b += g->transpose_b ? column * (size_t)g->ldb : column;
    part.c += row * (size_t)g->ldc + column;
    lw_cpu_gemm_serial(dev, &part);
}

void lw_cpu_gemm(struct lw_device *dev, const struct lw_cpu_gemm *g)
{
    int count = lw_cpu_panel_count(dev, g->rows, g->columns);

#pragma omp parallel for num_threads(dev->threads) schedule(static, 1)
    for (int i = 0; i < count; i++) {
        struct lw_cpu_panel p = lw_cpu_panel_at(dev, g->rows, g->columns, i);

        lw_cpu_gemm_panel(dev, g, &p);
    }
}
