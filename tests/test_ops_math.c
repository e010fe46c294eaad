/* SPDX-License-Identifier: MIT
 *
 * The pieces below the ops: elementary functions against libm, products of every shape, types,
 * the choice of an instruction set, memory.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ops/cpu/kernels.h"
#include "tests/ops_bed.h"

static double units_in_last_place(float x, double wanted)
{
    float near = (float)wanted;

    return fabs(x - wanted) / (nextafterf(near, INFINITY) - near);
}

/* exp through exp_row, which is e^(scale x - lse). */
Test(ops_math, exp)
{
    for (const struct lw_cpu_kernels *const *k = lw_cpu_variants(); *k; k++) {
        enum { N = 20011 };
        static float x[N], y[N];

        for (int i = 0; i < N; i++)
            y[i] = x[i] = -87.3f + 175.3f * (float)i / (N - 1);
        (*k)->exp_row(y, N, 1, 0);
        for (int i = 0; i < N; i++)
            cr_assert(units_in_last_place(y[i], exp(x[i])) <= 2, "%s: exp(%.9g) is %.9g",
                      (*k)->name, x[i], y[i]);
        y[0] = -INFINITY;
        y[1] = -200;
        y[2] = 200;
        y[3] = INFINITY;
        y[4] = NAN;
        y[5] = 0;
        (*k)->exp_row(y, 6, 1, 0);
        cr_assert(y[0] == 0 && y[1] == 0 && isinf(y[2]) && isinf(y[3]) && isnan(y[4]) && y[5] == 1,
                  "%s: %g %g %g %g %g %g", (*k)->name, y[0], y[1], y[2], y[3], y[4], y[5]);
    }
}

/* Both activations and their slopes, over all that can occur, also far out. */
Test(ops_math, gelu)
{
    for (const struct lw_cpu_kernels *const *k = lw_cpu_variants(); *k; k++) {
        enum { N = 24001 };
        static float x[N], y[N], one[N];

        for (int i = 0; i < N; i++) {
            x[i] = -12 + 24 * (float)i / (N - 1);
            one[i] = 1;
        }
        (*k)->bias_activate(LW_GELU_ERF, y, NULL, x, NULL, N);
        (*k)->activate_backward(LW_GELU_ERF, one, x, N);
        for (int i = 0; i < N; i++) {
            double cdf = 0.5 * erfc(-x[i] / sqrt(2)), a = x[i];

            cr_assert_float_eq(y[i], a * cdf, 2e-7 * fmax(1, fabs(a)));
            if (a < 0 && a > -6)
                cr_assert_float_eq(y[i], a * cdf, 6e-6 * fabs(a * cdf));
            cr_assert_float_eq(one[i], cdf + a * exp(-a * a / 2) / sqrt(2 * M_PI), 4e-7);
        }
        (*k)->bias_activate(LW_GELU_TANH, y, NULL, x, NULL, N);
        for (int i = 0; i < N; i++) {
            double a = x[i], u = sqrt(2 / M_PI) * (a + 0.044715 * a * a * a);

            cr_assert_float_eq(y[i], 0.5 * a * (1 + tanh(u)), 2e-7 * fmax(1, fabs(a)));
            one[i] = 1;
        }
        (*k)->activate_backward(LW_GELU_TANH, one, x, N);
        for (int i = 0; i < N; i++) {
            double a = x[i], t = tanh(sqrt(2 / M_PI) * (a + 0.044715 * a * a * a));
            double slope = sqrt(2 / M_PI) * (1 + 3 * 0.044715 * a * a);

            cr_assert_float_eq(one[i], 0.5 * (1 + t) + 0.5 * a * (1 - t * t) * slope, 6e-7);
        }
        x[0] = NAN;
        x[1] = INFINITY;
        x[2] = -INFINITY;
        (*k)->bias_activate(LW_GELU_TANH, y, NULL, x, NULL, 2);
        cr_assert(isnan(y[0]) && isinf(y[1]));
    }
}

static void check_product(const struct lw_cpu_kernels *k, int rows, int columns, int depth,
                          int kind)
{
    bool ta = kind & 1, tb = kind & 2, add = kind & 4;
    int extra = kind & 1 ? 5 : 0; /* rows may lie apart */
    int lda = (ta ? rows : depth) + extra, ldb = (tb ? depth : columns) + extra;
    int ldc = columns + extra;
    float *a = bed_random((size_t)(ta ? depth : rows) * (size_t)lda, 1);
    float *b = bed_random((size_t)(tb ? columns : depth) * (size_t)ldb, 1);
    float *c =
        add ? bed_random((size_t)rows * (size_t)ldc, 1) : bed_poison((size_t)rows * (size_t)ldc);
    float *before = bed_copy(c, (size_t)rows * (size_t)ldc), *pack;
    struct lw_cpu_gemm g = {rows, columns, depth, ta, tb, add, 0.5f, a, b, c, lda, ldb, ldc};

    pack = bed_poison(LW_CPU_GEMM_PACK);
    k->gemm(&g, pack);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < ldc; j++) {
            double sum = 0;

            for (int l = 0; j < columns && l < depth; l++)
                sum += 0.5 * (ta ? a[l * lda + i] : a[i * lda + l]) *
                       (tb ? b[j * ldb + l] : b[l * ldb + j]);
            if (j < columns)
                cr_assert_float_eq(c[i * ldc + j], sum + (add ? before[i * ldc + j] : 0),
                                   2e-5 + 1e-6 * depth, "%s %dx%dx%d kind %d", k->name, rows,
                                   columns, depth, kind);
            else
                cr_assert(!memcmp(&c[i * ldc + j], &before[i * ldc + j], sizeof(float)),
                          "%s wrote beyond its columns", k->name);
        }
    }
}

Test(ops_math, products)
{
    static const int shapes[][3] = {{1, 1, 1},    {8, 48, 16},  {7, 47, 5},   {13, 100, 400},
                                    {260, 50, 9}, {9, 24, 770}, {64, 64, 64}, {300, 17, 390}};

    for (const struct lw_cpu_kernels *const *k = lw_cpu_variants(); *k; k++) {
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
            struct lw_device *dev = bed_open("portable", 1, 1, 1, 8, 8, 8, 1);

            for (int kind = 0; kind < 8; kind++)
                check_product(*k, shapes[i][0], shapes[i][1], shapes[i][2], kind);
            bed_close(dev);
        }
    }
}

Test(ops_math, types)
{
    static const struct {
        float x;
        uint16_t half, brain;
    } known[] = {{0, 0, 0},
                 {1, 0x3c00, 0x3f80},
                 {-2, 0xc000, 0xc000},
                 {65504, 0x7bff, 0x4780},
                 {65520, 0x7c00, 0x4780},
                 {65519.996f, 0x7bff, 0x4780},
                 {1e-7f, 0x0002, 0x33d7},
                 {5.9604645e-8f, 0x0001, 0x3380},
                 {2.9802322e-8f, 0x0000, 0x3300},
                 {6.1035156e-5f, 0x0400, 0x3880},
                 {6.0975552e-5f, 0x03ff, 0x3880},
                 {1.00048828125f, 0x3c00, 0x3f80},
                 {1.00146484375f, 0x3c02, 0x3f80},
                 {1.00390625f, 0x3c04, 0x3f80},
                 {1.01171875f, 0x3c0c, 0x3f82},
                 {INFINITY, 0x7c00, 0x7f80},
                 {-INFINITY, 0xfc00, 0xff80}};
    uint16_t word;
    float x;
    double wide = 0.1;
    char unaligned[3];

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        lw_from_f32(&word, LW_F16, &known[i].x, 1);
        cr_assert_eq(word, known[i].half, "%.9g to F16 is %04x", known[i].x, word);
        lw_from_f32(unaligned + 1, LW_BF16, &known[i].x, 1);
        memcpy(&word, unaligned + 1, 2);
        cr_assert_eq(word, known[i].brain, "%.9g to BF16 is %04x", known[i].x, word);
    }
    for (unsigned bits = 0; bits < 65536; bits++) { /* there and back is exact */
        for (int type = LW_F16; type <= LW_BF16; type++) {
            uint16_t in = (uint16_t)bits, out;

            lw_to_f32(&x, &in, (enum lw_dtype)type, 1);
            lw_from_f32(&out, (enum lw_dtype)type, &x, 1);
            cr_assert(isnan(x) ? (out & 0x7fff) > (type == LW_F16 ? 0x7c00 : 0x7f80) : out == in,
                      "%04x became %04x", in, out);
        }
    }
    lw_to_f32(&x, &wide, LW_F64, 1);
    cr_assert(x == 0.1f);
    for (int type = LW_F32; type <= LW_BOOL; type++)
        cr_assert_eq(lw_dtype_parse(lw_dtype_name((enum lw_dtype)type)), type);
    cr_assert_eq(lw_dtype_parse("F8"), -1);
    cr_assert_eq(lw_dtype_size(LW_BF16), 2);
    cr_assert_eq(lw_dtype_size(LW_I64), 8);
}

Test(ops_math, choice)
{
    const struct lw_cpu_kernels *k;
    struct lw_error err;

    setenv("LEEWAY_ISA", "portable", 1);
    cr_assert_eq(lw_cpu_choose(&k, &err), 0);
    cr_assert_str_eq(k->name, "portable");
    setenv("LEEWAY_ISA", "sse9", 1);
    cr_assert_eq(lw_cpu_choose(&k, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "sse9") && strstr(err.text, "avx2"));
    unsetenv("LEEWAY_ISA");
    cr_assert_eq(lw_cpu_choose(&k, &err), 0);
    cr_assert_eq(k, lw_cpu_variants()[0]);
}

Test(ops_math, memory)
{
    struct lw_device *dev = bed_open("portable", 1, 1, 1, 8, 8, 8, 1);
    static const size_t sizes[] = {1, 4096, (2 << 20) - 1, (5 << 20) + 3};
    struct lw_device_info info;
    struct lw_error err;
    void *p;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        char *bytes;

        cr_assert_eq(bed->alloc(dev, sizes[i], &p, &err), 0);
        bytes = p;
        cr_assert_eq((uintptr_t)p % 256, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            cr_assert_eq(bytes[j], 0);
        memset(p, 7, sizes[i]);
        bed->release(dev, p);
    }
    cr_assert_eq(bed->alloc(dev, (size_t)1 << 60, &p, &err), LW_EMEM);
    cr_assert_null(p);
    cr_assert(strstr(err.text, "1152921504606846976 bytes"), "%s", err.text);
    bed->info(dev, &info);
    cr_assert_str_eq(info.backend, "cpu");
    cr_assert(strstr(info.name, "3 threads, portable"), "%s", info.name);
    cr_assert_eq(info.weight, LW_F32);
    bed_close(dev);
}

Test(ops_math, refusals)
{
    struct lw_device_options opt = {.threads = 0, .precision = LW_F32};
    struct lw_device *dev;
    struct lw_error err;

    cr_assert_eq(bed->open(&dev, &opt, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "threads"));
    opt = (struct lw_device_options){.threads = 1, .precision = LW_BF16};
    cr_assert_eq(bed->open(&dev, &opt, &err), LW_EMISSING);
    cr_assert(strstr(err.text, "fp32"));
}

/* Results are kept in order; one too many is said, not lost in silence. */
Test(ops_math, results)
{
    struct lw_device *dev = bed_open("portable", 1, 1, 1, 8, 8, 8, 1);
    struct lw_result r;
    struct lw_error err;

    for (uint64_t i = 1; i <= 3; i++) {
        bed_step(dev, i, 0, 1);
        bed->finish(dev);
    }
    for (uint64_t i = 1; i <= 3; i++) {
        cr_assert_eq(bed->collect(dev, false, &r, &err), 1);
        cr_assert_eq(r.step, i);
    }
    for (int i = 0; i < 20; i++)
        bed->finish(dev);
    cr_assert_eq(bed->collect(dev, false, &r, &err), LW_EBACKEND);
    cr_assert_eq(bed->collect(dev, false, &r, &err), 1);
    bed_close(dev);
}
