/* SPDX-License-Identifier: MIT
 *
 * The backend's table, each op inside an NVTX range of its name, for Nsight and its like. NVTX is
 * a header: without a profiler around the program a range is a look at a pointer. In a recording
 * ops run once, while it is made; profile with compile_mode=default to see them in every step.
 */
#include "engine/ops/cuda/device.h"

/* The two symbols that the engine looks up in this module. */
extern struct lw_backend lw_backend_module;
extern const size_t lw_backend_module_layout[];
struct lw_backend lw_backend_module;
const size_t lw_backend_module_layout[] = LW_OPS_LAYOUT;

#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>

#define RANGE(op, parameters, arguments)                                                           \
    static void op parameters                                                                      \
    {                                                                                              \
        nvtxRangePushA(#op);                                                                       \
        lw_cuda_##op arguments;                                                                    \
        nvtxRangePop();                                                                            \
    }

RANGE(embed,
      (struct lw_device * dev, int batch, int length, int channels, void *out,
       const int32_t *tokens, const void *wte, const void *wpe, struct lw_dropout dropout),
      (dev, batch, length, channels, out, tokens, wte, wpe, dropout))

RANGE(embed_backward,
      (struct lw_device * dev, int batch, int length, int channels, int position_rows, void *dwte,
       void *dwpe, const void *dout, const int32_t *tokens, struct lw_dropout dropout,
       bool accumulate),
      (dev, batch, length, channels, position_rows, dwte, dwpe, dout, tokens, dropout, accumulate))

RANGE(patches,
      (struct lw_device * dev, const struct lw_patches *p, void *out, const uint8_t *pixels),
      (dev, p, out, pixels))

RANGE(place,
      (struct lw_device * dev, int batch, int length, int channels, void *x, const void *token,
       const void *bias, const void *wpe, struct lw_dropout dropout),
      (dev, batch, length, channels, x, token, bias, wpe, dropout))

RANGE(place_backward,
      (struct lw_device * dev, int batch, int length, int channels, void *d, void *dtoken,
       void *dbias, void *dwpe, struct lw_dropout dropout, bool accumulate),
      (dev, batch, length, channels, d, dtoken, dbias, dwpe, dropout, accumulate))

RANGE(gather,
      (struct lw_device * dev, int n, int channels, void *out, const void *in,
       const int32_t *index),
      (dev, n, channels, out, in, index))

RANGE(scatter,
      (struct lw_device * dev, int rows, int n, int channels, void *out, const void *in,
       const int32_t *index),
      (dev, rows, n, channels, out, in, index))

RANGE(norm,
      (struct lw_device * dev, const struct lw_norm *n, void *y, void *sum, float *mean,
       float *rstd, const void *residual, const void *branch, const void *weight, const void *bias),
      (dev, n, y, sum, mean, rstd, residual, branch, weight, bias))

RANGE(norm_backward,
      (struct lw_device * dev, const struct lw_norm *n, void *dsum, bool dsum_zero, void *dbranch,
       void *dweight, void *dbias, void *dbranch_sums, const void *dy, const void *sum,
       const float *mean, const float *rstd, const void *weight, bool accumulate),
      (dev, n, dsum, dsum_zero, dbranch, dweight, dbias, dbranch_sums, dy, sum, mean, rstd, weight,
       accumulate))

RANGE(linear,
      (struct lw_device * dev, const struct lw_linear *l, void *y, void *pre, const void *x,
       const void *w, const void *bias, const void *residual),
      (dev, l, y, pre, x, w, bias, residual))

RANGE(linear_backward,
      (struct lw_device * dev, const struct lw_linear *l, void *dx, void *dw, void *dbias,
       void *dx_sums, const void *dy, const void *x, const void *w, const void *x_pre,
       enum lw_activation x_activation, bool accumulate),
      (dev, l, dx, dw, dbias, dx_sums, dy, x, w, x_pre, x_activation, accumulate))

RANGE(activate,
      (struct lw_device * dev, enum lw_activation a, void *y, const void *pre, size_t count),
      (dev, a, y, pre, count))

RANGE(attention,
      (struct lw_device * dev, const struct lw_attention *a, void *out, float *lse, void *p,
       const void *qkv),
      (dev, a, out, lse, p, qkv))

RANGE(attention_backward,
      (struct lw_device * dev, const struct lw_attention *a, void *dqkv, const void *dout,
       const void *out, const float *lse, const void *p, const void *qkv),
      (dev, a, dqkv, dout, out, lse, p, qkv))

RANGE(attention_decode,
      (struct lw_device * dev, const struct lw_attention *a, void *out, void *keys, void *values,
       const void *qkv, int position),
      (dev, a, out, keys, values, qkv, position))

RANGE(head_loss,
      (struct lw_device * dev, const struct lw_head *h, void *dx, void *dw, void *dbias,
       int32_t *argmax, const void *x, const void *w, const void *bias, const int32_t *targets,
       bool accumulate),
      (dev, h, dx, dw, dbias, argmax, x, w, bias, targets, accumulate))

RANGE(head_logits,
      (struct lw_device * dev, const struct lw_head *h, float *logits, const void *x, const void *w,
       const void *bias),
      (dev, h, logits, x, w, bias))

RANGE(update,
      (struct lw_device * dev, const struct lw_update *u, void *weights, float *master,
       const void *grads, float *m, float *v),
      (dev, u, weights, master, grads, m, v))

static void set_ranges(struct lw_backend *b)
{
    b->embed = embed;
    b->embed_backward = embed_backward;
    b->patches = patches;
    b->place = place;
    b->place_backward = place_backward;
    b->gather = gather;
    b->scatter = scatter;
    b->norm = norm;
    b->norm_backward = norm_backward;
    b->linear = linear;
    b->linear_backward = linear_backward;
    b->activate = activate;
    b->attention = attention;
    b->attention_backward = attention_backward;
    b->attention_decode = attention_decode;
    b->head_loss = head_loss;
    b->head_logits = head_logits;
    b->update = update;
}
#else
static void set_ranges(struct lw_backend *b)
{
    (void)b;
}
#endif

__attribute__((constructor)) static void fill(void)
{
    lw_backend_module = lw_cuda_table;
    set_ranges(&lw_backend_module);
}
