/* SPDX-License-Identifier: MIT
 *
 * What the files of the GPT model share: the model and how its activations lie in memory.
 */
#ifndef LW_MODEL_GPT_INTERNAL_H
#define LW_MODEL_GPT_INTERNAL_H

#include "engine/model/gpt.h"

#define LW_GPT_CHUNK      64 /* rows a prompt is read in, when sampling */
#define LW_GPT_LOGIT_ROWS 16 /* rows of logits that lw_gpt_logits takes at once */

/* Device addresses for one use of the model. The three uses lie over each other. */
struct lw_gpt_buffers {
    struct lw_block_shape shape;  /* batch and length at their largest */
    int32_t *tokens, *targets;    /* (N) */
    int32_t *predicted;           /* (N): evaluation */
    struct lw_block_saved *saved; /* per layer when training, else one for all */
    struct lw_block_scratch scratch;
    void *sum, *y;       /* (N, C): the last norm's */
    float *mean, *rstd;  /* (N) */
    float *logits;       /* evaluation: (LW_GPT_LOGIT_ROWS, V); sampling: (V) */
    char *keys, *values; /* sampling: (L, length, H, D) */
};

struct lw_gpt {
    struct lw_gpt_spec spec;
    const struct lw_backend *backend;
    struct lw_device *device;
    int padded; /* vocabulary rows in memory */
    struct lw_params params;
    struct lw_block_offsets *offsets;        /* per layer */
    size_t wte, wpe, norm_weight, norm_bias; /* offsets */

    struct lw_gpt_plan plan;
    bool prepared;
    struct lw_attention_choice attention;
    struct lw_gpt_bytes bytes;
    void *arena;
    struct lw_gpt_buffers train, evaluate, sample;
    unsigned recorded; /* slots that hold a recording */
    unsigned warm; /* slots that ran once op by op, before they are recorded */
    struct lw_adamw recorded_update;

    void (*hook)(void *context, int block, size_t offset, size_t count);
    void *hook_context;
};

/* Fill the three sets of buffers for a plan as if the arena began at base; returns its bytes.
 * With base NULL only the bytes mean anything. The `saved` arrays must be there. */
size_t lw_gpt_layout(struct lw_gpt *g, const struct lw_gpt_plan *plan, enum lw_attention_kind kind,
                     enum lw_dtype activation, char *base);

/* A call of layer l with these buffers. */
struct lw_block_call lw_gpt_call(const struct lw_gpt *g, const struct lw_gpt_buffers *b,
                                 const struct lw_block_shape *shape, int layer, bool training);

/* Dropout at a site. */
struct lw_dropout lw_gpt_dropout(const struct lw_gpt *g, bool training, uint32_t site);

/* The head, over rows. */
struct lw_head lw_gpt_head(const struct lw_gpt *g, int rows);

/* The last norm of `rows` rows, after the last layer: b->y, and b->sum. */
void lw_gpt_last_norm(const struct lw_gpt *g, const struct lw_gpt_buffers *b, int rows,
                      bool training);

/* LW_EDATA, with where it is, when a token is not below the vocabulary. */
int lw_gpt_check_tokens(const struct lw_gpt *g, const int32_t *tokens, size_t count, int length,
                        bool targets, struct lw_error *err);

#endif
