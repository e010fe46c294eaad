/* SPDX-License-Identifier: MIT
 *
 * The sums over an image's pixels: every way to compute them against their definition. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/drift/bytes.h"

struct shape {
    int channels, height, width;
    bool planar;
};

struct sums {
    struct lw_plane_sums plane[3];
    struct lw_grey_sums grey;
};

static int sample(const uint8_t *x, const struct shape *s, int c, int row, int column)
{
    size_t pixels = (size_t)s->height * (size_t)s->width;
    size_t at = (size_t)row * (size_t)s->width + (size_t)column;

    return s->planar ? x[(size_t)c * pixels + at] : x[at * (size_t)s->channels + (size_t)c];
}

static int grey_at(const uint8_t *x, const struct shape *s, int row, int column)
{
    int all = 0;

    for (int c = 0; c < s->channels; c++)
        all += sample(x, s, c, row, column);
    return all;
}

/* As profile.h defines them; 0.05 and 0.95 of white in whole numbers. */
static struct sums defined(const uint8_t *x, const struct shape *s)
{
    struct sums d = {0};
    int one = 255 * s->channels;

    for (int i = 0; i < s->height; i++)
        for (int j = 0; j < s->width; j++) {
            int v = grey_at(x, s, i, j);

            for (int c = 0; c < s->channels; c++) {
                uint32_t of = (uint32_t)sample(x, s, c, i, j);

                d.plane[c].sum += of;
                d.plane[c].squares += of * of;
                d.plane[0].most = of > d.plane[0].most ? of : d.plane[0].most;
            }
            d.grey.sum += (uint64_t)v;
            d.grey.squares += (uint64_t)(v * v);
            d.grey.dark += 20 * v < one;
            d.grey.saturated += 20 * v > 19 * one;
            if (j + 1 < s->width)
                d.grey.dx += (uint64_t)abs(grey_at(x, s, i, j + 1) - v);
            if (i + 1 < s->height)
                d.grey.dy += (uint64_t)abs(grey_at(x, s, i + 1, j) - v);
            if (i && j && i + 1 < s->height && j + 1 < s->width)
                d.grey.laplacian +=
                    (uint64_t)abs(4 * v - grey_at(x, s, i - 1, j) - grey_at(x, s, i + 1, j) -
                                  grey_at(x, s, i, j - 1) - grey_at(x, s, i, j + 1));
        }
    return d;
}

static void same(const struct sums *a, const struct sums *b, const struct shape *s, bool grey,
                 const char *who)
{
    for (int c = 0; c < s->channels; c++) {
        cr_expect_eq(a->plane[c].sum, b->plane[c].sum, "%s: sum of %d in %dx%dx%d", who, c,
                     s->height, s->width, s->channels);
        cr_expect_eq(a->plane[c].squares, b->plane[c].squares, "%s: squares of %d in %dx%dx%d", who,
                     c, s->height, s->width, s->channels);
    }
    cr_expect_eq(a->plane[0].most, b->plane[0].most, "%s: most in %dx%d", who, s->height, s->width);
    if (!grey)
        return;
    cr_expect_eq(a->grey.sum, b->grey.sum, "%s: grey in %dx%d", who, s->height, s->width);
    cr_expect_eq(a->grey.squares, b->grey.squares, "%s: squares in %dx%d", who, s->height,
                 s->width);
    cr_expect_eq(a->grey.dx, b->grey.dx, "%s: dx in %dx%d", who, s->height, s->width);
    cr_expect_eq(a->grey.dy, b->grey.dy, "%s: dy in %dx%d", who, s->height, s->width);
    cr_expect_eq(a->grey.laplacian, b->grey.laplacian, "%s: Laplacian in %dx%d", who, s->height,
                 s->width);
    cr_expect_eq(a->grey.dark, b->grey.dark, "%s: dark in %dx%d", who, s->height, s->width);
    cr_expect_eq(a->grey.saturated, b->grey.saturated, "%s: saturated in %dx%d", who, s->height,
                 s->width);
}

/* Samples that mean what vectors.h and bytes.h make of them. */
static void check(const uint8_t *x, const struct shape *s)
{
    size_t pixels = (size_t)s->height * (size_t)s->width;
    struct sums right = defined(x, s), got = {0};
    uint8_t *planes = malloc(3 * pixels);
    int32_t *wide = malloc(pixels * sizeof *wide);
    int16_t *grey = malloc(pixels * sizeof *grey);
    double one = 255.0 * s->channels;

    cr_assert(planes && wide && grey);
    lw_vectors_sums(x, s->channels, pixels, 1, s->planar, planes, got.plane);
    for (int c = 1; c < s->channels; c++)
        if (got.plane[c].most > got.plane[0].most)
            got.plane[0].most = got.plane[c].most;
    lw_vectors_add(s->planar ? x : planes, s->channels, pixels, 1, wide);
    lw_vectors_grey(wide, s->height, s->width, one, &got.grey);
    same(&got, &right, s, true, "vectors");
    if (lw_bytes_ready()) {
        memset(&got, 0xAA, sizeof got);
        lw_bytes_look(x, s->channels, s->height, s->width, s->planar, one, grey, got.plane,
                      &got.grey);
        same(&got, &right, s, true, "bytes");
        memset(&got, 0xAA, sizeof got);
        lw_bytes_look(x, s->channels, s->height, s->width, s->planar, one, NULL, got.plane, NULL);
        same(&got, &right, s, false, "bytes, no features");
    }
    free(planes);
    free(wide);
    free(grey);
}

enum fill { RANDOM, BLACK, WHITE, EDGES };

/* Just as large as the image: a sanitizer sees whoever reads beyond. */
static void check_filled(const struct shape *s, enum fill fill)
{
    size_t size = (size_t)s->height * (size_t)s->width * (size_t)s->channels;
    uint8_t *x = malloc(size);
    struct lw_random r;

    cr_assert(x);
    lw_random_init(&r, 3, size);
    for (size_t i = 0; i < size; i++)
        x[i] = fill == RANDOM  ? (uint8_t)lw_random_u32(&r)
               : fill == BLACK ? 0
               : fill == WHITE ? 255
                               : (uint8_t)(255 * lw_random_below(&r, 2));
    check(x, s);
    free(x);
}

Test(drift_pixels, every_way_is_the_definition)
{
    static const int size[][2] = {{1, 1},   {1, 2},   {2, 1},   {2, 2},   {1, 40},    {40, 1},
                                  {3, 3},   {3, 17},  {17, 3},  {5, 7},   {28, 28},   {32, 32},
                                  {31, 33}, {33, 31}, {16, 15}, {2, 300}, {300, 2},   {64, 48},
                                  {97, 89}, {4, 8},   {8, 4},   {11, 3},  {224, 224}, {131, 257}};

    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        for (int layout = 0; layout < 3; layout++)
            for (int fill = RANDOM; fill <= EDGES; fill++) {
                struct shape s = {layout ? 3 : 1, size[i][0], size[i][1], layout == 2};

                check_filled(&s, (enum fill)fill);
            }
}

/* More pixels than the short sums can hold. */
Test(drift_pixels, large_images)
{
    for (int fill = RANDOM; fill <= EDGES; fill++) {
        check_filled(&(struct shape){3, 701, 1023, false}, (enum fill)fill);
        check_filled(&(struct shape){3, 300, 1100, true}, (enum fill)fill);
        check_filled(&(struct shape){1, 1200, 1201, false}, (enum fill)fill);
    }
}
