/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/ops_bed.h"

struct wanted {
    double *logits, *dx, *dw, *dbias, loss, targets, correct;
    int32_t *argmax;
};

static void reference(const struct lw_head *h, const float *x, const float *w, const float *bias,
                      const int32_t *targets, struct wanted *want)
{
    int v = h->classes, c = h->channels;

    for (int r = 0; r < h->rows; r++) {
        double *logits = want->logits + r * v, top = -INFINITY, sum = 0;

        for (int k = 0; k < v; k++) {
            logits[k] = bias ? bias[k] : 0;
            for (int i = 0; i < c; i++)
                logits[k] += (double)x[r * c + i] * w[k * c + i];
            if (logits[k] > top) {
                top = logits[k];
                want->argmax[r] = k;
            }
        }
        if (targets[r] == LW_IGNORED)
            continue;
        for (int k = 0; k < v; k++)
            sum += exp(logits[k] - top);
        want->loss += log(sum) + top - logits[targets[r]];
        want->targets += 1;
        want->correct += want->argmax[r] == targets[r];
        for (int k = 0; k < v; k++) {
            double d = exp(logits[k] - top) / sum - (k == targets[r]);

            want->dbias[k] += d;
            for (int i = 0; i < c; i++) {
                want->dx[r * c + i] += d * w[k * c + i];
                want->dw[k * c + i] += d * x[r * c + i];
            }
        }
    }
}

static void check_window(struct lw_device *dev, const struct wanted *want, double times)
{
    struct lw_result result;
    struct lw_error err;

    bed->finish(dev);
    cr_assert_eq(bed->collect(dev, true, &result, &err), 1);
    cr_assert_float_eq(result.loss_sum, times * want->loss, 1e-5 * times * (1 + want->loss));
    cr_assert_float_eq(result.targets, times * want->targets, 0);
    cr_assert_float_eq(result.correct, times * want->correct, 0);
    cr_assert(!result.updated);
    cr_assert_eq(bed->collect(dev, true, &result, &err), 0);
}

static void check(const char *variant, int rows, int channels, int classes, int padded,
                  bool with_bias, bool accumulate)
{
    struct lw_device *dev = bed_open(variant, 1, rows, 1, channels, 16, padded, 1);
    struct lw_head h = {rows, channels, classes, padded, false};
    size_t c = (size_t)channels, n = (size_t)rows, v = (size_t)padded, all = n * c;
    float *x = bed_random(all, 1), *w = bed_random(v * c, 0.5f);
    float *bias = with_bias ? bed_random(v, 1) : NULL, *dx = bed_poison(all);
    float *dw = accumulate ? bed_random(v * c, 1) : bed_poison(v * c);
    float *dbias = !with_bias ? NULL : accumulate ? bed_random(v, 1) : bed_poison(v);
    float *logits = bed_poison(n * (size_t)classes);
    int32_t *targets = bed_tokens(n, classes), *argmax = bed_tokens(n, 1);
    struct wanted want = {
        bed_doubles(n * v), bed_doubles(all), bed_doubles(v * c), bed_doubles(v), 0, 0, 0,
        bed_tokens(n, 1)};

    for (size_t r = 3; r < n; r += 7)
        targets[r] = LW_IGNORED;
    for (size_t i = 0; accumulate && i < v * c; i++)
        want.dw[i] = dw[i];
    for (size_t i = 0; accumulate && with_bias && i < v; i++)
        want.dbias[i] = dbias[i];
    reference(&h, x, w, bias, targets, &want);
    if (n > 1)
        targets[0] = want.argmax[0]; /* at least one is right */
    want = (struct wanted){want.logits, want.dx, want.dw, want.dbias, 0, 0, 0, want.argmax};
    for (size_t i = 0; i < v * c; i++)
        want.dw[i] = accumulate ? dw[i] : 0;
    for (size_t i = 0; i < v; i++)
        want.dbias[i] = accumulate && with_bias ? dbias[i] : 0;
    for (size_t i = 0; i < all; i++)
        want.dx[i] = 0;
    reference(&h, x, w, bias, targets, &want);

    bed->head_loss(dev, &h, dx, dw, dbias, argmax, x, w, bias, targets, accumulate);
    bed_check("dx", dx, want.dx, all, 3e-6);
    bed_check("dw", dw, want.dw, v * c, 3e-6);
    if (dbias)
        bed_check("dbias", dbias, want.dbias, v, 3e-6);
    for (size_t r = 0; r < n; r++)
        cr_assert_eq(argmax[r], want.argmax[r]);
    bed->head_loss(dev, &h, NULL, NULL, NULL, NULL, x, w, bias, targets, false);
    check_window(dev, &want, 2);
    bed->head_logits(dev, &h, logits, x, w, bias);
    bed_check("logits", logits, want.logits, n * (size_t)classes, 3e-6);
    bed_close(dev);
}

Test(ops_head, loss_and_gradients)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        check(*v, 1, 8, 5, 5, false, false);
        check(*v, 37, 48, 101, 128, false, false);
        check(*v, 64, 33, 256, 256, true, true);
        check(*v, 50, 16, 1003, 1024, true, false);
        check(*v, 50, 16, 1003, 1024, false, true);
    }
}

/* More rows than one chunk holds: dw must add up over the chunks. */
Test(ops_head, chunks)
{
    for (const char *const *v = bed_variants(); *v; v++)
        check(*v, 300, 5, 140000, 140000, false, false);
}

Test(ops_head, only_ignored_targets)
{
    struct lw_device *dev = bed_open("portable", 1, 4, 1, 8, 8, 8, 1);
    struct lw_head h = {4, 8, 8, 8, false};
    int32_t targets[4] = {LW_IGNORED, LW_IGNORED, LW_IGNORED, LW_IGNORED};
    float *x = bed_random(32, 1), *w = bed_random(64, 1), *dx = bed_poison(32),
          *dw = bed_poison(64);
    double *zero = bed_doubles(64);
    struct wanted want = {0};

    bed->head_loss(dev, &h, dx, dw, NULL, NULL, x, w, NULL, targets, false);
    bed_check("dx", dx, zero, 32, 0);
    bed_check("dw", dw, zero, 64, 0);
    check_window(dev, &want, 1);
    bed_close(dev);
}
