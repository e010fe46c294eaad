/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "tests/ops_bed.h"

enum { STEP = 11, MICRO = 3, SEED = 5 };

static void check(const char *variant, int batch, int length, int channels, float p,
                  bool accumulate)
{
    enum { V = 19, MORE = 4 };
    struct lw_device *dev = bed_open(variant, batch, length, 1, channels, 16, V, 1);
    struct lw_dropout dropout = {p, 2};
    size_t c = (size_t)channels, rows = (size_t)batch * (size_t)length, all = rows * c;
    size_t positions = ((size_t)length + MORE) * c;
    int32_t *tokens = bed_tokens(rows, V);
    float *wte = bed_random(V * c, 1), *wpe = bed_random(positions, 1), *out = bed_poison(all);
    float *dout = bed_random(all, 1), *dwte = bed_random(V * c, 1);
    float *dwpe = accumulate ? bed_random(positions, 1) : bed_poison(positions);
    double *wanted = bed_doubles(all), *dwte_wanted = bed_doubles(V * c);
    double *dwpe_wanted = bed_doubles(positions);

    bed_step(dev, STEP, MICRO, SEED);
    for (size_t i = 0; i < V * c; i++)
        dwte_wanted[i] = dwte[i];
    for (size_t i = 0; accumulate && i < positions; i++)
        dwpe_wanted[i] = dwpe[i];
    for (size_t i = 0; i < all; i++) {
        size_t t = i / c % (size_t)length, token = (size_t)tokens[i / c] * c + i % c;
        double mask = bed_mask(&dropout, STEP, MICRO, SEED, i);

        wanted[i] = mask * ((double)wte[token] + wpe[t * c + i % c]);
        dwte_wanted[token] += mask * dout[i];
        dwpe_wanted[t * c + i % c] += mask * dout[i];
    }
    bed->embed(dev, batch, length, channels, out, tokens, wte, wpe, dropout);
    bed->embed_backward(dev, batch, length, channels, length + MORE, dwte, dwpe, dout, tokens,
                        dropout, accumulate);
    bed_check("out", out, wanted, all, 1e-6);
    bed_check("dwte", dwte, dwte_wanted, V * c, 2e-6);
    bed_check("dwpe", dwpe, dwpe_wanted, positions, 2e-6);
    bed_close(dev);
}

Test(ops_embed, both_ways)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        check(*v, 3, 7, 48, 0, false);
        check(*v, 3, 7, 33, 0, true);
        check(*v, 2, 1, 150, 0.4f, false);
        check(*v, 1, 20, 6, 0.4f, true);
    }
}

/* What is kept depends on seed, step, micro-batch and site, and on nothing else. */
Test(ops_embed, dropout)
{
    enum { T = 256, C = 64, N = T * C };
    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open(*v, 1, T, 1, C, 16, 16, 1);
        int32_t *tokens = bed_tokens(T, 1);
        float *wte = bed_random(C, 0), *wpe = bed_random(N, 0), *out[5];
        struct lw_dropout dropout = {0.3f, 1};
        int kept = 0, same = 0;

        for (int i = 0; i < N; i++)
            wpe[i] = 1;
        for (int i = 0; i < 5; i++) {
            out[i] = bed_poison(N);
            bed_step(dev, i == 2 ? 8 : 7, i == 3 ? 1 : 0, 42);
            dropout.site = i == 4 ? 2 : 1;
            bed->embed(dev, 1, T, C, out[i], tokens, wte, wpe, dropout);
        }
        bed_check_same("out", out[0], out[1], N);
        for (int i = 2; i < 5; i++) {
            same = 0;
            for (int j = 0; j < N; j++)
                same += out[i][j] == out[0][j];
            cr_assert(same < N * 0.62, "%s: %d of %d alike", *v, same, N); /* 0.58 expected */
        }
        for (int j = 0; j < N; j++)
            kept += out[0][j] != 0;
        cr_assert(kept > N * 0.68 && kept < N * 0.72, "%s: %d of %d kept", *v, kept, N);
        bed_close(dev);
    }
}
