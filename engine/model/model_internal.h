/* SPDX-License-Identifier: MIT
 *
 * What the files of the GPT model share: the model and how its activations lie in memory.
 */
#ifndef LW_MODEL_MODEL_INTERNAL_H
#define LW_MODEL_MODEL_INTERNAL_H

#include "engine/model/model.h"

#define LW_MODEL_CHUNK      64 /* rows a prompt is read in, when sampling */
#define LW_MODEL_LOGIT_ROWS 16 /* rows of logits that lw_model_logits takes at once */

struct lw_model_buffers;

/* How a batch becomes a sequence. */
struct lw_model_front {
    const char *block;    /* prefix of a block's parameters, # for its number: "transformer.h.#." */
    const char *shown;    /* and of a layer for people: "h." */
    const char *attended; /* and what follows its number there: ".attn" */
    struct lw_block_names names;
    bool causal;
    enum lw_layout layout;
    enum lw_activation activation;
    int (*add_root)(struct lw_model *g, struct lw_error *err);
    /* Input to saved[0].s1, and the gradients of its parameters from scratch.dsum. */
    void (*embed)(struct lw_model *g, const struct lw_model_buffers *b,
                  const struct lw_block_shape *shape, bool training);
    void (*embed_backward)(struct lw_model *g, bool accumulate);
};

extern const struct lw_model_front lw_model_tokens; /* model_tokens.c */
extern const struct lw_model_front lw_model_images; /* model_images.c */

/* Device addresses for one use of the model. The three uses lie over each other. */
struct lw_model_buffers {
    struct lw_block_shape shape;  /* batch and length at their largest */
    void *input;                  /* tokens (N), or pixels (B, 3, S, S) */
    void *patches;                /* images: (N, 3 P P) */
    int32_t *pick;                /* classifiers: (B) rows that the head reads */
    int32_t *targets;             /* (N), or (B) */
    int32_t *predicted;           /* the same, where they are wanted */
    struct lw_block_saved *saved; /* per layer when training, else one for all */
    struct lw_block_scratch scratch;
    void *sum, *y;       /* (N, C), or (B, C): the last norm's */
    float *mean, *rstd;  /* (N) or (B) */
    float *logits;       /* evaluation: (LW_MODEL_LOGIT_ROWS, classes); sampling: (V) */
    char *keys, *values; /* sampling: (L, length, H, D) */
};

struct lw_model {
    struct lw_model_spec spec;
    const struct lw_backend *backend;
    struct lw_device *device;
    const struct lw_model_front *front;
    int out, padded; /* what the head chooses among: how many there are, and rows in memory */
    struct lw_params params;
    struct lw_block_offsets *offsets; /* per layer */
    struct {
        int wte, token, wpe, patch_weight, patch_bias, norm_weight, norm_bias, head_weight,
            head_bias;
    } at;          /* in the table of parameters; -1: there is none */
    int32_t *pick; /* on the host, for the largest batch */

    struct lw_model_plan plan;
    bool prepared;
    struct lw_attention_choice attention;
    struct lw_model_bytes bytes;
    void *arena;
    struct lw_model_buffers train, evaluate, sample;
    uint64_t *said[2]; /* tallies: of whole steps, and of the one that is not whole yet */
    unsigned recorded; /* slots that hold a recording */
    unsigned warm;     /* slots that ran once op by op, before they are recorded */
    struct lw_adamw recorded_update;

    void (*hook)(void *context, int block, size_t offset, size_t count);
    void *hook_context;
};

/* Fill the three sets of buffers for a plan as if the arena began at base; returns its bytes.
 * With base NULL only the bytes mean anything. The `saved` arrays must be there. */
size_t lw_model_layout(struct lw_model *g, const struct lw_model_plan *plan,
                       enum lw_attention_kind kind, enum lw_dtype activation, char *base);

/* A call of layer l with these buffers. */
struct lw_block_call lw_model_call(const struct lw_model *g, const struct lw_model_buffers *b,
                                   const struct lw_block_shape *shape, int layer, bool training);

/* How many rows the head reads: all, or a classifier's one a sequence. */
int lw_model_ended(const struct lw_model *g, int batch, int length);

/* Bytes of a batch's input. */
size_t lw_model_input_bytes(const struct lw_model *g, int batch, int length);

/* Weight and gradient of a parameter of the root; NULL for one that there is not. */
const void *lw_model_weight(const struct lw_model *g, int param);
void *lw_model_grad(const struct lw_model *g, int param);

/* Dropout at a site. */
struct lw_dropout lw_model_dropout(const struct lw_model *g, bool training, uint32_t site);

/* Elements of a tally. */
size_t lw_model_tally_size(const struct lw_model *g);

/* The head, over rows. */
struct lw_head lw_model_head(const struct lw_model *g, int rows);

/* The last norm of `rows` rows of what the last layer gave: b->y, and b->sum. */
void lw_model_last_norm(const struct lw_model *g, const struct lw_model_buffers *b, int rows,
                        struct lw_block_stream in, bool training);

/* LW_EDATA, with where it is, when a token is not below the vocabulary. */
int lw_model_check_tokens(const struct lw_model *g, const int32_t *tokens, size_t count, int length,
                          bool targets, struct lw_error *err);

/* The same for all of a batch. */
int lw_model_check_batch(const struct lw_model *g, int batch, int length, const void *input,
                         const int32_t *targets, struct lw_error *err);

#endif
