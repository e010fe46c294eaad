/* SPDX-License-Identifier: MIT */
#include "tests/model_support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/random.h"

struct lw_device *test_device(int threads)
{
    struct lw_device_options options = {.threads = threads, .precision = LW_F32};
    struct lw_device *device = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_backend_cpu.open(&device, &options, &err), 0, "%s", err.text);
    return device;
}

struct lw_model_spec test_spec(void)
{
    return (struct lw_model_spec){.vocabulary = 61,
                                  .positions = 24,
                                  .channels = 32,
                                  .layers = 2,
                                  .heads = 4,
                                  .feed_forward = 128,
                                  .epsilon = 1e-5f};
}

void test_model_open(struct test_model *t, const struct lw_model_spec *spec,
                     const struct lw_model_plan *plan)
{
    const char *name = getenv("LEEWAY_TEST_DEVICE");
    struct lw_error err = {0};
    int rc;

    if (name && *name) {
        struct lw_device_options options = {.threads = 2, .precision = LW_F32};

        t->backend = lw_backend_find(name, &err);
        cr_assert(t->backend, "%s", err.text);
        cr_assert_eq(t->backend->open(&t->device, &options, &err), 0, "%s", err.text);
    } else {
        t->backend = &lw_backend_cpu;
        t->device = test_device(2);
    }
    cr_assert_eq(lw_model_create(&t->gpt, spec, t->backend, t->device, 1, &err), 0, "%s", err.text);
    rc = lw_model_prepare(t->gpt, plan, &err);
    if (rc == LW_EUSAGE && t->backend != &lw_backend_cpu)
        cr_skip_test("%s", err.text); /* an attention that is the CPU's alone */
    cr_assert_eq(rc, 0, "%s", err.text);
    t->params = lw_model_params(t->gpt);
}

void test_model_close(struct test_model *t)
{
    lw_model_free(t->gpt);
    t->backend->close(t->device);
}

float *test_read_all(struct test_model *t, enum lw_buffer buffer)
{
    float *all = malloc(t->params->exist * sizeof *all), *at = all;
    struct lw_error err = {0};

    cr_assert_eq(t->backend->wait(t->device, &err), 0, "%s", err.text);
    for (int i = 0; i < t->params->params; i++) {
        size_t count = t->params->list[i].count;

        cr_assert_eq(lw_params_read(t->params, buffer, i, 0, count, at, &err), 0, "%s", err.text);
        at += count;
    }
    return all;
}

void test_tokens(int32_t *out, int count, int below, uint64_t seed)
{
    struct lw_random r;

    lw_random_init(&r, seed, LW_STREAM_GENERATE);
    for (int i = 0; i < count; i++)
        out[i] = (int32_t)lw_random_below(&r, (uint32_t)below);
}

void test_train_step(struct test_model *t, uint64_t step, const int32_t *tokens,
                     const int32_t *targets)
{
    struct lw_step s = {.step = step, .seed = 42};
    struct lw_error err = {0};

    cr_assert_eq(lw_model_train(t->gpt, &s, tokens, targets, false, true, &err), 0, "%s", err.text);
}

struct lw_result test_finish(struct test_model *t)
{
    struct lw_result r;
    struct lw_error err = {0};

    t->backend->finish(t->device);
    cr_assert_eq(t->backend->collect(t->device, true, &r, &err), 1, "%s", err.text);
    return r;
}

double test_distance(const float *a, const float *b, size_t count)
{
    double difference = 0, norm = 0;

    for (size_t i = 0; i < count; i++) {
        double d = (double)a[i] - (double)b[i];

        difference += d * d;
        norm += (double)b[i] * (double)b[i];
    }
    return sqrt(difference) / sqrt(norm);
}
