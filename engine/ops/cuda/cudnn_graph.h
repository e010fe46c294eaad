/* SPDX-License-Identifier: MIT
 *
 * Scaled dot product attention as cuDNN operation graphs.
 *
 * cuDNN fuses a graph into one flash attention kernel only if it finds exactly the pattern it
 * knows: matrix product, scale, mask, softmax in its parts, matrix product, and for backward the
 * same recomputed. The builders here write that pattern down for packed tensors. They need no
 * GPU: an operation graph finalizes without one, which is how they are tested.
 */
#ifndef LW_OPS_CUDA_CUDNN_GRAPH_H
#define LW_OPS_CUDA_CUDNN_GRAPH_H

#include "engine/ops/cuda/cudnn_library.h"
#include "engine/ops/dtype.h"

/* Names of the tensors a graph's caller provides. */
enum lw_tensor_id {
    LW_ID_Q = 1,
    LW_ID_K,
    LW_ID_V,
    LW_ID_O,
    LW_ID_STATS, /* log-sum-exp, (B, H, S) fp32 */
    LW_ID_DO,
    LW_ID_DQ,
    LW_ID_DK,
    LW_ID_DV,
    LW_ID_DQ_SUM,   /* (B, S, H, D) fp32, scratch of the backward that isn't deterministic */
    LW_ID_LENGTH_Q, /* (B) int32, with a padding mask */
    LW_ID_LENGTH_K,
    LW_ID_SCALE, /* host floats */
    LW_ID_MINUS_INF,
    LW_ID_ONE,        /* with dropout 1 - p */
    LW_ID_DROP_SCALE, /* 1 / (1 - p) */
    LW_ID_SEED,       /* int64 on the device, with dropout */
    LW_ID_OFFSET,
    LW_ID_FIRST_VIRTUAL = 100,
};

struct lw_sdpa {
    int batch, length, heads, head_dim;
    enum lw_dtype type; /* LW_BF16 or LW_F16 */
    bool causal;
    bool padded; /* with a padding mask over full lengths: see attention_cudnn.c's guard */
    bool backward;
    bool deterministic; /* backward alone */
    float dropout;      /* p, on the probabilities */
};

/* Build and finalize the operation graph. handle may be NULL (no device: then cuDNN's heuristics
 * need device properties). The caller ends it with lw_sdpa_graph_free. */
struct lw_sdpa_graph {
    cudnnBackendDescriptor_t graph;
    cudnnBackendDescriptor_t made[160]; /* everything to destroy, in order of making */
    int count;
};

LW_NODISCARD int lw_sdpa_graph_build(const struct lw_cudnn *lib, cudnnHandle_t handle,
                                     const struct lw_sdpa *shape, struct lw_sdpa_graph *out,
                                     struct lw_error *err);
void lw_sdpa_graph_free(const struct lw_cudnn *lib, struct lw_sdpa_graph *graph);

#endif
