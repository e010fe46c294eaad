/* SPDX-License-Identifier: MIT */
#include "engine/drift/vectors.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2")))
#endif
#define BODY static inline __attribute__((always_inline))

BODY void sums_u8(const uint8_t *x, size_t n, struct lw_plane_sums *s)
{
    uint64_t sum = 0, squares = 0;
    uint8_t most = 0;

    for (size_t i = 0; i < n; i += 4096) { /* 32-bit sums hold that many squares */
        size_t end = n - i < 4096 ? n : i + 4096;
        uint32_t a = 0, b = 0;

#pragma omp simd reduction(+ : a, b) reduction(max : most)
        for (size_t k = i; k < end; k++) {
            uint32_t v = x[k];

            a += v;
            b += v * v;
            most = x[k] > most ? x[k] : most;
        }
        sum += a;
        squares += b;
    }
    *s = (struct lw_plane_sums){sum, squares, most};
}

BODY void sums_u16(const uint16_t *x, size_t n, struct lw_plane_sums *s)
{
    uint64_t sum = 0, squares = 0;
    uint16_t most = 0;

#pragma omp simd reduction(+ : sum, squares) reduction(max : most)
    for (size_t i = 0; i < n; i++) {
        uint64_t v = x[i];

        sum += v;
        squares += v * v;
        most = x[i] > most ? x[i] : most;
    }
    *s = (struct lw_plane_sums){sum, squares, most};
}

BODY void add_planes(const void *planes, int channels, size_t n, int bytes, int32_t *grey)
{
    const uint8_t *a = planes;
    const uint16_t *w = planes;

    if (bytes == 1 && channels == 3) {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            grey[i] = a[i] + a[n + i] + a[2 * n + i];
    } else if (bytes == 1) {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            grey[i] = a[i];
    } else if (channels == 3) {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            grey[i] = w[i] + w[n + i] + w[2 * n + i];
    } else {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            grey[i] = w[i];
    }
}

/* One row: what it is by itself, and how it differs from the row below and above (NULL at the
 * edge). A row is short enough for 32-bit sums but for the squares. */
BODY void grey_row(const int32_t *x, const int32_t *above, const int32_t *below, int width,
                   int32_t dark, int32_t bright, struct lw_grey_sums *s)
{
    uint64_t sum = 0, squares = 0, dx = 0, dy = 0, laplacian = 0;
    uint32_t darks = 0, brights = 0;

#pragma omp simd reduction(+ : sum, squares, darks, brights)
    for (int i = 0; i < width; i++) {
        uint64_t v = (uint32_t)x[i];

        sum += v;
        squares += v * v;
        darks += x[i] < dark;
        brights += x[i] > bright;
    }
#pragma omp simd reduction(+ : dx)
    for (int i = 0; i < width - 1; i++) {
        int32_t d = x[i + 1] - x[i];

        dx += (uint32_t)(d < 0 ? -d : d);
    }
    if (below) {
#pragma omp simd reduction(+ : dy)
        for (int i = 0; i < width; i++) {
            int32_t d = below[i] - x[i];

            dy += (uint32_t)(d < 0 ? -d : d);
        }
    }
    if (above && below) {
#pragma omp simd reduction(+ : laplacian)
        for (int i = 1; i < width - 1; i++) {
            int32_t d = 4 * x[i] - x[i - 1] - x[i + 1] - above[i] - below[i];

            laplacian += (uint32_t)(d < 0 ? -d : d);
        }
    }
    s->sum += sum;
    s->squares += squares;
    s->dx += dx;
    s->dy += dy;
    s->laplacian += laplacian;
    s->dark += darks;
    s->saturated += brights;
}

BODY void grey_sums(const int32_t *grey, int height, int width, int32_t dark, int32_t bright,
                    struct lw_grey_sums *s)
{
    memset(s, 0, sizeof *s);
    for (int y = 0; y < height; y++) {
        const int32_t *x = grey + (size_t)y * (size_t)width;

        grey_row(x, y ? x - width : NULL, y < height - 1 ? x + width : NULL, width, dark, bright,
                 s);
    }
}

BODY void length_sums(const int32_t *length, size_t n, int32_t max, uint16_t *clamped,
                      struct lw_length_sums *s)
{
    uint64_t sum = 0, high = 0, low = 0;
    int32_t least = INT32_MAX;
    uint32_t over = 0;

#pragma omp simd reduction(+ : sum, high, low)
    for (size_t i = 0; i < n; i++) {
        uint64_t x = (uint32_t)length[i], square = x * x;

        sum += x;
        high += square >> 32;
        low += (uint32_t)square;
    }
#pragma omp simd reduction(+ : over) reduction(min : least)
    for (size_t i = 0; i < n; i++) {
        over += length[i] > max;
        least = length[i] < least ? length[i] : least;
    }
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        clamped[i] = (uint16_t)(length[i] < max ? length[i] : max);
    *s = (struct lw_length_sums){least, sum, over, high, low};
}

static void part_u16(const uint16_t *x, size_t pixels, uint16_t *planes)
{
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < 3; c++)
            planes[c * pixels + i] = x[3 * i + c];
}

static void part_u8(const uint8_t *x, size_t pixels, uint8_t *planes)
{
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < 3; c++)
            planes[c * pixels + i] = x[3 * i + c];
}

#ifdef WIDE
WIDE static void sums_u16_wide(const uint16_t *x, size_t n, struct lw_plane_sums *s)
{
    sums_u16(x, n, s);
}

WIDE static void add_planes_wide(const void *planes, int channels, size_t n, int bytes,
                                 int32_t *grey)
{
    add_planes(planes, channels, n, bytes, grey);
}

WIDE static void grey_sums_wide(const int32_t *grey, int height, int width, int32_t dark,
                                int32_t bright, struct lw_grey_sums *s)
{
    grey_sums(grey, height, width, dark, bright, s);
}

WIDE static void length_sums_wide(const int32_t *length, size_t n, int32_t max, uint16_t *clamped,
                                  struct lw_length_sums *s)
{
    length_sums(length, n, max, clamped, s);
}

static bool wide(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
#define sums_u16_wide    sums_u16
#define add_planes_wide  add_planes
#define grey_sums_wide   grey_sums
#define length_sums_wide length_sums

static bool wide(void)
{
    return false;
}
#endif

void lw_vectors_sums(const void *image, int channels, size_t pixels, int bytes, bool planar,
                     void *planes, struct lw_plane_sums *sums)
{
    bool fast = wide();
    const uint8_t *at = image;

    if (channels == 3 && !planar) {
        if (bytes == 2)
            part_u16(image, pixels, planes);
        else
            part_u8(image, pixels, planes);
        at = planes;
    } else if (!planar) {
        memcpy(planes, image, pixels * (size_t)bytes);
        at = planes;
    }
    for (int c = 0; c < channels; c++, at += pixels * (size_t)bytes) {
        if (bytes == 1)
            sums_u8(at, pixels, &sums[c]);
        else
            (fast ? sums_u16_wide : sums_u16)((const uint16_t *)(const void *)at, pixels, &sums[c]);
    }
}

void lw_vectors_add(const void *planes, int channels, size_t pixels, int bytes, int32_t *grey)
{
    (wide() ? add_planes_wide : add_planes)(planes, channels, pixels, bytes, grey);
}

int32_t lw_grey_dark(double one)
{
    return (int32_t)ceil(0.05 * one);
}

int32_t lw_grey_bright(double one)
{
    return (int32_t)floor(0.95 * one);
}

void lw_vectors_grey(const int32_t *grey, int height, int width, double one,
                     struct lw_grey_sums *sums)
{
    (wide() ? grey_sums_wide : grey_sums)(grey, height, width, lw_grey_dark(one),
                                          lw_grey_bright(one), sums);
}

void lw_vectors_lengths(const int32_t *length, size_t n, int32_t max, uint16_t *clamped,
                        struct lw_length_sums *sums)
{
    (wide() ? length_sums_wide : length_sums)(length, n, max, clamped, sums);
}
