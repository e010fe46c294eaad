/* SPDX-License-Identifier: MIT
 *
 * What a backend must do: the steps of a transformer, forward and backward.
 *
 * Models are written against this table and nothing else. An op only enqueues work on its device:
 * it never waits, allocates or reads back, and it cannot fail by itself; a failure of the device
 * is reported by the next wait() or collect(), with the name of the op. Weights are passed at each
 * call. Shapes are fixed for a run: prepare() is told the largest ones before the first step and
 * takes all scratch memory there, so that running out of memory is known before training starts.
 *
 * Memory. All pointers that ops take are device pointers from alloc(). Activations have the
 * device's activation dtype, weights its weight dtype, gradients its gradient dtype, optimizer
 * moments and masters are fp32 (see struct lw_device_info); on the CPU all are fp32. Statistics
 * (mean, rstd, log-sum-exp) are always fp32, token ids always int32. Tensors are dense, row major,
 * with the shapes given in the comments: B batch, T sequence length, C channels (d_model), H heads,
 * D head dimension, F feed-forward width, V vocabulary, N rows (B·T).
 *
 * Gradients are sums over target tokens, never means: update() divides by the number of targets
 * of the whole window, which settles short windows, ignored labels and ranks. `accumulate` false
 * overwrites a gradient (the first micro-batch of a step), true adds to it.
 *
 * What changes from step to step lives in one device record, written by set_step() and read by
 * the ops that need it, so that a recorded sequence of ops can be replayed.
 */
#ifndef LW_OPS_OPS_H
#define LW_OPS_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/ops/dtype.h"

#define LW_IGNORED (-100) /* a target that counts neither in the loss nor in the gradient */
#define LW_TALLY_COLUMNS 4

struct lw_device; /* one opened backend: its memory, stream or threads, scratch, step record */

enum lw_attention_kind {
    LW_ATTENTION_MATH,  /* scores and probabilities written out, T x T: the reference */
    LW_ATTENTION_TILED, /* CPU: online softmax over tiles, memory linear in T */
    LW_ATTENTION_CUDNN, /* CUDA: cuDNN's fused scaled dot product attention */
};

enum lw_compile_mode {
    LW_COMPILE_NONE,
    LW_COMPILE_DEFAULT,
    LW_COMPILE_REDUCE_OVERHEAD,
    LW_COMPILE_MAX_AUTOTUNE,
};

struct lw_device_options {
    int index;                /* which accelerator; ignored by the CPU */
    int threads;              /* CPU threads, at least 1 */
    enum lw_dtype precision;  /* activations and weights: LW_F32 or LW_BF16 */
    enum lw_compile_mode compile_mode;
    bool deterministic;       /* same seed, same bits: no algorithm chosen by timing, no atomics */
    const char *cache_dir;    /* for plans and searches kept between runs; NULL: keep nothing */
};

struct lw_device_info {
    char name[128];           /* "AMD EPYC 7763, 2 threads, AVX2", "NVIDIA H100 80GB HBM3" */
    const char *backend;      /* "cpu", "cuda" */
    char pci[32];             /* "0000:1a:00.0", by which other programs know it; may be empty */
    enum lw_dtype activation, weight, gradient;
    size_t memory_total, memory_free; /* bytes on the device; 0 where not known */
    double peak_flops;        /* dense, at this precision, per second; 0 where not known */
};

/* The largest shapes of a run, told to prepare() once. */
struct lw_shapes {
    int batch, length;        /* B, T */
    int channels, heads;      /* C, H */
    int feed_forward;         /* F */
    int vocabulary;           /* V, padded */
    enum lw_attention_kind attention;
    bool causal, training;
    float dropout;            /* on the probabilities of attention, where training */
};

/* What a window of micro-batches and its update gave; all sums are over its targets. */
struct lw_result {
    uint64_t step;            /* as given to set_step */
    double loss_sum;          /* nats */
    double targets;           /* how many targets were not LW_IGNORED */
    double correct;           /* of them, where the largest logit was the target */
    double top5;              /* of them, where the target was among the five largest (lw_head) */
    double own_loss_sum;      /* of several ranks: this one's, before it was added to the others' */
    int own_gradient;         /* likewise, where it was looked at (lw_group.look): 1 finite, -1 not */
    double norm;              /* global L2 norm of the mean gradient before clipping; NaN: no update */
    double norm_clipped;      /* after clipping */
    uint64_t updates;         /* updates applied so far: Adam's t. A skipped one doesn't count */
    bool updated;             /* an update was asked for in this window */
    bool skipped;             /* and left out, because loss or gradient was not finite */
};

/* Step record. Set before every micro-batch. */
struct lw_step {
    uint64_t step;            /* from 1 */
    uint32_t micro;           /* micro-batch within the step, from 0, counted over all ranks */
    uint64_t seed;            /* for dropout */
    float learning_rate;
};

/* Dropout: element i of a site is kept if the word of Philox block i / 4 at (seed, stream) is at
 * least p * 2^32, and then scaled by 1 / (1 - p); stream = LW_STREAM_DROPOUT | site << 8 |
 * micro-step << 24, the micro-step being step * 4096 + micro. p = 0: off. */
struct lw_dropout {
    float p;
    uint32_t site;            /* distinct for every place in the model */
};

/* How a weight matrix lies in memory. */
enum lw_layout {
    LW_IN_OUT,                /* (in, out): GPT-2's Conv1D */
    LW_OUT_IN,                /* (out, in): torch's nn.Linear */
};

enum lw_activation {
    LW_NO_ACTIVATION,
    LW_GELU_TANH,             /* Hendrycks & Gimpel 2016, tanh form */
    LW_GELU_ERF,
};

/* y = activation(x W + b), or a residual + x W + b. */
struct lw_linear {
    int rows, in, out;
    enum lw_layout layout;
    enum lw_activation activation;
};

struct lw_norm {
    int rows, channels;
    float epsilon;
    struct lw_dropout dropout; /* on the branch that is added */
};

struct lw_attention {
    enum lw_attention_kind kind;
    int batch, length, heads, head_dim;
    bool causal;
    float scale;              /* usually 1 / sqrt(D) */
    struct lw_dropout dropout; /* on the probabilities */
};

/* The last linear and the loss: logits = x W^T (+ bias), softmax cross-entropy against targets. */
struct lw_head {
    int rows, channels;
    int classes;              /* V: logits that exist */
    int padded_classes;       /* rows of W, at least V; the rest is masked and gets no gradient */
    bool top5;                /* count lw_result.top5 too; of equal logits the lower class is first */
};

/* Square images cut into square patches. A patch is a row of 3 P P: channel by channel, in each the
 * pixels row by row, as torch's Conv2d has its weight. */
struct lw_patches {
    int batch, image, patch;  /* B; S and P, the sides in pixels: P divides S */
    float scale[3], shift[3]; /* a byte of channel c becomes byte * scale[c] + shift[c] */
};

struct lw_decay_span {
    size_t offset, count;     /* elements */
    bool decay;               /* weight decay applies */
};

struct lw_update {
    size_t count;             /* elements of the flat buffers */
    const struct lw_decay_span *spans; /* cover [0, count) in order, without gaps */
    int span_count;
    float beta1, beta2, epsilon, weight_decay;
    float max_norm;           /* global L2 norm to clip to; 0: do not clip */
};

#define LW_GROUP_ID 128

/* The ranks whose gradients are summed, as a device is told of them. */
struct lw_group {
    int rank, size;
    bool look; /* at each rank's own gradients, before they are added up: changes between steps */
    unsigned char id[LW_GROUP_ID]; /* from group_id() on rank 0 */
    /* Sums in host memory, for a device whose memory that is: start one; wait for all that were
     * started, and sum a few numbers besides; rank 0's bytes to all. */
    void *host;
    void (*sum_start)(void *host, float *x, size_t count);
    int (*sum_finish)(void *host, double *numbers, int count, struct lw_error *err);
    int (*broadcast)(void *host, void *data, size_t bytes, struct lw_error *err);
};

struct lw_backend {
    const char *name;

    /* Life. open() claims the device; every other function takes what it gave. */
    int (*open)(struct lw_device **dev, const struct lw_device_options *opt, struct lw_error *err);
    void (*close)(struct lw_device *dev);
    /* The devices that `index` chooses among, name and pci of at most max of them, claiming none.
     * Returns how many there are. A backend with one device alone leaves it NULL. */
    int (*list)(struct lw_device_info *out, int max);
    void (*info)(struct lw_device *dev, struct lw_device_info *out);
    /* 0 when this attention can run here; else a code, and err says why in a few words. */
    int (*attention_ready)(struct lw_device *dev, const struct lw_attention *a,
                           struct lw_error *err);
    int (*prepare)(struct lw_device *dev, const struct lw_shapes *shapes, struct lw_error *err);

    /* Memory. alloc() gives zeroed memory aligned to 256 bytes; LW_EMEM names the bytes. */
    int (*alloc)(struct lw_device *dev, size_t bytes, void **out, struct lw_error *err);
    void (*release)(struct lw_device *dev, void *p);
    /* Synchronous copies, for weights and checkpoints. */
    int (*upload)(struct lw_device *dev, void *dst, const void *src, size_t bytes,
                  struct lw_error *err);
    int (*download)(struct lw_device *dev, void *dst, const void *src, size_t bytes,
                    struct lw_error *err);
    /* Enqueued copy of a batch to the device; src may be reused when feed() returns. */
    void (*feed)(struct lw_device *dev, void *dst, const void *src, size_t bytes);

    /* The step record and what comes back. */
    void (*set_step)(struct lw_device *dev, const struct lw_step *step);
    void (*set_updates)(struct lw_device *dev, uint64_t updates); /* Adam's t, on resume */
    /* Close a window: its sums become a result, and the next window starts from zero. */
    void (*finish)(struct lw_device *dev);
    /* Results in order: 1 and *out filled; 0 when none is ready (wait false) or due; a code. At
     * least two may be outstanding. */
    int (*collect)(struct lw_device *dev, bool wait, struct lw_result *out, struct lw_error *err);
    int (*wait)(struct lw_device *dev, struct lw_error *err);

    /* Ranks. group_id() is called on rank 0 alone, and what it gives is handed to the others before
     * all join(); NULL where nothing is needed. The group stays where it is until close(). */
    int (*group_id)(unsigned char *id, struct lw_error *err);
    int (*join)(struct lw_device *dev, const struct lw_group *group, struct lw_error *err);
    /* Rank 0's buffer to all; synchronous. */
    int (*spread)(struct lw_device *dev, void *buffer, size_t bytes, struct lw_error *err);
    /* Sum `count` gradients over the ranks once all ops called so far are done, besides those called
     * later, which don't touch them. */
    void (*reduce)(struct lw_device *dev, void *grads, size_t count);
    /* Ops called later see those sums. The window's loss, targets, correct and top5 are summed
     * too. */
    void (*reduce_end)(struct lw_device *dev);

    /* Recordings of ops, by slot from 0 to 7: between record() and record_end() ops are kept, not
     * run. What is recorded has run once before, op by op, which lets a backend choose algorithms
     * by timing. A backend without recordings leaves these NULL. */
    int (*record)(struct lw_device *dev, int slot, struct lw_error *err);
    int (*record_end)(struct lw_device *dev, struct lw_error *err);
    int (*replay)(struct lw_device *dev, int slot, struct lw_error *err);

    /* out (B, T, C) = dropout(wte[token] + wpe[t]). wte (V, C), wpe (>= T, C), tokens (B, T). */
    void (*embed)(struct lw_device *dev, int batch, int length, int channels, void *out,
                  const int32_t *tokens, const void *wte, const void *wpe,
                  struct lw_dropout dropout);
    /* Enqueued: count gradients become zero. */
    void (*clear)(struct lw_device *dev, void *grads, size_t count);
    /* dwte always adds (the tied head wrote it first, or it was cleared); dwpe's first T rows as
     * `accumulate` says, its other rows are zeroed when it does not: position_rows is how many it
     * has. */
    void (*embed_backward)(struct lw_device *dev, int batch, int length, int channels,
                           int position_rows, void *dwte, void *dwpe, const void *dout,
                           const int32_t *tokens, struct lw_dropout dropout, bool accumulate);

    /* out (B, 1 + n, 3 P P), n = (S / P)^2, from pixels (B, 3, S, S), bytes. Row 0 of each image,
     * where the class token will be, is zero. */
    void (*patches)(struct lw_device *dev, const struct lw_patches *p, void *out,
                    const uint8_t *pixels);
    /* x (B, T, C) = dropout(x + wpe[t] + (t ? bias : token)), in place: what turns embedded patches
     * and the empty row before them into a sequence. wpe (T, C), token and bias (C). */
    void (*place)(struct lw_device *dev, int batch, int length, int channels, void *x,
                  const void *token, const void *bias, const void *wpe, struct lw_dropout dropout);
    /* d (B, T, C) = dropout'(d), in place; dwpe sums it over B, dtoken over B at t = 0, dbias over B
     * at all other t. */
    void (*place_backward)(struct lw_device *dev, int batch, int length, int channels, void *d,
                           void *dtoken, void *dbias, void *dwpe, struct lw_dropout dropout,
                           bool accumulate);

    /* out (n, C) = in[index[i]]. */
    void (*gather)(struct lw_device *dev, int n, int channels, void *out, const void *in,
                   const int32_t *index);
    /* Its opposite: out (rows, C) is zero but for out[index[i]] = in (n, C)[i]; no index twice, and
     * out may not overlap in. */
    void (*scatter)(struct lw_device *dev, int rows, int n, int channels, void *out,
                    const void *in, const int32_t *index);

    /* sum = residual + dropout(branch); y = (sum - mean) * rstd * weight + bias. All (N, C), mean
     * and rstd (N). branch NULL: nothing is added and sum is not written. y may not be branch. */
    void (*norm)(struct lw_device *dev, const struct lw_norm *n, void *y, void *sum, float *mean,
                 float *rstd, const void *residual, const void *branch, const void *weight,
                 const void *bias);
    /* dsum (N, C) += LN'(dy); then dbranch = dropout'(dsum). dbranch NULL: not wanted (without
     * dropout it equals dsum). dsum_zero: dsum is taken as zero on entry, so it is overwritten.
     * dbranch_sums (C): the branch's gradient summed over rows, which is the gradient of a bias
     * that was added last in the branch; NULL: not wanted. dweight, dbias and dbranch_sums as
     * `accumulate` says. */
    void (*norm_backward)(struct lw_device *dev, const struct lw_norm *n, void *dsum,
                          bool dsum_zero, void *dbranch, void *dweight, void *dbias,
                          void *dbranch_sums, const void *dy, const void *sum, const float *mean,
                          const float *rstd, const void *weight, bool accumulate);

    /* y (N, out) = activation(pre), pre = x (N, in) W + b. pre is kept where not NULL (it must be
     * when there is an activation and training); bias may be NULL. residual (N, out) is added, y =
     * residual + x W + b, and then there is neither activation nor pre; NULL: none. It may not
     * overlap y. */
    void (*linear)(struct lw_device *dev, const struct lw_linear *l, void *y, void *pre,
                   const void *x, const void *w, const void *bias, const void *residual);
    /* dy (N, out) is the gradient of pre, not of y. dx (N, in) = dy W^T, times activation'(x_pre)
     * where x_pre is not NULL: then x = x_activation(x_pre) and dx is the gradient of x_pre.
     * dx_sums (in): dx summed over rows, which is the gradient of a bias that was added last in
     * x_pre; NULL: not wanted. dw, dbias and dx_sums as `accumulate` says; dx NULL: not wanted, and
     * then dx_sums is NULL too. dx may not overlap dy. */
    void (*linear_backward)(struct lw_device *dev, const struct lw_linear *l, void *dx, void *dw,
                            void *dbias, void *dx_sums, const void *dy, const void *x,
                            const void *w, const void *x_pre, enum lw_activation x_activation,
                            bool accumulate);
    /* y = activation(pre), count elements: to compute it again instead of keeping it. */
    void (*activate)(struct lw_device *dev, enum lw_activation a, void *y, const void *pre,
                     size_t count);

    /* qkv (B, T, 3, H, D) -> out (B, T, H, D); lse (B, H, T) is kept for backward. p (B, H, T, T)
     * is used by LW_ATTENTION_MATH alone, else NULL. */
    void (*attention)(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                      void *p, const void *qkv);
    void (*attention_backward)(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                               const void *dout, const void *out, const float *lse, const void *p,
                               const void *qkv);
    /* One new position per sequence, for sampling: qkv (B, 3, H, D), keys and values
     * (B, length, H, D) with `position` of them filled; stores the new ones there and attends to
     * position + 1 of them. out (B, H, D). */
    void (*attention_decode)(struct lw_device *dev, const struct lw_attention *a, void *out,
                             void *keys, void *values, const void *qkv, int position);

    /* Loss, and in the same pass its gradient: dx (N, C) and dw (padded V, C), dbias (padded V);
     * dx NULL: only the loss (evaluation). Adds to the window's loss, targets, correct
     * and top5.
     * argmax (N): the class with the largest logit, NULL: not wanted. bias may be NULL. Logits
     * never exist for more rows than a chunk, and their gradient takes their place. */
    void (*head_loss)(struct lw_device *dev, const struct lw_head *h, void *dx, void *dw,
                      void *dbias, int32_t *argmax, const void *x, const void *w,
                      const void *bias, const int32_t *targets, bool accumulate);
    /* What a model says, counted. ids and targets (units, length); an id counts where its target
     * is not LW_IGNORED. With x of a class in a unit and n of all classes there, row `class` of
     * table (classes + 1, LW_TALLY_COLUMNS) gets x, x^2 and x n added, the last row n, 1 and n^2
     * where n > 0. The fourth column is the op's own and is 0 between calls. */
    void (*tally)(struct lw_device *dev, int units, int length, int classes, uint64_t *table,
                  const int32_t *ids, const int32_t *targets);
    /* to += from, from = 0, count elements: a step's tally joins the window's once the step is
     * whole. */
    void (*tally_move)(struct lw_device *dev, uint64_t *to, uint64_t *from, size_t count);
    /* logits (N, V) in fp32. */
    void (*head_logits)(struct lw_device *dev, const struct lw_head *h, float *logits,
                        const void *x, const void *w, const void *bias);

    /* Global norm of the gradients, clipping, AdamW (Loshchilov & Hutter 2019, decoupled decay) and
     * the NaN guard. With g = grad / targets: norm = ||g||; not finite: nothing changes and the
     * result says skipped; else g is scaled by min(1, max_norm / (norm + 1e-6)), as torch does.
     * master NULL: weights are fp32 themselves; else they are
     * the masters, rounded to the nearest. */
    void (*update)(struct lw_device *dev, const struct lw_update *u, void *weights, float *master,
                   const void *grads, float *m, float *v);
};

/* What a module exports beside its table, as lw_backend_module_layout: how many numbers these are, and
 * sizes. Built from another version of this file it differs, and is refused. */
#define LW_OPS_LAYOUT                                                                              \
    {                                                                                              \
        17, sizeof(struct lw_backend), sizeof(struct lw_device_options),                           \
            sizeof(struct lw_device_info), sizeof(struct lw_shapes), sizeof(struct lw_result),     \
            sizeof(struct lw_step), sizeof(struct lw_linear), sizeof(struct lw_norm),              \
            sizeof(struct lw_attention), sizeof(struct lw_head), sizeof(struct lw_patches),        \
            sizeof(struct lw_update), sizeof(struct lw_group)                                      \
    }

/* The backends there may be, best first, ending in NULL: "cuda", "cpu". */
extern const char *const lw_backend_names[];

/* One of them. CUDA's is a module, opened when it is first asked for: $LEEWAY_MODULES is looked in
 * first, then the folder of this library, the one above it and the package's. NULL: not in this
 * build or not on this machine, and err says in one line what is missing. LEEWAY_BACKEND=cpu
 * leaves out all others. */
const struct lw_backend *lw_backend_find(const char *name, struct lw_error *err);

extern const struct lw_backend lw_backend_cpu;

#endif
