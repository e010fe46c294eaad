/* SPDX-License-Identifier: MIT
 *
 * Linear layers as cuBLASLt products, but for those with GELU behind them where linear_hopper.cu
 * has them. cuBLASLt counts columns first, so a row-major (r, c) matrix is to it a (c, r) one:
 * y^T = W^T x^T.
 */
#include "engine/ops/cuda/device.h"

static bool fuse_gelu(const struct lw_device *dev, enum lw_activation a)
{
    return a == LW_GELU_TANH && dev->type == LW_BF16; /* cuBLASLt's GELU is the tanh form */
}

void lw_cuda_linear(struct lw_device *dev, const struct lw_linear *l, void *y, void *pre,
                    const void *x, const void *w, const void *bias, const void *residual)
{
    struct lw_matmul mm = {.m = l->out,
                           .n = l->rows,
                           .k = l->in,
                           .transpose_a = l->layout == LW_OUT_IN,
                           .lda = l->layout == LW_OUT_IN ? l->in : l->out,
                           .ldb = l->in,
                           .ldd = l->out,
                           .type_ab = dev->type,
                           .type_d = dev->type,
                           .batch = 1,
                           .alpha = 1};
    const size_t count = (size_t)l->rows * (size_t)l->out;
    void *to = l->activation && pre ? pre : y;

    if (l->activation && pre && bias && fuse_gelu(dev, l->activation)) {
        if (lw_hopper_linear_gelu(dev, l, y, pre, x, w, bias))
            return;
        mm.epilogue = LW_EPI_GELU_AUX;
        if (lw_matmul_run(dev, "linear", &mm, w, x, y, (void *)bias, pre))
            return;
    }
    mm.epilogue = bias ? LW_EPI_BIAS : LW_EPI_NONE;
    if (residual) {
        mm.residual = true;
        if (lw_matmul_run(dev, "linear", &mm, w, x, y, (void *)bias, (void *)residual))
            return;
        mm.residual = false;
    }
    if (!lw_matmul_run(dev, "linear", &mm, w, x, to, (void *)bias, NULL)) {
        mm.epilogue = LW_EPI_NONE;
        lw_matmul_run(dev, "linear", &mm, w, x, to, NULL, NULL);
        lw_cuda_add(dev, to, bias, count, (size_t)l->out);
    }
    if (residual)
        lw_cuda_add(dev, y, residual, count, count);
    if (l->activation)
        lw_cuda_activate(dev, l->activation, y, to, count);
}

static void data_gradient(struct lw_device *dev, const struct lw_linear *l, void *dx,
                          const void *dy, const void *w, const void *x_pre,
                          enum lw_activation x_activation)
{
    struct lw_matmul mm = {.m = l->in,
                           .n = l->rows,
                           .k = l->out,
                           .transpose_a = l->layout == LW_IN_OUT,
                           .lda = l->layout == LW_IN_OUT ? l->out : l->in,
                           .ldb = l->out,
                           .ldd = l->in,
                           .type_ab = dev->type,
                           .type_d = dev->type,
                           .batch = 1,
                           .alpha = 1};

    if (x_pre && fuse_gelu(dev, x_activation)) {
        mm.epilogue = LW_EPI_DGELU;
        if (lw_matmul_run(dev, "linear backward", &mm, w, dy, dx, NULL, (void *)x_pre))
            return;
        mm.epilogue = LW_EPI_NONE;
    }
    lw_matmul_run(dev, "linear backward", &mm, w, dy, dx, NULL, NULL);
    if (x_pre)
        lw_cuda_activate_backward(dev, x_activation, dx, x_pre, (size_t)l->rows * l->in);
}

/* dW in W's own layout: (in, out) is to cuBLASLt dy^T-major, (out, in) the other way round. */
static void weight_gradient(struct lw_device *dev, const struct lw_linear *l, void *dw,
                            const void *dy, const void *x, bool accumulate)
{
    const bool in_out = l->layout == LW_IN_OUT;
    struct lw_matmul mm = {.m = in_out ? l->out : l->in,
                           .n = in_out ? l->in : l->out,
                           .k = l->rows,
                           .transpose_b = true,
                           .lda = in_out ? l->out : l->in,
                           .ldb = in_out ? l->in : l->out,
                           .ldd = in_out ? l->out : l->in,
                           .type_ab = dev->type,
                           .type_d = LW_F32,
                           .accumulate = accumulate,
                           .batch = 1,
                           .alpha = 1};
    const void *a = in_out ? dy : x, *b = in_out ? x : dy;

    lw_matmul_run(dev, "weight gradient", &mm, a, b, dw, NULL, NULL);
}

void lw_cuda_linear_backward(struct lw_device *dev, const struct lw_linear *l, void *dx, void *dw,
                             void *dbias, void *dx_sums, const void *dy, const void *x,
                             const void *w, const void *x_pre, enum lw_activation x_activation,
                             bool accumulate)
{
    if (dbias) /* first: the end of dy was just written */
        lw_cuda_column_sums(dev, dbias, dy, l->rows, l->out, accumulate);
    weight_gradient(dev, l, dw, dy, x, accumulate);
    if (x_pre && fuse_gelu(dev, x_activation) &&
        lw_hopper_gelu_backward(dev, l, dx, dx_sums, dy, w, x_pre, accumulate))
        return;
    if (dx)
        data_gradient(dev, l, dx, dy, w, x_pre, x_activation);
    if (dx_sums)
        lw_cuda_column_sums(dev, dx_sums, dx, l->rows, l->in, accumulate);
}
