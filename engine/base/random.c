/* SPDX-License-Identifier: MIT */
#include "engine/base/random.h"

#include <math.h>

void lw_philox(uint64_t seed, uint64_t stream, uint64_t position, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)position, c1 = (uint32_t)(position >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;

        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void lw_random_init(struct lw_random *r, uint64_t seed, uint64_t stream)
{
    r->seed = seed;
    r->stream = stream;
    r->position = 0;
    r->left = 0;
}

uint32_t lw_random_u32(struct lw_random *r)
{
    if (!r->left) {
        lw_philox(r->seed, r->stream, r->position++, r->word);
        r->left = 4;
    }
    return r->word[4 - r->left--];
}

uint32_t lw_random_below(struct lw_random *r, uint32_t n)
{
    uint32_t reject = (uint32_t)(-n) % n; /* 2^32 mod n: the biased low end */
    uint64_t product;

    do
        product = (uint64_t)lw_random_u32(r) * n;
    while ((uint32_t)product < reject);
    return (uint32_t)(product >> 32);
}

double lw_random_unit(struct lw_random *r)
{
    return lw_random_u32(r) * 0x1p-32;
}

void lw_random_normal(uint64_t seed, uint64_t stream, uint64_t position, float out[4])
{
    const double two_pi = 6.283185307179586;
    uint32_t w[4];

    lw_philox(seed, stream, position, w);
    for (int i = 0; i < 4; i += 2) {
        double radius = sqrt(-2.0 * log((w[i] + 0.5) * 0x1p-32)); /* never log(0) */
        double angle = two_pi * (w[i + 1] * 0x1p-32);

        out[i] = (float)(radius * cos(angle));
        out[i + 1] = (float)(radius * sin(angle));
    }
}
