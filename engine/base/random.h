/* SPDX-License-Identifier: MIT
 *
 * Counted randomness: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011). A draw is a pure function of (seed, stream, position): resuming, prefetching or
 * changing the number of threads never changes what is drawn.
 */
#ifndef LW_BASE_RANDOM_H
#define LW_BASE_RANDOM_H

#include <stdint.h>

/* Streams are numbered here, so that no two uses share one. */
enum lw_stream {
    LW_STREAM_INIT = 1,     /* + parameter index << 8 */
    LW_STREAM_SHUFFLE = 2,  /* + epoch << 8 */
    LW_STREAM_DROPOUT = 3,  /* + site << 8 | step << 32, see ops.h */
    LW_STREAM_GENERATE = 4, /* built-in data, + chunk << 8 */
    LW_STREAM_SAMPLE = 5,   /* sampling text */
    LW_STREAM_SPLIT = 6,    /* train/validation split of documents */
    LW_STREAM_AUGMENT = 7,
    LW_STREAM_SHIFT = 16, /* which generated items are of the new kind, + chunk << 8 */
};

/* Four 32-bit words at (seed, stream, position). */
void lw_philox(uint64_t seed, uint64_t stream, uint64_t position, uint32_t out[4]);

/* A sequential reader over one stream, for code that draws one value after another. */
struct lw_random {
    uint64_t seed, stream, position;
    uint32_t word[4];
    unsigned left; /* words of word[] not used yet */
};

void lw_random_init(struct lw_random *r, uint64_t seed, uint64_t stream);
uint32_t lw_random_u32(struct lw_random *r);
uint32_t lw_random_below(struct lw_random *r, uint32_t n); /* uniform on [0, n), unbiased; n > 0 */
double lw_random_unit(struct lw_random *r);                /* uniform on [0, 1), 32 bits */

/* Four standard normals by Box-Muller from the Philox block at position. */
void lw_random_normal(uint64_t seed, uint64_t stream, uint64_t position, float out[4]);

#endif
