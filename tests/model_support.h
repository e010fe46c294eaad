/* SPDX-License-Identifier: MIT
 *
 * A model on the CPU backend, or the one that LEEWAY_TEST_DEVICE names, in fp32, for tests of the
 * model room, and comparisons by norm.
 */
#ifndef LW_TESTS_MODEL_SUPPORT_H
#define LW_TESTS_MODEL_SUPPORT_H

#include "engine/model/model.h"

struct test_model {
    const struct lw_backend *backend;
    struct lw_device *device;
    struct lw_model *gpt;
    struct lw_params *params;
};

/* A device with that many threads; fails the test where there is none. */
struct lw_device *test_device(int threads);

/* A small model: 61 tokens, 24 positions, 32 channels, 2 layers, 4 heads. */
struct lw_model_spec test_spec(void);

/* Made and prepared, weights zero; fails the test where that is not possible. */
void test_model_open(struct test_model *t, const struct lw_model_spec *spec,
                     const struct lw_model_plan *plan);
void test_model_close(struct test_model *t);

/* All of one buffer, parameter after parameter without padding; the caller frees it. */
float *test_read_all(struct test_model *t, enum lw_buffer buffer);

/* Deterministic tokens below `below`. */
void test_tokens(int32_t *out, int count, int below, uint64_t seed);

/* One micro-batch of a step of its own, forward and backward. */
void test_train_step(struct test_model *t, uint64_t step, const int32_t *tokens,
                     const int32_t *targets);

/* What the device says when all is done. */
struct lw_result test_finish(struct test_model *t);

/* ||a - b|| / ||b||, in double. */
double test_distance(const float *a, const float *b, size_t count);

#endif
