/* SPDX-License-Identifier: MIT
 *
 * Text from a model: one sequence, token by token, with a key/value cache.
 *
 * Token i of the output draws block i of stream LW_STREAM_SAMPLE at seed, so the same weights,
 * prompt and seed give the same tokens. When the cache is full, its newer half is read again as a
 * prompt and generation goes on.
 */
#ifndef LW_MODEL_SAMPLE_H
#define LW_MODEL_SAMPLE_H

#include <stdint.h>

#include "engine/base/error.h"
#include "engine/model/model.h"

struct lw_sample {
    int tokens;         /* how many to write */
    double temperature; /* 0: always the most likely */
    int top_k;          /* only among the k most likely; 0: among all */
    uint64_t seed;
    int32_t stop; /* a token that ends it (and is not emitted); negative: none */
};

/* Needs a plan with sample_length > 0. prompt has at least one token; of a prompt longer than the
 * cache the end is read. emit gets each token and stops the generation by returning nonzero, which
 * is not an error. Waits for the device at every token. */
LW_NODISCARD int lw_sample(struct lw_model *g, const int32_t *prompt, int prompt_tokens,
                           const struct lw_sample *how, int (*emit)(void *context, int32_t token),
                           void *context, struct lw_error *err);

/* One token out of logits (count): as above, drawing block `position`. spare: room for count. */
int32_t lw_sample_pick(const float *logits, int count, const struct lw_sample *how,
                       uint64_t position, float *spare);

#endif
