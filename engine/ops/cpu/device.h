/* SPDX-License-Identifier: MIT
 *
 * The CPU device as its ops see it. The CPU runs an op when it is called, so nothing is ever
 * outstanding; ops that cannot fail by themselves find their scratch memory in the device, taken
 * by prepare(). All tensors are fp32.
 */
#ifndef LW_OPS_CPU_DEVICE_H
#define LW_OPS_CPU_DEVICE_H

#include "engine/ops/cpu/kernels.h"

/* Sizes of the pieces that work is cut into. Sums over pieces are made in their order, so results
 * do not depend on which thread took which piece. */
enum {
    LW_CPU_NORM_BLOCKS = 64,    /* blocks of rows whose parameter gradients are summed apart */
    LW_CPU_UPDATE_BLOCKS = 512, /* blocks of the flat gradient whose squares are summed apart */
    LW_CPU_RESULTS = 8,         /* closed windows kept until they are collected */
};

/* Who multiplies matrices. Our AVX2 and AVX-512 kernels are as fast as OpenBLAS's or faster, and
 * they are safe for threads: OpenBLAS built for one thread hands out its buffers without a lock,
 * so two threads that call it at once now and then get the same one, and wrong products. Such a
 * BLAS is called by one thread at a time. */
enum lw_cpu_products {
    LW_CPU_OWN_PRODUCTS,
    LW_CPU_BLAS,
    LW_CPU_BLAS_ONE_BY_ONE,
};

struct lw_device {
    const struct lw_cpu_kernels *k;
    int threads;
    enum lw_cpu_products products;
    struct lw_shapes shapes; /* largest told so far */

    float *scratch; /* `threads` pieces of scratch_each floats */
    size_t scratch_each;
    float *pack;   /* LW_CPU_GEMM_PACK floats a thread */
    float *shared; /* for one op at a time: logits of a chunk, partial sums */
    size_t shared_count;
    double *row_loss; /* of a chunk of the head; NaN-safe sums in row order */
    int32_t *row_class, *row_rank;
    int chunk_rows; /* rows of a chunk of the head */

    struct lw_step step;
    uint64_t updates;
    struct lw_result window; /* being summed */
    struct lw_result results[LW_CPU_RESULTS];
    unsigned first_result, result_count;
    bool overflowed;             /* a result was lost: reported by the next collect() */
    struct lw_cpu_block *blocks; /* what alloc() gave */
    const struct lw_group *group; /* NULL: alone */
    struct lw_error failed;       /* a sum over ranks; reported by the next collect() or wait() */
};

/* The thread's piece of scratch; inside a parallel region of the device's threads. */
float *lw_cpu_scratch(struct lw_device *dev, int thread);

/* Memory of the device, zeroed and touched; memory.c. */
LW_NODISCARD int lw_cpu_alloc(struct lw_device *dev, size_t bytes, void **out,
                              struct lw_error *err);
void lw_cpu_release(struct lw_device *dev, void *p);
void lw_cpu_release_all(struct lw_device *dev);
/* Bytes of memory in the machine and still available; 0 where not known. */
void lw_cpu_memory(size_t *total, size_t *available);

/* group.c */
LW_NODISCARD int lw_cpu_join(struct lw_device *dev, const struct lw_group *group,
                             struct lw_error *err);
LW_NODISCARD int lw_cpu_spread(struct lw_device *dev, void *buffer, size_t bytes,
                               struct lw_error *err);
void lw_cpu_reduce(struct lw_device *dev, void *grads, size_t count);
void lw_cpu_reduce_end(struct lw_device *dev);

/* The mask of a dropout site at the device's step. */
struct lw_cpu_mask lw_cpu_mask_of(const struct lw_device *dev, const struct lw_dropout *dropout);

/* A product by the calling thread. */
void lw_cpu_gemm_serial(const struct lw_device *dev, const struct lw_cpu_gemm *g);
enum lw_cpu_products lw_cpu_choose_products(const struct lw_cpu_kernels *k);

/* A panel of a product, given to one thread. */
struct lw_cpu_panel {
    int row, rows, column, columns;
};
/* Cut rows x columns among the threads; returns how many panels there are, and cuts out one. */
int lw_cpu_panel_count(const struct lw_device *dev, int rows, int columns);
struct lw_cpu_panel lw_cpu_panel_at(const struct lw_device *dev, int rows, int columns, int index);
/* The panel's part of a product. */
void lw_cpu_gemm_panel(const struct lw_device *dev, const struct lw_cpu_gemm *g,
                       const struct lw_cpu_panel *p);
/* The whole product, by all threads. */
void lw_cpu_gemm(struct lw_device *dev, const struct lw_cpu_gemm *g);

/* Ops; contracts in engine/ops/ops.h. */
void lw_cpu_embed(struct lw_device *dev, int batch, int length, int channels, void *out,
                  const int32_t *tokens, const void *wte, const void *wpe,
                  struct lw_dropout dropout);
void lw_cpu_embed_backward(struct lw_device *dev, int batch, int length, int channels,
                           int position_rows, void *dwte, void *dwpe, const void *dout,
                           const int32_t *tokens, struct lw_dropout dropout, bool accumulate);
void lw_cpu_patches(struct lw_device *dev, const struct lw_patches *p, void *out,
                    const uint8_t *pixels);
void lw_cpu_place(struct lw_device *dev, int batch, int length, int channels, void *x,
                  const void *token, const void *bias, const void *wpe, struct lw_dropout dropout);
void lw_cpu_place_backward(struct lw_device *dev, int batch, int length, int channels, void *d,
                           void *dtoken, void *dbias, void *dwpe, struct lw_dropout dropout,
                           bool accumulate);
void lw_cpu_gather(struct lw_device *dev, int n, int channels, void *out, const void *in,
                   const int32_t *index);
void lw_cpu_scatter(struct lw_device *dev, int rows, int n, int channels, void *out, const void *in,
                    const int32_t *index);
void lw_cpu_norm(struct lw_device *dev, const struct lw_norm *n, void *y, void *sum, float *mean,
                 float *rstd, const void *residual, const void *branch, const void *weight,
                 const void *bias);
void lw_cpu_norm_backward(struct lw_device *dev, const struct lw_norm *n, void *dsum,
                          bool dsum_zero, void *dbranch, void *dweight, void *dbias,
                          void *dbranch_sums, const void *dy, const void *sum, const float *mean,
                          const float *rstd, const void *weight, bool accumulate);
void lw_cpu_linear(struct lw_device *dev, const struct lw_linear *l, void *y, void *pre,
                   const void *x, const void *w, const void *bias, const void *residual);
void lw_cpu_linear_backward(struct lw_device *dev, const struct lw_linear *l, void *dx, void *dw,
                            void *dbias, void *dx_sums, const void *dy, const void *x,
                            const void *w, const void *x_pre, enum lw_activation x_activation,
                            bool accumulate);
void lw_cpu_activate(struct lw_device *dev, enum lw_activation a, void *y, const void *pre,
                     size_t count);
int lw_cpu_attention_ready(struct lw_device *dev, const struct lw_attention *a,
                           struct lw_error *err);
/* Floats of scratch that attention needs for each thread. */
size_t lw_cpu_attention_scratch(const struct lw_shapes *shapes);
void lw_cpu_attention(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                      void *p, const void *qkv);
void lw_cpu_attention_backward(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                               const void *dout, const void *out, const float *lse, const void *p,
                               const void *qkv);
void lw_cpu_attention_decode(struct lw_device *dev, const struct lw_attention *a, void *out,
                             void *keys, void *values, const void *qkv, int position);
void lw_cpu_head_loss(struct lw_device *dev, const struct lw_head *h, void *dx, void *dw,
                      void *dbias, int32_t *argmax, const void *x, const void *w, const void *bias,
                      const int32_t *targets, bool accumulate);
void lw_cpu_tally(struct lw_device *dev, int units, int length, int classes, uint64_t *table,
                  const int32_t *ids, const int32_t *targets);
void lw_cpu_clear(struct lw_device *dev, void *grads, size_t count);
void lw_cpu_tally_move(struct lw_device *dev, uint64_t *to, uint64_t *from, size_t count);
void lw_cpu_head_logits(struct lw_device *dev, const struct lw_head *h, float *logits,
                        const void *x, const void *w, const void *bias);
void lw_cpu_update(struct lw_device *dev, const struct lw_update *u, void *weights, float *master,
                   const void *grads, float *m, float *v);

#endif
