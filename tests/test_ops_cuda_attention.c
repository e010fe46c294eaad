/* SPDX-License-Identifier: MIT
 *
 * Attention on the GPU: written out, and by cuDNN. Skipped where there is no GPU or no cuDNN.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/two_backends.h"

static void check_attention(enum lw_dtype type, enum lw_attention_kind kind, int B, int T, int H,
                            int D, bool causal, bool deterministic)
{
    const int C = H * D;
    const size_t n = (size_t)B * T * C, square = (size_t)B * H * T * T;
    struct lw_shapes shapes = small;
    struct lw_attention a = {.kind = kind,
                             .batch = B,
                             .length = T,
                             .heads = H,
                             .head_dim = D,
                             .causal = causal,
                             .scale = 1 / sqrtf((float)D)};
    struct lw_attention on_cpu = a;
    struct lw_error err = {0};
    void *p_cpu = NULL, *p_gpu = NULL;

    shapes.batch = B;
    shapes.length = T;
    shapes.heads = H;
    shapes.channels = C;
    shapes.feed_forward = 4 * C;
    shapes.causal = causal;
    shapes.attention = kind;
    on_cpu.kind = LW_ATTENTION_TILED;
    if (!open_both(type, deterministic, &shapes))
        return;
    if (gpu.ops->attention_ready(gpu.dev, &a, &err))
        cr_skip_test("%s", err.text);
    DRAW(qkv, 3 * n, 1, ACTIVATION);
    DRAW(dout, n, 1, ACTIVATION);
    ROOM(out, n, ACTIVATION);
    ROOM(lse, (size_t)B * H * T, STATISTIC);
    ROOM(dqkv, 3 * n, ACTIVATION);
    if (kind == LW_ATTENTION_MATH)
        p_gpu = room(&gpu, square, ACTIVATION);
    cpu.ops->attention(cpu.dev, &on_cpu, out_cpu, lse_cpu, p_cpu, qkv_cpu);
    gpu.ops->attention(gpu.dev, &a, out_gpu, lse_gpu, p_gpu, qkv_gpu);
    SAME(out, n, ACTIVATION, tolerance());
    SAME(lse, (size_t)B * H * T, STATISTIC, 1e-3);
    cpu.ops->attention_backward(cpu.dev, &on_cpu, dqkv_cpu, dout_cpu, out_cpu, lse_cpu, p_cpu,
                                qkv_cpu);
    gpu.ops->attention_backward(gpu.dev, &a, dqkv_gpu, dout_gpu, out_gpu, lse_gpu, p_gpu, qkv_gpu);
    SAME(dqkv, 3 * n, ACTIVATION, tolerance());
    close_both();
}

Test(ops_cuda_attention, attention_math_fp32)
{
    check_attention(LW_F32, LW_ATTENTION_MATH, 2, 97, 3, 64, true, false);
}
Test(ops_cuda_attention, attention_math_bf16)
{
    check_attention(LW_BF16, LW_ATTENTION_MATH, 2, 128, 3, 64, true, false);
}
Test(ops_cuda_attention, attention_math_full)
{
    check_attention(LW_BF16, LW_ATTENTION_MATH, 2, 50, 3, 64, false, false);
}
Test(ops_cuda_attention, attention_cudnn_causal)
{
    check_attention(LW_BF16, LW_ATTENTION_CUDNN, 2, 256, 3, 64, true, false);
}
Test(ops_cuda_attention, attention_cudnn_long)
{
    check_attention(LW_BF16, LW_ATTENTION_CUDNN, 1, 1024, 2, 64, true, false);
}
Test(ops_cuda_attention, attention_cudnn_deterministic)
{
    check_attention(LW_BF16, LW_ATTENTION_CUDNN, 2, 200, 3, 64, true, true);
}
Test(ops_cuda_attention, attention_cudnn_full)
{
    check_attention(LW_BF16, LW_ATTENTION_CUDNN, 4, 197, 3, 64, false, false);
}
Test(ops_cuda_attention, attention_cudnn_guarded)
{
    check_attention(LW_BF16, LW_ATTENTION_CUDNN, 2, 192, 3, 64, false, false);
}
Test(ops_cuda_attention, attention_cudnn_wide_heads)
{
    check_attention(LW_BF16, LW_ATTENTION_CUDNN, 2, 257, 2, 80, false, false);
}

Test(ops_cuda_attention, decode_follows_attention)
{
    enum { B = 2, T = 40, H = 3, D = 64, C = H * D };
    const struct lw_attention a = {.kind = LW_ATTENTION_MATH,
                                   .batch = B,
                                   .length = T,
                                   .heads = H,
                                   .head_dim = D,
                                   .causal = true,
                                   .scale = 0.125f};
    const size_t n = (size_t)B * T * C;
    struct lw_error err = {0};

    if (!open_both(LW_F32, false, &small))
        return;
    DRAW(qkv, 3 * n, 1, ACTIVATION);
    ROOM(out, n, ACTIVATION);
    void *lse = room(&gpu, (size_t)B * H * T, STATISTIC);
    void *p = room(&gpu, (size_t)B * H * T * T, ACTIVATION);
    void *keys = room(&gpu, n, ACTIVATION), *values = room(&gpu, n, ACTIVATION);
    void *row = room(&gpu, 3 * B * C, ACTIVATION), *one = room(&gpu, B * C, ACTIVATION);
    (void)out_cpu;
    (void)qkv_cpu;
    gpu.ops->attention(gpu.dev, &a, out_gpu, lse, p, qkv_gpu);
    float *want = get(&gpu, out_gpu, n, ACTIVATION), packed[3 * B * C];
    for (int t = 0; t < T; t++) {
        for (int b = 0; b < B; b++)
            memcpy(packed + b * 3 * C, qkv + ((size_t)b * T + t) * 3 * C, sizeof packed / B);
        must(gpu.ops->upload(gpu.dev, row, packed, sizeof packed, &err), &err);
        gpu.ops->attention_decode(gpu.dev, &a, one, keys, values, row, t);
        float *got = get(&gpu, one, B * C, ACTIVATION);
        for (int b = 0; b < B; b++)
            for (int c = 0; c < C; c++)
                cr_assert_float_eq(got[b * C + c], want[((size_t)b * T + t) * C + c], 1e-4);
        free(got);
    }
    close_both();
}
