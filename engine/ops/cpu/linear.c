/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

void lw_cpu_linear(struct lw_device *dev, const struct lw_linear *l, void *y, void *pre,
                   const void *x, const void *w, const void *bias, const void *residual)
{
    bool out_in = l->layout == LW_OUT_IN, epilogue = bias || pre || l->activation;
    float *out = pre ? pre : y;
    struct lw_cpu_gemm g = {l->rows, l->out, l->in, false, out_in, false,
                            1.0f,    x,      w,     out,   l->in,  out_in ? l->in : l->out,
                            l->out};
    int count = lw_cpu_panel_count(dev, l->rows, l->out);

#pragma omp parallel for num_threads(dev->threads) schedule(static, 1)
    for (int i = 0; i < count; i++) {
        struct lw_cpu_panel p = lw_cpu_panel_at(dev, l->rows, l->out, i);

        lw_cpu_gemm_panel(dev, &g, &p);
        for (int r = p.row; (epilogue || residual) && r < p.row + p.rows; r++) {
            size_t at = (size_t)r * (size_t)l->out + (size_t)p.column;

            if (epilogue)
                dev->k->bias_activate(
                    l->activation, (float *)y + at, pre ? (float *)pre + at : NULL, out + at,
                    bias ? (const float *)bias + p.column : NULL, (size_t)p.columns);
            if (residual)
                dev->k->add((float *)y + at, (const float *)residual + at, (float *)y + at,
                            (size_t)p.columns);
        }
    }
}

/* dx = dy Wᵀ, times activation' of what x was made from. */
static void input_panel(struct lw_device *dev, const struct lw_linear *l,
                        const struct lw_cpu_gemm *g, const float *x_pre, enum lw_activation a,
                        int index)
{
    struct lw_cpu_panel p = lw_cpu_panel_at(dev, g->rows, g->columns, index);

    lw_cpu_gemm_panel(dev, g, &p);
    for (int r = p.row; x_pre && r < p.row + p.rows; r++) {
        size_t at = (size_t)r * (size_t)l->in + (size_t)p.column;

        dev->k->activate_backward(a, g->c + at, x_pre + at, (size_t)p.columns);
    }
}

enum { BIAS_COLUMNS = 64 }; /* summed at a time: whole cache lines */

static int bias_pieces(int columns)
{
    return (columns + BIAS_COLUMNS - 1) / BIAS_COLUMNS;
}

/* Piece `index` of the sums over the rows of d (rows, columns). */
static void bias_columns(struct lw_device *dev, float *sums, const float *d, int rows, int columns,
                         int index, bool accumulate)
{
    int at = index * BIAS_COLUMNS;
    int n = columns - at < BIAS_COLUMNS ? columns - at : BIAS_COLUMNS;

    dev->k->column_sums(sums + at, d + at, (size_t)rows, (size_t)columns, (size_t)n, accumulate);
}

void lw_cpu_linear_backward(struct lw_device *dev, const struct lw_linear *l, void *dx, void *dw,
                            void *dbias, void *dx_sums, const void *dy, const void *x,
                            const void *w, const void *x_pre, enum lw_activation x_activation,
                            bool accumulate)
{
    bool out_in = l->layout == LW_OUT_IN;
    struct lw_cpu_gemm input = {l->rows, l->in, l->out, false, !out_in, false,
                                1.0f,    dy,    w,      dx,    l->out,  out_in ? l->in : l->out,
                                l->in};
    struct lw_cpu_gemm weight = {.rows = out_in ? l->out : l->in,
                                 .columns = out_in ? l->in : l->out,
                                 .depth = l->rows,
                                 .transpose_a = true,
                                 .add = accumulate,
                                 .alpha = 1.0f,
                                 .a = out_in ? dy : x,
                                 .b = out_in ? x : dy,
                                 .c = dw,
                                 .lda = out_in ? l->out : l->in,
                                 .ldb = out_in ? l->in : l->out,
                                 .ldc = out_in ? l->in : l->out};
    int inputs = dx ? lw_cpu_panel_count(dev, input.rows, input.columns) : 0;
    int weights = dw ? lw_cpu_panel_count(dev, weight.rows, weight.columns) : 0;
    int biases = dbias ? bias_pieces(l->out) : 0, sums = dx_sums ? bias_pieces(l->in) : 0;

#pragma omp parallel num_threads(dev->threads)
    {
#pragma omp for schedule(static, 1) nowait
        for (int i = 0; i < inputs; i++)
            input_panel(dev, l, &input, x_pre, x_activation, i);
#pragma omp for schedule(static, 1) nowait
        for (int i = 0; i < weights; i++) {
            struct lw_cpu_panel p = lw_cpu_panel_at(dev, weight.rows, weight.columns, i);

            lw_cpu_gemm_panel(dev, &weight, &p);
        }
#pragma omp for schedule(static) nowait
        for (int i = 0; i < biases; i++)
            bias_columns(dev, dbias, dy, l->rows, l->out, i, accumulate);
        if (sums) {
#pragma omp barrier
#pragma omp for schedule(static) nowait
            for (int i = 0; i < sums; i++)
                bias_columns(dev, dx_sums, dx, l->rows, l->in, i, accumulate);
        }
    }
}

void lw_cpu_activate(struct lw_device *dev, enum lw_activation a, void *y, const void *pre,
                     size_t count)
{
    enum { PIECE = 16384 };
    size_t pieces = (count + PIECE - 1) / PIECE;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (size_t i = 0; i < pieces; i++) {
        size_t at = i * PIECE, n = count - at < PIECE ? count - at : PIECE;

        dev->k->bias_activate(a, (float *)y + at, NULL, (const float *)pre + at, NULL, n);
    }
}
