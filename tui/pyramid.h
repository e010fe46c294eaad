/* SPDX-License-Identifier: MIT
 *
 * A series of any length in bounded memory. Samples fall into buckets of equal sample counts; when
 * all buckets are full, neighbours merge in pairs and the bucket width doubles. Spikes survive
 * (min and max are kept), so does the smoothed value, which was computed from the raw samples.
 * While the series is shorter than the limit a bucket is one sample and nothing is lost.
 */
#ifndef LW_TUI_PYRAMID_H
#define LW_TUI_PYRAMID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/smooth.h"

#define LW_PYRAMID_BUCKETS 4096

struct lw_bucket {
    double x0, x1;               /* x of its first and last sample */
    float min, max, mean, last;  /* of the finite samples; NaN when there are none */
    uint32_t count;              /* finite samples, saturating */
    uint32_t odd;                /* NaN and infinite samples, saturating */
    float smooth[LW_SMOOTHINGS]; /* smoothed value after its last finite sample */
};

struct lw_pyramid {
    struct lw_bucket *bucket;
    size_t count, room, limit;
    uint64_t width;       /* samples in a full bucket: a power of 2 */
    uint64_t filled;      /* samples in the newest bucket */
    double sum;           /* of the newest bucket's finite samples */
    uint64_t samples;     /* finite ones, ever */
    uint64_t odd;         /* NaN and infinite ones, ever */
    double x_min, x_max;  /* over all samples */
    float low, high;      /* extremes of the finite values; NaN before the first */
    double low_x, high_x; /* where they were, the earliest */
    double last;          /* newest sample, may be NaN or infinite */
    bool rough;           /* set after init: no smoothed values, for what is no metric */
    struct lw_smoother smoother;
};

/* limit: most buckets, even, 16 or more. */
void lw_pyramid_init(struct lw_pyramid *p, size_t limit);
void lw_pyramid_fini(struct lw_pyramid *p);

/* 0, or -1 when out of memory (the sample is lost). x that is not finite is refused with -1. */
int lw_pyramid_add(struct lw_pyramid *p, double x, double y);

/* Index of the first bucket that ends at or after x; p->count when there is none. Needs x to grow
 * with the samples; where it does not, the answer is some bucket near. */
size_t lw_pyramid_find(const struct lw_pyramid *p, double x);

/* Merge b into a (a is earlier). */
void lw_bucket_merge(struct lw_bucket *a, const struct lw_bucket *b);

/* The value at x: the bucket that holds or comes last before x; NULL before the first. */
const struct lw_bucket *lw_pyramid_at(const struct lw_pyramid *p, double x);

#endif
