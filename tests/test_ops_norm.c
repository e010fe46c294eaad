/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/ops_bed.h"

enum { STEP = 3, MICRO = 1, SEED = 77 };

static struct lw_device *open_for(const char *variant, int rows, int channels)
{
    struct lw_device *dev =
        bed_open(variant, 1, rows, 1, channels, channels, 16, LW_ATTENTION_TILED);

    bed_step(dev, STEP, MICRO, SEED);
    return dev;
}

/* One row: what it becomes, and the gradient of its input by the Jacobian, written out. */
static void reference_row(const struct lw_norm *n, const double *x, const float *weight,
                          const float *bias, const float *dy, double *y, double *dx,
                          double *dweight, double *dbias, double *mean, double *rstd)
{
    double square = 0;
    int c = n->channels;

    *mean = 0;
    for (int i = 0; i < c; i++)
        *mean += x[i] / c;
    for (int i = 0; i < c; i++)
        square += (x[i] - *mean) * (x[i] - *mean) / c;
    *rstd = 1 / sqrt(square + n->epsilon);
    for (int i = 0; i < c; i++) {
        double hat = (x[i] - *mean) * *rstd;

        y[i] = hat * weight[i] + bias[i];
        dweight[i] += dy[i] * hat;
        dbias[i] += dy[i];
        for (int j = 0; j < c; j++) {
            double other = (x[j] - *mean) * *rstd;

            dx[i] += dy[j] * weight[j] * *rstd * ((i == j) - 1.0 / c - hat * other / c);
        }
    }
}

static void check(const char *variant, int rows, int channels, bool with_branch, float dropout,
                  bool accumulate)
{
    struct lw_device *dev = open_for(variant, rows, channels);
    struct lw_norm n = {rows, channels, 1e-5f, {dropout, 9}};
    size_t c = (size_t)channels, all = (size_t)rows * c, r = (size_t)rows;
    float *residual = bed_random(all, 2), *branch = with_branch ? bed_random(all, 1) : NULL;
    float *weight = bed_random(c, 1), *bias = bed_random(c, 1), *dy = bed_random(all, 1);
    float *y = bed_poison(all), *sum = with_branch ? bed_poison(all) : NULL;
    float *mean = bed_poison(r), *rstd = bed_poison(r), *dsum = bed_random(all, 1);
    float *start = bed_copy(dsum, all), *dbranch = with_branch ? bed_poison(all) : NULL;
    float *dweight = accumulate ? bed_random(c, 1) : bed_poison(c);
    float *dbias = accumulate ? bed_random(c, 1) : bed_poison(c), *fresh = bed_poison(all);
    float *branch_sums = accumulate ? bed_random(c, 1) : bed_poison(c);
    double *x = bed_doubles(all), *y_wanted = bed_doubles(all), *dx = bed_doubles(all);
    double *dw_wanted = bed_doubles(c), *db_wanted = bed_doubles(c), *branch_wanted;
    double *sums_wanted = bed_doubles(c);
    double *mean_wanted = bed_doubles(r), *rstd_wanted = bed_doubles(r);

    branch_wanted = bed_doubles(all);
    for (size_t i = 0; accumulate && i < c; i++) {
        dw_wanted[i] = dweight[i];
        db_wanted[i] = dbias[i];
        sums_wanted[i] = branch_sums[i];
    }
    for (size_t i = 0; i < all; i++)
        x[i] = residual[i] + (branch ? branch[i] * bed_mask(&n.dropout, STEP, MICRO, SEED, i) : 0);
    for (size_t i = 0; i < r; i++)
        reference_row(&n, x + i * c, weight, bias, dy + i * c, y_wanted + i * c, dx + i * c,
                      dw_wanted, db_wanted, &mean_wanted[i], &rstd_wanted[i]);
    bed->norm(dev, &n, y, sum, mean, rstd, residual, branch, weight, bias);
    bed_check("y", y, y_wanted, all, 2e-5);
    bed_check("mean", mean, mean_wanted, r, 1e-6);
    bed_check("rstd", rstd, rstd_wanted, r, 2e-6);
    if (sum)
        bed_check("sum", sum, x, all, 1e-6);
    bed->norm_backward(dev, &n, fresh, true, NULL, bed_poison(c), bed_poison(c), NULL,
                       dy, sum ? sum : residual, mean, rstd, weight, false);
    bed_check("dsum", fresh, dx, all, 2e-5);
    bed->norm_backward(dev, &n, dsum, false, dbranch, dweight, dbias, branch_sums, dy,
                       sum ? sum : residual, mean, rstd, weight, accumulate);
    for (size_t i = 0; i < all; i++) {
        dx[i] += start[i];
        branch_wanted[i] = dx[i] * (dbranch ? bed_mask(&n.dropout, STEP, MICRO, SEED, i) : 1);
        sums_wanted[i % c] += branch_wanted[i];
    }
    bed_check("dsum added", dsum, dx, all, 2e-5);
    if (dbranch)
        bed_check("dbranch", dbranch, branch_wanted, all, 2e-5);
    bed_check("dweight", dweight, dw_wanted, c, 1e-5);
    bed_check("dbias", dbias, db_wanted, c, 1e-5);
    bed_check("branch sums", branch_sums, sums_wanted, c, 1e-5);
    bed_close(dev);
}

Test(ops_norm, both_ways)
{
    static const int shapes[][2] = {{1, 8}, {37, 48}, {70, 33}, {300, 17}, {5, 130}, {1100, 6}};

    for (const char *const *v = bed_variants(); *v; v++) {
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
            check(*v, shapes[i][0], shapes[i][1], false, 0, false);
            check(*v, shapes[i][0], shapes[i][1], true, 0, true);
            check(*v, shapes[i][0], shapes[i][1], true, 0.25f, false);
            check(*v, shapes[i][0], shapes[i][1], true, 0.25f, true);
        }
    }
}

/* The parameters' gradients have the same bits whatever the number of threads. */
Test(ops_norm, threads_do_not_matter)
{
    enum { ROWS = 500, C = 40 };
    struct lw_shapes shapes = {.batch = 1, .length = ROWS, .channels = C, .heads = 1};
    struct lw_norm n = {ROWS, C, 1e-5f, {0, 0}};

    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open_threads(*v, 1, &shapes);
        float *x = bed_random(ROWS * C, 1), *dy = bed_random(ROWS * C, 1);
        float *weight = bed_random(C, 1), *bias = bed_random(C, 1), *y = bed_poison(ROWS * C);
        float *mean = bed_poison(ROWS), *rstd = bed_poison(ROWS), *dx = bed_poison(ROWS * C);
        float *dweight[2] = {bed_poison(C), bed_poison(C)};
        float *dbias[2] = {bed_poison(C), bed_poison(C)};
        float *sums[2] = {bed_poison(C), bed_poison(C)};

        bed->norm(dev, &n, y, NULL, mean, rstd, x, NULL, weight, bias);
        for (int i = 0; i < 2; i++) {
            bed->norm_backward(dev, &n, dx, true, NULL, dweight[i], dbias[i], sums[i], dy, x,
                               mean, rstd, weight, false);
            bed->close(dev);
            dev = bed_open_threads(*v, 4, &shapes);
        }
        bed_check_same("dweight", dweight[0], dweight[1], C);
        bed_check_same("dbias", dbias[0], dbias[1], C);
        bed_check_same("branch sums", sums[0], sums[1], C);
        bed_close(dev);
    }
}
