/* SPDX-License-Identifier: MIT
 *
 * The CUDA backend beside the CPU backend, for tests that compare them op by op: the same random
 * inputs on both (rounded to bf16 first where the GPU computes in bf16), outputs poisoned with
 * NaN, the error measured as ||gpu - cpu|| / ||cpu||.
 */
#ifndef LW_TESTS_TWO_BACKENDS_H
#define LW_TESTS_TWO_BACKENDS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/ops/ops.h"

enum kind { ACTIVATION, GRADIENT, STATISTIC, ID };

struct side {
    const struct lw_backend *ops;
    struct lw_device *dev;
    enum lw_dtype type;
};

extern struct side cpu, gpu;
extern const struct lw_shapes small; /* shapes that most ops are tested with */

void must(int rc, const struct lw_error *err);
/* Open both; false and a skipped test where there is no GPU. */
bool open_both(enum lw_dtype type, bool deterministic, const struct lw_shapes *shapes);
void close_both(void);
/* n normal numbers times scale, as both sides can hold them. */
float *draw(size_t n, float scale);
void *put(const struct side *s, const void *host, size_t n, enum kind kind);
/* Room for an output, every byte 0xFF: NaN in any type. */
void *room(const struct side *s, size_t n, enum kind kind);
float *get(const struct side *s, const void *from, size_t n, enum kind kind);
void compare(const char *what, const void *on_cpu, const void *on_gpu, size_t n, enum kind kind,
             double tolerance);
double tolerance(void);

#define BOTH(name, host, n, kind)                                                                  \
    void *name##_cpu = put(&cpu, host, n, kind), *name##_gpu = put(&gpu, host, n, kind)
#define DRAW(name, n, scale, kind)                                                                 \
    float *name = draw(n, scale);                                                                  \
    BOTH(name, name, n, kind)
#define ROOM(name, n, kind)                                                                        \
    void *name##_cpu = room(&cpu, n, kind), *name##_gpu = room(&gpu, n, kind)
#define SAME(name, n, kind, tolerance) compare(#name, name##_cpu, name##_gpu, n, kind, tolerance)

#endif
