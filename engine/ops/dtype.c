/* SPDX-License-Identifier: MIT */
#include "engine/ops/dtype.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [LW_F32] = {"F32", 4}, [LW_F16] = {"F16", 2},   [LW_BF16] = {"BF16", 2}, [LW_F64] = {"F64", 8},
    [LW_I64] = {"I64", 8}, [LW_I32] = {"I32", 4},   [LW_I16] = {"I16", 2},   [LW_I8] = {"I8", 1},
    [LW_U8] = {"U8", 1},   [LW_BOOL] = {"BOOL", 1},
};

enum { TYPES = sizeof(types) / sizeof(*types) };

size_t lw_dtype_size(enum lw_dtype type)
{
    return (unsigned)type < TYPES ? types[type].size : 0;
}

const char *lw_dtype_name(enum lw_dtype type)
{
    return (unsigned)type < TYPES ? types[type].name : "unknown";
}

int lw_dtype_parse(const char *name)
{
    for (int i = 0; i < TYPES; i++)
        if (!strcmp(name, types[i].name))
            return i;
    return -1;
}

static float float_of_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static uint32_t bits_of_float(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static float from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff;

    if (exponent == 31) /* infinity, NaN */
        return float_of_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent)
        return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    return float_of_bits(sign | bits_of_float((float)mantissa * 0x1p-24f));
}

static uint16_t to_half(float x)
{
    uint32_t bits = bits_of_float(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;

    if (size > 0x7f800000)
        return (uint16_t)(sign | 0x7e00 | (size >> 13 & 0x3ff));
    if (size >= 0x477ff000) /* rounds past 65504 */
        return (uint16_t)(sign | 0x7c00);
    if (size < 0x38800000) { /* subnormal: adding 0.5 leaves units of 2^-24, rounded */
        float shifted = float_of_bits(size) + 0.5f;

        return (uint16_t)(sign | (bits_of_float(shifted) - 0x3f000000));
    }
    size += 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | (size - 0x38000000) >> 13);
}

static uint16_t to_bfloat(float x)
{
    uint32_t bits = bits_of_float(x);

    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40); /* stays a NaN */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void lw_to_f32(float *dst, const void *src, enum lw_dtype type, size_t count)
{
    const char *from = src;
    uint16_t half;
    double wide;

    switch (type) {
    case LW_F16:
        for (size_t i = 0; i < count; i++) {
            memcpy(&half, from + 2 * i, 2);
            dst[i] = from_half(half);
        }
        break;
    case LW_BF16:
        for (size_t i = 0; i < count; i++) {
            memcpy(&half, from + 2 * i, 2);
            dst[i] = float_of_bits((uint32_t)half << 16);
        }
        break;
    case LW_F64:
        for (size_t i = 0; i < count; i++) {
            memcpy(&wide, from + 8 * i, 8);
            dst[i] = (float)wide;
        }
        break;
    default:
        memcpy(dst, src, count * sizeof(float));
    }
}

void lw_from_f32(void *dst, enum lw_dtype type, const float *src, size_t count)
{
    char *to = dst;
    uint16_t half;

    if (type != LW_F16 && type != LW_BF16) {
        memcpy(dst, src, count * sizeof(float));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        half = type == LW_F16 ? to_half(src[i]) : to_bfloat(src[i]);
        memcpy(to + 2 * i, &half, 2);
    }
}
