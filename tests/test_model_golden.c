/* SPDX-License-Identifier: MIT
 *
 * gpt2-tiny against what PyTorch and transformers computed: see tests/data/gpt2-tiny.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/export/safetensors.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/store.h"
#include "tests/model_support.h"
#include "tests/support.h"

enum { STEPS = 10, BATCH = 4, LENGTH = 48, VOCABULARY = 257, ROWS = BATCH * LENGTH };

struct golden {
    struct test_model model;
    int32_t tokens[STEPS][ROWS], targets[STEPS][ROWS];
    double loss[STEPS], norm[STEPS];
};

static void read_batches(struct golden *g)
{
    struct lw_safetensors file;
    struct lw_error err = {0};
    const struct lw_tensor *t;
    const char *path = test_source("tests/data/gpt2-tiny/batches.safetensors");
    const int64_t *tokens;

    cr_assert_eq(lw_safetensors_open(&file, path, &err), 0, "%s", err.text);
    t = lw_safetensors_find(&file, "tokens");
    cr_assert(t && t->type == LW_I64 && t->count == STEPS * BATCH * (LENGTH + 1));
    tokens = t->data;
    for (int s = 0; s < STEPS; s++)
        for (int i = 0; i < ROWS; i++) {
            const int64_t *at = tokens + (s * BATCH + i / LENGTH) * (LENGTH + 1) + i % LENGTH;

            g->tokens[s][i] = (int32_t)at[0];
            g->targets[s][i] = (int32_t)at[1];
        }
    lw_safetensors_close(&file);
}

static void read_expected(struct golden *g)
{
    json_error_t why;
    json_t *root = json_load_file(test_source("tests/data/gpt2-tiny/expected.json"), 0, &why);

    cr_assert(root, "%s", why.text);
    for (size_t i = 0; i < STEPS; i++) {
        g->loss[i] = json_real_value(json_array_get(json_object_get(root, "losses"), i));
        g->norm[i] = json_real_value(json_array_get(json_object_get(root, "grad_norms"), i));
    }
    json_decref(root);
}

static struct golden *open_golden(int attention, enum lw_recompute recompute)
{
    struct golden *g = calloc(1, sizeof *g);
    struct lw_model_plan plan = {.batch = BATCH,
                                 .length = LENGTH,
                                 .eval_batch = BATCH,
                                 .eval_length = LENGTH,
                                 .attention = attention,
                                 .recompute = recompute};
    const char *folder = test_source("tests/data/gpt2-tiny");
    struct lw_model_spec spec;
    struct lw_error err = {0};
    char note[256];

    read_batches(g);
    read_expected(g);
    cr_assert_eq(lw_hf_gpt2_spec(folder, &spec, &err), 0, "%s", err.text);
    cr_assert_eq(spec.vocabulary, VOCABULARY);
    cr_assert_eq(spec.positions, 64);
    cr_assert_eq(spec.channels, 64);
    cr_assert_eq(spec.layers, 3);
    cr_assert_eq(spec.heads, 4);
    cr_assert_eq(spec.feed_forward, 256);
    cr_assert_float_eq(spec.epsilon, 1e-5f, 1e-12f);
    test_model_open(&g->model, &spec, &plan);
    cr_assert_eq(lw_hf_gpt2_load(folder, g->model.gpt, note, sizeof note, &err), 0, "%s", err.text);
    cr_assert_str_eq(note, "");
    return g;
}

static void close_golden(struct golden *g)
{
    test_model_close(&g->model);
    free(g);
}

static void check_gradients(struct golden *g)
{
    struct lw_params *p = g->model.params;
    struct lw_safetensors file;
    struct lw_error err = {0};
    const char *path = test_source("tests/data/gpt2-tiny/step0.safetensors");
    float *all = test_read_all(&g->model, LW_GRADS), *at = all;

    cr_assert_eq(lw_safetensors_open(&file, path, &err), 0, "%s", err.text);
    for (int i = 0; i < p->params; i++) {
        char name[128];
        const struct lw_tensor *t;
        double distance;

        snprintf(name, sizeof name, "grad.%s", p->list[i].name);
        t = lw_safetensors_find(&file, name);
        cr_assert(t, "%s", name);
        cr_assert_eq(t->count, p->list[i].count);
        for (size_t j = 0; j < p->list[i].count; j++)
            at[j] /= ROWS; /* ours are sums over targets */
        distance = test_distance(at, t->data, p->list[i].count);
        cr_expect_leq(distance, 1e-4, "%s is %.2e away", name, distance);
        at += p->list[i].count;
    }
    lw_safetensors_close(&file);
    free(all);
}

static void check_step0(int attention, enum lw_recompute recompute)
{
    struct golden *g = open_golden(attention, recompute);
    struct lw_result r;

    test_train_step(&g->model, 1, g->tokens[0], g->targets[0]);
    check_gradients(g);
    r = test_finish(&g->model);
    cr_assert_eq(r.targets, ROWS);
    cr_expect_float_eq(r.loss_sum / r.targets, g->loss[0], 1e-5 * g->loss[0]);
    close_golden(g);
}

Test(model_golden, loss_and_gradients_tiled)
{
    check_step0(LW_ATTENTION_TILED, LW_RECOMPUTE_NONE);
}

Test(model_golden, loss_and_gradients_math)
{
    check_step0(LW_ATTENTION_MATH, LW_RECOMPUTE_NONE);
}

Test(model_golden, loss_and_gradients_recomputed)
{
    check_step0(LW_ATTENTION_AUTO, LW_RECOMPUTE_GELU);
    check_step0(LW_ATTENTION_AUTO, LW_RECOMPUTE_GELU_NORM);
    check_step0(LW_ATTENTION_MATH, LW_RECOMPUTE_GELU_NORM);
}

static void check_logits(int attention)
{
    struct golden *g = open_golden(attention, LW_RECOMPUTE_NONE);
    float *logits = malloc(ROWS * VOCABULARY * sizeof *logits);
    int32_t predicted[ROWS];
    struct lw_safetensors file;
    struct lw_error err = {0};
    const char *path = test_source("tests/data/gpt2-tiny/step0.safetensors");
    const struct lw_tensor *t;
    struct lw_result r;

    cr_assert_eq(lw_model_logits(g->model.gpt, BATCH, LENGTH, g->tokens[0], logits, &err), 0, "%s",
                 err.text);
    cr_assert_eq(lw_safetensors_open(&file, path, &err), 0, "%s", err.text);
    t = lw_safetensors_find(&file, "logits");
    cr_assert(t && t->count == ROWS * VOCABULARY);
    cr_expect_leq(test_distance(logits, t->data, t->count), 1e-5);
    cr_assert_eq(lw_model_evaluate(g->model.gpt, BATCH, LENGTH, g->tokens[0], g->targets[0],
                                   predicted, &err),
                 0, "%s", err.text);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < VOCABULARY; j++)
            cr_assert_leq(logits[i * VOCABULARY + j],
                          logits[i * VOCABULARY + predicted[i]] + 1e-6f);
    r = test_finish(&g->model);
    cr_expect_float_eq(r.loss_sum / r.targets, g->loss[0], 1e-5 * g->loss[0]);
    lw_safetensors_close(&file);
    free(logits);
    close_golden(g);
}

Test(model_golden, logits_and_evaluation)
{
    check_logits(LW_ATTENTION_TILED);
    check_logits(LW_ATTENTION_MATH);
}

Test(model_golden, ten_steps_of_adamw)
{
    const struct lw_adamw adamw = {
        .beta1 = 0.9f, .beta2 = 0.95f, .epsilon = 1e-8f, .weight_decay = 0.1f, .max_norm = 1.0f};
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct lw_params *p = g->model.params;
    struct lw_safetensors file;
    struct lw_error err = {0};
    const char *path = test_source("tests/data/gpt2-tiny/final.safetensors");
    float *all, *at;

    for (int i = 0; i < STEPS; i++) {
        struct lw_step step = {.step = (uint64_t)i + 1, .seed = 42, .learning_rate = 1e-3f};
        struct lw_result r;

        cr_assert_eq(
            lw_model_train(g->model.gpt, &step, g->tokens[i], g->targets[i], false, true, &err), 0,
            "%s", err.text);
        cr_assert_eq(lw_model_update(g->model.gpt, &adamw, &err), 0, "%s", err.text);
        r = test_finish(&g->model);
        cr_assert(r.updated && !r.skipped);
        cr_assert_eq(r.updates, (uint64_t)i + 1);
        cr_expect_float_eq(r.loss_sum / r.targets, g->loss[i], 1e-4 * g->loss[i], "step %d", i);
        cr_expect_float_eq(r.norm, g->norm[i], 1e-4 * g->norm[i], "step %d", i);
        cr_expect_float_eq(r.norm_clipped, fmin(1.0, g->norm[i]), 1e-4, "step %d", i);
    }
    all = at = test_read_all(&g->model, LW_WEIGHTS);
    cr_assert_eq(lw_safetensors_open(&file, path, &err), 0, "%s", err.text);
    for (int i = 0; i < p->params; i++) {
        const struct lw_tensor *t = lw_safetensors_find(&file, p->list[i].name);
        double distance;

        cr_assert(t && t->count == p->list[i].count, "%s", p->list[i].name);
        distance = test_distance(at, t->data, t->count);
        cr_expect_leq(distance, 1e-3, "%s is %.2e away", p->list[i].name, distance);
        at += t->count;
    }
    lw_safetensors_close(&file);
    free(all);
    close_golden(g);
}
