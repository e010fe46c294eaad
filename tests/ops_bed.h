/* SPDX-License-Identifier: MIT
 *
 * A bed for tests of the CPU backend: a device of each instruction set this machine has, random
 * inputs, outputs poisoned with NaN in buffers of exactly their size, and comparison with
 * references in double precision.
 */
#ifndef LW_TESTS_OPS_BED_H
#define LW_TESTS_OPS_BED_H

#include "engine/ops/ops.h"

extern const struct lw_backend *const bed; /* the CPU backend */

/* The words of LEEWAY_ISA this machine can run, ending in NULL. */
const char *const *bed_variants(void);

/* A device with 3 threads, prepared for these shapes. `variant` names it in failures. */
struct lw_device *bed_open(const char *variant, int batch, int length, int heads, int head_dim,
                           int feed_forward, int vocabulary, enum lw_attention_kind attention);
struct lw_device *bed_open_threads(const char *variant, int threads,
                                   const struct lw_shapes *shapes);
void bed_close(struct lw_device *dev);
void bed_step(struct lw_device *dev, uint64_t step, uint32_t micro, uint64_t seed);

/* count floats, freed by bed_close: normal with this deviation, or NaN. */
float *bed_random(size_t count, float deviation);
float *bed_poison(size_t count);
float *bed_copy(const float *x, size_t count);
int32_t *bed_tokens(size_t count, int below);
double *bed_doubles(size_t count);

/* Fails unless |x - wanted| <= tolerance * (1 + the largest |wanted|) everywhere. */
void bed_check(const char *what, const float *x, const double *wanted, size_t count,
               double tolerance);
void bed_check_same(const char *what, const float *a, const float *b, size_t count);

/* The factor that a dropout site gives an element, drawn one by one as ops.h says. */
double bed_mask(const struct lw_dropout *d, uint64_t step, uint32_t micro, uint64_t seed,
                uint64_t element);

#endif
