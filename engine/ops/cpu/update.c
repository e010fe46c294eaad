/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

#include <math.h>

/* Blocks depend on the size alone, so the norm has the same bits for any number of threads. */
static double norm_of(struct lw_device *dev, const float *x, size_t count)
{
    double part[LW_CPU_UPDATE_BLOCKS], total = 0;
    size_t each = (count + LW_CPU_UPDATE_BLOCKS - 1) / LW_CPU_UPDATE_BLOCKS;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (size_t b = 0; b < LW_CPU_UPDATE_BLOCKS; b++) {
        size_t at = b * each;

        part[b] =
            at < count ? dev->k->sum_squares(x + at, count - at < each ? count - at : each) : 0;
    }
    for (int b = 0; b < LW_CPU_UPDATE_BLOCKS; b++)
        total += part[b];
    return sqrt(total);
}

static void update_span(struct lw_device *dev, const struct lw_decay_span *span, float *w,
                        const float *g, float *m, float *v, const struct lw_cpu_adamw *a)
{
    enum { PIECE = 65536 };
    size_t pieces = (span->count + PIECE - 1) / PIECE;

#pragma omp for schedule(static) nowait
    for (size_t i = 0; i < pieces; i++) {
        size_t at = span->offset + i * PIECE, left = span->count - i * PIECE;

        dev->k->adamw(w + at, m + at, v + at, g + at, left < PIECE ? left : PIECE, a);
    }
}

void lw_cpu_update(struct lw_device *dev, const struct lw_update *u, void *weights, float *master,
                   const void *grads, float *m, float *v)
{
    struct lw_result *r = &dev->window;
    struct lw_cpu_adamw decayed, plain;
    double norm, clip = 1.0, lr = dev->step.learning_rate, t;

    (void)master; /* weights are fp32 themselves */
    r->updated = true;
    if (r->targets == 0) /* nothing to learn from */
        return;
    norm = norm_of(dev, grads, u->count) / r->targets;
    if (!isfinite(norm) || !isfinite(r->loss_sum)) {
        r->norm = r->norm_clipped = NAN;
        r->skipped = true;
        return;
    }
    if (u->max_norm > 0)
        clip = fmin(1.0, u->max_norm / (norm + 1e-6));
    r->norm = norm;
    r->norm_clipped = norm * clip;
    t = (double)++dev->updates;
    plain = (struct lw_cpu_adamw){.beta1 = u->beta1,
                                  .beta2 = u->beta2,
                                  .gradient_scale = (float)(clip / r->targets),
                                  .step_size = (float)(lr / (1.0 - pow(u->beta1, t))),
                                  .second_scale = (float)(1.0 / sqrt(1.0 - pow(u->beta2, t))),
                                  .epsilon = u->epsilon,
                                  .keep = 1.0f};
    decayed = plain;
    decayed.keep = (float)(1.0 - lr * u->weight_decay);
#pragma omp parallel num_threads(dev->threads)
    for (int s = 0; s < u->span_count; s++)
        update_span(dev, &u->spans[s], weights, grads, m, v, u->spans[s].decay ? &decayed : &plain);
}
