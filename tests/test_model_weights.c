/* SPDX-License-Identifier: MIT
 *
 * Weights from Hugging Face folders in all their forms, and to and from checkpoints.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/name_list.h"
#include "engine/model/store.h"
#include "tests/model_support.h"
#include "tests/support.h"

static const struct lw_model_plan plan = {
    .batch = 1, .length = 8, .eval_batch = 1, .eval_length = 8, .attention = LW_ATTENTION_AUTO};

static void open_model(struct test_model *t, uint64_t seed)
{
    struct lw_model_spec spec = test_spec();
    struct lw_error err = {0};

    test_model_open(t, &spec, &plan);
    cr_assert_eq(lw_model_init(t->gpt, seed, &err), 0, "%s", err.text);
}

/* How a folder is written from a model, and what is done to it. */
struct variant {
    enum lw_dtype type;
    bool bare;             /* without "transformer." */
    int shards;            /* 0: one file */
    bool masks;            /* with the mask buffers of old files */
    int head;              /* 1: an explicit lm_head.weight; 2: another one than wte */
    const char *leave_out; /* a parameter that is not written */
    const char *misshape;  /* a vector that is written one longer */
    const char *add;       /* one tensor more */
    const char *integer;   /* a tensor that is written as I32 */
};

struct writer {
    struct lw_safetensors_writer *w;
    const struct variant *v;
    struct test_model *t;
    int shard, shards;
};

static const char *name_of(const struct variant *v, const struct lw_param *p)
{
    return p->name + (v->bare ? strlen("transformer.") : 0);
}

static bool is(const char *wanted, const struct lw_param *p)
{
    return wanted && !strcmp(wanted, p->name);
}

static enum lw_dtype type_of(const struct variant *v, const struct lw_param *p)
{
    return is(v->integer, p) ? LW_I32 : v->type;
}

static bool in_shard(const struct writer *x, int i)
{
    return i % x->shards == x->shard && !is(x->v->leave_out, &x->t->params->list[i]);
}

static void declare(struct writer *x, const char *name, enum lw_dtype type, int rank,
                    const int64_t *shape)
{
    struct lw_error err = {0};

    cr_assert_eq(lw_safetensors_declare(x->w, name, type, rank, shape, &err), 0, "%s", err.text);
}

static void declare_all(struct writer *x)
{
    const int64_t mask[] = {1, 1, 24, 24}, head[] = {61, 32}, one[] = {1};

    for (int i = 0; i < x->t->params->params; i++) {
        const struct lw_param *p = &x->t->params->list[i];
        int64_t shape[] = {p->shape[0], p->shape[1]};

        shape[0] += is(x->v->misshape, p);
        if (in_shard(x, i))
            declare(x, name_of(x->v, p), type_of(x->v, p), p->rank, shape);
    }
    if (x->shard)
        return;
    if (x->v->masks) {
        declare(x, x->v->bare ? "h.0.attn.bias" : "transformer.h.0.attn.bias", LW_U8, 4, mask);
        declare(x, x->v->bare ? "h.11.attn.masked_bias" : "transformer.h.11.attn.masked_bias",
                LW_F32, 1, one);
    }
    if (x->v->head)
        declare(x, "lm_head.weight", x->v->type, 2, head);
    if (x->v->add)
        declare(x, x->v->add, LW_F32, 1, one);
}

/* count elements of values, then `more` zeros. */
static void put(struct writer *x, enum lw_dtype type, const float *values, size_t count,
                size_t more)
{
    char *data = calloc(count + more, 4);
    struct lw_error err = {0};

    if (type != LW_I32)
        lw_from_f32(data, type, values, count);
    cr_assert_eq(lw_safetensors_write(x->w, data, (count + more) * lw_dtype_size(type), &err), 0,
                 "%s", err.text);
    free(data);
}

static void put_all(struct writer *x)
{
    float values[61 * 32], zero[24 * 24] = {0};
    struct lw_error err = {0};

    for (int i = 0; i < x->t->params->params; i++) {
        const struct lw_param *p = &x->t->params->list[i];

        if (!in_shard(x, i))
            continue;
        cr_assert_leq(p->count, 128 * 32);
        float *all = malloc(p->count * sizeof *all);

        cr_assert_eq(lw_params_read(x->t->params, LW_WEIGHTS, i, 0, p->count, all, &err), 0);
        put(x, type_of(x->v, p), all, p->count, is(x->v->misshape, p));
        free(all);
    }
    if (x->shard)
        return;
    if (x->v->masks) {
        char mask[24 * 24] = {0};

        cr_assert_eq(lw_safetensors_write(x->w, mask, sizeof mask, &err), 0);
        put(x, LW_F32, zero, 1, 0);
    }
    if (x->v->head) {
        cr_assert_eq(lw_params_read(x->t->params, LW_WEIGHTS, 0, 0, 61 * 32, values, &err), 0);
        values[100] += x->v->head == 2;
        put(x, x->v->type, values, 61 * 32, 0);
    }
    if (x->v->add)
        put(x, LW_F32, zero, 1, 0);
}

static void write_index(const struct variant *v, struct test_model *t, const char *folder)
{
    json_t *map = json_object(), *root = json_pack("{s:{s:i}}", "metadata", "total_size", 1);

    for (int i = 0; i < t->params->params; i++) {
        char file[64];

        snprintf(file, sizeof file, "model-%05d-of-%05d.safetensors", i % v->shards + 1, v->shards);
        json_object_set_new(map, name_of(v, &t->params->list[i]), json_string(file));
    }
    json_object_set_new(root, "weight_map", map);
    cr_assert_eq(json_dump_file(root, test_path(folder, "model.safetensors.index.json"), 0), 0);
    json_decref(root);
}

/* Write the model as this variant into a new folder. */
static const char *write_folder(struct test_model *t, const struct variant *v)
{
    const char *folder = test_folder();
    struct lw_error err = {0};

    for (int s = 0; s < (v->shards ? v->shards : 1); s++) {
        struct writer x = {.v = v, .t = t, .shard = s, .shards = v->shards ? v->shards : 1};
        char file[64] = "model.safetensors";

        if (v->shards)
            snprintf(file, sizeof file, "model-%05d-of-%05d.safetensors", s + 1, v->shards);
        cr_assert_eq(lw_safetensors_writer_new(&x.w, test_path(folder, file), &err), 0);
        declare_all(&x);
        cr_assert_eq(lw_safetensors_begin(x.w, &err), 0, "%s", err.text);
        put_all(&x);
        cr_assert_eq(lw_safetensors_finish(x.w, &err), 0, "%s", err.text);
        lw_safetensors_writer_free(x.w);
    }
    if (v->shards)
        write_index(v, t, folder);
    cr_assert_eq(lw_hf_gpt2_save_config(folder, lw_model_spec(t->gpt), v->type, 7, &err), 0);
    return folder;
}

Test(model_weights, loads_every_form)
{
    const struct {
        struct variant v;
        double tolerance;
    } forms[] = {
        {{.type = LW_F32}, 0},
        {{.type = LW_F32, .bare = true}, 0},
        {{.type = LW_F32, .bare = true, .masks = true}, 0},
        {{.type = LW_F32, .masks = true, .head = 1}, 0},
        {{.type = LW_F16}, 0x1p-11},
        {{.type = LW_BF16, .bare = true, .head = 1}, 0x1p-8},
        {{.type = LW_F32, .shards = 3}, 0},
        {{.type = LW_BF16, .shards = 2, .bare = true}, 0x1p-8},
    };
    struct test_model from;
    float *wanted;

    open_model(&from, 1);
    wanted = test_read_all(&from, LW_WEIGHTS);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *folder = write_folder(&from, &forms[i].v);
        struct lw_model_spec spec;
        struct lw_error err = {0};
        struct test_model to;
        char note[200];
        float *got;

        cr_assert_eq(lw_hf_gpt2_spec(folder, &spec, &err), 0, "%s", err.text);
        cr_expect_eq(memcmp(&spec, lw_model_spec(from.gpt), sizeof spec), 0);
        open_model(&to, 2);
        cr_assert_eq(lw_hf_gpt2_load(folder, to.gpt, note, sizeof note, &err), 0, "%s", err.text);
        cr_expect_str_eq(note, "");
        got = test_read_all(&to, LW_WEIGHTS);
        for (size_t j = 0; j < from.params->exist; j++)
            cr_assert_leq(fabs((double)got[j] - (double)wanted[j]),
                          forms[i].tolerance * fabs((double)wanted[j]) +
                              (forms[i].tolerance > 0 ? 1e-7 : 0),
                          "form %zu, element %zu", i, j);
        free(got);
        test_model_close(&to);
    }
    free(wanted);
    test_model_close(&from);
}

Test(model_weights, another_head_is_said)
{
    const struct variant v = {.type = LW_F32, .head = 2};
    struct lw_error err = {0};
    struct test_model t;
    char note[300];

    open_model(&t, 1);
    cr_assert_eq(lw_hf_gpt2_load(write_folder(&t, &v), t.gpt, note, sizeof note, &err), 0);
    cr_expect(strstr(note, "lm_head.weight differs from the token embedding"), "%s", note);
    test_model_close(&t);
}

Test(model_weights, everything_wrong_is_listed_and_nothing_loaded)
{
    const struct variant v = {.type = LW_F32,
                              .masks = true,
                              .leave_out = "transformer.h.1.mlp.c_fc.bias",
                              .misshape = "transformer.ln_f.weight",
                              .integer = "transformer.h.0.ln_1.bias",
                              .add = "transformer.h.2.ln_1.bias"};
    struct test_model from, to;
    struct lw_error err = {0};
    const char *folder;
    float *before, *after;
    char text[600];

    open_model(&from, 1);
    open_model(&to, 2);
    before = test_read_all(&to, LW_WEIGHTS);
    folder = write_folder(&from, &v);
    cr_assert_eq(lw_hf_gpt2_load(folder, to.gpt, NULL, 0, &err), LW_EDATA);
    snprintf(text, sizeof text,
             "%s doesn't hold this model's tensors:\n"
             "missing (1): transformer.h.1.mlp.c_fc.bias\n"
             "extra (1): transformer.h.2.ln_1.bias\n"
             "misshapen (2): transformer.ln_f.weight is 33, not 32, transformer.h.0.ln_1.bias is "
             "I32, not floating point",
             folder);
    cr_expect_str_eq(err.text, text);
    after = test_read_all(&to, LW_WEIGHTS);
    cr_expect_arr_eq(after, before, to.params->exist * sizeof *after);
    free(before);
    free(after);
    test_model_close(&from);
    test_model_close(&to);
}

/* A folder of another model: layers are told together, and long lists say how long they are. */
Test(model_weights, long_lists_are_counted)
{
    struct lw_model_spec spec = test_spec();
    const struct variant v = {.type = LW_F32};
    struct test_model from, to;
    struct lw_error err = {0};

    open_model(&from, 1);
    spec.layers = 12;
    spec.channels = 64;
    test_model_open(&to, &spec, &plan);
    cr_assert_eq(lw_hf_gpt2_load(write_folder(&from, &v), to.gpt, NULL, 0, &err), LW_EDATA);
    cr_expect(strstr(err.text, "\nmissing (120): transformer.h.2-11.attn.c_attn.weight, "
                               "transformer.h.2-11.attn.c_proj.weight, "),
              "%s", err.text);
    cr_expect(strstr(err.text, "\nmisshapen (26): transformer.wte.weight is 61x32, not 61x64, "),
              "%s", err.text);
    cr_expect(strstr(err.text, "transformer.h.0-1.attn.c_attn.weight is 32x96, not 64x192"), "%s",
              err.text);
    cr_expect(strstr(err.text, " more\nmisshapen"), "%s", err.text);
    cr_expect_lt(strlen(err.text), 1000);
    test_model_close(&from);
    test_model_close(&to);
}

Test(model_weights, a_damaged_file_is_said)
{
    const struct variant v = {.type = LW_F32};
    struct lw_error err = {0};
    struct test_model t;
    const char *folder;

    open_model(&t, 1);
    folder = write_folder(&t, &v);
    cr_assert_eq(truncate(test_path(folder, "model.safetensors"), 50000), 0);
    cr_expect_eq(lw_hf_gpt2_load(folder, t.gpt, NULL, 0, &err), LW_EDATA);
    cr_expect(strstr(err.text, "model.safetensors: tensor ") && strstr(err.text, "cut short"), "%s",
              err.text);
    test_model_close(&t);
}

Test(model_weights, config_is_read_and_checked)
{
    const struct {
        const char *json, *says; /* NULL: it is fine */
    } cases[] = {
        {"{\"vocab_size\": 9, \"n_positions\": 8, \"n_embd\": 4, \"n_layer\": 1, \"n_head\": 2}",
         NULL},
        {"{\"vocab_size\": 9, \"n_ctx\": 8, \"n_embd\": 4, \"n_layer\": 1, \"n_head\": 2, "
         "\"n_inner\": null, \"activation_function\": \"gelu_pytorch_tanh\"}",
         NULL},
        {"{\"n_embd\": 4, \"n_layer\": 1.5, \"n_head\": -2}",
         "vocab_size is missing; n_positions is missing; n_layer is not a positive whole number; "
         "n_head is not a positive whole number"},
        {"{\"vocab_size\": 9, \"n_positions\": 8, \"n_embd\": 5, \"n_layer\": 1, \"n_head\": 2}",
         "d_model (5) must be a multiple of num_heads (2)"},
        {"{\"vocab_size\": 9, \"n_positions\": 8, \"n_embd\": 4, \"n_layer\": 1, \"n_head\": 2, "
         "\"activation_function\": \"relu\", \"model_type\": \"gpt2\", \"scale_attn_weights\": "
         "false, \"scale_attn_by_inverse_layer_idx\": true, \"add_cross_attention\": true}",
         "activation_function is relu, not gelu_new; "
         "scale_attn_weights: false is not supported; scale_attn_by_inverse_layer_idx: true is "
         "not supported; add_cross_attention: true is not supported"},
        {"{\"model_type\": \"gptj\", \"activation_function\": \"relu\"}",
         "config.json: model_type is gptj, not gpt2"},
        {"{\"model_type\": \"vit\"}",
         "model_type is vit, not gpt2; task=vision_classification goes on with a ViT"},
        {"{\"vocab_size\": 99999999999, \"n_positions\": 8, \"n_embd\": 4, \"n_layer\": 1, "
         "\"n_head\": 2, \"layer_norm_epsilon\": \"x\"}",
         "vocab_size is not a positive whole number; layer_norm_epsilon is not a number"},
        {"[]", "line 1: it is not an object"},
        {"{\n\"a\": }", "line 2: "},
        {"", "line 1: "},
    };
    const char *folder = test_folder();
    struct lw_model_spec spec;
    struct lw_error err = {0};

    cr_expect_eq(lw_hf_gpt2_spec(folder, &spec, &err), LW_EIO);
    cr_expect(strstr(err.text, "config.json: No such file"), "%s", err.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_write(test_path(folder, "config.json"), cases[i].json);
        cr_expect_eq(lw_hf_gpt2_spec(folder, &spec, &err), cases[i].says ? LW_EDATA : 0, "%s",
                     cases[i].json);
        if (cases[i].says)
            cr_expect(strstr(err.text, cases[i].says), "%s", err.text);
        else
            cr_expect(spec.feed_forward == 16 && spec.positions == 8 &&
                      fabsf(spec.epsilon - 1e-5f) < 1e-12f && spec.dropout == 0.1f);
    }
}

Test(model_weights, saved_folders_are_what_transformers_reads)
{
    const char *folder = test_folder();
    struct lw_safetensors s;
    struct lw_error err = {0};
    struct test_model t;
    json_t *config;

    open_model(&t, 1);
    cr_assert_eq(lw_hf_gpt2_save(folder, t.gpt, LW_BF16, 60, &err), 0, "%s", err.text);
    config = json_load_file(test_path(folder, "config.json"), 0, NULL);
    cr_assert(config);
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(config, "architectures"), 0)),
                     "GPT2LMHeadModel");
    cr_expect(json_is_true(json_object_get(config, "tie_word_embeddings")));
    cr_expect_eq(json_integer_value(json_object_get(config, "vocab_size")), 61);
    cr_expect_eq(json_integer_value(json_object_get(config, "eos_token_id")), 60);
    cr_expect_str_eq(json_string_value(json_object_get(config, "torch_dtype")), "bfloat16");
    cr_expect_eq(json_real_value(json_object_get(config, "layer_norm_epsilon")), 1e-5);
    json_decref(config);
    cr_assert_eq(lw_safetensors_open(&s, test_path(folder, "model.safetensors"), &err), 0);
    cr_expect_eq(s.tensors, 28);
    cr_expect_null(lw_safetensors_find(&s, "lm_head.weight"));
    cr_expect_eq(lw_safetensors_find(&s, "transformer.wte.weight")->shape[0], 61);
    cr_expect_eq(lw_safetensors_find(&s, "transformer.wte.weight")->type, LW_BF16);
    cr_expect_str_eq(lw_safetensors_note(&s, "format"), "pt");
    lw_safetensors_close(&s);
    test_model_close(&t);
}

/* A checkpoint brings back every bit: weights and both moments. */
Test(model_weights, checkpoints_bring_back_every_bit)
{
    const char *folder = test_folder();
    const char *weights = test_path(folder, "model.safetensors");
    const char *optimizer = test_path(folder, "optimizer.safetensors");
    const struct lw_adamw adamw = {0.9f, 0.95f, 1e-8f, 0.1f, 1.0f};
    const enum lw_buffer buffers[] = {LW_WEIGHTS, LW_MOMENT1, LW_MOMENT2};
    struct lw_error err = {0};
    struct test_model a, b;
    int32_t tokens[8], targets[8];

    test_tokens(tokens, 8, 61, 1);
    test_tokens(targets, 8, 61, 2);
    open_model(&a, 1);
    open_model(&b, 2);
    for (uint64_t i = 1; i <= 3; i++) {
        struct lw_step step = {.step = i, .seed = 42, .learning_rate = 1e-3f};

        cr_assert_eq(lw_model_train(a.gpt, &step, tokens, targets, false, true, &err), 0);
        cr_assert_eq(lw_model_update(a.gpt, &adamw, &err), 0);
        a.backend->finish(a.device);
    }
    cr_assert_eq(a.backend->wait(a.device, &err), 0);
    cr_assert_eq(lw_save_weights(a.params, weights, LW_F32, &err), 0, "%s", err.text);
    cr_assert_eq(lw_save_moments(a.params, optimizer, &err), 0, "%s", err.text);
    cr_assert_eq(lw_load_weights(b.params, weights, &err), 0, "%s", err.text);
    cr_assert_eq(lw_load_moments(b.params, optimizer, &err), 0, "%s", err.text);
    for (int i = 0; i < 3; i++) {
        float *x = test_read_all(&a, buffers[i]), *y = test_read_all(&b, buffers[i]);

        cr_expect_arr_eq(x, y, a.params->exist * sizeof *x, "buffer %d", i);
        free(x);
        free(y);
    }
    /* the one is not the other */
    cr_expect_eq(lw_load_moments(b.params, weights, &err), LW_EDATA);
    cr_expect(strstr(err.text, "missing (56): transformer.wte.weight.m, transformer.wte.weight.v"),
              "%s", err.text);
    cr_expect(strstr(err.text, "extra (28): "), "%s", err.text);
    test_model_close(&a);
    test_model_close(&b);
}

Test(model_weights, a_checkpoint_that_cannot_be_written_is_said)
{
    const char *path = test_path(test_folder(), "missing/model.safetensors");
    struct lw_error err = {0};
    struct test_model t;

    open_model(&t, 1);
    cr_expect_eq(lw_save_weights(t.params, path, LW_F32, &err), LW_EIO);
    cr_expect(strstr(err.text, "missing/model.safetensors: No such file"), "%s", err.text);
    cr_expect_eq(lw_load_weights(t.params, path, &err), LW_EIO);
    test_model_close(&t);
}

Test(model_weights, lists_of_names_are_short)
{
    const char *const names[] = {"a", "h.10.x", "h.9.x", "b.c", "h.3.x", "h.3.y", "h.1.z", "h.2.x"};
    struct lw_name_list l = {0};
    char text[64];

    cr_expect_eq(lw_name_list_tell(&l, "extra", text, sizeof text), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        lw_name_list_add(&l, names[i]);
    cr_expect_eq(lw_name_list_tell(&l, "extra", text, sizeof text), strlen(text));
    cr_expect_str_eq(text, "\nextra (8): a, h.2-3,9-10.x, b.c, h.3.y and 1 more");
    lw_name_list_free(&l);
    for (int i = 0; i < 100000; i++)
        lw_name_list_add(&l, "h.1.x");
    lw_name_list_tell(&l, "extra", text, sizeof text);
    cr_expect_str_eq(text, "\nextra (100000): h.1.x and 95904 more");
    lw_name_list_free(&l);
}
