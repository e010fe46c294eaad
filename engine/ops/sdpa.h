/* SPDX-License-Identifier: MIT
 *
 * What cuDNN's fused attention (SDPA) can do: rules by card and version, kept apart from CUDA so
 * that they can be asked and tested on any machine.
 */
#ifndef LW_OPS_SDPA_H
#define LW_OPS_SDPA_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"
#include "engine/ops/ops.h"

#define LW_SDPA_ANY_VERSION ((size_t)-1) /* cuDNN was not looked for yet */

/* Where attention is to run. */
struct lw_sdpa_place {
    bool cuda;        /* on a GPU that CUDA can use */
    int major, minor; /* its compute capability */
    enum lw_dtype type;
    size_t cudnn; /* its version, 91900 for 9.19.0; 0: there is none */
};

/* 0 where a layer of that shape can train with cuDNN's fused attention there; else LW_EMISSING and
 * why in a few words: no CUDA, compute capability, dtype, head dimension, length, cuDNN missing or
 * of a version that is too old or wrong. */
LW_NODISCARD int lw_sdpa_eligible(const struct lw_sdpa_place *p, const struct lw_attention *a,
                                  struct lw_error *err);

/* Must the graph carry a padding mask over full lengths? Some versions and shapes are wrong
 * without one: see sdpa.c. */
bool lw_sdpa_needs_padding(size_t cudnn, const struct lw_attention *a);

#endif
