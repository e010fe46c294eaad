/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tests/ops_bed.h"

enum { ROWS = 6, C = 8, V = 8 };

/* Gives the window some targets, so that there is something to divide by. */
static double fill_window(struct lw_device *dev, bool broken)
{
    struct lw_head h = {ROWS, C, V, V, false};
    float *x = bed_random(ROWS * C, 1), *w = bed_random(V * C, 1);
    int32_t *targets = bed_tokens(ROWS, V);

    targets[2] = LW_IGNORED;
    if (broken)
        x[3] = NAN;
    bed->head_loss(dev, &h, NULL, NULL, NULL, NULL, x, w, NULL, targets, false);
    return ROWS - 1;
}

static struct lw_result result_of(struct lw_device *dev)
{
    struct lw_result r;
    struct lw_error err;

    bed->finish(dev);
    cr_assert_eq(bed->collect(dev, true, &r, &err), 1);
    return r;
}

struct state {
    size_t n;
    float *w, *m, *v, *g;
    double *w_wanted, *m_wanted, *v_wanted;
};

static struct state state_of(size_t n)
{
    struct state s = {n,    bed_random(n, 1), bed_random(n, 0), bed_random(n, 0),
                      NULL, bed_doubles(n),   bed_doubles(n),   bed_doubles(n)};

    for (size_t i = 0; i < n; i++)
        s.w_wanted[i] = s.w[i];
    return s;
}

/* One step of AdamW in double precision; returns the norm before clipping. */
static double reference(struct state *s, const struct lw_update *u, double targets, double t,
                        double lr)
{
    double square = 0, clip = 1, norm;

    for (size_t i = 0; i < s->n; i++)
        square += (double)s->g[i] * s->g[i];
    norm = sqrt(square) / targets;
    if (u->max_norm > 0 && u->max_norm < norm + 1e-6)
        clip = u->max_norm / (norm + 1e-6);
    for (int k = 0; k < u->span_count; k++) {
        for (size_t i = u->spans[k].offset; i < u->spans[k].offset + u->spans[k].count; i++) {
            double g = s->g[i] * clip / targets, m, v;

            m = s->m_wanted[i] = u->beta1 * s->m_wanted[i] + (1 - (double)u->beta1) * g;
            v = s->v_wanted[i] = u->beta2 * s->v_wanted[i] + (1 - (double)u->beta2) * g * g;
            if (u->spans[k].decay)
                s->w_wanted[i] *= 1 - lr * u->weight_decay;
            m /= 1 - pow(u->beta1, t);
            v /= 1 - pow(u->beta2, t);
            s->w_wanted[i] -= lr * m / (sqrt(v) + u->epsilon);
        }
    }
    return norm;
}

static void check(const char *variant, size_t n, float max_norm)
{
    struct lw_decay_span spans[] = {{0, n / 3, true}, {n / 3, n / 5, false}, {0, 0, true}};
    struct lw_update u = {n, spans, 3, 0.9f, 0.95f, 1e-8f, 0.1f, max_norm};
    struct lw_device *dev = bed_open(variant, 1, ROWS, 1, C, 16, V, 1);
    struct state s = state_of(n);

    spans[2].offset = n / 3 + n / 5;
    spans[2].count = n - spans[2].offset;
    for (int step = 1; step <= 3; step++) {
        double targets = fill_window(dev, false), norm;
        struct lw_result r;

        s.g = bed_random(n, 2);
        bed_step(dev, (uint64_t)step, 0, 1);
        bed->update(dev, &u, s.w, NULL, s.g, s.m, s.v);
        norm = reference(&s, &u, targets, step, 0.01f);
        r = result_of(dev);
        cr_assert(r.updated && !r.skipped);
        cr_assert_eq(r.updates, (uint64_t)step);
        cr_assert_eq(r.step, (uint64_t)step);
        cr_assert_float_eq(r.norm, norm, 1e-6 * norm);
        cr_assert_float_eq(r.norm_clipped, max_norm > 0 ? fmin(norm, max_norm) : norm, 1e-5 * norm);
        bed_check("m", s.m, s.m_wanted, n, 1e-6);
        bed_check("v", s.v, s.v_wanted, n, 1e-6);
        bed_check("w", s.w, s.w_wanted, n, 1e-6);
    }
    bed_close(dev);
}

Test(ops_update, adamw)
{
    for (const char *const *v = bed_variants(); *v; v++) {
        check(*v, 1, 0);
        check(*v, 997, 1);
        check(*v, 997, 1000);
        check(*v, 300001, 0.5f);
    }
}

/* Nothing moves when the gradient or the loss is not finite, and Adam does not count the step. */
Test(ops_update, guard)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    enum { N = 100 };

    for (const char *const *v = bed_variants(); *v; v++) {
        for (int kind = 0; kind < 4; kind++) {
            struct lw_decay_span span = {0, N, true};
            struct lw_update u = {N, &span, 1, 0.9f, 0.95f, 1e-8f, 0.1f, 1};
            struct lw_device *dev = bed_open(*v, 1, ROWS, 1, C, 16, V, 1);
            struct state s = state_of(N);
            float *w = bed_copy(s.w, N), *m = bed_copy(s.m, N), *second = bed_copy(s.v, N);
            struct lw_result r;

            s.g = bed_random(N, 1);
            if (kind < 3)
                s.g[N - 1] = bad[kind];
            bed->set_updates(dev, 41);
            fill_window(dev, kind == 3);
            bed->update(dev, &u, s.w, NULL, s.g, s.m, s.v);
            r = result_of(dev);
            cr_assert(r.updated && r.skipped && isnan(r.norm));
            cr_assert_eq(r.updates, 41);
            bed_check_same("w", s.w, w, N);
            bed_check_same("m", s.m, m, N);
            bed_check_same("v", s.v, second, N);
            bed_close(dev);
        }
    }
}

static void no_sum(void *host, float *x, size_t count)
{
    (void)host;
    (void)x;
    (void)count;
}

static int no_finish(void *host, double *numbers, int count, struct lw_error *err)
{
    (void)host;
    (void)numbers;
    (void)count;
    (void)err;
    return 0;
}

/* Of several ranks, the one whose gradient is not finite says so, where it was asked to look. */
Test(ops_update, own_gradient)
{
    static const float values[] = {1, -3e38f, NAN, INFINITY, -INFINITY};
    enum { N = 100, BUCKETS = 3 };

    for (int look = 0; look < 2; look++)
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            struct lw_group group = {
                .size = 2, .look = look, .sum_start = no_sum, .sum_finish = no_finish};
            struct lw_device *dev = bed_open("portable", 1, ROWS, 1, C, 16, V, 1);
            struct lw_error err;

            cr_assert_eq(bed->join(dev, &group, &err), 0);
            for (int b = 0; b < BUCKETS; b++) {
                float *g = bed_random(N, 1);

                if (b == 1)
                    g[N - 1] = values[i];
                bed->reduce(dev, g, N);
            }
            bed->reduce_end(dev);
            cr_assert_eq(result_of(dev).own_gradient, !look ? 0 : i < 2 ? 1 : -1);
            cr_assert_eq(result_of(dev).own_gradient, 0, "each window anew");
            bed_close(dev);
        }
}

Test(ops_update, window_without_targets)
{
    struct lw_decay_span span = {0, 4, true};
    struct lw_update u = {4, &span, 1, 0.9f, 0.95f, 1e-8f, 0.1f, 1};
    struct lw_device *dev = bed_open("portable", 1, ROWS, 1, C, 16, V, 1);
    struct state s = state_of(4);
    float *w = bed_copy(s.w, 4);
    struct lw_result r;

    s.g = bed_random(4, 0);
    bed->update(dev, &u, s.w, NULL, s.g, s.m, s.v);
    r = result_of(dev);
    cr_assert(r.updated && !r.skipped && r.norm == 0);
    cr_assert_eq(r.updates, 0);
    bed_check_same("w", s.w, w, 4);
    bed_close(dev);
}

/* The norm has the same bits whatever the number of threads. */
Test(ops_update, threads_do_not_matter)
{
    enum { N = 123457 };
    struct lw_shapes shapes = {
        .batch = 1, .length = ROWS, .channels = C, .heads = 1, .vocabulary = V};

    for (const char *const *v = bed_variants(); *v; v++) {
        struct lw_decay_span span = {0, N, true};
        struct lw_update u = {N, &span, 1, 0.9f, 0.95f, 1e-8f, 0.1f, 1};
        struct lw_device *dev = bed_open_threads(*v, 1, &shapes);
        float *g = bed_random(N, 1), *w = bed_random(N, 1), *copy[2];
        double norm[2];

        for (int i = 0; i < 2; i++) {
            copy[i] = bed_copy(w, N);
            fill_window(dev, false);
            bed->update(dev, &u, copy[i], NULL, g, bed_random(N, 0), bed_random(N, 0));
            norm[i] = result_of(dev).norm;
            bed->close(dev);
            dev = bed_open_threads(*v, 4, &shapes);
        }
        cr_assert(!memcmp(&norm[0], &norm[1], sizeof(double)));
        bed_check_same("w", copy[0], copy[1], N);
        bed_close(dev);
    }
}
