/* SPDX-License-Identifier: MIT
 *
 * The CUDA backend's ops, but for attention. Skipped where there is no GPU.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/two_backends.h"

static void check_embed(enum lw_dtype type, bool deterministic, float p)
{
    const int B = 4, T = 96, C = 192, V = 384, P = 128;
    const size_t n = (size_t)B * T * C;
    const struct lw_dropout drop = {p, 3};
    int32_t tokens[4 * 96];

    if (!open_both(type, deterministic, &small))
        return;
    for (int i = 0; i < B * T; i++)
        tokens[i] = i % 3 ? (i * 7) % V : 5; /* one token stands in a third of the places */
    BOTH(tokens, tokens, (size_t)B * T, ID);
    DRAW(wte, (size_t)V * C, 1, ACTIVATION);
    DRAW(wpe, (size_t)P * C, 1, ACTIVATION);
    DRAW(dout, n, 1, ACTIVATION);
    DRAW(dwte, (size_t)V * C, 1, GRADIENT);
    ROOM(out, n, ACTIVATION);
    ROOM(dwpe, (size_t)P * C, GRADIENT);
    cpu.ops->embed(cpu.dev, B, T, C, out_cpu, tokens_cpu, wte_cpu, wpe_cpu, drop);
    gpu.ops->embed(gpu.dev, B, T, C, out_gpu, tokens_gpu, wte_gpu, wpe_gpu, drop);
    SAME(out, n, ACTIVATION, tolerance());
    for (int turn = 0; turn < 2; turn++) {
        cpu.ops->embed_backward(cpu.dev, B, T, C, P, dwte_cpu, dwpe_cpu, dout_cpu, tokens_cpu, drop,
                                turn);
        gpu.ops->embed_backward(gpu.dev, B, T, C, P, dwte_gpu, dwpe_gpu, dout_gpu, tokens_gpu, drop,
                                turn);
        SAME(dwte, (size_t)V * C, GRADIENT, 1e-5);
        SAME(dwpe, (size_t)P * C, GRADIENT, 1e-5);
    }
    close_both();
}

Test(ops_cuda, embed_fp32)
{
    check_embed(LW_F32, false, 0);
}
Test(ops_cuda, embed_bf16)
{
    check_embed(LW_BF16, false, 0);
}
Test(ops_cuda, embed_deterministic)
{
    check_embed(LW_BF16, true, 0);
}
Test(ops_cuda, embed_dropout)
{
    check_embed(LW_F32, false, 0.25f);
}

static void check_norm(enum lw_dtype type, int C, float p)
{
    const int N = 333;
    const size_t n = (size_t)N * C;
    struct lw_shapes shapes = small;
    const struct lw_norm norm = {.rows = N, .channels = C, .epsilon = 1e-5f, .dropout = {p, 9}};

    shapes.channels = C;
    if (!open_both(type, false, &shapes))
        return;
    DRAW(residual, n, 1, ACTIVATION);
    DRAW(branch, n, 1, ACTIVATION);
    DRAW(weight, C, 1, ACTIVATION);
    DRAW(bias, C, 1, ACTIVATION);
    DRAW(dy, n, 1, ACTIVATION);
    DRAW(dsum, n, 1, ACTIVATION);
    ROOM(y, n, ACTIVATION);
    ROOM(sum, n, ACTIVATION);
    ROOM(mean, N, STATISTIC);
    ROOM(rstd, N, STATISTIC);
    ROOM(dbranch, n, ACTIVATION);
    ROOM(dweight, C, GRADIENT);
    ROOM(dbias, C, GRADIENT);
    ROOM(branch_sums, C, GRADIENT);
    cpu.ops->norm(cpu.dev, &norm, y_cpu, sum_cpu, mean_cpu, rstd_cpu, residual_cpu, branch_cpu,
                  weight_cpu, bias_cpu);
    gpu.ops->norm(gpu.dev, &norm, y_gpu, sum_gpu, mean_gpu, rstd_gpu, residual_gpu, branch_gpu,
                  weight_gpu, bias_gpu);
    SAME(y, n, ACTIVATION, tolerance());
    SAME(sum, n, ACTIVATION, tolerance());
    SAME(rstd, N, STATISTIC, tolerance());
    for (int turn = 0; turn < 2; turn++) {
        cpu.ops->norm_backward(cpu.dev, &norm, dsum_cpu, false, p > 0 ? dbranch_cpu : NULL,
                               dweight_cpu, dbias_cpu, branch_sums_cpu, dy_cpu, sum_cpu, mean_cpu,
                               rstd_cpu, weight_cpu, turn);
        gpu.ops->norm_backward(gpu.dev, &norm, dsum_gpu, false, p > 0 ? dbranch_gpu : NULL,
                               dweight_gpu, dbias_gpu, branch_sums_gpu, dy_gpu, sum_gpu, mean_gpu,
                               rstd_gpu, weight_gpu, turn);
        SAME(dsum, n, ACTIVATION, tolerance());
        SAME(dweight, C, GRADIENT, tolerance());
        SAME(dbias, C, GRADIENT, tolerance());
        SAME(branch_sums, C, GRADIENT, tolerance());
        if (p > 0)
            SAME(dbranch, n, ACTIVATION, tolerance());
    }
    /* the first norm of a model adds nothing, and the last one's gradient starts from zero */
    cpu.ops->norm(cpu.dev, &norm, y_cpu, NULL, mean_cpu, rstd_cpu, residual_cpu, NULL, weight_cpu,
                  bias_cpu);
    gpu.ops->norm(gpu.dev, &norm, y_gpu, NULL, mean_gpu, rstd_gpu, residual_gpu, NULL, weight_gpu,
                  bias_gpu);
    SAME(y, n, ACTIVATION, tolerance());
    cpu.ops->norm_backward(cpu.dev, &norm, dsum_cpu, true, NULL, dweight_cpu, dbias_cpu, NULL,
                           dy_cpu, residual_cpu, mean_cpu, rstd_cpu, weight_cpu, false);
    gpu.ops->norm_backward(gpu.dev, &norm, dsum_gpu, true, NULL, dweight_gpu, dbias_gpu, NULL,
                           dy_gpu, residual_gpu, mean_gpu, rstd_gpu, weight_gpu, false);
    SAME(dsum, n, ACTIVATION, tolerance());
    close_both();
}

Test(ops_cuda, norm_fp32)
{
    check_norm(LW_F32, 192, 0);
}
Test(ops_cuda, norm_bf16)
{
    check_norm(LW_BF16, 768, 0);
}
Test(ops_cuda, norm_whole_vectors) /* a warp's lanes all full, in each vector */
{
    check_norm(LW_BF16, 1024, 0);
}
Test(ops_cuda, norm_five_vectors)
{
    check_norm(LW_BF16, 1280, 0);
}
Test(ops_cuda, norm_widest)
{
    check_norm(LW_BF16, 1600, 0);
}
Test(ops_cuda, norm_dropout)
{
    check_norm(LW_F32, 192, 0.1f);
}
Test(ops_cuda, norm_dropout_bf16)
{
    check_norm(LW_BF16, 1000, 0.1f);
}

static void check_linear(enum lw_dtype type, enum lw_layout layout, enum lw_activation activation,
                         int N, int in, int out)
{
    struct lw_shapes shapes = small;
    const struct lw_linear up = {
        .rows = N, .in = in, .out = out, .layout = layout, .activation = activation};
    const struct lw_linear down = {.rows = N, .in = out, .out = in, .layout = layout};

    shapes.feed_forward = out;
    if (!open_both(type, false, &shapes))
        return;
    DRAW(x, (size_t)N * in, 1, ACTIVATION);
    DRAW(w, (size_t)in * out, 0.1f, ACTIVATION);
    DRAW(b, out, 1, ACTIVATION);
    DRAW(w2, (size_t)in * out, 0.1f, ACTIVATION);
    DRAW(dy, (size_t)N * in, 1, ACTIVATION);
    ROOM(y, (size_t)N * out, ACTIVATION);
    ROOM(pre, (size_t)N * out, ACTIVATION);
    ROOM(dpre, (size_t)N * out, ACTIVATION);
    ROOM(dw, (size_t)in * out, GRADIENT);
    ROOM(dbias, in, GRADIENT);
    ROOM(dpre_sums, out, GRADIENT);
    cpu.ops->linear(cpu.dev, &up, y_cpu, pre_cpu, x_cpu, w_cpu, b_cpu, NULL);
    gpu.ops->linear(gpu.dev, &up, y_gpu, pre_gpu, x_gpu, w_gpu, b_gpu, NULL);
    SAME(y, (size_t)N * out, ACTIVATION, tolerance());
    if (activation)
        SAME(pre, (size_t)N * out, ACTIVATION, tolerance());
    for (int turn = 0; turn < 2; turn++) {
        cpu.ops->linear_backward(cpu.dev, &down, dpre_cpu, dw_cpu, dbias_cpu, dpre_sums_cpu, dy_cpu,
                                 y_cpu, w2_cpu, activation ? pre_cpu : NULL, activation, turn);
        gpu.ops->linear_backward(gpu.dev, &down, dpre_gpu, dw_gpu, dbias_gpu, dpre_sums_gpu, dy_gpu,
                                 y_gpu, w2_gpu, activation ? pre_gpu : NULL, activation, turn);
        SAME(dpre, (size_t)N * out, ACTIVATION, tolerance());
        SAME(dw, (size_t)in * out, GRADIENT, tolerance());
        SAME(dbias, in, GRADIENT, tolerance());
        SAME(dpre_sums, out, GRADIENT, tolerance());
    }
    close_both();
}

Test(ops_cuda, linear_fp32)
{
    check_linear(LW_F32, LW_IN_OUT, LW_NO_ACTIVATION, 200, 192, 768);
}
Test(ops_cuda, linear_gelu_fp32)
{
    check_linear(LW_F32, LW_IN_OUT, LW_GELU_TANH, 200, 192, 768);
}
Test(ops_cuda, linear_bf16)
{
    check_linear(LW_BF16, LW_IN_OUT, LW_NO_ACTIVATION, 200, 192, 768);
}
Test(ops_cuda, linear_gelu_bf16)
{
    check_linear(LW_BF16, LW_IN_OUT, LW_GELU_TANH, 200, 192, 768);
}
Test(ops_cuda, linear_erf_out_in)
{
    check_linear(LW_BF16, LW_OUT_IN, LW_GELU_ERF, 200, 192, 768);
}

Test(ops_cuda, linear_gelu_out_in)
{
    check_linear(LW_BF16, LW_OUT_IN, LW_GELU_TANH, 200, 192, 768);
}
/* More tiles than a GPU works on at a time, the last row of them not whole. */
Test(ops_cuda, linear_gelu_many_tiles)
{
    check_linear(LW_BF16, LW_IN_OUT, LW_GELU_TANH, 4200, 320, 2048);
}
Test(ops_cuda, linear_gelu_many_tiles_out_in)
{
    check_linear(LW_BF16, LW_OUT_IN, LW_GELU_TANH, 2817, 192, 3072);
}
/* A width that does not fall into tiles. */
Test(ops_cuda, linear_gelu_odd)
{
    check_linear(LW_BF16, LW_IN_OUT, LW_GELU_TANH, 100, 72, 200);
}

/* A residual in the product, with and without a bias; the second turn meets the algorithm that the
 * first one chose, with other inputs, and the plain product is another one than that. */
static void check_residual(enum lw_dtype type, enum lw_layout layout)
{
    const int N = 200, in = 768, out = 192;
    const size_t n = (size_t)N * out;
    const struct lw_linear l = {.rows = N, .in = in, .out = out, .layout = layout};

    if (!open_both(type, false, &small))
        return;
    for (int turn = 0; turn < 2; turn++) {
        DRAW(x, (size_t)N * in, 1, ACTIVATION);
        DRAW(w, (size_t)in * out, 0.1f, ACTIVATION);
        DRAW(b, out, 1, ACTIVATION);
        DRAW(residual, n, 3, ACTIVATION);
        ROOM(plain, n, ACTIVATION);
        ROOM(sum, n, ACTIVATION);
        ROOM(unbiased, n, ACTIVATION);
        cpu.ops->linear(cpu.dev, &l, sum_cpu, NULL, x_cpu, w_cpu, b_cpu, residual_cpu);
        gpu.ops->linear(gpu.dev, &l, sum_gpu, NULL, x_gpu, w_gpu, b_gpu, residual_gpu);
        SAME(sum, n, ACTIVATION, tolerance());
        cpu.ops->linear(cpu.dev, &l, plain_cpu, NULL, x_cpu, w_cpu, b_cpu, NULL);
        gpu.ops->linear(gpu.dev, &l, plain_gpu, NULL, x_gpu, w_gpu, b_gpu, NULL);
        SAME(plain, n, ACTIVATION, tolerance());
        cpu.ops->linear(cpu.dev, &l, unbiased_cpu, NULL, x_cpu, w_cpu, NULL, residual_cpu);
        gpu.ops->linear(gpu.dev, &l, unbiased_gpu, NULL, x_gpu, w_gpu, NULL, residual_gpu);
        SAME(unbiased, n, ACTIVATION, tolerance());
        SAME(residual, n, ACTIVATION, 0);
    }
    close_both();
}

Test(ops_cuda, linear_residual_fp32)
{
    check_residual(LW_F32, LW_IN_OUT);
}
Test(ops_cuda, linear_residual_bf16)
{
    check_residual(LW_BF16, LW_IN_OUT);
}
Test(ops_cuda, linear_residual_out_in)
{
    check_residual(LW_BF16, LW_OUT_IN);
}

static void check_head(enum lw_dtype type, int V, int padded)
{
    const int N = 384, C = 192;
    struct lw_shapes shapes = small;
    const struct lw_head head = {.rows = N, .channels = C, .classes = V, .padded_classes = padded};
    struct lw_result want, got;
    struct lw_error err = {0};
    int32_t targets[384];

    shapes.vocabulary = padded;
    if (!open_both(type, false, &shapes))
        return;
    for (int i = 0; i < N; i++)
        targets[i] = i % 5 ? (i * 31) % V : LW_IGNORED;
    BOTH(targets, targets, N, ID);
    DRAW(x, (size_t)N * C, 1, ACTIVATION);
    DRAW(w, (size_t)padded * C, 0.2f, ACTIVATION);
    ROOM(dx, (size_t)N * C, ACTIVATION);
    ROOM(dw, (size_t)padded * C, GRADIENT);
    ROOM(argmax, N, ID);
    ROOM(logits, (size_t)N * V, STATISTIC);
    for (int turn = 0; turn < 2; turn++) {
        cpu.ops->head_loss(cpu.dev, &head, dx_cpu, dw_cpu, NULL, argmax_cpu, x_cpu, w_cpu, NULL,
                           targets_cpu, turn);
        gpu.ops->head_loss(gpu.dev, &head, dx_gpu, dw_gpu, NULL, argmax_gpu, x_gpu, w_gpu, NULL,
                           targets_gpu, turn);
    }
    SAME(dx, (size_t)N * C, ACTIVATION, tolerance() * 1.5);
    SAME(dw, (size_t)V * C, GRADIENT, tolerance() * 1.5);
    cpu.ops->finish(cpu.dev);
    gpu.ops->finish(gpu.dev);
    cr_assert_eq(cpu.ops->collect(cpu.dev, true, &want, &err), 1);
    cr_assert_eq(gpu.ops->collect(gpu.dev, true, &got, &err), 1, "%s", err.text);
    cr_assert_eq(got.step, 7);
    cr_assert_eq(got.targets, want.targets);
    cr_assert_float_eq(got.loss_sum, want.loss_sum, tolerance() * want.loss_sum);
    cr_assert_float_eq(got.correct, want.correct, type == LW_BF16 ? 4 : 0);
    cr_assert(isnan(got.norm) && !got.updated);
    cpu.ops->head_logits(cpu.dev, &head, logits_cpu, x_cpu, w_cpu, NULL);
    gpu.ops->head_logits(gpu.dev, &head, logits_gpu, x_gpu, w_gpu, NULL);
    SAME(logits, (size_t)N * V, STATISTIC, tolerance());
    close_both();
}

Test(ops_cuda, head_fp32)
{
    check_head(LW_F32, 257, 320);
}
Test(ops_cuda, head_bf16)
{
    check_head(LW_BF16, 257, 320);
}
Test(ops_cuda, head_gpt2_vocabulary)
{
    check_head(LW_BF16, 50257, 50304);
}
Test(ops_cuda, head_beyond_registers)
{
    check_head(LW_BF16, 100277, 100352);
}

static void check_update(enum lw_dtype type, bool poisoned)
{
    enum { n = 8192 };
    const struct lw_decay_span spans[] = {{0, 5120, true}, {5120, n - 5120, false}};
    const struct lw_update u = {.count = n,
                                .spans = spans,
                                .span_count = 2,
                                .beta1 = 0.9f,
                                .beta2 = 0.95f,
                                .epsilon = 1e-8f,
                                .weight_decay = 0.1f,
                                .max_norm = 1};
    const struct lw_head head = {
        .rows = 64, .channels = 192, .classes = 257, .padded_classes = 320};
    struct lw_result want, got;
    struct lw_error err = {0};
    int32_t targets[64];
    float *master_gpu = NULL;

    if (!open_both(type, false, &small))
        return;
    for (int i = 0; i < 64; i++)
        targets[i] = i;
    BOTH(targets, targets, 64, ID);
    DRAW(x, 64 * 192, 1, ACTIVATION);
    DRAW(w, 320 * 192, 0.2f, ACTIVATION);
    DRAW(p, n, 1, GRADIENT);
    DRAW(m, n, 0, STATISTIC);
    DRAW(v, n, 0, STATISTIC);
    float *g = draw(n, 1);
    if (poisoned)
        g[4321] = NAN;
    BOTH(g, g, n, GRADIENT);
    void *weights_gpu = room(&gpu, n, ACTIVATION);
    if (type == LW_BF16)
        master_gpu = p_gpu;
    for (int t = 0; t < 3; t++) {
        cpu.ops->head_loss(cpu.dev, &head, NULL, NULL, NULL, NULL, x_cpu, w_cpu, NULL, targets_cpu,
                           false);
        gpu.ops->head_loss(gpu.dev, &head, NULL, NULL, NULL, NULL, x_gpu, w_gpu, NULL, targets_gpu,
                           false);
        cpu.ops->update(cpu.dev, &u, p_cpu, NULL, g_cpu, m_cpu, v_cpu);
        gpu.ops->update(gpu.dev, &u, master_gpu ? weights_gpu : p_gpu, master_gpu, g_gpu, m_gpu,
                        v_gpu);
        cpu.ops->finish(cpu.dev);
        gpu.ops->finish(gpu.dev);
        cr_assert_eq(cpu.ops->collect(cpu.dev, true, &want, &err), 1);
        cr_assert_eq(gpu.ops->collect(gpu.dev, true, &got, &err), 1, "%s", err.text);
        cr_assert(got.updated);
        cr_assert_eq(got.skipped, poisoned);
        cr_assert_eq(want.skipped, poisoned);
        cr_assert_eq(got.updates, poisoned ? 0u : (unsigned)t + 1);
        if (!poisoned) {
            cr_assert_float_eq(got.norm, want.norm, 1e-5 * want.norm);
            cr_assert_float_eq(got.norm_clipped, 1, 1e-4);
        }
    }
    SAME(p, n, GRADIENT, 1e-6);
    if (!poisoned) {
        SAME(m, n, STATISTIC, 1e-5);
        SAME(v, n, STATISTIC, 1e-5);
    }
    if (type == LW_BF16 && !poisoned) {
        float *rounded = get(&gpu, weights_gpu, n, ACTIVATION);
        float *exact = get(&gpu, p_gpu, n, STATISTIC);

        for (int i = 0; i < n; i++) /* half a unit in the last of 8 places, at most */
            cr_assert_leq(fabsf(rounded[i] - exact[i]), fabsf(exact[i]) / 256, "weight %d", i);
        free(rounded);
        free(exact);
    }
    close_both();
}

Test(ops_cuda, update_fp32)
{
    check_update(LW_F32, false);
}
Test(ops_cuda, update_bf16)
{
    check_update(LW_BF16, false);
}
Test(ops_cuda, update_skips_nan)
{
    check_update(LW_BF16, true);
}
