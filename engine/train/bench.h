/* SPDX-License-Identifier: MIT
 *
 * Benchmarks of the engine: leeway-engine bench WHAT [key=value ...] [--json]. Each measures one
 * thing, long enough to mean something, and gives its figures as a JSON object that bench.c prints
 * as text or as it is; so two builds or programs can be run in turns by a script.
 */
#ifndef LW_TRAIN_BENCH_H
#define LW_TRAIN_BENCH_H

#include <jansson.h>

#include "engine/base/error.h"
#include "engine/ops/ops.h"

/* key=value arguments: take() removes what it finds, so that what is left can be told to be
 * unknown, or handed on to a configuration. */
struct lw_bench_args {
    char **item;
    int count;
};

/* The value of key, or fallback; the argument is taken. */
const char *lw_bench_take(struct lw_bench_args *a, const char *key, const char *fallback);

/* The same for a whole number from low to high. */
LW_NODISCARD int lw_bench_take_number(struct lw_bench_args *a, const char *key, int fallback,
                                      int low, int high, int *out, struct lw_error *err);

/* Make a's list its own, as it is now; freed by the caller. The texts stay where they are. */
LW_NODISCARD int lw_bench_keep(struct lw_bench_args *a, struct lw_error *err);

/* LW_EUSAGE naming what nobody took. */
LW_NODISCARD int lw_bench_all_taken(const struct lw_bench_args *a, struct lw_error *err);

/* Median of n values, which are sorted by this. */
double lw_bench_median(double *x, int n);

/* The shapes of a model of one layer with this attention. */
struct lw_shapes lw_bench_attention_shapes(const struct lw_attention *a);

LW_NODISCARD int lw_bench_train(struct lw_bench_args *a, json_t *out, struct lw_error *err);
LW_NODISCARD int lw_bench_attention(struct lw_bench_args *a, json_t *out, struct lw_error *err);
/* The same for device "cuda" or "cuda:N": other shapes, and nothing to compare with. */
LW_NODISCARD int lw_bench_attention_gpu(struct lw_bench_args *a, const char *device, json_t *out,
                                        struct lw_error *err);
LW_NODISCARD int lw_bench_input(struct lw_bench_args *a, json_t *out, struct lw_error *err);
LW_NODISCARD int lw_bench_drift(struct lw_bench_args *a, json_t *out, struct lw_error *err);
LW_NODISCARD int lw_bench_drift_speed(json_t *out, struct lw_error *err);
LW_NODISCARD int lw_bench_start(struct lw_bench_args *a, json_t *out, struct lw_error *err);

#endif
