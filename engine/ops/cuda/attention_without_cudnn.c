/* SPDX-License-Identifier: MIT
 *
 * In a build without cuDNN's headers: why there is no fused attention.
 */
#include "engine/ops/cuda/device.h"

int lw_cudnn_ready(struct lw_device *dev, const struct lw_attention *a, struct lw_error *err)
{
    (void)dev;
    (void)a;
    return lw_fail(err, LW_EMISSING, "this build has no cuDNN (configure --with-cudnn)");
}

int lw_cudnn_prepare(struct lw_device *dev, const struct lw_attention *a, bool training,
                     struct lw_error *err)
{
    (void)training;
    return lw_cudnn_ready(dev, a, err);
}

bool lw_cudnn_attention(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                        const void *qkv)
{
    (void)a;
    (void)out;
    (void)lse;
    (void)qkv;
    lw_cuda_failed(dev, "attention", "this build has no cuDNN");
    return false;
}

bool lw_cudnn_attention_backward(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                                 const void *dout, const void *out, const float *lse,
                                 const void *qkv)
{
    (void)dqkv;
    (void)dout;
    return lw_cudnn_attention(dev, a, (void *)out, (float *)lse, qkv);
}

void lw_cudnn_close(struct lw_device *dev)
{
    (void)dev;
}
