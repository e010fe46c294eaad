/* SPDX-License-Identifier: MIT
 *
 * The loops over many pixels and lengths, for whatever vectors this machine has. Integers only:
 * every machine gets the same sums.
 */
#ifndef LW_DRIFT_VECTORS_H
#define LW_DRIFT_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lw_plane_sums {
    uint64_t sum, squares;
    uint32_t most; /* the largest sample */
};

/* Sums of each channel of one image (sums[channels]). Interleaved channels are parted into planes
 * ([channels, pixels] samples), those of a planar image stay. */
void lw_vectors_sums(const void *image, int channels, size_t pixels, int bytes, bool planar,
                     void *planes, struct lw_plane_sums *sums);

/* grey[pixels] = sum of the channels of a planar image. */
void lw_vectors_add(const void *planes, int channels, size_t pixels, int bytes, int32_t *grey);

struct lw_grey_sums {
    uint64_t sum, squares;
    uint64_t dx, dy, laplacian; /* of absolute values */
    uint64_t dark, saturated;   /* pixels below 0.05 and above 0.95 of one */
};

/* Greys below the first are dark, above the second saturated. one: what white is. */
int32_t lw_grey_dark(double one);
int32_t lw_grey_bright(double one);

void lw_vectors_grey(const int32_t *grey, int height, int width, double one,
                     struct lw_grey_sums *sums);

struct lw_length_sums {
    int32_t least;
    uint64_t sum, over; /* over: how many are longer than max */
    uint64_t high, low; /* the sum of squares is high * 2^32 + low */
};

/* At most 2^20 lengths; where one is negative only least means anything. clamped[n]: the lengths,
 * at most max, which is below 2^15. */
void lw_vectors_lengths(const int32_t *length, size_t n, int32_t max, uint16_t *clamped,
                        struct lw_length_sums *sums);

#endif
