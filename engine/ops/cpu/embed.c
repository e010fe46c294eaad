/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

#include <string.h>
#include <omp.h>

void lw_cpu_embed(struct lw_device *dev, int batch, int length, int channels, void *out,
                  const int32_t *tokens, const void *wte, const void *wpe,
                  struct lw_dropout dropout)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &dropout);
    size_t c = (size_t)channels;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int i = 0; i < batch * length; i++) {
        float *row = (float *)out + (size_t)i * c;

        dev->k->add(row, (const float *)wte + (size_t)tokens[i] * c,
                    (const float *)wpe + (size_t)(i % length) * c, c);
        if (mask.threshold)
            dev->k->dropout(row, row, c, (uint64_t)i * c, &mask);
    }
}

enum { STRIPE = 64 }; /* channels of a stripe: whole cache lines, and a multiple of 4 for Philox */

/* A stripe of channels belongs to one thread, which adds its rows in their order. */
static void add_stripe(struct lw_device *dev, int batch, int length, size_t channels, size_t from,
                       size_t n, float *dwte, float *dwpe, const float *dout, const int32_t *tokens,
                       const struct lw_cpu_mask *mask)
{
    float kept[STRIPE];

    for (int i = 0; i < batch * length; i++) {
        size_t at = (size_t)i * channels + from;
        float *token = dwte + (size_t)tokens[i] * channels + from;
        float *position = dwpe + (size_t)(i % length) * channels + from;
        const float *d = dout + at;

        if (mask->threshold) {
            dev->k->dropout(kept, d, n, at, mask);
            d = kept;
        }
        dev->k->add(token, token, d, n);
        dev->k->add(position, position, d, n);
    }
}

void lw_cpu_clear(struct lw_device *dev, void *grads, size_t count)
{
    (void)dev;
    memset(grads, 0, count * sizeof(float));
}

void lw_cpu_embed_backward(struct lw_device *dev, int batch, int length, int channels,
                           int position_rows, void *dwte, void *dwpe, const void *dout,
                           const int32_t *tokens, struct lw_dropout dropout, bool accumulate)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &dropout);
    size_t c = (size_t)channels, stripes = (c + STRIPE - 1) / STRIPE;

#pragma omp parallel num_threads(dev->threads)
    {
        if (!accumulate) {
#pragma omp for schedule(static)
            for (int t = 0; t < position_rows; t++)
                memset((float *)dwpe + (size_t)t * c, 0, c * sizeof(float));
        }
#pragma omp for schedule(static)
        for (size_t s = 0; s < stripes; s++) {
            size_t from = s * STRIPE, n = c - from < STRIPE ? c - from : STRIPE;

            add_stripe(dev, batch, length, c, from, n, dwte, dwpe, dout, tokens, &mask);
        }
    }
}
