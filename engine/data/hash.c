/* SPDX-License-Identifier: MIT */
#include "engine/data/hash.h"

#include <string.h>

/* Odd constants with about as many ones as zeros: fractional bits of sqrt(2), sqrt(3), sqrt(5),
 * sqrt(7). */
#define K0 UINT64_C(0x6a09e667f3bcc909)
#define K1 UINT64_C(0xbb67ae8584caa73b)
#define K2 UINT64_C(0x3c6ef372fe94f82b)
#define K3 UINT64_C(0xa54ff53a5f1d36f1)

static uint64_t word(const unsigned char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

uint64_t lw_hash(const void *data, size_t n, uint64_t seed)
{
    const unsigned char *p = data;
    uint64_t a = seed ^ K0, b = seed ^ K1, c = seed ^ K2, d = seed ^ K3;
    size_t left = n;

    for (; left >= 64; left -= 64, p += 64) {
        a = lw_hash_mix(a ^ word(p), K1 ^ word(p + 8));
        b = lw_hash_mix(b ^ word(p + 16), K2 ^ word(p + 24));
        c = lw_hash_mix(c ^ word(p + 32), K3 ^ word(p + 40));
        d = lw_hash_mix(d ^ word(p + 48), K0 ^ word(p + 56));
    }
    a = lw_hash_mix(a ^ K2, b ^ K3);
    a = lw_hash_mix(a ^ c, d ^ K0);
    while (left) {
        unsigned char block[16] = {0};
        size_t take = left < sizeof block ? left : sizeof block;

        memcpy(block, p, take);
        a = lw_hash_mix(a ^ word(block), K1 ^ word(block + 8));
        p += take;
        left -= take;
    }
    return lw_hash_mix(a ^ K3, (uint64_t)n ^ K2);
}
