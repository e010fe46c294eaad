/* SPDX-License-Identifier: MIT
 *
 * ONNX files: their structure, read back with the same schema. What they compute is compared with
 * ONNX Runtime where that is installed (tests/interop.sh).
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/export/onnx.h"
#include "engine/export/onnx.pb-c.h"
#include "engine/export/onnx_graph.h"
#include "engine/model/hf_gpt2.h"
#include "tests/model_support.h"
#include "tests/support.h"

static const struct lw_model_plan plan = {
    .eval_batch = 1, .eval_length = 8, .attention = LW_ATTENTION_AUTO};

static char from[300], file[300];

/* A checkpoint of such a model in `from`. */
static void make_checkpoint_of(struct lw_model_spec spec, enum lw_dtype type)
{
    struct lw_error err = {0};
    struct test_model t;

    snprintf(from, sizeof from, "%s/from", test_folder());
    snprintf(file, sizeof file, "%s/model.onnx", test_folder());
    test_model_open(&t, &spec, &plan);
    cr_assert_eq(lw_model_init(t.gpt, 7, &err), 0, "%s", err.text);
    cr_assert_eq(lw_hf_gpt2_save(from, t.gpt, type, 60, &err), 0, "%s", err.text);
    test_model_close(&t);
}

static void make_checkpoint(enum lw_dtype type)
{
    make_checkpoint_of(test_spec(), type);
}

static Lw__Onnx__Model *load(const char *path, size_t *size)
{
    struct lw_error err = {0};
    Lw__Onnx__Model *m;
    char *data;

    cr_assert_eq(lw_read_file(path, 0, &data, size, &err), 0, "%s", err.text);
    m = lw__onnx__model__unpack(NULL, *size, (const uint8_t *)data);
    cr_assert(m, "%s is no ONNX model", path);
    free(data);
    return m;
}

static const Lw__Onnx__Tensor *initializer(const Lw__Onnx__Graph *g, const char *name)
{
    for (size_t i = 0; i < g->n_initializer; i++)
        if (!strcmp(g->initializer[i]->name, name))
            return g->initializer[i];
    return NULL;
}

/* Is the value there before node `end`? */
static int times_made(const Lw__Onnx__Graph *g, const char *name, size_t end)
{
    int times = initializer(g, name) != NULL;

    for (size_t i = 0; i < g->n_input; i++)
        times += !strcmp(g->input[i]->name, name);
    for (size_t i = 0; i < end; i++)
        for (size_t j = 0; j < g->node[i]->n_output; j++)
            times += !strcmp(g->node[i]->output[j], name);
    return times;
}

/* Every value is made once, and before it is used. */
static void check_order(const Lw__Onnx__Graph *g)
{
    for (size_t i = 0; i < g->n_node; i++) {
        const Lw__Onnx__Node *n = g->node[i];

        for (size_t j = 0; j < n->n_input; j++)
            cr_expect_eq(times_made(g, n->input[j], i), 1, "%s uses %s", n->name, n->input[j]);
        for (size_t j = 0; j < n->n_output; j++)
            cr_expect_eq(times_made(g, n->output[j], g->n_node), 1, "%s", n->output[j]);
    }
    for (size_t i = 0; i < g->n_output; i++)
        cr_expect_eq(times_made(g, g->output[i]->name, g->n_node), 1);
}

Test(export_onnx, a_gpt_is_whole)
{
    struct lw_model_spec spec = test_spec();
    struct lw_error err = {0};
    struct lw_safetensors weights;
    const Lw__Onnx__Shape *shape;
    uint64_t bytes = 0;
    Lw__Onnx__Model *m;
    bool beside = true;
    char path[320];
    size_t size;

    make_checkpoint(LW_F32);
    cr_assert_eq(lw_onnx_export(file, from, &spec, 1234, &beside, &err), 0, "%s", err.text);
    cr_expect(!beside);
    m = load(file, &size);
    cr_expect_eq(m->ir_version, 8);
    cr_assert_eq(m->n_opset_import, 1);
    cr_expect_eq(m->opset_import[0]->version, 17);
    cr_expect_str_eq(m->producer_name, "leeway");
    cr_expect_str_eq(m->metadata_props[0]->value, "1234");
    check_order(m->graph);

    cr_assert_eq(m->graph->n_input, 1);
    cr_assert_eq(m->graph->n_output, 1);
    cr_expect_str_eq(m->graph->input[0]->name, "input_ids");
    cr_expect_str_eq(m->graph->output[0]->name, "logits");
    shape = m->graph->output[0]->type->tensor_type->shape;
    cr_assert_eq(shape->n_dim, 3);
    cr_expect_str_eq(shape->dim[0]->dim_param, "batch");
    cr_expect_str_eq(shape->dim[1]->dim_param, "sequence");
    cr_expect_eq(shape->dim[2]->dim_value, 61);

    snprintf(path, sizeof path, "%s/model.safetensors", from);
    cr_assert_eq(lw_safetensors_open(&weights, path, &err), 0, "%s", err.text);
    for (size_t i = 0; i < weights.tensors; i++) {
        const struct lw_tensor *t = &weights.list[i];
        const Lw__Onnx__Tensor *there = initializer(m->graph, t->name);

        cr_assert(there, "%s is missing", t->name);
        cr_assert_eq(there->n_dims, (size_t)t->rank);
        for (int d = 0; d < t->rank; d++)
            cr_expect_eq(there->dims[d], t->shape[d]);
        cr_assert_eq(there->raw_data.len, t->bytes);
        cr_expect(!memcmp(there->raw_data.data, t->data, t->bytes), "%s differs", t->name);
        bytes += t->bytes;
    }
    cr_expect_lt(size, bytes + 32768, "weights are there once");
    lw_safetensors_close(&weights);
    lw__onnx__model__free_unpacked(m, NULL);
}

/* Both classifiers: all weights are there, and inputs and outputs are those of transformers. */
static void check_classifier(const struct lw_model_spec *spec, const char *input, size_t rank)
{
    struct lw_error err = {0};
    struct lw_safetensors weights;
    const Lw__Onnx__Shape *shape;
    Lw__Onnx__Model *m;
    char path[320];
    size_t size;

    make_checkpoint_of(*spec, LW_F32);
    cr_assert_eq(lw_onnx_export(file, from, spec, 1, NULL, &err), 0, "%s", err.text);
    m = load(file, &size);
    check_order(m->graph);
    cr_assert_eq(m->graph->n_input, 1);
    cr_expect_str_eq(m->graph->input[0]->name, input);
    cr_expect_eq(m->graph->input[0]->type->tensor_type->shape->n_dim, rank);
    shape = m->graph->output[0]->type->tensor_type->shape;
    cr_assert_eq(shape->n_dim, 2);
    cr_expect_eq(shape->dim[1]->dim_value, 5);
    snprintf(path, sizeof path, "%s/model.safetensors", from);
    cr_assert_eq(lw_safetensors_open(&weights, path, &err), 0, "%s", err.text);
    for (size_t i = 0; i < weights.tensors; i++)
        cr_expect(initializer(m->graph, weights.list[i].name), "no %s", weights.list[i].name);
    lw_safetensors_close(&weights);
    lw__onnx__model__free_unpacked(m, NULL);
}

Test(export_onnx, classifiers_of_texts_and_images)
{
    struct lw_model_spec text = test_spec(), image = test_spec();

    text.classes = image.classes = 5;
    text.padding = 60;
    image.vocabulary = 0;
    image.image_size = 16;
    image.patch_size = 8;
    image.positions = lw_vit_positions(16, 8);
    for (int c = 0; c < 3; c++)
        image.mean[c] = image.deviation[c] = 0.5f;
    check_classifier(&text, "input_ids", 2);
    check_classifier(&image, "pixel_values", 4);
}

Test(export_onnx, large_models_have_their_weights_beside)
{
    static float data[600];
    const struct lw_tensor large = {.name = "large",
                                    .type = LW_F32,
                                    .rank = 2,
                                    .shape = {20, 30},
                                    .bytes = sizeof data,
                                    .data = data};
    struct lw_tensor second = large, small = large;
    struct lw_error err = {0};
    struct lw_onnx *g;
    Lw__Onnx__Model *m;
    const char *sum;
    bool beside = false;
    char path[320], *there;
    size_t size;

    snprintf(file, sizeof file, "%s/x.onnx", test_folder());
    snprintf(path, sizeof path, "%s.data", file);
    for (int i = 0; i < 600; i++)
        data[i] = (float)i;
    second.name = "second";
    small = (struct lw_tensor){
        .name = "small", .type = LW_F32, .rank = 1, .shape = {2}, .bytes = 8, .data = data};
    cr_assert_eq(lw_onnx_new(&g, "test", &err), 0);
    sum = LW_ONNX(g, "Add", lw_onnx_weight(g, &large), lw_onnx_weight(g, &second));
    LW_ONNX(g, "Gather", sum, lw_onnx_weight(g, &small));
    cr_assert_eq(lw_onnx_write_split(g, file, 1000, &beside, &err), 0, "%s", err.text);
    cr_expect(beside);
    lw_onnx_free(g);

    cr_assert_eq(lw_read_file(path, 0, &there, &size, &err), 0, "%s", err.text);
    cr_assert_eq(size, 4096 + sizeof data);
    cr_expect(!memcmp(there, data, sizeof data) && !memcmp(there + 4096, data, sizeof data));
    free(there);
    m = load(file, &size);
    cr_expect_lt(size, 1000);
    cr_assert_eq(m->graph->n_initializer, 3);
    cr_expect_eq(m->graph->initializer[1]->data_location, 1);
    cr_expect_str_eq(m->graph->initializer[1]->external_data[0]->value, "x.onnx.data");
    cr_expect_str_eq(m->graph->initializer[1]->external_data[1]->value, "4096");
    cr_expect_str_eq(m->graph->initializer[1]->external_data[2]->value, "2400");
    cr_expect_eq(m->graph->initializer[1]->raw_data.len, 0);
    cr_expect_eq(m->graph->initializer[2]->raw_data.len, 8, "small ones stay");
    lw__onnx__model__free_unpacked(m, NULL);
}

Test(export_onnx, constants_are_there_once)
{
    struct lw_error err = {0};
    struct lw_onnx *g;

    cr_assert_eq(lw_onnx_new(&g, "test", &err), 0);
    cr_expect_str_eq(LW_ONNX_INTS(g, 0, -1, 64), LW_ONNX_INTS(g, 0, -1, 64));
    cr_expect_str_neq(LW_ONNX_INTS(g, 1), lw_onnx_int(g, 1), "a list of one is no scalar");
    cr_expect_str_neq(lw_onnx_float(g, 0.1), lw_onnx_float(g, 0.1000001));
    cr_expect_str_eq(lw_onnx_float(g, 0.5), lw_onnx_float(g, 0.5));
    lw_onnx_free(g);
}

Test(export_onnx, says_what_is_in_the_way)
{
    struct lw_model_spec spec = test_spec();
    struct lw_error err = {0};
    char path[320];

    make_checkpoint(LW_BF16);
    cr_expect_eq(lw_onnx_export(file, from, &spec, 1, NULL, &err), LW_EDATA);
    cr_expect(strstr(err.text, "is not fp32"), "%s", err.text);
    make_checkpoint(LW_F32);
    snprintf(path, sizeof path, "%s/no/such.onnx", from);
    cr_expect_eq(lw_onnx_export(path, from, &spec, 1, NULL, &err), LW_EIO);
    cr_expect(strstr(err.text, "no/such.onnx: No such file"), "%s", err.text);
    spec.layers = 3;
    cr_expect_eq(lw_onnx_export(file, from, &spec, 1, NULL, &err), LW_EDATA);
    cr_expect(strstr(err.text, "has no tensor transformer.h.2.ln_1."), "%s", err.text);
    cr_expect_eq(access(file, F_OK), -1, "nothing is left behind");
    cr_expect_eq(lw_onnx_export("/dev/full/x", from, &spec, 1, NULL, &err), LW_EDATA);
}
