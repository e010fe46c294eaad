/* SPDX-License-Identifier: MIT
 *
 * Images to patches and to a sequence, rows picked out, and the rank of targets. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tests/ops_bed.h"

Test(ops_images, patches)
{
    enum { B = 2, S = 6, P = 3, W = 3 * P * P, T = 5 };
    const struct lw_patches p = {
        .batch = B, .image = S, .patch = P, .scale = {1, 2, 0.5f}, .shift = {0, -1, 3}};
    uint8_t pixels[B * 3 * S * S];

    for (int i = 0; i < B * 3 * S * S; i++)
        pixels[i] = (uint8_t)(i * 37);
    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open(*v, B, T, 1, 8, 16, 8, LW_ATTENTION_MATH);
        float *out = bed_poison(B * T * W);

        bed->patches(dev, &p, out, pixels);
        for (int b = 0; b < B; b++)
            for (int t = 0; t < T; t++)
                for (int w = 0; w < W; w++) {
                    int c = w / (P * P), y = (t - 1) / 2 * P + w / P % P,
                        x = (t - 1) % 2 * P + w % P;
                    float want =
                        !t ? 0
                           : (float)pixels[((b * 3 + c) * S + y) * S + x] * p.scale[c] + p.shift[c];

                    cr_assert_float_eq(out[(b * T + t) * W + w], want, 1e-4);
                }
        bed_close(dev);
    }
}

static void check_place(const char *variant, float dropout, bool accumulate)
{
    enum { B = 3, T = 5, C = 24, N = B * T * C };
    struct lw_device *dev = bed_open(variant, B, T, 1, C, 16, 8, LW_ATTENTION_MATH);
    const struct lw_dropout drop = {dropout, 4};
    float *x = bed_random(N, 1), *y = bed_copy(x, N), *token = bed_random(C, 1);
    float *bias = bed_random(C, 1), *wpe = bed_random(T * C, 1), *d = bed_random(N, 1);
    float *masked = bed_copy(d, N), *dtoken = bed_random(C, 1), *dbias = bed_random(C, 1);
    float *dwpe = bed_random(T * C, 1);
    double *want = bed_doubles(N), *want_d = bed_doubles(N), *want_token = bed_doubles(C);
    double *want_bias = bed_doubles(C), *want_wpe = bed_doubles(T * C);

    bed_step(dev, 3, 1, 77);
    for (int c = 0; accumulate && c < C; c++) {
        want_token[c] = dtoken[c];
        want_bias[c] = dbias[c];
    }
    for (int i = 0; accumulate && i < T * C; i++)
        want_wpe[i] = dwpe[i];
    for (int i = 0; i < N; i++) {
        int c = i % C, t = i / C % T;
        double keep = bed_mask(&drop, 3, 1, 77, (uint64_t)i);

        want[i] = keep * ((double)x[i] + wpe[t * C + c] + (t ? bias[c] : token[c]));
        want_d[i] = keep * d[i];
        want_wpe[t * C + c] += want_d[i];
        (t ? want_bias : want_token)[c] += want_d[i];
    }
    bed->place(dev, B, T, C, y, token, bias, wpe, drop);
    bed->place_backward(dev, B, T, C, masked, dtoken, dbias, dwpe, drop, accumulate);
    bed_check("x", y, want, N, 1e-5);
    bed_check("d", masked, want_d, N, 1e-6);
    bed_check("dwpe", dwpe, want_wpe, T * C, 1e-5);
    bed_check("dtoken", dtoken, want_token, C, 1e-5);
    bed_check("dbias", dbias, want_bias, C, 1e-5);
    bed_close(dev);
}

Test(ops_images, place)
{
    for (const char *const *v = bed_variants(); *v; v++)
        for (int i = 0; i < 4; i++)
            check_place(*v, i & 1 ? 0.3f : 0, i & 2);
}

Test(ops_images, rows_are_picked_and_put_back)
{
    enum { N = 40, C = 17, FEW = 3 };
    const int32_t index[FEW] = {0, 7, 39};

    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open(*v, 1, N, 1, C, 16, 8, LW_ATTENTION_MATH);
        float *x = bed_random(N * C, 1), *few = bed_poison(FEW * C), *back = bed_poison(N * C);

        bed->gather(dev, FEW, C, few, x, index);
        bed->scatter(dev, N, FEW, C, back, few, index);
        for (int i = 0; i < N * C; i++) {
            bool picked = i / C == 0 || i / C == 7 || i / C == 39;

            cr_assert_eq(back[i], picked ? x[i] : 0.0f);
        }
        bed_close(dev);
    }
}

/* Targets that lead 0 to 7 others, one of them by a tie, one ignored. */
Test(ops_images, top5)
{
    enum { ROWS = 9, C = 8, V = 12, PADDED = 16 };
    struct lw_head h = {.rows = ROWS, .channels = C, .classes = V, .padded_classes = PADDED};

    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open(*v, 1, ROWS, 1, C, 16, PADDED, LW_ATTENTION_MATH);
        float *x = bed_copy((float[ROWS *C]){0}, ROWS * C),
              *w = bed_copy((float[PADDED *C]){0}, PADDED * C);
        float *bias = bed_copy((float[PADDED]){0}, PADDED);
        int32_t targets[ROWS];
        struct lw_result r;
        struct lw_error err;

        for (int c = 0; c < V; c++)
            bias[c] = (float)-c;
        bias[5] = bias[4]; /* 4 is first of the two */
        for (int i = 0; i < ROWS; i++)
            targets[i] = i < 8 ? i : LW_IGNORED;
        for (int counted = 0; counted < 2; counted++) {
            h.top5 = counted;
            bed->head_loss(dev, &h, NULL, NULL, NULL, NULL, x, w, bias, targets, false);
            bed->finish(dev);
            cr_assert_eq(bed->collect(dev, true, &r, &err), 1);
            cr_expect_eq(r.targets, 8);
            cr_expect_eq(r.correct, 1);
            cr_expect_eq(r.top5, counted ? 5 : 0);
        }
        bed_close(dev);
    }
}
