/* SPDX-License-Identifier: MIT
 *
 * The loops over pixels, for whatever vectors this machine has. Integers only: every machine gets
 * the same sums.
 */
#ifndef LW_DRIFT_PIXELS_H
#define LW_DRIFT_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LW_PIXELS_SLACK 64 /* bytes that may be written behind planes */

struct lw_plane_sums {
    uint64_t sum, squares;
    uint32_t most; /* the largest sample */
};

/* Sums of each channel of one image (sums[channels]). Interleaved channels are parted into planes
 * ([channels, pixels] samples, with LW_PIXELS_SLACK behind), those of a planar image stay. */
void lw_pixels_sums(const void *image, int channels, size_t pixels, int bytes, bool planar,
                    void *planes, struct lw_plane_sums *sums);

/* grey[pixels] = sum of the channels of a planar image. */
void lw_pixels_add(const void *planes, int channels, size_t pixels, int bytes, int32_t *grey);

struct lw_grey_sums {
    uint64_t sum, squares;
    uint64_t dx, dy, laplacian; /* of absolute values */
    uint64_t dark, saturated;   /* pixels below 0.05 and above 0.95 of one */
};

void lw_pixels_grey(const int32_t *grey, int height, int width, double one,
                    struct lw_grey_sums *sums);

#endif
