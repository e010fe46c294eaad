/* SPDX-License-Identifier: MIT
 *
 * Corruptions of images, with the strongest constants that Hendrycks and Dietterich (2019) list:
 * every window of 1000 images must be flagged, and none that was left alone. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/random.h"
#include "engine/drift/compare.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, IMAGES = 1000, REFERENCE = 4000 };

static int windows = 3;

/* A few bright strokes on a dark ground, as digits have them. */
static void draw(struct lw_random *r, float *x)
{
    int strokes = 2 + (int)lw_random_below(r, 3);

    memset(x, 0, PIXELS * sizeof *x);
    for (int s = 0; s < strokes; s++) {
        double at[2] = {6 + 16 * lw_random_unit(r), 6 + 16 * lw_random_unit(r)};
        double angle = 2 * M_PI * lw_random_unit(r), bend = 0.3 * (lw_random_unit(r) - 0.5);
        double width = 1.0 + 0.8 * lw_random_unit(r), light = 0.8 + 0.2 * lw_random_unit(r);

        for (int step = 0; step < 14; step++) {
            for (int k = 0; k < 49; k++) {
                int column = (int)at[0] + k % 7 - 3, row = (int)at[1] + k / 7 - 3;
                int p = row * SIDE + column;
                double dx = column - at[0], dy = row - at[1];
                double near = 1 - (sqrt(dx * dx + dy * dy) - width) / 1.2;

                if (column < 0 || row < 0 || column >= SIDE || row >= SIDE)
                    continue;
                x[p] = (float)fmax(x[p], light * fmin(fmax(near, 0), 1));
            }
            at[0] += cos(angle);
            at[1] += sin(angle);
            angle += bend;
        }
    }
}

static double at(const float *x, int column, int row)
{
    return column < 0 || row < 0 || column >= SIDE || row >= SIDE ? 0 : x[row * SIDE + column];
}

static double normal(struct lw_random *r)
{
    return sqrt(-2 * log(1 - lw_random_unit(r))) * cos(2 * M_PI * lw_random_unit(r));
}

static void leave(struct lw_random *r, const float *x, float *y)
{
    (void)r;
    memcpy(y, x, PIXELS * sizeof *y);
}

static void noise(struct lw_random *r, const float *x, float *y)
{
    for (int p = 0; p < PIXELS; p++)
        y[p] = x[p] + (float)(0.10 * normal(r));
}

static void impulse(struct lw_random *r, const float *x, float *y)
{
    for (int p = 0; p < PIXELS; p++)
        y[p] = lw_random_unit(r) >= 0.07 ? x[p] : (float)lw_random_below(r, 2);
}

static void blur(struct lw_random *r, const float *x, float *y)
{
    (void)r;
    for (int p = 0; p < PIXELS; p++) {
        double sum = 0, weight = 0;

        for (int d = 0; d < 49; d++) {
            int dx = d % 7 - 3, dy = d / 7 - 3;
            double w = exp(-(dx * dx + dy * dy) / 2.0);

            sum += w * at(x, p % SIDE + dx, p / SIDE + dy);
            weight += w;
        }
        y[p] = (float)(sum / weight);
    }
}

/* Down to 0.65 of the size by box means, and up again by the nearest pixel. */
static void pixelate(struct lw_random *r, const float *x, float *y)
{
    enum { SMALL = 18 };
    float little[SMALL * SMALL];

    (void)r;
    for (int p = 0; p < SMALL * SMALL; p++) {
        int left = p % SMALL * SIDE / SMALL, right = ((p % SMALL + 1) * SIDE + SMALL - 1) / SMALL;
        int top = p / SMALL * SIDE / SMALL, bottom = ((p / SMALL + 1) * SIDE + SMALL - 1) / SMALL;
        double sum = 0;

        for (int row = top; row < bottom; row++)
            for (int column = left; column < right; column++)
                sum += at(x, column, row);
        little[p] = (float)(sum / ((right - left) * (bottom - top)));
    }
    for (int p = 0; p < PIXELS; p++)
        y[p] = little[p / SIDE * SMALL / SIDE * SMALL + p % SIDE * SMALL / SIDE];
}

static void contrast(struct lw_random *r, const float *x, float *y)
{
    double mean = 0;

    (void)r;
    for (int p = 0; p < PIXELS; p++)
        mean += x[p] / (double)PIXELS;
    for (int p = 0; p < PIXELS; p++)
        y[p] = (float)((x[p] - mean) * 0.15 + mean);
}

/* By 45 degrees, bilinear. */
static void rotate(struct lw_random *r, const float *x, float *y)
{
    const double c = sqrt(0.5), middle = (SIDE - 1) / 2.0;

    (void)r;
    for (int p = 0; p < PIXELS; p++) {
        double dx = p % SIDE - middle, dy = p / SIDE - middle;
        double column = middle + c * (dx - dy), row = middle + c * (dx + dy);
        int left = (int)floor(column), top = (int)floor(row);
        double u = column - left, v = row - top;

        y[p] = (float)((1 - u) * (1 - v) * at(x, left, top) + u * (1 - v) * at(x, left + 1, top) +
                       (1 - u) * v * at(x, left, top + 1) + u * v * at(x, left + 1, top + 1));
    }
}

typedef void corruption(struct lw_random *r, const float *x, float *y);

/* Real digits in place of drawn ones: an IDX file of 28 x 28 pixels, which $LEEWAY_DIGITS names. */
static const uint8_t *digits;
static int count;

/* Image i of the reference (seed 1), or of a window, which is drawn from those behind it. */
static void take(struct lw_random *r, uint64_t seed, int i, float *x)
{
    if (!digits) {
        draw(r, x);
        return;
    }
    i = seed == 1 ? i : REFERENCE + (int)lw_random_below(r, (uint32_t)(count - REFERENCE));
    for (int p = 0; p < PIXELS; p++)
        x[p] = digits[(size_t)i * PIXELS + p] / 255.0f;
}

static struct lw_profile profile(uint64_t seed, int images, corruption *corrupt)
{
    struct lw_profile_options o = {.modality = LW_VISION};
    struct lw_profile p;
    struct lw_random drawn, added;
    struct lw_error err;

    cr_assert_eq(lw_profile_init(&p, &o, &err), 0, "%s", err.text);
    lw_random_init(&drawn, seed, 1);
    lw_random_init(&added, seed, 2);
    for (int i = 0; i < images; i++) {
        float x[PIXELS], y[PIXELS];
        uint8_t bytes[PIXELS];
        struct lw_images m = {
            .pixels = bytes, .count = 1, .channels = 1, .height = SIDE, .width = SIDE, .bytes = 1};

        take(&drawn, seed, i, x);
        corrupt(&added, x, y);
        for (int k = 0; k < PIXELS; k++)
            bytes[k] = (uint8_t)(255 * fmin(fmax(y[k], 0), 1) + 0.5);
        cr_assert_eq(lw_profile_images(&p, &m, &err), 0, "%s", err.text);
    }
    return p;
}

static void check(void)
{
    static const struct {
        const char *name;
        corruption *corrupt;
        bool drift;
    } all[] = {{"nothing", leave, false},    {"noise", noise, true},
               {"impulse", impulse, true},   {"blur", blur, true},
               {"pixelate", pixelate, true}, {"contrast", contrast, true},
               {"rotation", rotate, true}};
    struct lw_profile reference = profile(1, REFERENCE, leave);
    struct lw_drift_settings s;

    lw_drift_settings_init(&s, false, 0.1, 0.2);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int flagged = 0;

        for (int w = 0; w < windows; w++) {
            struct lw_profile window = profile(100 + (uint64_t)w, IMAGES, all[i].corrupt);
            struct lw_comparison c;
            struct lw_error err;

            cr_assert_eq(lw_drift_compare(&c, &reference, &window, &s, NULL, &err), 0);
            flagged += c.overall == LW_DRIFT_WARN || c.overall == LW_DRIFT_ALERT;
            lw_profile_fini(&window);
        }
        cr_expect_eq(flagged, all[i].drift ? windows : 0, "%s: %d of %d", all[i].name, flagged,
                     windows);
    }
    lw_profile_fini(&reference);
}

Test(corruptions, are_flagged_in_every_window_of_drawn_images, .timeout = 300)
{
    check();
}

Test(corruptions, are_flagged_in_every_window_of_digits, .timeout = 600)
{
    const char *path = getenv("LEEWAY_DIGITS");
    struct lw_error err;
    char *file = NULL;
    size_t size;

    if (!path)
        cr_skip("LEEWAY_DIGITS names no IDX file of digits");
    cr_assert_eq(lw_read_file(path, 0, &file, &size, &err), 0, "%s", err.text);
    digits = (const uint8_t *)file + 16;
    count = (int)((size - 16) / PIXELS);
    cr_assert_gt(count, REFERENCE + IMAGES);
    windows = 100;
    check();
    free(file);
}
