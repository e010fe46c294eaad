/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tests/ops_bed.h"

static double activation(enum lw_activation a, double x)
{
    if (a == LW_GELU_TANH)
        return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    if (a == LW_GELU_ERF)
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    return x;
}

static double slope(enum lw_activation a, double x)
{
    return (activation(a, x + 1e-5) - activation(a, x - 1e-5)) / 2e-5;
}

static double weight_at(const struct lw_linear *l, const float *w, int i, int o)
{
    return l->layout == LW_IN_OUT ? w[i * l->out + o] : w[o * l->in + i];
}

static void check_forward(struct lw_device *dev, const struct lw_linear *l, bool with_bias,
                          bool with_pre)
{
    size_t n = (size_t)l->rows * (size_t)l->out;
    float *x = bed_random((size_t)l->rows * (size_t)l->in, 1);
    float *w = bed_random((size_t)l->in * (size_t)l->out, 0.3f);
    float *bias = with_bias ? bed_random((size_t)l->out, 1) : NULL;
    float *y = bed_poison(n), *pre = with_pre ? bed_poison(n) : NULL;
    double *y_wanted = bed_doubles(n), *pre_wanted = bed_doubles(n);

    for (int r = 0; r < l->rows; r++) {
        for (int o = 0; o < l->out; o++) {
            double s = bias ? bias[o] : 0;

            for (int i = 0; i < l->in; i++)
                s += (double)x[r * l->in + i] * weight_at(l, w, i, o);
            pre_wanted[r * l->out + o] = s;
            y_wanted[r * l->out + o] = activation(l->activation, s);
        }
    }
    bed->linear(dev, l, y, pre, x, w, bias, NULL);
    bed_check("y", y, y_wanted, n, 3e-6);
    if (pre)
        bed_check("pre", pre, pre_wanted, n, 3e-6);
}

/* The residual is added to what the layer gives without it, and stays as it was. */
static void check_residual(struct lw_device *dev, const struct lw_linear *l, bool with_bias)
{
    size_t n = (size_t)l->rows * (size_t)l->out;
    float *x = bed_random((size_t)l->rows * (size_t)l->in, 1);
    float *w = bed_random((size_t)l->in * (size_t)l->out, 0.3f);
    float *bias = with_bias ? bed_random((size_t)l->out, 1) : NULL;
    float *residual = bed_random(n, 3), *before = bed_copy(residual, n), *y = bed_poison(n);
    double *wanted = bed_doubles(n);

    for (int r = 0; r < l->rows; r++) {
        for (int o = 0; o < l->out; o++) {
            double s = (double)residual[r * l->out + o] + (bias ? (double)bias[o] : 0);

            for (int i = 0; i < l->in; i++)
                s += (double)x[r * l->in + i] * weight_at(l, w, i, o);
            wanted[r * l->out + o] = s;
        }
    }
    bed->linear(dev, l, y, NULL, x, w, bias, residual);
    bed_check("y", y, wanted, n, 3e-6);
    bed_check_same("residual", residual, before, n);
}

static void check_backward(struct lw_device *dev, const struct lw_linear *l,
                           enum lw_activation before, bool accumulate)
{
    size_t in = (size_t)l->rows * (size_t)l->in, out = (size_t)l->rows * (size_t)l->out;
    size_t weights = (size_t)l->in * (size_t)l->out, biases = (size_t)l->out;
    float *x = bed_random(in, 1), *w = bed_random(weights, 0.3f), *dy = bed_random(out, 1);
    float *x_pre = before ? bed_random(in, 1.5f) : NULL, *dx = bed_poison(in);
    float *dw = accumulate ? bed_random(weights, 1) : bed_poison(weights);
    float *db = accumulate ? bed_random(biases, 1) : bed_poison(biases);
    float *sums = accumulate ? bed_random((size_t)l->in, 1) : bed_poison((size_t)l->in);
    double *sums_wanted = bed_doubles((size_t)l->in);
    double *dx_wanted = bed_doubles(in), *dw_wanted = bed_doubles(weights);
    double *db_wanted = bed_doubles(biases);

    for (int o = 0; o < l->out; o++) {
        db_wanted[o] = accumulate ? db[o] : 0;
        for (int i = 0; i < l->in; i++) {
            int at = l->layout == LW_IN_OUT ? i * l->out + o : o * l->in + i;

            dw_wanted[at] = accumulate ? dw[at] : 0;
            for (int r = 0; r < l->rows; r++) {
                double d = dy[r * l->out + o];

                dw_wanted[at] += d * x[r * l->in + i];
                dx_wanted[r * l->in + i] += d * w[at];
            }
        }
        for (int r = 0; r < l->rows; r++)
            db_wanted[o] += dy[r * l->out + o];
    }
    for (size_t i = 0; before && i < in; i++)
        dx_wanted[i] *= slope(before, x_pre[i]);
    for (int i = 0; i < l->in; i++)
        sums_wanted[i] = accumulate ? sums[i] : 0;
    for (size_t i = 0; i < in; i++)
        sums_wanted[i % (size_t)l->in] += dx_wanted[i];
    bed->linear_backward(dev, l, dx, dw, db, sums, dy, x, w, x_pre, before, accumulate);
    bed_check("dx", dx, dx_wanted, in, 3e-6);
    bed_check("dw", dw, dw_wanted, weights, 3e-6);
    bed_check("dbias", db, db_wanted, biases, 3e-6);
    bed_check("dx's sums", sums, sums_wanted, (size_t)l->in, 1e-5);
    if (accumulate) { /* without dx, dbias and sums */
        float *again = bed_poison(weights);

        bed->linear_backward(dev, l, NULL, again, NULL, NULL, dy, x, w, NULL, 0, false);
        bed->linear_backward(dev, l, NULL, again, NULL, NULL, dy, x, w, NULL, 0, true);
        for (size_t i = 0; i < weights; i++)
            again[i] *= 0.5f;
        bed->linear_backward(dev, l, dx, dw, NULL, NULL, dy, x, w, NULL, 0, false);
        for (size_t i = 0; i < weights; i++)
            dw_wanted[i] = dw[i];
        bed_check("dw added", again, dw_wanted, weights, 1e-6);
    }
}

static const int shapes[][3] = {{37, 50, 67}, {1, 1, 1},   {64, 48, 96},   {300, 33, 17},
                                {1, 65, 33},  {5, 7, 300}, {130, 128, 384}};

Test(ops_linear, forward)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
            for (int a = LW_NO_ACTIVATION; a <= LW_GELU_ERF; a++) {
                struct lw_device *dev = bed_open(*v, 1, 300, 4, 128, 512, 300, 1);
                struct lw_linear l = {shapes[i][0], shapes[i][1], shapes[i][2], LW_IN_OUT,
                                      (enum lw_activation)a};

                check_forward(dev, &l, true, true);
                check_forward(dev, &l, false, false);
                l.layout = LW_OUT_IN;
                check_forward(dev, &l, true, false);
                check_forward(dev, &l, false, true);
                bed_close(dev);
            }
        }
    }
}

Test(ops_linear, residual)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
            struct lw_device *dev = bed_open(*v, 1, 300, 4, 128, 512, 300, 1);
            struct lw_linear l = {shapes[i][0], shapes[i][1], shapes[i][2], LW_IN_OUT, 0};

            check_residual(dev, &l, true);
            check_residual(dev, &l, false);
            l.layout = LW_OUT_IN;
            check_residual(dev, &l, true);
            check_residual(dev, &l, false);
            bed_close(dev);
        }
    }
}

Test(ops_linear, backward)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
            for (int a = LW_NO_ACTIVATION; a <= LW_GELU_ERF; a++) {
                struct lw_device *dev = bed_open(*v, 1, 300, 4, 128, 512, 300, 1);
                struct lw_linear l = {shapes[i][0], shapes[i][1], shapes[i][2], LW_IN_OUT, 0};

                check_backward(dev, &l, (enum lw_activation)a, false);
                check_backward(dev, &l, (enum lw_activation)a, true);
                l.layout = LW_OUT_IN;
                check_backward(dev, &l, (enum lw_activation)a, false);
                check_backward(dev, &l, (enum lw_activation)a, true);
                bed_close(dev);
            }
        }
    }
}

Test(ops_linear, activate)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open(*v, 1, 4, 1, 4, 8, 8, 1);
        enum { N = 40003 };
        float *pre = bed_random(N, 3), *y = bed_poison(N);
        double *wanted = bed_doubles(N);

        for (int a = LW_GELU_TANH; a <= LW_GELU_ERF; a++) {
            for (int i = 0; i < N; i++)
                wanted[i] = activation((enum lw_activation)a, pre[i]);
            bed->activate(dev, (enum lw_activation)a, y, pre, N);
            bed_check("y", y, wanted, N, 1e-7);
        }
        bed_close(dev);
    }
}

/* The same input gives the same bits, whoever does which panel. */
Test(ops_linear, repeats)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_device *dev = bed_open(*v, 1, 300, 4, 128, 512, 300, 1);
        struct lw_linear l = {200, 130, 260, LW_IN_OUT, 0};
        float *x = bed_random(200 * 130, 1), *w = bed_random(130 * 260, 1);
        float *dy = bed_random(200 * 260, 1), *dx[2], *dw[2], *db[2];

        for (int i = 0; i < 2; i++) {
            dx[i] = bed_poison(200 * 130);
            dw[i] = bed_poison(130 * 260);
            db[i] = bed_poison(260);
            bed->linear_backward(dev, &l, dx[i], dw[i], db[i], NULL, dy, x, w, NULL, 0, false);
        }
        bed_check_same("dx", dx[0], dx[1], 200 * 130);
        bed_check_same("dw", dw[0], dw[1], 130 * 260);
        bed_check_same("dbias", db[0], db[1], 260);
        bed_close(dev);
    }
}
