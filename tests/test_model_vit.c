/* SPDX-License-Identifier: MIT
 *
 * vit-tiny against what PyTorch and transformers computed: see tests/data/vit-tiny; and what
 * classifiers have of their own: picked rows, heads, names.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/export/safetensors.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/hf_vit.h"
#include "engine/model/store.h"
#include "tests/model_support.h"
#include "tests/support.h"

enum { STEPS = 10, BATCH = 8, PIXELS = 3 * 32 * 32, CLASSES = 4 };

struct golden {
    struct test_model model;
    struct lw_model_spec spec;
    uint8_t pixels[STEPS][BATCH * PIXELS];
    int32_t labels[STEPS][BATCH];
    double loss[STEPS], norm[STEPS];
};

static void read_expected(struct golden *g)
{
    json_error_t why;
    json_t *root = json_load_file(test_source("tests/data/vit-tiny/expected.json"), 0, &why);
    FILE *f = fopen(test_source("tests/data/vit-tiny/images.bin"), "rb");

    cr_assert(root, "%s", why.text);
    cr_assert(f);
    for (int i = 0; i < STEPS; i++) {
        g->loss[i] = json_real_value(json_array_get(json_object_get(root, "losses"), (size_t)i));
        g->norm[i] =
            json_real_value(json_array_get(json_object_get(root, "grad_norms"), (size_t)i));
        for (int j = 0; j < BATCH; j++) {
            g->labels[i][j] = fgetc(f);
            cr_assert_eq(fread(g->pixels[i] + j * PIXELS, 1, PIXELS, f), PIXELS);
        }
    }
    fclose(f);
    json_decref(root);
}

static struct golden *open_golden(int attention, enum lw_recompute recompute)
{
    struct golden *g = calloc(1, sizeof *g);
    struct lw_model_plan plan = {
        .batch = BATCH, .eval_batch = BATCH, .attention = attention, .recompute = recompute};
    const char *folder = test_source("tests/data/vit-tiny");
    struct lw_error err = {0};
    bool normalised;
    char note[256];

    read_expected(g);
    cr_assert_eq(lw_hf_vit_spec(folder, &g->spec, &normalised, &err), 0, "%s", err.text);
    cr_assert(!normalised);
    cr_assert_eq(g->spec.channels, 48);
    cr_assert_eq(g->spec.positions, 17);
    cr_assert_eq(g->spec.classes, CLASSES);
    cr_assert_float_eq(g->spec.epsilon, 1e-12f, 1e-18f);
    for (int c = 0; c < 3; c++)
        g->spec.deviation[c] = 1;
    test_model_open(&g->model, &g->spec, &plan);
    cr_assert_eq(lw_hf_load(folder, g->model.gpt, 1, note, sizeof note, &err), 0, "%s", err.text);
    cr_assert_str_eq(note, "");
    return g;
}

static void close_golden(struct golden *g)
{
    test_model_close(&g->model);
    free(g);
}

static void train(struct golden *g, int i)
{
    struct lw_step step = {.step = (uint64_t)i + 1, .seed = 42, .learning_rate = 1e-3f};
    struct lw_error err = {0};

    cr_assert_eq(lw_model_train(g->model.gpt, &step, g->pixels[i], g->labels[i], false, true, &err),
                 0, "%s", err.text);
}

/* Every parameter's buffer against the file's tensors, which have the newer names. */
static void check_file(struct golden *g, enum lw_buffer buffer, const char *name,
                       const char *prefix, double scale, double most)
{
    struct lw_params *p = g->model.params;
    struct lw_safetensors file;
    struct lw_error err = {0};
    char path[128];
    float *all = test_read_all(&g->model, buffer), *at = all;

    snprintf(path, sizeof path, "tests/data/vit-tiny/%s", name);
    cr_assert_eq(lw_safetensors_open(&file, test_source(path), &err), 0, "%s", err.text);
    for (int i = 0; i < p->params; i++) {
        char newer[128], whole[160];
        const struct lw_tensor *t;
        double distance;

        if (!lw_hf_vit_newer_name(p->list[i].name, newer, sizeof newer))
            snprintf(newer, sizeof newer, "%s", p->list[i].name);
        snprintf(whole, sizeof whole, "%s%s", prefix, newer);
        t = lw_safetensors_find(&file, whole);
        cr_assert(t, "%s", whole);
        cr_assert_eq(t->count, p->list[i].count);
        for (size_t j = 0; j < t->count; j++)
            at[j] *= (float)scale;
        distance = test_distance(at, t->data, t->count);
        cr_expect(distance <= most || strstr(whole, "k_proj.bias"), "%s is %.2e away", whole,
                  distance); /* a key's bias changes nothing: its gradient is noise */
        at += t->count;
    }
    lw_safetensors_close(&file);
    free(all);
}

static void check_step0(int attention, enum lw_recompute recompute)
{
    struct golden *g = open_golden(attention, recompute);
    struct lw_result r;

    train(g, 0);
    check_file(g, LW_GRADS, "step0.safetensors", "grad.", 1.0 / BATCH, 1e-4);
    r = test_finish(&g->model);
    cr_assert_eq(r.targets, BATCH);
    cr_assert_eq(r.top5, BATCH);
    cr_expect_float_eq(r.loss_sum / r.targets, g->loss[0], 1e-5 * g->loss[0]);
    close_golden(g);
}

Test(model_vit, loss_and_gradients)
{
    check_step0(LW_ATTENTION_TILED, LW_RECOMPUTE_NONE);
    check_step0(LW_ATTENTION_MATH, LW_RECOMPUTE_NONE);
    check_step0(LW_ATTENTION_TILED, LW_RECOMPUTE_GELU);
    check_step0(LW_ATTENTION_MATH, LW_RECOMPUTE_GELU_NORM);
}

Test(model_vit, logits_and_evaluation)
{
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    float logits[BATCH * CLASSES];
    int32_t predicted[BATCH];
    struct lw_safetensors file;
    struct lw_error err = {0};
    const struct lw_tensor *t;
    struct lw_result r;
    int right = 0;

    cr_assert_eq(lw_model_logits(g->model.gpt, BATCH, 0, g->pixels[0], logits, &err), 0, "%s",
                 err.text);
    cr_assert_eq(
        lw_safetensors_open(&file, test_source("tests/data/vit-tiny/step0.safetensors"), &err), 0);
    t = lw_safetensors_find(&file, "logits");
    cr_assert(t && t->count == BATCH * CLASSES);
    cr_expect_leq(test_distance(logits, t->data, t->count), 1e-5);
    cr_assert_eq(
        lw_model_evaluate(g->model.gpt, BATCH, 0, g->pixels[0], g->labels[0], predicted, &err), 0);
    for (int i = 0; i < BATCH; i++) {
        for (int j = 0; j < CLASSES; j++)
            cr_expect_leq(logits[i * CLASSES + j], logits[i * CLASSES + predicted[i]] + 1e-6f);
        right += predicted[i] == g->labels[0][i];
    }
    r = test_finish(&g->model);
    cr_expect_eq(r.correct, right);
    cr_expect_float_eq(r.loss_sum / r.targets, g->loss[0], 1e-5 * g->loss[0]);
    lw_safetensors_close(&file);
    close_golden(g);
}

Test(model_vit, ten_steps_of_adamw)
{
    const struct lw_adamw adamw = {
        .beta1 = 0.9f, .beta2 = 0.95f, .epsilon = 1e-8f, .weight_decay = 0.1f, .max_norm = 1.0f};
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct lw_error err = {0};

    for (int i = 0; i < STEPS; i++) {
        struct lw_result r;

        train(g, i);
        cr_assert_eq(lw_model_update(g->model.gpt, &adamw, &err), 0, "%s", err.text);
        r = test_finish(&g->model);
        cr_assert(r.updated && !r.skipped);
        cr_expect_float_eq(r.loss_sum / r.targets, g->loss[i], 1e-4 * g->loss[i], "step %d", i);
        cr_expect_float_eq(r.norm, g->norm[i], 1e-4 * g->norm[i], "step %d", i);
    }
    check_file(g, LW_WEIGHTS, "final.safetensors", "", 1, 1e-3);
    close_golden(g);
}

/* Two micro-batches whose gradients add up are one of twice the size. */
Test(model_vit, gradients_accumulate)
{
    struct golden *whole = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct golden *half = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct lw_model_plan plan = {.batch = BATCH / 2, .attention = LW_ATTENTION_AUTO};
    struct lw_step step = {.step = 1, .seed = 42};
    struct lw_error err = {0};
    float *a, *b;

    test_model_close(&half->model);
    test_model_open(&half->model, &half->spec, &plan);
    cr_assert_eq(lw_hf_load(test_source("tests/data/vit-tiny"), half->model.gpt, 1, NULL, 0, &err),
                 0);
    train(whole, 0);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(lw_model_train(half->model.gpt, &step,
                                    half->pixels[0] + i * BATCH / 2 * PIXELS,
                                    half->labels[0] + i * BATCH / 2, i, i, &err),
                     0, "%s", err.text);
    a = test_read_all(&whole->model, LW_GRADS);
    b = test_read_all(&half->model, LW_GRADS);
    cr_expect_leq(test_distance(b, a, whole->model.params->exist), 1e-5);
    free(a);
    free(b);
    close_golden(whole);
    close_golden(half);
}

/* The same weights under the newer names, in half precision, in two shards. */
static char *write_newer(const struct lw_params *p, bool prefix)
{
    char *folder = strdup(test_folder()), path[512], index[32768];
    size_t used = (size_t)snprintf(index, sizeof index, "{\"weight_map\": {");
    struct lw_error err = {0};

    for (int shard = 0; shard < 2; shard++) {
        struct lw_safetensors_writer *w;

        snprintf(path, sizeof path, "%s/part-%d.safetensors", folder, shard);
        cr_assert_eq(lw_safetensors_writer_new(&w, path, &err), 0, "%s", err.text);
        for (int turn = 0; turn < 2; turn++) {
            for (int i = shard; i < p->params; i += 2) {
                const struct lw_param *param = &p->list[i];
                char newer[128];
                const char *name = newer;
                int64_t shape[4];
                float *x = malloc(param->count * sizeof *x);
                uint16_t *narrow = malloc(param->count * sizeof *narrow);

                if (!lw_hf_vit_newer_name(param->name, newer, sizeof newer))
                    snprintf(newer, sizeof newer, "%s", param->name);
                if (!prefix && !strncmp(newer, "vit.", 4))
                    name = newer + 4;
                for (int d = 0; d < param->rank; d++)
                    shape[d] = param->shape[d];
                if (!turn) {
                    cr_assert_eq(lw_safetensors_declare(w, name, LW_F16, param->rank, shape, &err),
                                 0);
                    used += (size_t)snprintf(index + used, sizeof index - used,
                                             "\"%s\": \"part-%d.safetensors\",", name, shard);
                } else {
                    cr_assert_eq(lw_params_read(p, LW_WEIGHTS, i, 0, param->count, x, &err), 0);
                    lw_from_f32(narrow, LW_F16, x, param->count);
                    cr_assert_eq(lw_safetensors_write(w, narrow, 2 * param->count, &err), 0);
                }
                free(x);
                free(narrow);
            }
            if (!turn)
                cr_assert_eq(lw_safetensors_begin(w, &err), 0, "%s", err.text);
        }
        cr_assert_eq(lw_safetensors_finish(w, &err), 0, "%s", err.text);
        lw_safetensors_writer_free(w);
    }
    snprintf(index + used - 1, sizeof index - used, "}}");
    snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
    cr_assert_eq(lw_replace_file(path, index, strlen(index), 0, &err), 0);
    return folder;
}

Test(model_vit, newer_names_shards_and_half_precision)
{
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct lw_model_plan plan = {.eval_batch = BATCH, .attention = LW_ATTENTION_AUTO};
    float *a = test_read_all(&g->model, LW_WEIGHTS), *b;

    for (int prefix = 0; prefix < 2; prefix++) {
        char *folder = write_newer(g->model.params, prefix), note[200];
        struct test_model to;
        struct lw_error err = {0};

        test_model_open(&to, &g->spec, &plan);
        cr_assert_eq(lw_hf_load(folder, to.gpt, 1, note, sizeof note, &err), 0, "%s", err.text);
        cr_expect_str_eq(note, "");
        b = test_read_all(&to, LW_WEIGHTS);
        cr_expect_leq(test_distance(b, a, to.params->exist), 5e-4);
        free(b);
        test_model_close(&to);
        free(folder);
    }
    free(a);
    close_golden(g);
}

Test(model_vit, another_number_of_classes_gets_a_new_head)
{
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct lw_model_plan plan = {.eval_batch = BATCH, .attention = LW_ATTENTION_AUTO};
    float *old = test_read_all(&g->model, LW_WEIGHTS), *new;
    struct lw_model_spec spec = g->spec;
    struct lw_error err = {0};
    struct test_model to;
    char note[300];
    double sum = 0;
    size_t at;
    int head;

    spec.classes = 7;
    test_model_open(&to, &spec, &plan);
    cr_assert_eq(lw_hf_load(test_source("tests/data/vit-tiny"), to.gpt, 5, note, sizeof note, &err),
                 0, "%s", err.text);
    cr_expect(strstr(note, "4 classes") && strstr(note, "not 7"), "%s", note);
    new = test_read_all(&to, LW_WEIGHTS);
    head = lw_params_find(to.params, "classifier.weight");
    at = 0;
    for (int i = 0; i < head; i++)
        at += to.params->list[i].count;
    cr_expect_arr_eq(new, old, at * sizeof *new);
    for (size_t i = 0; i < to.params->list[head].count; i++)
        sum += (double)new[at + i] * (double)new[at + i];
    cr_expect_float_eq(sqrt(sum / (7 * 48)), 0.02, 0.004);
    free(old);
    free(new);
    test_model_close(&to);
    close_golden(g);
}

Test(model_vit, everything_that_does_not_fit_is_listed)
{
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct lw_model_plan plan = {.eval_batch = BATCH, .attention = LW_ATTENTION_AUTO};
    struct lw_model_spec spec = g->spec;
    struct lw_error err = {0};
    struct test_model to;

    spec.layers = 3;
    spec.image_size = 40;
    spec.positions = 26;
    test_model_open(&to, &spec, &plan);
    cr_assert_eq(lw_hf_load(test_source("tests/data/vit-tiny"), to.gpt, 1, NULL, 0, &err),
                 LW_EDATA);
    cr_expect(strstr(err.text, "vit.encoder.layer.2.layernorm_before.weight"), "%s", err.text);
    cr_expect(strstr(err.text, "position_embeddings is 1x17x48, not 1x26x48"), "%s", err.text);
    test_model_close(&to);
    close_golden(g);
}

Test(model_vit, config_files_come_back)
{
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    const char *const labels[CLASSES] = {"circle", "square", "cross", "a \"quoted\" one"};
    struct lw_model_spec spec = g->spec, back;
    struct lw_error err = {0};
    bool normalised;
    char *folder = strdup(test_folder());

    spec.labels = labels;
    for (int c = 0; c < 3; c++) {
        spec.mean[c] = 0.25f * (float)(c + 1);
        spec.deviation[c] = 0.5f + 0.125f * (float)c;
    }
    cr_assert_eq(lw_hf_save_config(folder, &spec, LW_F32, -1, &err), 0, "%s", err.text);
    cr_assert_eq(lw_hf_vit_spec(folder, &back, &normalised, &err), 0, "%s", err.text);
    cr_expect(normalised);
    spec.labels = NULL;
    cr_expect_eq(memcmp(&spec, &back, sizeof spec), 0);
    free(folder);
    close_golden(g);
}

Test(model_vit, wrong_labels_are_refused_before_the_device)
{
    struct golden *g = open_golden(LW_ATTENTION_AUTO, LW_RECOMPUTE_NONE);
    struct lw_step step = {.step = 1, .seed = 42};
    struct lw_error err = {0};

    g->labels[0][5] = 4;
    cr_assert_eq(lw_model_train(g->model.gpt, &step, g->pixels[0], g->labels[0], false, true, &err),
                 LW_EDATA);
    cr_expect_str_eq(err.text, "label 4 of item 5 is none of the 4 classes");
    g->labels[0][5] = -1;
    cr_assert_eq(lw_model_evaluate(g->model.gpt, BATCH, 0, g->pixels[0], g->labels[0], NULL, &err),
                 LW_EDATA);
    close_golden(g);
}

/* A GPT classifier reads the last token that is no padding: what stands behind it changes nothing,
 * and gradients are those that small changes of weights give. */
Test(model_vit, text_classifier)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 3,
                                 .length = 10,
                                 .eval_batch = 3,
                                 .eval_length = 10,
                                 .attention = LW_ATTENTION_AUTO};
    int32_t tokens[30], labels[3] = {2, 0, 1}, shorter[12], h;
    float logits[9], again[9], *grads, value;
    struct lw_error err = {0};
    struct test_model t;
    double loss[2];

    spec.classes = 3;
    spec.padding = 60;
    test_model_open(&t, &spec, &plan);
    cr_assert_eq(lw_model_init(t.gpt, 3, &err), 0);
    test_tokens(tokens, 30, 60, 9);
    for (int i = 4; i < 10; i++)
        tokens[i] = 60; /* the first is 4 long */
    cr_assert_eq(lw_model_logits(t.gpt, 3, 10, tokens, logits, &err), 0, "%s", err.text);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++)
            shorter[j * 4 + i] = tokens[i];
    cr_assert_eq(lw_model_logits(t.gpt, 3, 4, shorter, again, &err), 0, "%s", err.text);
    for (int i = 0; i < 3; i++)
        cr_expect_float_eq(again[i], logits[i], 1e-6);
    test_train_step(&t, 1, tokens, labels);
    grads = test_read_all(&t, LW_GRADS);
    for (int k = 0; k < 3; k++) {
        const int which[3] = {lw_params_find(t.params, "score.weight"),
                              lw_params_find(t.params, "transformer.h.1.mlp.c_fc.weight"),
                              lw_params_find(t.params, "transformer.h.1.attn.c_attn.weight")};
        size_t at = 40;

        h = which[k];
        for (int side = 0; side < 2; side++) {
            struct lw_result r;

            cr_assert_eq(lw_params_read(t.params, LW_WEIGHTS, h, 40, 1, &value, &err), 0);
            value += side ? -2e-2f : 1e-2f;
            cr_assert_eq(lw_params_write(t.params, LW_WEIGHTS, h, 40, 1, &value, &err), 0);
            t.backend->finish(t.device);
            t.backend->collect(t.device, true, &r, &err);
            cr_assert_eq(lw_model_evaluate(t.gpt, 3, 10, tokens, labels, NULL, &err), 0);
            t.backend->finish(t.device);
            cr_assert_eq(t.backend->collect(t.device, true, &r, &err), 1);
            loss[side] = r.loss_sum;
        }
        value += 1e-2f;
        cr_assert_eq(lw_params_write(t.params, LW_WEIGHTS, h, 40, 1, &value, &err), 0);
        for (int i = 0; i < h; i++)
            at += t.params->list[i].count;
        cr_expect_float_eq(grads[at], (loss[0] - loss[1]) / 2e-2,
                           2e-2 * fabs((double)grads[at]) + 2e-4, "%s", t.params->list[h].name);
    }
    free(grads);
    test_model_close(&t);
}
