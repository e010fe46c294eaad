/* SPDX-License-Identifier: MIT
 *
 * A fast 64-bit hash of bytes for tables and for telling contents apart. It is not made to
 * withstand an adversary. The value depends on the bytes and the seed alone (little endian).
 */
#ifndef LW_DATA_HASH_H
#define LW_DATA_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Both halves of a 64 x 64 bit product, folded: every input bit reaches every output bit. */
static inline uint64_t lw_hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t lw_hash(const void *data, size_t n, uint64_t seed);

#endif
