/* SPDX-License-Identifier: MIT */
#include <stdbool.h>

#include "engine/base/random.h"
#include "engine/data/items.h"

static int clamp(int x, int most)
{
    return x < 0 ? 0 : x > most ? most : x;
}

void lw_image_augment(uint8_t *out, const uint8_t *in, int side, int how, uint64_t seed,
                      uint64_t stream, uint64_t position)
{
    const uint64_t range = 2 * (uint64_t)(side / 8) + 1;
    uint32_t word[4];
    int dx = 0, dy = 0;
    bool mirrored;

    lw_philox(seed, stream, position, word);
    if (how & LW_AUGMENT_CROP) {
        dx = (int)(word[0] * range >> 32) - side / 8;
        dy = (int)(word[1] * range >> 32) - side / 8;
    }
    mirrored = how & LW_AUGMENT_FLIP && word[2] & 1;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < side; y++) {
            const uint8_t *row =
                in + ((size_t)c * (size_t)side + (size_t)clamp(y + dy, side - 1)) * (size_t)side;

            for (int x = 0; x < side; x++)
                *out++ = row[clamp((mirrored ? side - 1 - x : x) + dx, side - 1)];
        }
}
