/* SPDX-License-Identifier: MIT
 *
 * Images to patches and to a sequence, and rows picked out of one. */
#include "engine/ops/cpu/device.h"

#include <string.h>
#include <omp.h>

/* A patch of one image: three squares of bytes, scaled. */
static void cut(const struct lw_patches *p, float *out, const uint8_t *image, int top, int left)
{
    size_t side = (size_t)p->image;

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < p->patch; y++) {
            const uint8_t *in =
                image + ((size_t)c * side + (size_t)(top + y)) * side + (size_t)left;

            for (int x = 0; x < p->patch; x++)
                *out++ = (float)in[x] * p->scale[c] + p->shift[c];
        }
}

void lw_cpu_patches(struct lw_device *dev, const struct lw_patches *p, void *out,
                    const uint8_t *pixels)
{
    int across = p->image / p->patch, length = 1 + across * across;
    size_t width = 3 * (size_t)p->patch * (size_t)p->patch;
    size_t size = 3 * (size_t)p->image * (size_t)p->image;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int i = 0; i < p->batch * length; i++) {
        float *row = (float *)out + (size_t)i * width;
        int n = i % length - 1;

        if (n < 0)
            memset(row, 0, width * sizeof(float));
        else
            cut(p, row, pixels + (size_t)(i / length) * size, n / across * p->patch,
                n % across * p->patch);
    }
}

void lw_cpu_place(struct lw_device *dev, int batch, int length, int channels, void *x,
                  const void *token, const void *bias, const void *wpe, struct lw_dropout dropout)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &dropout);
    size_t c = (size_t)channels;

#pragma omp parallel for num_threads(dev->threads) schedule(static)
    for (int i = 0; i < batch * length; i++) {
        float *row = (float *)x + (size_t)i * c;

        dev->k->add(row, row, (const float *)wpe + (size_t)(i % length) * c, c);
        dev->k->add(row, row, i % length ? bias : token, c);
        if (mask.threshold)
            dev->k->dropout(row, row, c, (uint64_t)i * c, &mask);
    }
}

/* dwpe of one position: its rows in their order. */
static void add_position(struct lw_device *dev, int batch, int length, int t, size_t c, float *dwpe,
                         float *d, const struct lw_cpu_mask *mask, bool accumulate)
{
    if (!accumulate)
        memset(dwpe, 0, c * sizeof(float));
    for (int b = 0; b < batch; b++) {
        size_t at = ((size_t)b * (size_t)length + (size_t)t) * c;

        if (mask->threshold)
            dev->k->dropout(d + at, d + at, c, at, mask);
        dev->k->add(dwpe, dwpe, d + at, c);
    }
}

enum { STRIPE = 16 }; /* channels that one thread sums the bias of: a cache line */

void lw_cpu_place_backward(struct lw_device *dev, int batch, int length, int channels, void *d,
                           void *dtoken, void *dbias, void *dwpe, struct lw_dropout dropout,
                           bool accumulate)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &dropout);
    size_t c = (size_t)channels, stripes = (c + STRIPE - 1) / STRIPE;
    float *token = dtoken, *bias = dbias;

#pragma omp parallel num_threads(dev->threads)
    {
#pragma omp for schedule(static)
        for (int t = 0; t < length; t++)
            add_position(dev, batch, length, t, c, (float *)dwpe + (size_t)t * c, d, &mask,
                         accumulate);
#pragma omp for schedule(static)
        for (size_t s = 0; s < stripes; s++) {
            size_t from = s * STRIPE, n = c - from < STRIPE ? c - from : STRIPE;

            if (!accumulate) {
                memset(token + from, 0, n * sizeof(float));
                memset(bias + from, 0, n * sizeof(float));
            }
            for (int i = 0; i < batch * length; i++) {
                float *to = (i % length ? bias : token) + from;

                dev->k->add(to, to, (const float *)d + (size_t)i * c + from, n);
            }
        }
    }
}

void lw_cpu_gather(struct lw_device *dev, int n, int channels, void *out, const void *in,
                   const int32_t *index)
{
    size_t c = (size_t)channels;

    (void)dev;
    for (int i = 0; i < n; i++)
        memcpy((float *)out + (size_t)i * c, (const float *)in + (size_t)index[i] * c,
               c * sizeof(float));
}

void lw_cpu_scatter(struct lw_device *dev, int rows, int n, int channels, void *out, const void *in,
                    const int32_t *index)
{
    size_t c = (size_t)channels;

    (void)dev;
    memset(out, 0, (size_t)rows * c * sizeof(float));
    for (int i = 0; i < n; i++)
        memcpy((float *)out + (size_t)index[i] * c, (const float *)in + (size_t)i * c,
               c * sizeof(float));
}
