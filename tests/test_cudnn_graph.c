/* SPDX-License-Identifier: MIT
 *
 * cuDNN's attention graphs, without a GPU: built, finalized and given to cuDNN's heuristics
 * together with the properties that an H100 told of itself. cuDNN is opened as training opens it;
 * where there is none, tests are skipped. What it computes is for tests on a GPU.
 */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/ops/cuda/cudnn_graph.h"
#include "engine/ops/sdpa.h"
#include "tests/support.h"

static struct lw_cudnn lib;
static struct lw_error err;

/* cuDNN wants the driver's library even for what needs no driver: tests/fake_libcuda.c will do. */
static bool have_driver(void)
{
    return dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) ||
           dlopen(test_built("tests/.libs/libcuda.so.1"), RTLD_NOW | RTLD_GLOBAL);
}

static void init(void)
{
    if (!have_driver())
        cr_skip_test("no libcuda.so.1: %s", dlerror());
    if (lw_cudnn_load(&lib, &err))
        cr_skip_test("%s", err.text);
}

TestSuite(cudnn_graph, .init = init, .timeout = 120);

/* An H100's properties, with another compute capability where one is given. */
static cudnnBackendDescriptor_t properties(int capability)
{
    static const char field[] = "\"deviceVer\":900";
    cudnnBackendDescriptor_t d = NULL;
    char *json, *at, text[1024];
    size_t size;

    cr_assert_eq(lw_read_file(test_source("tests/data/h100-devprop.json"), 0, &json, &size, &err),
                 0, "%s", err.text);
    at = strstr(json, field);
    cr_assert(at && size < sizeof text - 8);
    snprintf(text, sizeof text, "%.*s\"deviceVer\":%d%s", (int)(at - json), json, capability,
             at + strlen(field));
    free(json);
    cr_assert_eq(lib.make(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d), 0);
    cr_assert_eq(lib.set(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                         (int64_t)strlen(text), text),
                 0);
    cr_assert_eq(lib.finalize(d), 0);
    return d;
}

/* How many engines cuDNN offers for a shape; *workspace is what the first one needs, in bytes. */
static int engines(const struct lw_sdpa *shape, int capability, int64_t *workspace)
{
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    cudnnBackendDescriptor_t heuristics = NULL, found[8], device = properties(capability);
    struct lw_sdpa_graph graph;
    int64_t count = 0, n = 0;

    cr_assert_eq(lw_sdpa_graph_build(&lib, NULL, shape, &graph, &err), 0, "%s", err.text);
    cr_assert_eq(lib.make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristics), 0);
    cr_assert_eq(lib.set(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
                         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &graph.graph),
                 0);
    cr_assert_eq(lib.set(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode),
                 0);
    cr_assert_eq(lib.set(heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP,
                         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &device),
                 0);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(lib.make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &found[i]), 0);
    if (!lib.finalize(heuristics) && lib.get(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                             CUDNN_TYPE_BACKEND_DESCRIPTOR, 8, &count, found))
        count = 0;
    if (count && workspace)
        cr_assert_eq(lib.get(found[0], CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n,
                             workspace),
                     0);
    for (int i = 0; i < 8; i++)
        lib.drop(found[i]);
    lib.drop(heuristics);
    lib.drop(device);
    lw_sdpa_graph_free(&lib, &graph);
    return (int)count;
}

static const struct lw_sdpa gpt2 = {
    .batch = 8, .length = 1024, .heads = 12, .head_dim = 64, .type = LW_BF16, .causal = true};

static void offered(const struct lw_sdpa *s, int capability)
{
    cr_expect_gt(engines(s, capability, NULL), 0, "none for %s %s %s B=%d H=%d S=%d D=%d%s%s on %d",
                 s->type == LW_BF16 ? "bf16" : "fp16", s->causal ? "causal" : "full",
                 s->backward ? "backward" : "forward", s->batch, s->heads, s->length, s->head_dim,
                 s->padded ? " padded" : "", s->deterministic ? " deterministic" : "", capability);
}

/* Every graph that training builds, for one shape. */
static void offered_all(int batch, int length, int heads, int dim, int capability)
{
    for (int i = 0; i < 24; i++) {
        struct lw_sdpa s = {.batch = batch,
                            .length = length,
                            .heads = heads,
                            .head_dim = dim,
                            .type = i & 1 ? LW_F16 : LW_BF16,
                            .causal = i & 2,
                            .padded = i & 4,
                            .backward = i >= 8,
                            .deterministic = i >= 16};

        offered(&s, capability);
    }
}

Test(cudnn_graph, an_h100_has_engines_for_gpt2)
{
    offered_all(8, 1024, 12, 64, 900);
    offered_all(64, 1024, 12, 64, 900);
}

Test(cudnn_graph, and_with_dropout)
{
    for (int i = 0; i < 24; i++) {
        struct lw_sdpa s = gpt2;

        s.type = i & 1 ? LW_F16 : LW_BF16;
        s.causal = i & 2;
        s.padded = i & 4;
        s.backward = i >= 8;
        s.deterministic = i >= 16;
        s.dropout = 0.1f;
        offered(&s, 900);
        offered(&s, 800);
    }
}

Test(cudnn_graph, and_for_vit)
{
    offered_all(128, 197, 12, 64, 900);
}

Test(cudnn_graph, and_for_heads_and_lengths_that_are_less_usual)
{
    offered_all(2, 257, 16, 80, 900);
    offered_all(2, 300, 4, 128, 900);
    offered_all(2, 300, 2, 256, 900);
    offered_all(1, 2, 1, 8, 900);
    offered_all(3, 50, 5, 32, 900);
}

/* As measured on the card: a page of workspace, and T x T for the deterministic backward. */
Test(cudnn_graph, workspaces_are_those_of_the_card)
{
    struct lw_sdpa s = gpt2;
    int64_t bytes = -1;

    if (lib.version != 91900)
        cr_skip_test("the figures are those of cuDNN 9.19.0, not of %zu", lib.version);
    engines(&s, 900, &bytes);
    cr_expect_lt(bytes, 4096);
    s.backward = true;
    engines(&s, 900, &bytes);
    cr_expect_lt(bytes, 2 << 20);
    s.dropout = 0.1f; /* a pattern that is not quite cuDNN's has P written out */
    engines(&s, 900, &bytes);
    cr_expect_lt(bytes, 2 << 20, "%lld with dropout", (long long)bytes);
    s.backward = false;
    engines(&s, 900, &bytes);
    cr_expect_lt(bytes, 4096, "%lld with dropout", (long long)bytes);
    s.dropout = 0;
    s.backward = s.deterministic = true;
    engines(&s, 900, &bytes);
    cr_expect_geq(bytes, 2LL * 8 * 12 * 1024 * 1024);
}

/* The rules of engine/ops/sdpa.c against what cuDNN says. */
Test(cudnn_graph, the_rules_of_eligibility_are_cudnns)
{
    static const int capabilities[] = {750, 800, 860, 890, 900, 1000, 1030, 1200, 1210};
    static const int dims[] = {8, 36, 64, 80, 128, 256, 512};

    if (lib.version != 91900)
        cr_skip_test("the rules are those of cuDNN 9.19.0, not of %zu", lib.version);
    for (size_t c = 0; c < sizeof capabilities / sizeof *capabilities; c++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            const struct lw_sdpa_place place = {true, capabilities[c] / 100,
                                                capabilities[c] / 10 % 10, LW_BF16, lib.version};
            const struct lw_attention a = {
                .batch = 2, .length = 256, .heads = 2, .head_dim = dims[d], .causal = true};
            struct lw_sdpa s = gpt2;
            bool trains;

            s.batch = 2;
            s.length = 256;
            s.heads = 2;
            s.head_dim = dims[d];
            trains = engines(&s, capabilities[c], NULL) > 0;
            s.backward = true;
            trains = trains && engines(&s, capabilities[c], NULL) > 0;
            cr_expect_eq(trains, !lw_sdpa_eligible(&place, &a, &err),
                         "compute capability %d, head dimension %d: cuDNN %s", capabilities[c],
                         dims[d], trains ? "can" : "can't");
        }
}
