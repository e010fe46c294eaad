/* SPDX-License-Identifier: MIT
 *
 * A random permutation that is computed entry by entry, in constant memory: a Feistel network over
 * the smallest power of four that covers [0, n), keyed by Philox, walked until it lands inside.
 */
#ifndef LW_DATA_PERMUTE_H
#define LW_DATA_PERMUTE_H

#include <stdint.h>

/* Where entry `index` of the permutation of [0, n) drawn by (seed, stream) goes. index < n. */
uint64_t lw_permute(uint64_t index, uint64_t n, uint64_t seed, uint64_t stream);

#endif
