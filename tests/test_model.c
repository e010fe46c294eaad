/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model_support.h"

static const struct lw_adamw adamw = {0.9f, 0.95f, 1e-8f, 0.1f, 1.0f};

static void init(struct test_model *t, uint64_t seed)
{
    struct lw_error err = {0};

    cr_assert_eq(lw_model_init(t->gpt, seed, &err), 0, "%s", err.text);
}

static struct lw_result finish(struct test_model *t)
{
    struct lw_result r;
    struct lw_error err = {0};

    t->backend->finish(t->device);
    cr_assert_eq(t->backend->collect(t->device, true, &r, &err), 1, "%s", err.text);
    return r;
}

/* Gradients of one micro-batch on fresh weights. */
static float *gradients(const struct lw_model_spec *spec, const struct lw_model_plan *plan,
                        const int32_t *tokens, const int32_t *targets, uint64_t step)
{
    struct test_model t;
    float *all;

    test_model_open(&t, spec, plan);
    init(&t, 7);
    test_train_step(&t, step, tokens, targets);
    all = test_read_all(&t, LW_GRADS);
    test_model_close(&t);
    return all;
}

Test(model, recompute_and_attention_change_no_gradient)
{
    struct lw_model_spec spec = test_spec();
    const size_t count = lw_model_parameters(&spec);
    int32_t tokens[48], targets[48];

    test_tokens(tokens, 48, spec.vocabulary, 1);
    test_tokens(targets, 48, spec.vocabulary, 2);
    for (int dropped = 0; dropped < 2; dropped++) {
        struct lw_model_plan plan = {.batch = 2, .length = 24, .attention = LW_ATTENTION_TILED};
        float *reference;

        spec.dropout = dropped ? 0.2f : 0.0f;
        reference = gradients(&spec, &plan, tokens, targets, 3);
        for (int attention = LW_ATTENTION_MATH; attention <= LW_ATTENTION_TILED; attention++)
            for (int r = LW_RECOMPUTE_NONE; r <= LW_RECOMPUTE_GELU_NORM; r++) {
                float *other;

                plan.attention = attention;
                plan.recompute = (enum lw_recompute)r;
                other = gradients(&spec, &plan, tokens, targets, 3);
                cr_expect_leq(test_distance(other, reference, count), 1e-5,
                              "attention %d, recompute %d, dropout %g", attention, r,
                              (double)spec.dropout);
                free(other);
            }
        free(reference);
    }
}

/* Whatever was trained on before: gradients begin anew, the embedding's too, also where no head is
 * tied to it. */
Test(model, gradients_begin_anew_with_each_step)
{
    for (int classes = 0; classes <= 5; classes += 5) {
        struct lw_model_spec spec = test_spec();
        const struct lw_model_plan plan = {.batch = 2, .length = 24};
        int32_t tokens[48], others[48], targets[48];
        struct test_model t;
        float *first, *again;

        spec.classes = classes;
        spec.padding = spec.vocabulary - 1;
        test_tokens(tokens, 48, spec.vocabulary - 1, 1);
        test_tokens(others, 48, spec.vocabulary - 1, 3);
        test_tokens(targets, 48, classes ? classes : spec.vocabulary, 2);
        test_model_open(&t, &spec, &plan);
        init(&t, 7);
        test_train_step(&t, 1, tokens, targets);
        first = test_read_all(&t, LW_GRADS);
        test_train_step(&t, 2, others, targets);
        test_train_step(&t, 3, tokens, targets);
        again = test_read_all(&t, LW_GRADS);
        cr_expect_eq(test_distance(again, first, lw_model_parameters(&spec)), 0, "%d classes",
                     classes);
        free(first);
        free(again);
        test_model_close(&t);
    }
}

Test(model, accumulated_micro_batches_equal_the_big_batch)
{
    struct lw_model_spec spec = test_spec();
    const size_t count = lw_model_parameters(&spec);
    struct lw_model_plan big = {.batch = 6, .length = 24, .attention = LW_ATTENTION_AUTO};
    struct lw_model_plan small = {.batch = 2, .length = 24, .attention = LW_ATTENTION_AUTO};
    int32_t tokens[144], targets[144];
    struct test_model t;
    struct lw_error err = {0};
    float *one, *three;

    test_tokens(tokens, 144, spec.vocabulary, 1);
    test_tokens(targets, 144, spec.vocabulary, 2);
    for (int i = 100; i < 130; i++) /* the micro-batches have different numbers of targets */
        targets[i] = LW_IGNORED;
    one = gradients(&spec, &big, tokens, targets, 1);

    test_model_open(&t, &spec, &small);
    init(&t, 7);
    for (int i = 0; i < 3; i++) {
        struct lw_step step = {.step = 1, .micro = (uint32_t)i, .seed = 42};

        cr_assert_eq(
            lw_model_train(t.gpt, &step, tokens + i * 48, targets + i * 48, i > 0, i == 2, &err), 0,
            "%s", err.text);
    }
    three = test_read_all(&t, LW_GRADS);
    cr_expect_leq(test_distance(three, one, count), 1e-5);
    cr_expect_eq(finish(&t).targets, 144 - 30);
    test_model_close(&t);
    free(one);
    free(three);
}

/* A step's gradients must not depend on what was there before: the first micro-batch overwrites. */
Test(model, first_micro_batch_overwrites)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 2, .length = 20, .attention = LW_ATTENTION_AUTO};
    int32_t tokens[40], targets[40];
    struct test_model t;
    float *first, *again;

    test_tokens(tokens, 40, spec.vocabulary, 1);
    test_tokens(targets, 40, spec.vocabulary, 2);
    test_model_open(&t, &spec, &plan);
    init(&t, 7);
    test_train_step(&t, 1, tokens, targets);
    first = test_read_all(&t, LW_GRADS);
    test_train_step(&t, 1, targets, tokens);
    test_train_step(&t, 1, tokens, targets);
    again = test_read_all(&t, LW_GRADS);
    cr_expect_arr_eq(again, first, t.params->exist * sizeof *first);
    test_model_close(&t);
    free(first);
    free(again);
}

Test(model, ignored_targets_give_nothing)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 2,
                                 .length = 24,
                                 .attention = LW_ATTENTION_AUTO,
                                 .eval_batch = 2,
                                 .eval_length = 24};
    int32_t tokens[48], targets[48];
    struct lw_error err = {0};
    struct lw_result r;
    struct test_model t;
    float *all, *half;

    test_tokens(tokens, 48, spec.vocabulary, 1);
    test_tokens(targets, 48, spec.vocabulary, 2);
    test_model_open(&t, &spec, &plan);
    init(&t, 7);
    for (int i = 24; i < 48; i++) /* the whole second sequence */
        targets[i] = LW_IGNORED;
    test_train_step(&t, 1, tokens, targets);
    half = test_read_all(&t, LW_GRADS);
    r = finish(&t);
    cr_expect_eq(r.targets, 24);
    for (int i = 24; i < 48; i++)
        tokens[i] = 0;
    test_train_step(&t, 1, tokens, targets);
    all = test_read_all(&t, LW_GRADS);
    cr_expect_leq(test_distance(all, half, t.params->exist), 1e-6);
    cr_expect_float_eq(finish(&t).loss_sum, r.loss_sum, 1e-6 * r.loss_sum);
    /* and the same from a shorter evaluation */
    cr_assert_eq(lw_model_evaluate(t.gpt, 1, 24, tokens, targets, NULL, &err), 0, "%s", err.text);
    cr_expect_float_eq(finish(&t).loss_sum, r.loss_sum, 1e-5 * r.loss_sum);
    test_model_close(&t);
    free(all);
    free(half);
}

Test(model, dropout_is_repeatable_and_changes_with_the_step)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 2, .length = 24, .attention = LW_ATTENTION_AUTO};
    const size_t count = lw_model_parameters(&spec);
    int32_t tokens[48], targets[48];
    float *a, *b, *c, *none;

    spec.dropout = 0.3f;
    test_tokens(tokens, 48, spec.vocabulary, 1);
    test_tokens(targets, 48, spec.vocabulary, 2);
    a = gradients(&spec, &plan, tokens, targets, 5);
    b = gradients(&spec, &plan, tokens, targets, 5);
    c = gradients(&spec, &plan, tokens, targets, 6);
    spec.dropout = 0;
    none = gradients(&spec, &plan, tokens, targets, 5);
    cr_expect_arr_eq(a, b, count * sizeof *a);
    cr_expect_gt(test_distance(c, a, count), 0.05);
    cr_expect_gt(test_distance(none, a, count), 0.05);
    free(a);
    free(b);
    free(c);
    free(none);
}

/* Without dropout the product that ends a branch adds the residual, with it the next norm does. At
 * this rate no element of so few is dropped, and what is kept is scaled by 1. */
Test(model, product_and_norm_add_the_same_residual)
{
    for (int classes = 0; classes <= 5; classes += 5) {
        struct lw_model_spec spec = test_spec();
        const size_t count = lw_model_parameters(&spec);
        int32_t tokens[48], targets[48];

        spec.classes = classes;
        spec.padding = spec.vocabulary - 1;
        test_tokens(tokens, 48, spec.vocabulary - 1, 1);
        test_tokens(targets, 48, classes ? classes : spec.vocabulary, 2);
        for (int r = LW_RECOMPUTE_NONE; r <= LW_RECOMPUTE_GELU_NORM; r++) {
            const struct lw_model_plan plan = {
                .batch = 2, .length = 24, .recompute = (enum lw_recompute)r};
            float *product, *norm;

            spec.dropout = 0;
            product = gradients(&spec, &plan, tokens, targets, 3);
            spec.dropout = 1e-9f;
            norm = gradients(&spec, &plan, tokens, targets, 3);
            cr_expect_leq(test_distance(norm, product, count), 1e-5, "%d classes, recompute %d",
                          classes, r);
            free(product);
            free(norm);
        }
    }
}

/* A model with dropout, just trained, evaluates as one without. */
Test(model, evaluation_drops_nothing)
{
    for (int classes = 0; classes <= 5; classes += 5) {
        struct lw_model_spec spec = test_spec();
        const struct lw_model_plan plan = {
            .batch = 2, .length = 24, .eval_batch = 2, .eval_length = 24};
        int32_t tokens[48], targets[48];
        float logits[2][48 * 61];
        const size_t used = classes ? 2 * (size_t)classes : 48 * 61;

        spec.classes = classes;
        spec.padding = spec.vocabulary - 1;
        test_tokens(tokens, 48, spec.vocabulary - 1, 1);
        test_tokens(targets, 48, classes ? classes : spec.vocabulary, 2);
        for (int dropped = 0; dropped < 2; dropped++) {
            struct lw_error err = {0};
            struct test_model t;

            spec.dropout = dropped ? 0.5f : 0.0f;
            test_model_open(&t, &spec, &plan);
            init(&t, 7);
            test_train_step(&t, 1, tokens, targets);
            cr_assert_eq(lw_model_logits(t.gpt, 2, 24, tokens, logits[dropped], &err), 0, "%s",
                         err.text);
            test_model_close(&t);
        }
        cr_expect_eq(test_distance(logits[1], logits[0], used), 0, "%d classes", classes);
    }
}

/* Dropout's backward is the derivative of its forward: a small step along the gradient changes
 * the loss of the same step, whose masks are the same, by ||g||^2 times the step. */
Test(model, gradient_with_dropout_is_the_derivative)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 2, .length = 24, .attention = LW_ATTENTION_AUTO};
    int32_t tokens[48], targets[48];
    struct test_model t;
    struct lw_error err = {0};
    double loss[2], square = 0;
    float *g, *w;

    spec.dropout = 0.25f;
    test_tokens(tokens, 48, spec.vocabulary, 1);
    test_tokens(targets, 48, spec.vocabulary, 2);
    test_model_open(&t, &spec, &plan);
    init(&t, 7);
    test_train_step(&t, 9, tokens, targets);
    g = test_read_all(&t, LW_GRADS);
    w = test_read_all(&t, LW_WEIGHTS);
    finish(&t);
    for (size_t i = 0; i < t.params->exist; i++)
        square += (double)g[i] * (double)g[i];
    for (int side = 0; side < 2; side++) {
        const float h = (side ? 1.0f : -1.0f) * (float)(0.2 / square);
        size_t at = 0;

        for (int i = 0; i < t.params->params; i++) {
            size_t n = t.params->list[i].count;
            float *moved = malloc(n * sizeof *moved);

            for (size_t j = 0; j < n; j++)
                moved[j] = w[at + j] + h * g[at + j];
            cr_assert_eq(lw_params_write(t.params, LW_WEIGHTS, i, 0, n, moved, &err), 0);
            at += n;
            free(moved);
        }
        test_train_step(&t, 9, tokens, targets);
        loss[side] = finish(&t).loss_sum;
    }
    cr_expect_float_eq((loss[1] - loss[0]) / 0.4, 1.0, 0.01, "%g", (loss[1] - loss[0]) / 0.4);
    test_model_close(&t);
    free(g);
    free(w);
}

struct seen {
    int count, block[16];
    size_t elements;
};

static void note_block(void *context, int block, size_t offset, size_t count)
{
    struct seen *s = context;

    (void)offset;
    s->elements += count;
    s->block[s->count++] = block;
}

Test(model, hook_announces_blocks_on_the_last_micro_batch_only)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 1, .length = 8, .attention = LW_ATTENTION_AUTO};
    int32_t tokens[8], targets[8];
    struct lw_step step = {.step = 1, .seed = 1};
    struct seen seen = {0};
    struct test_model t;
    struct lw_error err = {0};

    test_tokens(tokens, 8, spec.vocabulary, 1);
    test_tokens(targets, 8, spec.vocabulary, 2);
    test_model_open(&t, &spec, &plan);
    init(&t, 7);
    lw_model_set_hook(t.gpt, note_block, &seen);
    cr_assert_eq(lw_model_train(t.gpt, &step, tokens, targets, false, false, &err), 0);
    cr_expect_eq(seen.count, 0);
    cr_assert_eq(lw_model_train(t.gpt, &step, tokens, targets, true, true, &err), 0);
    cr_assert_eq(seen.count, 3);
    cr_expect_eq(seen.block[0], 2);
    cr_expect_eq(seen.block[1], 1);
    cr_expect_eq(seen.block[2], 0);
    cr_expect_eq(seen.elements, t.params->count);
    test_model_close(&t);
}

/* Padding: no gradient reaches it, and training leaves it zero. */
Test(model, padded_vocabulary_stays_zero)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 2, .length = 24, .attention = LW_ATTENTION_AUTO};
    int32_t tokens[48], targets[48];
    struct test_model t;
    struct lw_error err = {0};
    float padding[3 * 32];

    test_tokens(tokens, 48, spec.vocabulary, 1);
    test_tokens(targets, 48, spec.vocabulary, 2);
    test_model_open(&t, &spec, &plan);
    init(&t, 7);
    for (uint64_t i = 1; i <= 3; i++) {
        struct lw_step step = {.step = i, .seed = 42, .learning_rate = 1e-2f};

        cr_assert_eq(lw_model_train(t.gpt, &step, tokens, targets, false, true, &err), 0);
        cr_assert_eq(lw_model_update(t.gpt, &adamw, &err), 0);
        finish(&t);
    }
    cr_assert_eq(t.params->list[0].stored - t.params->list[0].count, 3 * 32);
    cr_assert_eq(
        lw_params_read(t.params, LW_WEIGHTS, 0, t.params->list[0].count, 3 * 32, padding, &err), 0);
    for (int i = 0; i < 3 * 32; i++)
        cr_assert_eq(padding[i], 0);
    test_model_close(&t);
}

Test(model, learns_a_sequence_by_heart)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 2, .length = 16, .attention = LW_ATTENTION_AUTO};
    int32_t tokens[32], targets[32];
    struct test_model t;
    struct lw_error err = {0};
    double first = 0, last = 0;

    test_tokens(tokens, 32, spec.vocabulary, 1);
    for (int i = 0; i < 32; i++)
        targets[i] = tokens[(i + 1) % 32];
    test_model_open(&t, &spec, &plan);
    init(&t, 7);
    for (uint64_t i = 1; i <= 60; i++) {
        struct lw_step step = {.step = i, .seed = 42, .learning_rate = 1e-2f};
        struct lw_result r;

        cr_assert_eq(lw_model_train(t.gpt, &step, tokens, targets, false, true, &err), 0);
        cr_assert_eq(lw_model_update(t.gpt, &adamw, &err), 0);
        r = finish(&t);
        last = r.loss_sum / r.targets;
        if (i == 1)
            first = last;
    }
    cr_expect_float_eq(first, log(61), 0.2);
    cr_expect_lt(last, 0.1);
    test_model_close(&t);
}

Test(model, refuses_tokens_beyond_the_vocabulary)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {
        .batch = 2, .length = 8, .attention = LW_ATTENTION_AUTO, .eval_batch = 2, .eval_length = 8};
    int32_t tokens[16] = {0}, targets[16] = {0};
    struct lw_step step = {.step = 1};
    struct test_model t;
    struct lw_error err = {0};
    float logits[1];

    test_model_open(&t, &spec, &plan);
    tokens[11] = 61;
    cr_expect_eq(lw_model_train(t.gpt, &step, tokens, targets, false, true, &err), LW_EDATA);
    cr_expect_str_eq(err.text,
                     "token 61 at sequence 1, position 3 is not in the vocabulary of 61 tokens");
    cr_expect_eq(lw_model_evaluate(t.gpt, 2, 8, tokens, targets, NULL, &err), LW_EDATA);
    cr_expect_eq(lw_model_logits(t.gpt, 2, 8, tokens, logits, &err), LW_EDATA);
    tokens[11] = LW_IGNORED;
    cr_expect_eq(lw_model_train(t.gpt, &step, tokens, targets, false, true, &err), LW_EDATA);
    tokens[11] = 0;
    targets[2] = -1;
    cr_expect_eq(lw_model_train(t.gpt, &step, tokens, targets, false, true, &err), LW_EDATA);
    cr_expect_str_eq(err.text,
                     "target -1 at sequence 0, position 2 is not in the vocabulary of 61 tokens");
    test_model_close(&t);
}

Test(model, refuses_what_was_not_planned)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan training = {.batch = 1, .length = 8, .attention = LW_ATTENTION_AUTO};
    struct lw_model_plan evaluation = {
        .eval_batch = 2, .eval_length = 8, .attention = LW_ATTENTION_AUTO};
    int32_t tokens[48] = {0};
    struct lw_step step = {.step = 1};
    struct test_model t;
    struct lw_error err = {0};

    test_model_open(&t, &spec, &training);
    cr_expect_eq(lw_model_evaluate(t.gpt, 1, 8, tokens, tokens, NULL, &err), LW_EUSAGE);
    cr_expect_str_eq(err.text, "this model was not prepared for evaluation");
    cr_expect_eq(lw_model_prepare(t.gpt, &training, &err), LW_EUSAGE);
    test_model_close(&t);
    test_model_open(&t, &spec, &evaluation);
    cr_expect_eq(lw_model_train(t.gpt, &step, tokens, tokens, false, true, &err), LW_EUSAGE);
    cr_expect_eq(lw_model_update(t.gpt, &adamw, &err), LW_EUSAGE);
    cr_expect_eq(lw_model_evaluate(t.gpt, 3, 8, tokens, tokens, NULL, &err), LW_EUSAGE);
    cr_expect_str_eq(err.text, "evaluation of 3 sequences of 8 tokens, but 2 of 8 were planned");
    test_model_close(&t);
}

/* What a backend with recordings is asked for. */
static struct {
    int recorded[8], replayed[8], open, updates, outside;
    bool fail;
} tape;

static int tape_record(struct lw_device *dev, int slot, struct lw_error *err)
{
    (void)dev;
    if (tape.fail)
        return lw_fail(err, LW_EBACKEND, "no tape");
    tape.recorded[slot]++;
    tape.open++;
    return 0;
}

static int tape_end(struct lw_device *dev, struct lw_error *err)
{
    (void)dev;
    (void)err;
    tape.open--;
    return 0;
}

static int tape_replay(struct lw_device *dev, int slot, struct lw_error *err)
{
    (void)dev;
    (void)err;
    cr_assert_eq(tape.open, 0);
    tape.replayed[slot]++;
    return 0;
}

static void tape_update(struct lw_device *dev, const struct lw_update *u, void *weights,
                        float *master, const void *grads, float *m, float *v)
{
    (void)dev, (void)u, (void)weights, (void)master, (void)grads, (void)m, (void)v;
    tape.updates += tape.open;
    tape.outside += !tape.open;
}

/* The first micro-batch, a further one, the last with its hook, and the update: each runs op by op
 * once, is then recorded once, and replayed at every later use. */
Test(model, records_each_kind_of_work_once)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {
        .batch = 1, .length = 8, .attention = LW_ATTENTION_AUTO, .record = true};
    struct lw_backend backend = lw_backend_cpu;
    struct lw_device *device = test_device(1);
    struct lw_adamw other = adamw;
    struct seen seen = {0};
    struct lw_error err = {0};
    struct lw_model *g;
    int32_t tokens[8] = {0};

    backend.record = tape_record;
    backend.record_end = tape_end;
    backend.replay = tape_replay;
    backend.update = tape_update;
    cr_assert_eq(lw_model_create(&g, &spec, &backend, device, 1, &err), 0);
    cr_assert_eq(lw_model_prepare(g, &plan, &err), 0, "%s", err.text);
    lw_model_set_hook(g, note_block, &seen);
    for (int i = 0; i < 12; i++) {
        struct lw_step step = {.step = (uint64_t)i / 4 + 1, .micro = (uint32_t)i % 4};

        cr_assert_eq(lw_model_train(g, &step, tokens, tokens, i % 4 > 0, i % 4 == 3, &err), 0);
        if (i % 4 == 3)
            cr_assert_eq(lw_model_update(g, &adamw, &err), 0);
    }
    cr_expect_arr_eq(tape.recorded, ((int[8]){1, 1, 0, 1, 1}), sizeof tape.recorded);
    cr_expect_arr_eq(tape.replayed, ((int[8]){2, 5, 0, 2, 2}), sizeof tape.replayed);
    cr_expect_eq(seen.count, 6, "the hook belongs into the recording");
    cr_expect_eq(tape.outside, 1);
    other.weight_decay = 0;
    cr_assert_eq(lw_model_update(g, &other, &err), 0);
    cr_expect_eq(tape.recorded[4], 2, "another update was not recorded anew");
    cr_expect_eq(tape.updates, 2);
    lw_model_set_hook(g, NULL, NULL);
    tape.fail = true;
    cr_assert_eq(lw_model_train(g, &(struct lw_step){.step = 8}, tokens, tokens, false, true, &err),
                 0, "the first time is not recorded");
    cr_expect_eq(lw_model_train(g, &(struct lw_step){.step = 9}, tokens, tokens, false, true, &err),
                 LW_EBACKEND);
    cr_expect_str_eq(err.text, "no tape");
    lw_model_free(g);
    lw_backend_cpu.close(device);
}
