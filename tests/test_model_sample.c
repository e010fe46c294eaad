/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/sample.h"
#include "tests/model_support.h"

struct written {
    int count, limit;
    int32_t token[256];
};

static int emit(void *context, int32_t token)
{
    struct written *w = context;

    w->token[w->count++] = token;
    return w->limit && w->count == w->limit;
}

/* A model that says something: weights larger than initial ones, so that logits differ. */
static void open_model(struct test_model *t, int cache)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {
        .eval_batch = 1, .eval_length = 24, .sample_length = cache, .attention = LW_ATTENTION_AUTO};
    struct lw_error err = {0};
    float *all, *at;

    test_model_open(t, &spec, &plan);
    cr_assert_eq(lw_model_init(t->gpt, 3, &err), 0);
    at = all = test_read_all(t, LW_WEIGHTS);
    for (int i = 0; i < t->params->params; i++) {
        size_t n = t->params->list[i].count;

        for (size_t j = 0; t->params->list[i].rank > 1 && j < n; j++)
            at[j] *= 12;
        cr_assert_eq(lw_params_write(t->params, LW_WEIGHTS, i, 0, n, at, &err), 0);
        at += n;
    }
    free(all);
}

/* What lw_sample would write, by a full forward pass for every token. */
static void write_slowly(struct test_model *t, const int32_t *prompt, int count,
                         const struct lw_sample *how, int32_t *out)
{
    const int vocabulary = 61;
    float logits[24 * 61], spare[61];
    int32_t tokens[64];
    struct lw_error err = {0};

    memcpy(tokens, prompt, (size_t)count * sizeof *tokens);
    for (int i = 0; i < how->tokens; i++) {
        cr_assert_eq(lw_model_logits(t->gpt, 1, count, tokens, logits, &err), 0, "%s", err.text);
        out[i] =
            lw_sample_pick(logits + (count - 1) * vocabulary, vocabulary, how, (uint64_t)i, spare);
        tokens[count++] = out[i];
    }
}

Test(model_sample, the_cache_changes_nothing)
{
    const int32_t prompt[] = {5, 60, 3, 3, 17};
    const struct lw_sample hows[] = {
        {.tokens = 19, .temperature = 0, .stop = -1},
        {.tokens = 19, .temperature = 1, .seed = 1, .stop = -1},
        {.tokens = 19, .temperature = 0.7, .top_k = 5, .seed = 2, .stop = -1},
    };
    struct lw_error err = {0};
    struct test_model t;

    open_model(&t, 24);
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        struct written w = {0};
        int32_t slow[19];

        cr_assert_eq(lw_sample(t.gpt, prompt, 5, &hows[i], emit, &w, &err), 0, "%s", err.text);
        write_slowly(&t, prompt, 5, &hows[i], slow);
        cr_assert_eq(w.count, 19);
        cr_expect_arr_eq(w.token, slow, sizeof slow, "case %zu", i);
    }
    test_model_close(&t);
}

Test(model_sample, is_repeatable_by_seed)
{
    const int32_t prompt[] = {1};
    struct lw_sample how = {.tokens = 20, .temperature = 1, .seed = 9, .stop = -1};
    struct written a = {0}, b = {0}, c = {0};
    struct lw_error err = {0};
    struct test_model t;

    open_model(&t, 24);
    cr_assert_eq(lw_sample(t.gpt, prompt, 1, &how, emit, &a, &err), 0);
    cr_assert_eq(lw_sample(t.gpt, prompt, 1, &how, emit, &b, &err), 0);
    how.seed = 10;
    cr_assert_eq(lw_sample(t.gpt, prompt, 1, &how, emit, &c, &err), 0);
    cr_expect_arr_eq(a.token, b.token, 20 * sizeof *a.token);
    cr_expect_arr_neq(a.token, c.token, 20 * sizeof *a.token);
    test_model_close(&t);
}

/* Past the end of the cache its newer half is the prompt again. */
Test(model_sample, goes_on_when_the_cache_is_full)
{
    const int32_t prompt[] = {5, 60, 3};
    const struct lw_sample how = {.tokens = 40, .temperature = 0, .stop = -1};
    const struct lw_sample next = {.tokens = 1, .temperature = 0, .stop = -1};
    struct written w = {0}, again = {0};
    struct lw_error err = {0};
    struct test_model t;
    int32_t half[5];

    open_model(&t, 8);
    cr_assert_eq(lw_sample(t.gpt, prompt, 3, &how, emit, &w, &err), 0, "%s", err.text);
    cr_assert_eq(w.count, 40);
    /* 3 + 5 fill the cache; the sixth stands on the last 4 of these and itself */
    memcpy(half, w.token + 1, sizeof half);
    cr_assert_eq(lw_sample(t.gpt, half, 5, &next, emit, &again, &err), 0);
    cr_expect_eq(again.token[0], w.token[6]);
    test_model_close(&t);
}

Test(model_sample, reads_the_end_of_a_long_prompt)
{
    const struct lw_sample how = {.tokens = 3, .temperature = 0, .stop = -1};
    struct written a = {0}, b = {0};
    struct lw_error err = {0};
    struct test_model t;
    int32_t prompt[200];

    test_tokens(prompt, 200, 61, 4);
    open_model(&t, 24);
    cr_assert_eq(lw_sample(t.gpt, prompt, 200, &how, emit, &a, &err), 0, "%s", err.text);
    cr_assert_eq(lw_sample(t.gpt, prompt + 176, 24, &how, emit, &b, &err), 0, "%s", err.text);
    cr_expect_arr_eq(a.token, b.token, 3 * sizeof *a.token);
    test_model_close(&t);
}

/* A prompt longer than what is read at once. */
Test(model_sample, reads_a_prompt_in_pieces)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {
        .eval_batch = 1, .eval_length = 150, .sample_length = 160, .attention = LW_ATTENTION_AUTO};
    const struct lw_sample how = {.tokens = 1, .temperature = 0, .stop = -1};
    float *logits = malloc(150 * 61 * sizeof *logits), spare[61];
    struct written w = {0};
    struct lw_error err = {0};
    struct test_model t;
    int32_t prompt[150];

    spec.positions = 160;
    test_tokens(prompt, 150, 61, 4);
    test_model_open(&t, &spec, &plan);
    cr_assert_eq(lw_model_init(t.gpt, 3, &err), 0);
    cr_assert_eq(lw_sample(t.gpt, prompt, 150, &how, emit, &w, &err), 0, "%s", err.text);
    cr_assert_eq(lw_model_logits(t.gpt, 1, 150, prompt, logits, &err), 0, "%s", err.text);
    cr_expect_eq(w.token[0], lw_sample_pick(logits + 149 * 61, 61, &how, 0, spare));
    free(logits);
    test_model_close(&t);
}

Test(model_sample, stops_when_told)
{
    const int32_t prompt[] = {5, 60, 3};
    struct lw_sample how = {.tokens = 10, .temperature = 1, .seed = 5, .stop = -1};
    struct written all = {0}, stopped = {0}, limited = {.limit = 4};
    struct lw_error err = {0};
    struct test_model t;

    open_model(&t, 24);
    cr_assert_eq(lw_sample(t.gpt, prompt, 3, &how, emit, &all, &err), 0);
    cr_assert_eq(lw_sample(t.gpt, prompt, 3, &how, emit, &limited, &err), 0);
    cr_expect_eq(limited.count, 4);
    how.stop = all.token[2];
    cr_assert_eq(lw_sample(t.gpt, prompt, 3, &how, emit, &stopped, &err), 0);
    cr_expect_leq(stopped.count, 2);
    for (int i = 0; i < stopped.count; i++)
        cr_expect_neq(stopped.token[i], how.stop);
    test_model_close(&t);
}

Test(model_sample, draws_by_temperature_and_top_k)
{
    const float logits[] = {0, 2, -1, 1};
    const double expected[] = {exp(0), exp(2), exp(-1), exp(1)};
    const double total = expected[0] + expected[1] + expected[2] + expected[3];
    struct lw_sample how = {.temperature = 1, .seed = 11};
    int seen[4] = {0}, top[4] = {0};
    float spare[4];

    for (uint64_t i = 0; i < 20000; i++)
        seen[lw_sample_pick(logits, 4, &how, i, spare)]++;
    for (int i = 0; i < 4; i++)
        cr_expect_float_eq(seen[i] / 20000.0, expected[i] / total, 0.015, "token %d: %d", i,
                           seen[i]);
    how.top_k = 2;
    for (uint64_t i = 0; i < 2000; i++)
        top[lw_sample_pick(logits, 4, &how, i, spare)]++;
    cr_expect(!top[0] && !top[2]);
    cr_expect_float_eq(top[1] / 2000.0, expected[1] / (expected[1] + expected[3]), 0.05);
    how.temperature = 0;
    cr_expect_eq(lw_sample_pick(logits, 4, &how, 0, spare), 1);
    how = (struct lw_sample){.temperature = 0.01};
    for (uint64_t i = 0; i < 100; i++)
        cr_expect_eq(lw_sample_pick(logits, 4, &how, i, spare), 1);
}

Test(model_sample, refuses_what_is_impossible)
{
    struct lw_model_plan plan = {.eval_batch = 1, .eval_length = 8, .attention = LW_ATTENTION_AUTO};
    struct lw_model_spec spec = test_spec();
    struct lw_sample how = {.tokens = 1, .stop = -1};
    int32_t prompt[] = {61};
    struct written w = {0};
    struct lw_error err = {0};
    struct test_model t;

    test_model_open(&t, &spec, &plan);
    cr_expect_eq(lw_sample(t.gpt, prompt, 1, &how, emit, &w, &err), LW_EUSAGE);
    cr_expect_str_eq(err.text, "this model was not prepared for sampling");
    test_model_close(&t);
    open_model(&t, 24);
    cr_expect_eq(lw_sample(t.gpt, prompt, 1, &how, emit, &w, &err), LW_EDATA);
    cr_expect(strstr(err.text, "token 61"), "%s", err.text);
    cr_expect_eq(lw_sample(t.gpt, prompt, 0, &how, emit, &w, &err), LW_EUSAGE);
    prompt[0] = 1;
    how.temperature = -1;
    cr_expect_eq(lw_sample(t.gpt, prompt, 1, &how, emit, &w, &err), LW_EUSAGE);
    how.temperature = NAN;
    cr_expect_eq(lw_sample(t.gpt, prompt, 1, &how, emit, &w, &err), LW_EUSAGE);
    cr_expect_eq(w.count, 0);
    test_model_close(&t);
}
