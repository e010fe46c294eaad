/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "tests/model_support.h"

Test(model_params, presets_have_their_published_sizes)
{
    const struct {
        const char *name, *size;
        size_t parameters;
    } sizes[] = {
        {"gpt2", "124M", 124439808},
        {"gpt2-medium", "355M", 354823168},
        {"gpt2-large", "774M", 774030080},
        {"gpt2-xl", "1558M", 1557611200},
    };
    struct lw_model_spec spec, same;
    struct lw_error err = {0};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cr_assert(lw_model_preset(sizes[i].name, &spec));
        cr_assert(lw_model_preset(sizes[i].size, &same));
        cr_expect_eq(memcmp(&spec, &same, sizeof spec), 0);
        cr_expect_eq(lw_model_check(&spec, &err), 0, "%s", err.text);
        cr_expect_eq(lw_model_parameters(&spec), sizes[i].parameters, "%s", sizes[i].name);
    }
    cr_expect_not(lw_model_preset("gpt3", &spec));
}

Test(model_params, every_impossible_number_is_listed)
{
    struct lw_model_spec spec = {.channels = 30, .heads = 4, .dropout = 1, .layers = 2000};
    struct lw_error err = {0};

    cr_expect_eq(lw_model_check(&spec, &err), LW_EUSAGE);
    cr_expect_str_eq(err.text, "vocab_size must be from 1 to 16777216, not 0\n"
                               "max_seq_len must be from 1 to 1048576, not 0\n"
                               "num_layers must be from 1 to 1000, not 2000\n"
                               "d_ff must be from 1 to 262144, not 0\n"
                               "d_model (30) must be a multiple of num_heads (4)\n"
                               "dropout must be at least 0 and below 1, not 1\n"
                               "the layer norms' epsilon must be between 0 and 1, not 0");
    spec = test_spec();
    cr_expect_eq(lw_model_check(&spec, &err), 0);
    spec.dropout = NAN;
    cr_expect_eq(lw_model_check(&spec, &err), LW_EUSAGE);
}

/* A table without a device. */
static struct lw_model *table(const struct lw_model_spec *spec, int ranks)
{
    struct lw_model *g;
    struct lw_error err = {0};

    cr_assert_eq(lw_model_create(&g, spec, NULL, NULL, ranks, &err), 0, "%s", err.text);
    return g;
}

/* What DESIGN says of the flat buffer, for several numbers of ranks. */
Test(model_params, lie_flat_by_block)
{
    struct lw_model_spec spec = test_spec();

    for (int ranks = 1; ranks <= 8; ranks++) {
        struct lw_model *g = table(&spec, ranks);
        struct lw_params *p = lw_model_params(g);
        size_t end = 0, exist = 0, span_end = 0;

        cr_assert_eq(p->block_count, spec.layers + 1);
        cr_assert_eq(p->params, 4 + 12 * spec.layers);
        for (int b = 0; b < p->block_count; b++) {
            const struct lw_param_block *block = &p->blocks[b];
            bool others = false;

            cr_assert_eq(block->offset, end);
            cr_assert_eq(block->count % ((size_t)LW_PARAM_ALIGN * (size_t)ranks), 0);
            for (int i = block->first; i < block->first + block->params; i++) {
                const struct lw_param *param = &p->list[i];

                cr_assert_eq(param->block, b);
                cr_assert_eq(param->offset % LW_PARAM_ALIGN, 0);
                cr_assert_geq(param->offset, end);
                cr_assert_geq(param->stored, param->count);
                cr_assert_eq(param->decay, param->rank > 1, "%s", param->name);
                cr_assert(!others || !param->decay, "%s comes after others", param->name);
                others |= !param->decay;
                end = param->offset + param->stored;
                exist += param->count;
                cr_assert_eq(lw_params_find(p, param->name), i);
            }
            cr_assert_leq(end, block->offset + block->count);
            end = block->offset + block->count;
        }
        cr_expect_eq(end, p->count);
        cr_expect_eq(exist, p->exist);
        cr_expect_eq(exist, lw_model_parameters(&spec));
        for (int i = 0; i < p->span_count; i++) {
            cr_assert_eq(p->spans[i].offset, span_end);
            span_end += p->spans[i].count;
        }
        cr_expect_eq(span_end, p->count);
        cr_expect_eq(p->span_count, 2 * p->block_count);
        lw_model_free(g);
    }
}

Test(model_params, have_hugging_faces_names_and_shapes)
{
    struct lw_model_spec spec = test_spec();
    const struct {
        const char *name;
        int rank, shape[2];
    } some[] = {
        {"transformer.wte.weight", 2, {61, 32}},
        {"transformer.wpe.weight", 2, {24, 32}},
        {"transformer.h.1.attn.c_attn.weight", 2, {32, 96}},
        {"transformer.h.1.attn.c_attn.bias", 1, {96}},
        {"transformer.h.0.attn.c_proj.weight", 2, {32, 32}},
        {"transformer.h.0.mlp.c_fc.weight", 2, {32, 128}},
        {"transformer.h.0.mlp.c_proj.weight", 2, {128, 32}},
        {"transformer.h.0.ln_2.bias", 1, {32}},
        {"transformer.ln_f.weight", 1, {32}},
    };
    struct lw_model *g = table(&spec, 1);
    struct lw_params *p = lw_model_params(g);

    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        int at = lw_params_find(p, some[i].name);

        cr_assert_geq(at, 0, "%s", some[i].name);
        cr_expect_eq(p->list[at].rank, some[i].rank);
        for (int j = 0; j < some[i].rank; j++)
            cr_expect_eq(p->list[at].shape[j], some[i].shape[j], "%s", some[i].name);
    }
    cr_expect_eq(p->list[0].stored, 64 * 32); /* 61 tokens, padded */
    cr_expect_eq(lw_params_find(p, "transformer.h.2.ln_1.weight"), -1);
    cr_expect_eq(lw_params_find(p, "lm_head.weight"), -1);
    lw_model_free(g);
}

static void moments(const float *x, size_t n, double *mean, double *deviation)
{
    double sum = 0, square = 0;

    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
        square += (double)x[i] * (double)x[i];
    }
    *mean = sum / (double)n;
    *deviation = sqrt(square / (double)n - *mean * *mean);
}

Test(model_params, initial_weights_are_gpt2s)
{
    struct lw_model_spec spec = {.vocabulary = 257,
                                 .positions = 64,
                                 .channels = 96,
                                 .layers = 8,
                                 .heads = 4,
                                 .feed_forward = 384,
                                 .epsilon = 1e-5f};
    struct lw_model_plan plan = {.eval_batch = 1, .eval_length = 8, .attention = LW_ATTENTION_AUTO};
    struct test_model t;
    struct lw_error err = {0};
    float *all, *at;

    test_model_open(&t, &spec, &plan);
    cr_assert_eq(lw_model_init(t.gpt, 42, &err), 0);
    at = all = test_read_all(&t, LW_WEIGHTS);
    for (int i = 0; i < t.params->params; i++) {
        const struct lw_param *p = &t.params->list[i];
        double mean, deviation;
        double wanted = strstr(p->name, "c_proj.weight") ? 0.02 / 4 : 0.02; /* sqrt(2 * 8) */

        moments(at, p->count, &mean, &deviation);
        if (p->rank > 1) {
            cr_expect_float_eq(mean, 0, 5 * wanted / sqrt((double)p->count), "%s", p->name);
            cr_expect_float_eq(deviation, wanted, 4 * wanted / sqrt(2.0 * (double)p->count), "%s",
                               p->name);
        } else {
            cr_expect_eq(mean, strstr(p->name, "bias") ? 0.0 : 1.0, "%s", p->name);
            cr_expect_eq(deviation, 0.0, "%s", p->name);
        }
        at += p->count;
    }
    free(all);
    test_model_close(&t);
}

Test(model_params, initial_weights_are_drawn_by_count)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.eval_batch = 1, .eval_length = 8, .attention = LW_ATTENTION_AUTO};
    struct test_model t;
    struct lw_error err = {0};
    float *one, *two, *other, four[4];
    size_t count = lw_model_parameters(&spec);

    test_model_open(&t, &spec, &plan);
    cr_assert_eq(lw_model_init(t.gpt, 42, &err), 0);
    one = test_read_all(&t, LW_WEIGHTS);
    cr_assert_eq(lw_model_init(t.gpt, 43, &err), 0);
    other = test_read_all(&t, LW_WEIGHTS);
    cr_assert_eq(lw_model_init(t.gpt, 42, &err), 0);
    two = test_read_all(&t, LW_WEIGHTS);
    cr_expect_arr_eq(one, two, count * sizeof *one);
    cr_expect_gt(test_distance(other, one, count), 0.1);
    lw_random_normal(42, LW_STREAM_INIT + (1 << 8), 5, four); /* wpe's elements 20 to 23 */
    for (int i = 0; i < 4; i++)
        cr_expect_eq(one[61 * 32 + 20 + i], four[i] * 0.02f);
    test_model_close(&t);
    free(one);
    free(two);
    free(other);
}

Test(model_params, values_come_back_by_name_and_place)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 1, .length = 8, .attention = LW_ATTENTION_AUTO};
    const float in[] = {1, 2, 3};
    float out[5];
    struct test_model t;
    struct lw_error err = {0};

    test_model_open(&t, &spec, &plan);
    for (int b = LW_WEIGHTS; b <= LW_MOMENT2; b++) {
        cr_assert_eq(lw_params_write(t.params, (enum lw_buffer)b, 5, 7, 3, in, &err), 0);
        cr_assert_eq(lw_params_read(t.params, (enum lw_buffer)b, 5, 6, 5, out, &err), 0);
        cr_expect(out[0] == 0 && out[1] == 1 && out[3] == 3 && out[4] == 0);
    }
    test_model_close(&t);
}

Test(model_params, bytes_are_known_before)
{
    struct lw_model_spec spec;
    struct lw_model_plan plan = {.batch = 8, .length = 1024, .attention = LW_ATTENTION_AUTO};
    struct lw_device_info cpu = {.activation = LW_F32, .weight = LW_F32, .gradient = LW_F32};
    struct lw_device_info gpu = {.activation = LW_BF16, .weight = LW_BF16, .gradient = LW_F32};
    struct lw_model_bytes b, lean, math, evaluation;
    struct lw_error err = {0};
    const size_t padded = 50304 * 768 + (124439808 - 50257 * 768);
    const size_t rows = 8 * 1024;

    cr_assert(lw_model_preset("gpt2", &spec));
    cr_assert_eq(lw_model_measure(&spec, &plan, LW_ATTENTION_TILED, &cpu, &b, &err), 0);
    cr_expect_eq(b.weights, 4 * padded);
    cr_expect_eq(b.gradients, 4 * padded);
    cr_expect_eq(b.moments, 8 * padded);
    cr_expect_eq(b.total, b.weights + b.gradients + b.moments + b.activations);
    /* 16 widths a layer, and a few more that all share */
    cr_expect_geq(b.activations, 12 * 16 * rows * 768 * 4);
    cr_expect_leq(b.activations, (12 * 16 + 12) * rows * 768 * 4);
    plan.recompute = LW_RECOMPUTE_GELU_NORM;
    cr_assert_eq(lw_model_measure(&spec, &plan, LW_ATTENTION_TILED, &cpu, &lean, &err), 0);
    cr_expect_leq(lean.activations, (12 * 10 + 18) * rows * 768 * 4);
    plan.recompute = LW_RECOMPUTE_NONE;
    cr_assert_eq(lw_model_measure(&spec, &plan, LW_ATTENTION_MATH, &cpu, &math, &err), 0);
    cr_expect_eq(math.activations - b.activations, (size_t)12 * 8 * 12 * 1024 * 1024 * 4);
    cr_assert_eq(lw_model_measure(&spec, &plan, LW_ATTENTION_CUDNN, &gpu, &b, &err), 0);
    cr_expect_eq(b.weights, 6 * padded); /* bf16 and masters */
    plan = (struct lw_model_plan){.eval_batch = 8, .eval_length = 1024};
    cr_assert_eq(lw_model_measure(&spec, &plan, LW_ATTENTION_TILED, &cpu, &evaluation, &err), 0);
    cr_expect_eq(evaluation.gradients + evaluation.moments, 0);
    cr_expect_lt(evaluation.activations, lean.activations / 5);
}

Test(model_params, too_large_a_plan_is_known_before_it_starts)
{
    struct lw_model_spec spec = test_spec();
    struct lw_model_plan plan = {.batch = 200000, .length = 1000, .attention = LW_ATTENTION_TILED};
    struct lw_device *device = test_device(1);
    struct lw_model *g;
    struct lw_error err = {0};

    spec.positions = 1024;
    spec.layers = 100;
    cr_assert_eq(lw_model_create(&g, &spec, &lw_backend_cpu, device, 1, &err), 0);
    cr_expect_eq(lw_model_prepare(g, &plan, &err), LW_EMEM);
    cr_expect(strstr(err.text, "the model needs ") && strstr(err.text, "TiB") &&
                  strstr(err.text, "lower batch_size"),
              "%s", err.text);
    plan.length = 1025;
    cr_expect_eq(lw_model_prepare(g, &plan, &err), LW_EUSAGE);
    cr_expect(strstr(err.text, "1025 tokens don't fit the model's 1024 positions"), "%s", err.text);
    plan.length = -1;
    cr_expect_eq(lw_model_prepare(g, &plan, &err), LW_EUSAGE);
    plan = (struct lw_model_plan){.batch = 1 << 30, .length = 1024};
    cr_expect_eq(lw_model_prepare(g, &plan, &err), LW_EUSAGE);
    cr_expect(strstr(err.text, "too many at once"), "%s", err.text);
    lw_model_free(g);
    lw_backend_cpu.close(device);
}

static struct lw_attention_choice choose(int wanted, int layers, int expected, struct lw_error *err)
{
    struct lw_device *device = test_device(1);
    struct lw_attention shape = {
        .batch = 2, .length = 16, .heads = 4, .head_dim = 8, .causal = true};
    struct lw_attention_choice out = {0};

    cr_expect_eq(lw_attention_choose(&lw_backend_cpu, device, &shape, wanted, layers, "h.", ".attn",
                                     &out, err),
                 expected, "%s", err->text);
    lw_backend_cpu.close(device);
    return out;
}

Test(model_params, attention_is_chosen_and_said)
{
    struct lw_error err = {0};
    struct lw_attention_choice c = choose(LW_ATTENTION_AUTO, 4, 0, &err);

    cr_expect_eq(c.kind, LW_ATTENTION_TILED);
    cr_expect_str_eq(c.event, "Tiled attention on for 4 layers: h.0.attn, h.1.attn, h.2.attn and 1 "
                              "more (cudnn: no CUDA)");
    c = choose(LW_ATTENTION_MATH, 1, 0, &err);
    cr_expect_eq(c.kind, LW_ATTENTION_MATH);
    cr_expect_str_eq(c.event, "Math attention on for 1 layer: h.0.attn");
    choose(LW_ATTENTION_CUDNN, 2, LW_EUSAGE, &err);
    cr_expect_eq(
        strncmp(err.text, "attention=cudnn can't run for 2 layers: h.0.attn, h.1.attn (", 60), 0,
        "%s", err.text);
    cr_expect(strstr(err.text, "attention=auto takes what can"), "%s", err.text);
}

/* A backend that has nothing but math, or nothing at all. */
static int ready_math(struct lw_device *dev, const struct lw_attention *a, struct lw_error *err)
{
    (void)dev;
    return a->kind == LW_ATTENTION_MATH ? 0 : lw_fail(err, LW_EMISSING, "not today");
}

static int ready_none(struct lw_device *dev, const struct lw_attention *a, struct lw_error *err)
{
    (void)dev;
    (void)a;
    return lw_fail(err, LW_EMISSING, "never");
}

Test(model_params, falling_back_to_math_says_why)
{
    const struct lw_backend math = {.attention_ready = ready_math};
    const struct lw_backend none = {.attention_ready = ready_none};
    const struct lw_attention shape = {.length = 16};
    struct lw_attention_choice c;
    struct lw_error err = {0};

    cr_assert_eq(
        lw_attention_choose(&math, NULL, &shape, LW_ATTENTION_AUTO, 1, "h.", ".attn", &c, &err), 0);
    cr_expect_str_eq(c.event, "Math attention on for 1 layer: h.0.attn (cudnn: not today; tiled: "
                              "not today)");
    cr_expect_eq(
        lw_attention_choose(&none, NULL, &shape, LW_ATTENTION_AUTO, 1, "h.", ".attn", &c, &err),
        LW_EBACKEND);
    cr_expect_str_eq(err.text, "no attention can run for 1 layer: h.0.attn (cudnn: never; tiled: "
                               "never; math: never)");
}

static int ready_all(struct lw_device *dev, const struct lw_attention *a, struct lw_error *err)
{
    (void)dev;
    (void)a;
    (void)err;
    return 0;
}

Test(model_params, flash_attention_is_said_as_users_know_it)
{
    const struct lw_backend all = {.attention_ready = ready_all};
    const struct lw_attention shape = {.length = 16};
    struct lw_attention_choice c;
    struct lw_error err = {0};

    cr_assert_eq(
        lw_attention_choose(&all, NULL, &shape, LW_ATTENTION_AUTO, 12, "h.", ".attn", &c, &err), 0);
    cr_expect_eq(c.kind, LW_ATTENTION_CUDNN);
    cr_expect_str_eq(c.event, "Flash attention (cuDNN SDPA) on for 12 layers: h.0.attn, h.1.attn, "
                              "h.2.attn and 9 more");
}

Test(model_params, attention_has_names)
{
    for (int kind = LW_ATTENTION_AUTO; kind <= LW_ATTENTION_CUDNN; kind++)
        cr_expect_eq(lw_attention_parse(lw_attention_name(kind)), kind);
    cr_expect_str_eq(lw_attention_name(LW_ATTENTION_TILED), "tiled");
    cr_expect_eq(lw_attention_parse("flash"), -2);
}

static void info_bf16(struct lw_device *dev, struct lw_device_info *out)
{
    lw_backend_cpu.info(dev, out);
    out->weight = out->gradient = LW_BF16;
}

/* A device with narrow weights: masters are the truth, weights their rounding. */
Test(model_params, narrow_weights_have_masters)
{
    struct lw_backend backend = lw_backend_cpu;
    struct lw_device *device = test_device(1);
    struct lw_model_spec spec = test_spec();
    struct lw_model *g = table(&spec, 1);
    struct lw_params *p = lw_model_params(g);
    struct lw_error err = {0};
    const float value = 1.00390624f; /* a little less than 1 + 2^-8: bf16 rounds it down */
    const uint16_t *narrow;
    float out[2000], in[2000];

    backend.info = info_bf16;
    cr_assert_eq(lw_params_alloc(p, &backend, device, true, &err), 0, "%s", err.text);
    for (int i = 0; i < 2000; i++)
        in[i] = value + (float)i;
    cr_assert_eq(lw_params_write(p, LW_WEIGHTS, 1, 16, 700, in, &err), 0);
    cr_assert_eq(lw_params_read(p, LW_WEIGHTS, 1, 16, 700, out, &err), 0);
    cr_expect_arr_eq(out, in, 700 * sizeof *in);
    narrow = lw_weight_at(p, p->list[1].offset + 16);
    cr_expect_eq(narrow[0], 0x3f80); /* to even: 1 */
    cr_expect_eq(narrow[255], 0x4380);
    cr_assert_eq(lw_params_write(p, LW_GRADS, 0, 0, 1900, in, &err), 0);
    cr_assert_eq(lw_params_read(p, LW_GRADS, 0, 0, 1900, out, &err), 0);
    for (int i = 0; i < 1900; i++)
        cr_assert_float_eq(out[i], in[i], in[i] * 0x1p-8);
    lw_model_free(g);
    lw_backend_cpu.close(device);
}

static struct {
    int left, taken; /* allocations that still succeed; that are held */
} memory;

static int alloc_some(struct lw_device *dev, size_t bytes, void **out, struct lw_error *err)
{
    if (!memory.left)
        return lw_fail(err, LW_EMEM, "no %zu bytes", bytes);
    memory.left--;
    memory.taken++;
    return lw_backend_cpu.alloc(dev, bytes, out, err);
}

static void release_some(struct lw_device *dev, void *p)
{
    memory.taken--;
    lw_backend_cpu.release(dev, p);
}

/* Whichever allocation fails: it is said, all is given back, and a later attempt can succeed. */
Test(model_params, a_preparation_that_fails_leaves_nothing)
{
    const struct lw_model_plan plan = {.batch = 1, .length = 8, .attention = LW_ATTENTION_AUTO};
    struct lw_backend backend = lw_backend_cpu;
    struct lw_device *device = test_device(1);
    struct lw_model_spec spec = test_spec();
    struct lw_error err = {0};
    struct lw_model *g;
    int rc;

    backend.alloc = alloc_some;
    backend.release = release_some;
    cr_assert_eq(lw_model_create(&g, &spec, &backend, device, 1, &err), 0);
    for (int most = 0; most < 5; most++) { /* weights, gradients, two moments, activations */
        memory.left = most;
        rc = lw_model_prepare(g, &plan, &err);
        cr_expect_eq(rc, LW_EMEM, "after %d allocations", most);
        cr_expect(strstr(err.text, "no "), "%s", err.text);
        cr_expect_eq(memory.taken, 0, "after %d allocations", most);
    }
    cr_expect_eq(strncmp(err.text, "activations: no ", 16), 0, "%s", err.text);
    memory.left = 100;
    cr_expect_eq(lw_model_prepare(g, &plan, &err), 0, "%s", err.text);
    cr_expect_eq(memory.taken, 5);
    lw_model_free(g);
    cr_expect_eq(memory.taken, 0);
    lw_backend_cpu.close(device);
}
