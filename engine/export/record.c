/* SPDX-License-Identifier: MIT */
#include "engine/export/record.h"

#define POLYNOMIAL 0x82f63b78u /* reversed */
#define MASK       0xa282ead8u

/* Four bits at a time: 16 numbers are soon made, and records are small. */
uint32_t lw_crc32c(const void *data, size_t size)
{
    const unsigned char *at = data;
    uint32_t table[16], crc = 0xffffffffu;

    for (uint32_t i = 0; i < 16; i++) {
        table[i] = i;
        for (int bit = 0; bit < 4; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? POLYNOMIAL : 0);
    }
    for (; size--; at++) {
        crc ^= *at;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t lw_crc32c_masked(const void *data, size_t size)
{
    uint32_t crc = lw_crc32c(data, size);

    return (crc >> 15 | crc << 17) + MASK;
}

static void little(unsigned char *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (unsigned char)(value >> 8 * i);
}

void lw_record_write(FILE *f, const void *data, size_t size)
{
    unsigned char head[12], tail[4];

    little(head, size, 8);
    little(head + 8, lw_crc32c_masked(head, 8), 4);
    little(tail, lw_crc32c_masked(data, size), 4);
    fwrite(head, 1, sizeof head, f);
    fwrite(data, 1, size, f);
    fwrite(tail, 1, sizeof tail, f);
}
