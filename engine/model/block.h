/* SPDX-License-Identifier: MIT
 *
 * The pre-norm transformer block that GPT and ViT share:
 *
 *   y1 = norm(s1)      s2 = s1 + dropout(attention(y1 Wqkv) Wo)
 *   y2 = norm(s2)     sum = s2 + dropout(activation(y2 Wfc) Wproj)
 *
 * and the sum is the next block's s1. The product that ends a branch adds what comes before it.
 * Only where the branch is dropped does the norm after it, for a block's sum the next block's first
 * or the model's last: what goes from block to block is a stream whose branch may still have to be
 * added.
 *
 * Where only few rows of the last block's output are read (a class token's, say), what follows its
 * attention is made of these rows alone: `few` rows picked by their index among the N.
 */
#ifndef LW_MODEL_BLOCK_H
#define LW_MODEL_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/model/params.h"
#include "engine/ops/ops.h"

enum lw_recompute {
    LW_RECOMPUTE_NONE,
    LW_RECOMPUTE_GELU,      /* the activation's output is computed again in backward */
    LW_RECOMPUTE_GELU_NORM, /* and the norms' outputs */
};

/* What all blocks of a model have in common. */
struct lw_block_shape {
    int batch, length;
    int channels, heads, feed_forward;
    size_t element; /* bytes of an activation */
    float epsilon, dropout;
    bool causal;
    enum lw_layout layout;
    enum lw_activation activation;
    enum lw_attention_kind attention;
    enum lw_recompute recompute;
};

/* Where a block's parameters are, in elements of the flat buffers. */
struct lw_block_offsets {
    size_t norm1_weight, norm1_bias, qkv_weight, qkv_bias, out_weight, out_bias;
    size_t norm2_weight, norm2_bias, fc_weight, fc_bias, proj_weight, proj_bias;
};

/* Activations of one block, device memory. For training, what backward needs is the block's own;
 * in evaluation all blocks share one set. N = B T rows. */
struct lw_block_saved {
    void *s1, *y1;      /* (N, C); y1 and y2 shared when recomputed */
    void *qkv;          /* (N, 3C) */
    void *attended;     /* (N, C) */
    void *p;            /* (B, H, T, T) for LW_ATTENTION_MATH, else NULL */
    float *lse;         /* (B, H, T) */
    void *s2, *y2;      /* (N, C) */
    void *pre, *hidden; /* (N, F); pre NULL in evaluation; hidden shared when recomputed */
    float *mean1, *rstd1, *mean2, *rstd2; /* (N) */
    void *few_s1, *few_attended; /* (few, C), in the last block, whose s2, y2, pre, hidden, mean2
                                  * and rstd2 have `few` rows too */
};

/* Shared by all blocks. */
struct lw_block_scratch {
    void *branch;                 /* (N, C): one to be dropped, and few rows' gradient spread out;
                                   * NULL where there is neither */
    void *dsum;                   /* (N, C): gradient of the residual stream */
    void *dbranch;                /* (N, C): gradient of the branch; equals dsum without dropout */
    void *dy;                     /* (N, C) */
    void *dwide;                  /* (N, max(F, 3C)) */
    void *few_dsum, *few_dbranch; /* (few, C): for the last block, in place of the ones above */
};

/* Dropout sites: a block at `site` uses site, site + 1 and site + 2; the branch that comes in was
 * dropped at site - 1 (the previous block's last). */
#define LW_BLOCK_SITES 3

/* The residual stream between blocks: rows, and what the next norm adds to them. */
struct lw_block_stream {
    const void *residual;
    const void *branch; /* NULL: nothing, the residual is the sum */
};

struct lw_block_call {
    const struct lw_backend *backend;
    struct lw_device *device;
    const struct lw_params *params;
    const struct lw_block_shape *shape;
    const struct lw_block_offsets *offsets;
    const struct lw_block_saved *saved;
    const struct lw_block_scratch *scratch;
    void *sum; /* (N, C), or (few, C): the next block's s1, or the last norm's sum; in evaluation it
                * may be this block's s1 */
    uint32_t site;
    const int32_t *pick; /* (few) rows of the last block that are read, on the device; NULL: all */
    int few;
    bool training; /* dropout is on, and pre is kept */
};

/* From the stream that comes in, of (N, C), to the one that goes out. Where nothing has to be added
 * to it, what comes in is in saved->s1. */
struct lw_block_stream lw_block_forward(const struct lw_block_call *c, struct lw_block_stream in);

/* In: scratch->dsum, gradient of s2 by way of the residual, and scratch->dbranch, that of the
 * branch (few_dsum and few_dbranch where rows are picked; then scratch->branch is overwritten).
 * Out: dsum and dbranch for what came in. The gradient of a branch's last bias falls out of the
 * norm that takes the branch in, so it is made there: this block's own by the norm above it
 * (ops.h, dbranch_sums), and here that of the block below, into `below`; NULL: this is the first
 * block, and dbranch is not made. */
void lw_block_backward(const struct lw_block_call *c, void *below, bool accumulate);

/* Where the gradient of the bias goes that this block adds last to its branch. */
void *lw_block_branch_bias(const struct lw_block_call *c);

/* `count` new rows of one sequence at position, position + 1, …, with the sequence's cache
 * (length, H, D) of which `position` rows are filled; shape->batch is 1 and shape->length the
 * cache's. Rows as in forward, of count instead of N. */
struct lw_block_stream lw_block_extend(const struct lw_block_call *c, struct lw_block_stream in,
                                       void *keys, void *values, int position, int count);

/* Add a block's parameters to a table, in its order: names are prefix + one of these + ".weight" or
 * ".bias". qkv is one tensor of GPT-2's and three joined ones of ViT's, which needs LW_OUT_IN. A
 * deviation of 0 is Xavier's for each matrix. */
struct lw_block_names {
    const char *norm1, *qkv[3], *out, *norm2, *fc, *proj; /* qkv[1] NULL: one tensor */
};
LW_NODISCARD int lw_block_params(struct lw_params *p, int block, const char *prefix,
                                 const struct lw_block_names *names,
                                 const struct lw_block_shape *shape, float deviation,
                                 float residual_deviation, struct lw_error *err);

/* Offsets of the block's parameters in a sealed table that lw_block_params filled. */
void lw_block_locate(const struct lw_params *p, int block, struct lw_block_offsets *out);

#endif
