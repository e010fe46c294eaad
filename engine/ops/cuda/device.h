/* SPDX-License-Identifier: MIT
 *
 * What the files of the CUDA backend share: the opened device, its launch rules and its scratch.
 *
 * Everything runs on one stream in the order of the calls. The L2 cache still holds the rows that a
 * product has written last: kernels between two products walk them from the last to the first, and
 * so leave the first ones there for the next. An op that fails to launch notes itself
 * once in the device; wait() and collect() report it with the step.
 */
#ifndef LW_OPS_CUDA_DEVICE_H
#define LW_OPS_CUDA_DEVICE_H

#include <cublasLt.h>
#include <cuda_runtime.h>

#include "engine/ops/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LW_RESULTS    8  /* results that may be outstanding */
#define LW_STAGES     16 /* batches and step records on their way to the device */
#define LW_RECORDINGS 8

/* The device record: written by set_step, added to by head_loss and update, read by kernels. */
struct lw_record {
    struct lw_step step;
    double loss_sum, targets, correct, top5;
    double own_loss_sum; /* of several ranks: before the sum over them */
    double square_sum; /* of the gradients, as update found it */
    double norm, norm_clipped;
    float scale;                    /* what update multiplies gradients by: clipping over targets */
    float correction1, correction2; /* 1 / (1 - beta^t) of this update */
    unsigned long long updates;
    int updated, skipped;
};

/* Pinned memory for copies to the device that outlive the call that asks for them. */
struct lw_stage {
    void *host;
    size_t size;
    cudaEvent_t done;
};

struct lw_cuda_attention; /* attention_cudnn.c */
struct lw_cuda_group;     /* group.c */
struct lw_matmul_cache;   /* matmul.c */

struct lw_device {
    int index;
    struct lw_device_options options;
    char cache_dir[512]; /* empty: keep nothing */
    struct cudaDeviceProp properties;
    cudaStream_t stream;
    cublasLtHandle_t blas;
    enum lw_dtype type; /* activations and weights */
    struct lw_shapes shapes;

    struct lw_record *record;
    struct lw_record *results; /* pinned, LW_RESULTS of them */
    cudaEvent_t result_done[LW_RESULTS], wait_done;
    unsigned long result_written, result_read;

    struct lw_stage stage[LW_STAGES];
    unsigned next_stage;

    void *workspace; /* cuBLASLt's and cuDNN's, one op at a time */
    size_t workspace_size;
    void *logits; /* (head_rows, V): a chunk of logits, then of their gradient */
    int head_rows;
    float *row_loss; /* (head_rows) */
    float *partials; /* column sums of LN and bias gradients, blocks x 2 x channels */
    size_t partials_count;
    double *sums;            /* partial sums of squares */
    float *scores, *dscores; /* math attention: (B, H, T, T) fp32 */
    int *order;              /* embed_backward: rows sorted by token */

    cudaGraphExec_t recording[LW_RECORDINGS];
    int recording_slot; /* being recorded, or -1 */

    struct lw_matmul_cache *matmul;
    struct lw_cuda_attention *attention;
    struct lw_cuda_group *group; /* NULL: one rank */

    const char *failed_op; /* first op that failed since open, NULL: none */
    char failed_why[256];
    unsigned long long failed_step, current_step;
};

/* Note a failure of op (only the first is kept). */
void lw_cuda_failed(struct lw_device *dev, const char *op, const char *why);

/* error.c: "an illegal memory access was encountered (cudaErrorIllegalAddress, 700)"; valid until
 * the thread's next call. */
const char *lw_cuda_text(cudaError_t e);
/* The same for a status of cuBLASLt's: "cuBLASLt refused it (CUBLAS_STATUS_NOT_SUPPORTED, 15)". */
const char *lw_cublas_text(int status);

/* Check the launch just made. */
void lw_cuda_launched(struct lw_device *dev, const char *op);

/* cudaMalloc with our error line. */
int lw_cuda_alloc(struct lw_device *dev, size_t bytes, void **out, struct lw_error *err);

/* matmul.c: D = op(A) op(B), column major as cuBLASLt has it, with an epilogue. */
enum lw_epilogue { LW_EPI_NONE, LW_EPI_BIAS, LW_EPI_GELU_AUX, LW_EPI_DGELU };

struct lw_matmul {
    int m, n, k;
    bool transpose_a, transpose_b;
    int lda, ldb, ldd;
    enum lw_dtype type_ab, type_d;
    enum lw_epilogue epilogue;
    bool accumulate;                        /* D += */
    bool residual;                          /* D = C + */
    int batch;                              /* strided batches; 1: none */
    long long stride_a, stride_b, stride_d; /* elements */
    float alpha;
};

int lw_matmul_open(struct lw_device *dev, struct lw_error *err);
void lw_matmul_close(struct lw_device *dev);
/* bias: M elements; aux: like D, of type_ab: what GELU's epilogues keep or read, or C where there
 * is a residual (not both at once), which may not be D.
 * Returns false, launching nothing, where cuBLASLt has no such product: the caller does the
 * epilogue, or adds C, itself. */
bool lw_matmul_run(struct lw_device *dev, const char *op, const struct lw_matmul *mm, const void *a,
                   const void *b, void *d, void *bias, void *aux);

/* list.c: the GPUs that CUDA shows, without a context on any. */
int lw_cuda_list(struct lw_device_info *out, int max);
/* list.c: "0000:1a:00.0"; empty where it is not known. */
void lw_cuda_pci(int index, char *out, size_t size);

/* device.c: the table without what ranges.c adds for profilers. */
extern const struct lw_backend lw_cuda_table;

/* group.c: ranks. leave() is for close(), and fine without a group; wait() is for an event that may
 * wait for other ranks. */
int lw_cuda_group_id(unsigned char *id, struct lw_error *err);
int lw_cuda_join(struct lw_device *dev, const struct lw_group *group, struct lw_error *err);
void lw_cuda_leave(struct lw_device *dev);
int lw_cuda_spread(struct lw_device *dev, void *buffer, size_t bytes, struct lw_error *err);
void lw_cuda_reduce(struct lw_device *dev, void *grads, size_t count);
void lw_cuda_reduce_end(struct lw_device *dev);
cudaError_t lw_cuda_wait(struct lw_device *dev, cudaEvent_t event);

/* device.c: wait(). */
int lw_cuda_wait_all(struct lw_device *dev, struct lw_error *err);

/* The op files, one function a row of the backend's table. */
void lw_cuda_embed(struct lw_device *dev, int batch, int length, int channels, void *out,
                   const int32_t *tokens, const void *wte, const void *wpe,
                   struct lw_dropout dropout);
void lw_cuda_embed_backward(struct lw_device *dev, int batch, int length, int channels,
                            int position_rows, void *dwte, void *dwpe, const void *dout,
                            const int32_t *tokens, struct lw_dropout dropout, bool accumulate);
void lw_cuda_patches(struct lw_device *dev, const struct lw_patches *p, void *out,
                     const uint8_t *pixels);
void lw_cuda_place(struct lw_device *dev, int batch, int length, int channels, void *x,
                   const void *token, const void *bias, const void *wpe, struct lw_dropout dropout);
void lw_cuda_place_backward(struct lw_device *dev, int batch, int length, int channels, void *d,
                            void *dtoken, void *dbias, void *dwpe, struct lw_dropout dropout,
                            bool accumulate);
void lw_cuda_gather(struct lw_device *dev, int n, int channels, void *out, const void *in,
                    const int32_t *index);
void lw_cuda_scatter(struct lw_device *dev, int rows, int n, int channels, void *out,
                     const void *in, const int32_t *index);
void lw_cuda_norm(struct lw_device *dev, const struct lw_norm *n, void *y, void *sum, float *mean,
                  float *rstd, const void *residual, const void *branch, const void *weight,
                  const void *bias);
void lw_cuda_norm_backward(struct lw_device *dev, const struct lw_norm *n, void *dsum,
                           bool dsum_zero, void *dbranch, void *dweight, void *dbias,
                           void *dbranch_sums, const void *dy, const void *sum, const float *mean,
                           const float *rstd, const void *weight, bool accumulate);
void lw_cuda_linear(struct lw_device *dev, const struct lw_linear *l, void *y, void *pre,
                    const void *x, const void *w, const void *bias, const void *residual);
void lw_cuda_linear_backward(struct lw_device *dev, const struct lw_linear *l, void *dx, void *dw,
                             void *dbias, void *dx_sums, const void *dy, const void *x,
                             const void *w, const void *x_pre, enum lw_activation x_activation,
                             bool accumulate);
void lw_cuda_activate(struct lw_device *dev, enum lw_activation a, void *y, const void *pre,
                      size_t count);
void lw_cuda_attention(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                       void *p, const void *qkv);
void lw_cuda_attention_backward(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                                const void *dout, const void *out, const float *lse, const void *p,
                                const void *qkv);
void lw_cuda_attention_decode(struct lw_device *dev, const struct lw_attention *a, void *out,
                              void *keys, void *values, const void *qkv, int position);
void lw_cuda_head_loss(struct lw_device *dev, const struct lw_head *h, void *dx, void *dw,
                       void *dbias, int32_t *argmax, const void *x, const void *w, const void *bias,
                       const int32_t *targets, bool accumulate);
void lw_cuda_tally(struct lw_device *dev, int units, int length, int classes, uint64_t *table,
                   const int32_t *ids, const int32_t *targets);
void lw_cuda_clear(struct lw_device *dev, void *grads, size_t count);
void lw_cuda_tally_move(struct lw_device *dev, uint64_t *to, uint64_t *from, size_t count);
void lw_cuda_head_logits(struct lw_device *dev, const struct lw_head *h, float *logits,
                         const void *x, const void *w, const void *bias);
void lw_cuda_update(struct lw_device *dev, const struct lw_update *u, void *weights, float *master,
                    const void *grads, float *m, float *v);

/* activation.cu: (rows, columns) summed over rows into fp32 out (columns). */
void lw_cuda_column_sums(struct lw_device *dev, float *out, const void *x, int rows, int columns,
                         bool accumulate);
/* The last part of that: dev->partials holds the sums of so many slices of the rows. */
void lw_cuda_add_slices(struct lw_device *dev, float *out, int slices, int columns,
                        bool accumulate);
/* activation.cu: x[i] += added[i % period], count elements: a bias to each row, or a whole matrix. */
void lw_cuda_add(struct lw_device *dev, void *x, const void *added, size_t count, size_t period);
/* activation.cu: dx = dx * activation'(pre), count elements. */
void lw_cuda_activate_backward(struct lw_device *dev, enum lw_activation a, void *dx,
                               const void *pre, size_t count);

/* linear_hopper.cu: y = gelu(pre), pre = x W + b; and dx = dy W^T gelu'(x_pre), with its sums over
 * rows where dx_sums is not NULL. GELU is the tanh form. False, and nothing is launched, where the
 * device or the shapes are not for it. */
bool lw_hopper_linear_gelu(struct lw_device *dev, const struct lw_linear *l, void *y, void *pre,
                           const void *x, const void *w, const void *bias);
bool lw_hopper_gelu_backward(struct lw_device *dev, const struct lw_linear *l, void *dx,
                             float *dx_sums, const void *dy, const void *w, const void *x_pre,
                             bool accumulate);

/* attention_math.cu */
void lw_cuda_attention_math(struct lw_device *dev, const struct lw_attention *a, void *out,
                            float *lse, void *p, const void *qkv);
void lw_cuda_attention_math_backward(struct lw_device *dev, const struct lw_attention *a,
                                     void *dqkv, const void *dout, const void *p, const void *qkv);

/* attention_seed.cu: {seed, 0} in device memory for the dropout of a site in this micro-step. */
void lw_cuda_attention_seed(struct lw_device *dev, int64_t *seed, uint32_t site);

/* attention_cudnn.c. ready: 0, or why this attention cannot run fused here. */
int lw_cudnn_ready(struct lw_device *dev, const struct lw_attention *a, struct lw_error *err);
int lw_cudnn_prepare(struct lw_device *dev, const struct lw_attention *a, bool training,
                     struct lw_error *err);
bool lw_cudnn_attention(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                        const void *qkv);
bool lw_cudnn_attention_backward(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                                 const void *dout, const void *out, const float *lse,
                                 const void *qkv);
void lw_cudnn_close(struct lw_device *dev);

#ifdef __cplusplus
}
#endif

#endif
