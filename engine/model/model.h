/* SPDX-License-Identifier: MIT
 *
 * Transformers of one make: learned positions and pre-norm blocks. What comes in are tokens, in
 * GPT-2 (Radford et al. 2019: causal, tanh GELU), or images, in ViT (Dosovitskiy et al. 2021:
 * patches and a class token, erf GELU). What goes out are logits of every next token from the tied
 * head, or of classes: from a GPT-2's last token, as GPT2ForSequenceClassification has it, or from
 * a ViT's class token, as ViTForImageClassification has it.
 *
 * A batch's input is tokens (B, T), int32, or pixels (B, 3, S, S), bytes, which are scaled and
 * normalised on the device. Its targets are (B, T) for a language model and (B) for a classifier.
 *
 * A model is made in this order: create (the parameter table; no device memory), plan (all device
 * memory at once, so that running out of it is known before the first step), then weights: init,
 * or lw_hf_gpt2_load (hf_gpt2.h), or lw_load_weights (store.h). After that train, evaluate, update
 * and sample (sample.h, language models alone) in any order; they share one set of activations.
 * Token ids must be below the vocabulary, targets below it or the classes, or LW_IGNORED; others
 * are LW_EDATA before anything is enqueued.
 *
 * What the head chooses among is padded to a multiple of 64 in memory only: the head masks the rows
 * that don't exist, and nothing saves them.
 */
#ifndef LW_MODEL_MODEL_H
#define LW_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/model/attention.h"
#include "engine/model/block.h"
#include "engine/model/params.h"
#include "engine/ops/ops.h"

struct lw_model_spec {
    int vocabulary, positions, channels, layers, heads, feed_forward;
    float dropout; /* on embeddings, attention probabilities and both branches of a block */
    float epsilon; /* of the layer norms: 1e-5 */

    int classes;               /* of a classifier; 0: a language model */
    const char *const *labels; /* [classes] their names, somebody else's; NULL: not known */
    int padding;               /* token that fills short rows of a text classifier's batch */

    int image_size, patch_size;  /* ViT: sides in pixels; 0: tokens come in. vocabulary is 0 then */
    float mean[3], deviation[3]; /* a pixel becomes (byte / 255 - mean) / deviation */
};

/* Tokens that a ViT makes of an image: its patches and the class token. */
int lw_vit_positions(int image_size, int patch_size);

/* A published size: "gpt2" (124M), "gpt2-medium" (355M), "gpt2-large" (774M), "gpt2-xl" (1558M),
 * "vit-base" (86M) and "vit-large" (304M), of 224 pixels in patches of 16; the numbers "124M", …
 * name them too. Returns false for another name. */
bool lw_model_preset(const char *name, struct lw_model_spec *out);

/* Are the numbers possible? Every problem is listed, one a line: LW_EUSAGE. */
LW_NODISCARD int lw_model_check(const struct lw_model_spec *spec, struct lw_error *err);

/* How many parameters exist, the tied head counted once, padding not counted. */
size_t lw_model_parameters(const struct lw_model_spec *spec);

/* Floating point operations of a training step per token, as is usual for MFU: 6 N for the products
 * with the weights, embeddings and the tied head counted once, and 6 L C T for causal attention; of
 * a ViT per image. Of a classifier what only its last block's picked rows need counts for them
 * alone. */
double lw_model_flops(const struct lw_model_spec *spec, int length);

/* What a run will ask for. A use with batch 0 is left out. */
struct lw_model_plan {
    int batch, length;           /* training micro-batch, B x T; a ViT's T is its own */
    int eval_batch, eval_length; /* evaluation and lw_model_logits */
    int sample_length;           /* tokens of key/value cache for lw_sample */
    int attention;               /* enum lw_attention_kind, or LW_ATTENTION_AUTO */
    enum lw_recompute recompute;
    bool record; /* record training and update once and replay them, where the backend can */
    bool tally;  /* count what the model says in training: lw_model_said */
};

/* Device memory that a plan takes, in bytes; what the backend takes as scratch in prepare() is its
 * own and not in here. */
struct lw_model_bytes {
    size_t weights; /* with masters */
    size_t gradients;
    size_t moments;
    size_t activations; /* also tokens, targets, logits and the key/value cache */
    size_t total;
};

/* What the plan would take on such a device, attention `kind` given; allocates nothing there. */
LW_NODISCARD int lw_model_measure(const struct lw_model_spec *spec,
                                  const struct lw_model_plan *plan, enum lw_attention_kind kind,
                                  const struct lw_device_info *info, struct lw_model_bytes *out,
                                  struct lw_error *err);

struct lw_model;

/* ranks: over how many a block may be cut (1 without sharding). */
LW_NODISCARD int lw_model_create(struct lw_model **out, const struct lw_model_spec *spec,
                                 const struct lw_backend *backend, struct lw_device *device,
                                 int ranks, struct lw_error *err);
void lw_model_free(struct lw_model *g); /* NULL is fine; releases all device memory it took */

/* Once per model. More memory than the device has free is LW_EMEM and names both; a length beyond
 * the positions, or an attention that can't run, is LW_EUSAGE. */
LW_NODISCARD int lw_model_prepare(struct lw_model *g, const struct lw_model_plan *plan,
                                  struct lw_error *err);

/* GPT-2's: normal with deviation 0.02, projections into the residual stream scaled by
 * 1 / sqrt(2 layers), biases zero, norms one. */
LW_NODISCARD int lw_model_init(struct lw_model *g, uint64_t seed, struct lw_error *err);

const struct lw_model_spec *lw_model_spec(const struct lw_model *g);
struct lw_params *lw_model_params(struct lw_model *g);
const struct lw_model_bytes *lw_model_memory(const struct lw_model *g);         /* after prepare */
const struct lw_attention_choice *lw_model_attention(const struct lw_model *g); /* after prepare */

/* Called as each block's gradients are complete, on the micro-batch with `last` only, from the
 * last layer down to the root: block, and where it lies in the flat buffer. It only enqueues. */
void lw_model_set_hook(struct lw_model *g,
                       void (*hook)(void *context, int block, size_t offset, size_t count),
                       void *context);

/* Forward and backward of one micro-batch of the planned B x T; step goes to set_step(). input and
 * targets are on the host and free again on return. accumulate false: the first of a step. last:
 * the last of a step. Only enqueues; what fails on the device comes later. */
LW_NODISCARD int lw_model_train(struct lw_model *g, const struct lw_step *step, const void *input,
                                const int32_t *targets, bool accumulate, bool last,
                                struct lw_error *err);

/* AdamW over all parameters with what the window gathered; the caller then calls finish(). */
struct lw_adamw {
    float beta1, beta2, epsilon, weight_decay;
    float max_norm; /* 0: do not clip */
};
LW_NODISCARD int lw_model_update(struct lw_model *g, const struct lw_adamw *a,
                                 struct lw_error *err);

/* Forward and loss, without dropout, of batch x length at most as planned; adds to the window's
 * sums. predicted, as large as targets, on the host gets the most likely token or class, and then
 * this call waits; NULL: it only enqueues. A ViT does not look at length. */
LW_NODISCARD int lw_model_evaluate(struct lw_model *g, int batch, int length, const void *input,
                                   const int32_t *targets, int32_t *predicted,
                                   struct lw_error *err);

/* What the model says, counted where the plan has `tally`: the most likely class of every target
 * that counts, by sequence, over all whole training steps since preparation. table has
 * vocabulary + 1 rows of LW_TALLY_COLUMNS, as ops.h has them. Waits. */
LW_NODISCARD int lw_model_said(struct lw_model *g, uint64_t *table, struct lw_error *err);

/* logits (batch, length, vocabulary) or (batch, classes) on the host, at most as planned for
 * evaluation. Waits. */
LW_NODISCARD int lw_model_logits(struct lw_model *g, int batch, int length, const void *input,
                                 float *logits, struct lw_error *err);

#endif
