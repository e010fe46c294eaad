/* SPDX-License-Identifier: MIT
 *
 * The sums over an image of 8-bit samples in one reading, with AVX2. Integers, and the same ones as
 * vectors.h has, which is what machines without AVX2 use.
 */
#ifndef LW_DRIFT_BYTES_H
#define LW_DRIFT_BYTES_H

#include "engine/drift/vectors.h"

bool lw_bytes_ready(void);

/* sums[channels], where `most` of the first is the largest sample of all channels. With grey (room
 * for [height * width]) *of_grey too, for the sums of the channels; else grey and of_grey are NULL.
 * one: the sum of a white pixel's channels. */
void lw_bytes_look(const uint8_t *image, int channels, int height, int width, bool planar,
                   double one, int16_t *grey, struct lw_plane_sums *sums,
                   struct lw_grey_sums *of_grey);

#endif
