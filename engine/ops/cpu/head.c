/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

#include <string.h>

/* How many classes come before the target; 0: it is the largest. */
static int rank_of(const float *logits, const float *bias, int n, int target)
{
    float mine = logits[target] + (bias ? bias[target] : 0.0f);
    int before = 0;

    for (int c = 0; c < n; c++) {
        float other = logits[c] + (bias ? bias[c] : 0.0f);

        before += other > mine || (other == mine && c < target);
    }
    return before;
}

/* Softmax and loss of the logits of rows from..from + rows, which become their gradient. */
static void loss_of_chunk(struct lw_device *dev, const struct lw_head *h, int from, int rows,
                          bool gradient, int32_t *argmax, const float *bias, const int32_t *targets)
{
    size_t n = (size_t)h->classes;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int r = 0; r < rows; r++) {
        float *logits = dev->shared + (size_t)r * n;
        int32_t target = targets[from + r];
        bool counts = target != LW_IGNORED;

        dev->row_rank[r] = h->top5 && counts ? rank_of(logits, bias, h->classes, target) : 5;
        dev->row_loss[r] = dev->k->loss_row(logits, bias, n, counts ? target : 0,
                                            gradient && counts, &dev->row_class[r]);
        if (gradient && !counts)
            memset(logits, 0, n * sizeof(float));
        if (argmax)
            argmax[from + r] = dev->row_class[r];
    }
    for (int r = 0; r < rows; r++) {
        if (targets[from + r] == LW_IGNORED)
            continue;
        dev->window.loss_sum += dev->row_loss[r];
        dev->window.targets += 1;
        dev->window.correct += dev->row_class[r] == targets[from + r];
        dev->window.top5 += dev->row_rank[r] < 5;
    }
}

static void gradients_of_chunk(struct lw_device *dev, const struct lw_head *h, int rows, float *dx,
                               float *dw, float *dbias, const float *x, const float *w, bool add)
{
    int channels = h->channels, classes = h->classes;
    struct lw_cpu_gemm input = {.rows = rows,
                                .columns = channels,
                                .depth = classes,
                                .alpha = 1.0f,
                                .a = dev->shared,
                                .b = w,
                                .c = dx,
                                .lda = classes,
                                .ldb = channels,
                                .ldc = channels};
    struct lw_cpu_gemm weight = {.rows = classes,
                                 .columns = channels,
                                 .depth = rows,
                                 .transpose_a = true,
                                 .add = add,
                                 .alpha = 1.0f,
                                 .a = dev->shared,
                                 .b = x,
                                 .c = dw,
                                 .lda = classes,
                                 .ldb = channels,
                                 .ldc = channels};

    lw_cpu_gemm(dev, &input);
    lw_cpu_gemm(dev, &weight);
    if (dbias)
        dev->k->column_sums(dbias, dev->shared, (size_t)rows, (size_t)classes, (size_t)classes,
                            add);
}

void lw_cpu_head_loss(struct lw_device *dev, const struct lw_head *h, void *dx, void *dw,
                      void *dbias, int32_t *argmax, const void *x, const void *w, const void *bias,
                      const int32_t *targets, bool accumulate)
{
    size_t channels = (size_t)h->channels, classes = (size_t)h->classes;
    size_t padding = (size_t)h->padded_classes - classes;

    for (int from = 0; from < h->rows; from += dev->chunk_rows) {
        int rows = h->rows - from < dev->chunk_rows ? h->rows - from : dev->chunk_rows;
        const float *in = (const float *)x + (size_t)from * channels;
        struct lw_cpu_gemm logits = {.rows = rows,
                                     .columns = h->classes,
                                     .depth = h->channels,
                                     .transpose_b = true,
                                     .alpha = 1.0f,
                                     .a = in,
                                     .b = w,
                                     .c = dev->shared,
                                     .lda = h->channels,
                                     .ldb = h->channels,
                                     .ldc = h->classes};

        lw_cpu_gemm(dev, &logits);
        loss_of_chunk(dev, h, from, rows, dx != NULL, argmax, bias, targets);
        if (dx)
            gradients_of_chunk(dev, h, rows, (float *)dx + (size_t)from * channels, dw, dbias, in,
                               w, accumulate || from > 0);
    }
    if (!dx || accumulate)
        return;
    memset((float *)dw + classes * channels, 0, padding * channels * sizeof(float));
    if (dbias)
        memset((float *)dbias + classes, 0, padding * sizeof(float));
}

void lw_cpu_head_logits(struct lw_device *dev, const struct lw_head *h, float *logits,
                        const void *x, const void *w, const void *bias)
{
    struct lw_linear l = {
        .rows = h->rows, .in = h->channels, .out = h->classes, .layout = LW_OUT_IN};

    lw_cpu_linear(dev, &l, logits, NULL, x, w, bias, NULL);
}
