/* SPDX-License-Identifier: MIT
 *
 * What images and classifiers need of the CUDA backend, and a whole ViT on it. Skipped where there
 * is no GPU.
 */
#include <criterion/criterion.h>

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/hf_gpt2.h"
#include "engine/model/hf_vit.h"
#include "tests/support.h"
#include "tests/two_backends.h"

static void check_patches(enum lw_dtype type, int S, int P)
{
    const int B = 3, T = 1 + S / P * (S / P);
    const size_t bytes = (size_t)B * 3 * (size_t)S * (size_t)S, n = (size_t)B * T * 3 * P * P;
    const struct lw_patches p = {
        .batch = B, .image = S, .patch = P, .scale = {0.5f, 1, 2}, .shift = {-3, 0, 0.25f}};
    uint8_t *pixels;

    if (!open_both(type, false, &small))
        return;
    pixels = malloc(bytes + 4);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    BOTH(pixels, pixels, bytes / 4, ID);
    ROOM(out, n, ACTIVATION);
    cpu.ops->patches(cpu.dev, &p, out_cpu, pixels_cpu);
    gpu.ops->patches(gpu.dev, &p, out_gpu, pixels_gpu);
    SAME(out, n, ACTIVATION, tolerance());
    free(pixels);
    close_both();
}

Test(ops_cuda_images, patches)
{
    check_patches(LW_F32, 32, 8);
    check_patches(LW_F32, 28, 7);
    check_patches(LW_BF16, 64, 16);
    check_patches(LW_BF16, 28, 4);
}

static void check_place(enum lw_dtype type, float p)
{
    const int B = 4, T = 65, C = 192;
    const size_t n = (size_t)B * T * C;
    const struct lw_dropout drop = {p, 3};

    if (!open_both(type, false, &small))
        return;
    DRAW(x, n, 1, ACTIVATION);
    DRAW(token, (size_t)C, 1, ACTIVATION);
    DRAW(bias, (size_t)C, 1, ACTIVATION);
    DRAW(wpe, (size_t)T * C, 1, ACTIVATION);
    DRAW(d, n, 1, ACTIVATION);
    ROOM(dtoken, (size_t)C, GRADIENT);
    ROOM(dbias, (size_t)C, GRADIENT);
    ROOM(dwpe, (size_t)T * C, GRADIENT);
    cpu.ops->place(cpu.dev, B, T, C, x_cpu, token_cpu, bias_cpu, wpe_cpu, drop);
    gpu.ops->place(gpu.dev, B, T, C, x_gpu, token_gpu, bias_gpu, wpe_gpu, drop);
    SAME(x, n, ACTIVATION, tolerance());
    for (int turn = 0; turn < 2; turn++) {
        const struct lw_dropout none = {0, 3}, rule = turn ? none : drop;

        cpu.ops->place_backward(cpu.dev, B, T, C, d_cpu, dtoken_cpu, dbias_cpu, dwpe_cpu, rule,
                                turn);
        gpu.ops->place_backward(gpu.dev, B, T, C, d_gpu, dtoken_gpu, dbias_gpu, dwpe_gpu, rule,
                                turn);
        SAME(d, n, ACTIVATION, tolerance());
        SAME(dtoken, (size_t)C, GRADIENT, tolerance());
        SAME(dbias, (size_t)C, GRADIENT, tolerance());
        SAME(dwpe, (size_t)T * C, GRADIENT, tolerance());
    }
    close_both();
}

Test(ops_cuda_images, place)
{
    check_place(LW_F32, 0);
    check_place(LW_F32, 0.25f);
    check_place(LW_BF16, 0);
}

static void check_rows(enum lw_dtype type)
{
    const int N = 384, C = 192, FEW = 3;
    const int32_t picked[] = {0, 96, 383};

    if (!open_both(type, false, &small))
        return;
    BOTH(index, picked, (size_t)FEW, ID);
    DRAW(x, (size_t)N * C, 1, ACTIVATION);
    ROOM(few, (size_t)FEW * C, ACTIVATION);
    ROOM(back, (size_t)N * C, ACTIVATION);
    cpu.ops->gather(cpu.dev, FEW, C, few_cpu, x_cpu, index_cpu);
    gpu.ops->gather(gpu.dev, FEW, C, few_gpu, x_gpu, index_gpu);
    SAME(few, (size_t)FEW * C, ACTIVATION, 0);
    cpu.ops->scatter(cpu.dev, N, FEW, C, back_cpu, few_cpu, index_cpu);
    gpu.ops->scatter(gpu.dev, N, FEW, C, back_gpu, few_gpu, index_gpu);
    SAME(back, (size_t)N * C, ACTIVATION, 0);
    close_both();
}

Test(ops_cuda_images, rows)
{
    check_rows(LW_F32);
    check_rows(LW_BF16);
}

/* A classifier's head: a bias, and the five largest counted. */
Test(ops_cuda_images, head_with_bias_and_top5)
{
    const int N = 128, C = 192, V = 100, padded = 128;
    const struct lw_head head = {
        .rows = N, .channels = C, .classes = V, .padded_classes = padded, .top5 = true};
    struct lw_shapes shapes = small;
    struct lw_result want, got;
    struct lw_error err = {0};
    int32_t targets[128];

    shapes.vocabulary = padded;
    if (!open_both(LW_F32, false, &shapes))
        return;
    for (int i = 0; i < N; i++)
        targets[i] = i % 5 ? (i * 31) % V : LW_IGNORED;
    BOTH(targets, targets, (size_t)N, ID);
    DRAW(x, (size_t)N * C, 1, ACTIVATION);
    DRAW(w, (size_t)padded * C, 0.05f, ACTIVATION);
    DRAW(bias, (size_t)padded, 1, ACTIVATION);
    ROOM(dx, (size_t)N * C, ACTIVATION);
    ROOM(dw, (size_t)padded * C, GRADIENT);
    ROOM(dbias, (size_t)padded, GRADIENT);
    cpu.ops->head_loss(cpu.dev, &head, dx_cpu, dw_cpu, dbias_cpu, NULL, x_cpu, w_cpu, bias_cpu,
                       targets_cpu, false);
    gpu.ops->head_loss(gpu.dev, &head, dx_gpu, dw_gpu, dbias_gpu, NULL, x_gpu, w_gpu, bias_gpu,
                       targets_gpu, false);
    SAME(dx, (size_t)N * C, ACTIVATION, 2e-5);
    SAME(dw, (size_t)padded * C, GRADIENT, 2e-5);
    SAME(dbias, (size_t)padded, GRADIENT, 2e-5);
    cpu.ops->finish(cpu.dev);
    gpu.ops->finish(gpu.dev);
    cr_assert_eq(cpu.ops->collect(cpu.dev, true, &want, &err), 1);
    cr_assert_eq(gpu.ops->collect(gpu.dev, true, &got, &err), 1, "%s", err.text);
    cr_expect_eq(got.targets, want.targets);
    cr_expect_eq(got.correct, want.correct);
    cr_expect_eq(got.top5, want.top5);
    cr_expect(want.top5 > 0 && want.top5 < want.targets);
    cr_expect_float_eq(got.loss_sum, want.loss_sum, 1e-5 * want.loss_sum);
    close_both();
}

enum { STEPS = 10, BATCH = 8, PIXELS = 3 * 32 * 32 };

/* vit-tiny's ten steps, whose losses PyTorch gave. */
static void check_golden(enum lw_dtype type, bool record, double most)
{
    const struct lw_adamw adamw = {
        .beta1 = 0.9f, .beta2 = 0.95f, .epsilon = 1e-8f, .weight_decay = 0.1f, .max_norm = 1.0f};
    const char *folder = test_source("tests/data/vit-tiny");
    struct lw_model_plan plan = {.batch = BATCH, .attention = LW_ATTENTION_AUTO, .record = record};
    uint8_t pixels[BATCH * PIXELS];
    int32_t labels[BATCH];
    struct lw_model_spec spec;
    struct lw_model *g;
    struct lw_error err = {0};
    json_t *expected;
    bool normalised;
    FILE *f;

    if (!open_both(type, false, &small))
        return;
    expected = json_load_file(test_source("tests/data/vit-tiny/expected.json"), 0, NULL);
    f = fopen(test_source("tests/data/vit-tiny/images.bin"), "rb");
    must(lw_hf_vit_spec(folder, &spec, &normalised, &err), &err);
    for (int c = 0; c < 3; c++)
        spec.deviation[c] = 1;
    must(lw_model_create(&g, &spec, gpu.ops, gpu.dev, 1, &err), &err);
    must(lw_model_prepare(g, &plan, &err), &err);
    must(lw_hf_load(folder, g, 1, NULL, 0, &err), &err);
    for (int i = 0; i < STEPS; i++) {
        struct lw_step step = {.step = (uint64_t)i + 1, .seed = 42, .learning_rate = 1e-3f};
        double loss =
            json_real_value(json_array_get(json_object_get(expected, "losses"), (size_t)i));
        struct lw_result r;

        for (int j = 0; j < BATCH; j++) {
            labels[j] = fgetc(f);
            cr_assert_eq(fread(pixels + j * PIXELS, 1, PIXELS, f), PIXELS);
        }
        must(lw_model_train(g, &step, pixels, labels, false, true, &err), &err);
        must(lw_model_update(g, &adamw, &err), &err);
        gpu.ops->finish(gpu.dev);
        cr_assert_eq(gpu.ops->collect(gpu.dev, true, &r, &err), 1, "%s", err.text);
        cr_expect_float_eq(r.loss_sum / r.targets, loss, most * loss, "step %d: %g, not %g", i,
                           r.loss_sum / r.targets, loss);
    }
    fclose(f);
    json_decref(expected);
    lw_model_free(g);
    close_both();
}

Test(ops_cuda_images, golden_fp32)
{
    check_golden(LW_F32, false, 1e-4);
}
Test(ops_cuda_images, golden_fp32_recorded)
{
    check_golden(LW_F32, true, 1e-4);
}
Test(ops_cuda_images, golden_bf16)
{
    check_golden(LW_BF16, false, 3e-2);
}
