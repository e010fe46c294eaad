/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

#include <string.h>
#include <omp.h>

/* sum = residual + dropout(branch), one row. */
static const float *join(struct lw_device *dev, const struct lw_cpu_mask *mask, size_t channels,
                         size_t at, float *sum, const float *residual, const float *branch)
{
    if (!branch)
        return residual + at;
    if (mask->threshold) {
        float *kept = lw_cpu_scratch(dev, omp_get_thread_num());

        dev->k->dropout(kept, branch + at, channels, at, mask);
        dev->k->add(sum + at, residual + at, kept, channels);
    } else {
        dev->k->add(sum + at, residual + at, branch + at, channels);
    }
    return sum + at;
}

void lw_cpu_norm(struct lw_device *dev, const struct lw_norm *n, void *y, void *sum, float *mean,
                 float *rstd, const void *residual, const void *branch, const void *weight,
                 const void *bias)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &n->dropout);
    size_t channels = (size_t)n->channels;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int r = 0; r < n->rows; r++) {
        size_t at = (size_t)r * channels;
        const float *x = join(dev, &mask, channels, at, sum, residual, branch);

        dev->k->norm_row((float *)y + at, &mean[r], &rstd[r], x, weight, bias, channels,
                         n->epsilon);
    }
}

/* The parameters' gradients of a block of rows are summed apart, in scratch: which block a row is
 * in depends on the shape alone. */
struct norm_blocks {
    int rows, count; /* rows in a block, blocks */
};

static struct norm_blocks blocks_of(int rows)
{
    struct norm_blocks b;

    b.rows = (rows + LW_CPU_NORM_BLOCKS - 1) / LW_CPU_NORM_BLOCKS;
    if (b.rows < 16)
        b.rows = 16;
    b.count = (rows + b.rows - 1) / b.rows;
    return b;
}

void lw_cpu_norm_backward(struct lw_device *dev, const struct lw_norm *n, void *dsum,
                          bool dsum_zero, void *dbranch, void *dweight, void *dbias,
                          void *dbranch_sums, const void *dy, const void *sum, const float *mean,
                          const float *rstd, const void *weight, bool accumulate)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &n->dropout);
    struct norm_blocks blocks = blocks_of(n->rows);
    float *const totals[3] = {dweight, dbias, dbranch_sums};
    const int wanted = dbranch_sums ? 3 : 2;
    size_t channels = (size_t)n->channels;

#pragma omp parallel num_threads(dev->threads)
    {
#pragma omp for schedule(static)
        for (int b = 0; b < blocks.count; b++) {
            float *partial = dev->shared + (size_t)b * 3 * channels;
            float *branch_partial = partial + 2 * channels;
            int end = (b + 1) * blocks.rows < n->rows ? (b + 1) * blocks.rows : n->rows;

            memset(partial, 0, 3 * channels * sizeof(float));
            for (int r = b * blocks.rows; r < end; r++) {
                size_t at = (size_t)r * channels;
                float *d = (float *)dsum + at;

                dev->k->norm_row_backward(d, dsum_zero, partial, partial + channels,
                                          (const float *)dy + at, (const float *)sum + at, mean[r],
                                          rstd[r], weight, channels);
                if (dbranch) {
                    dev->k->dropout((float *)dbranch + at, d, channels, at, &mask);
                    d = (float *)dbranch + at;
                }
                if (dbranch_sums)
                    dev->k->add(branch_partial, branch_partial, d, channels);
            }
        }
#pragma omp for schedule(static)
        for (int i = 0; i < wanted; i++)
            dev->k->column_sums(totals[i], dev->shared + (size_t)i * channels,
                                (size_t)blocks.count, 3 * channels, channels, accumulate);
    }
}
