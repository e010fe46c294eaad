/* SPDX-License-Identifier: MIT */
#include "engine/data/permute.h"

#include "engine/base/random.h"

#define ROUNDS                                                                                     \
    6 /* four make a strong permutation of a large domain; small ones need a few more              \
       */

uint64_t lw_permute(uint64_t index, uint64_t n, uint64_t seed, uint64_t stream)
{
    unsigned half = 1;
    uint64_t mask;

    while (half < 32 && (UINT64_C(1) << 2 * half) < n)
        half++;
    mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = index >> half, right = index & mask;

        for (uint64_t round = 0; round < ROUNDS; round++) {
            uint32_t w[4];
            uint64_t kept = right;

            lw_philox(seed, stream, round << 32 | right, w);
            right = left ^ (w[0] & mask);
            left = kept;
        }
        index = left << half | right;
    } while (index >= n); /* at most four tries on average: the domain is below 4 n */
    return index;
}
