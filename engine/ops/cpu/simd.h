/* SPDX-License-Identifier: MIT
 *
 * Vectors for the kernels, in GCC's and Clang's vector extensions. Every kernel source is compiled
 * once for each instruction set, with LW_ISA (the suffix of its names) and LW_LANES (floats in a
 * vector) defined by the build; nothing here uses intrinsics, so the portable variant is the same
 * code with narrower vectors.
 *
 * Accuracy against libm, checked by tests/test_ops_math.c: lw_vexp within 2 ulp on [-87.3, 88.0],
 * 0 below -87.7, infinity above 88.4, NaN for NaN; lw_vnormal_cdf within 2e-7 absolute and on [-6,
 * 0] 6e-6 relative.
 */
#ifndef LW_OPS_CPU_SIMD_H
#define LW_OPS_CPU_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LW_JOIN_(a, b) a##_##b
#define LW_JOIN(a, b)  LW_JOIN_(a, b)
#define LW_NAME(name)  LW_JOIN(lw_cpu_##name, LW_ISA)

/* Before a loop of few, constant turns whose variables are to stay in registers. */
#ifdef __clang__
#define LW_UNROLLED _Pragma("clang loop unroll(full)")
#else
#define LW_UNROLLED _Pragma("GCC unroll 8")
#endif

typedef float lw_vf __attribute__((vector_size(4 * LW_LANES)));
typedef int32_t lw_vi __attribute__((vector_size(4 * LW_LANES)));
typedef float lw_vf_unaligned __attribute__((vector_size(4 * LW_LANES), aligned(4), may_alias));

static inline lw_vf lw_vload(const float *p)
{
    return *(const lw_vf_unaligned *)p;
}

static inline void lw_vstore(float *p, lw_vf v)
{
    *(lw_vf_unaligned *)p = v;
}

static inline lw_vf lw_vset(float x)
{
    return x - (lw_vf){0};
}

/* The first n < LW_LANES elements; the others are zero. */
static inline lw_vf lw_vload_part(const float *p, size_t n)
{
    lw_vf v = {0};

    memcpy(&v, p, n * sizeof(float));
    return v;
}

static inline void lw_vstore_part(float *p, lw_vf v, size_t n)
{
    memcpy(p, &v, n * sizeof(float));
}

static inline lw_vf lw_vselect(lw_vi mask, lw_vf yes, lw_vf no)
{
    return (lw_vf)(((lw_vi)yes & mask) | ((lw_vi)no & ~mask));
}

/* The larger lanes. */
static inline lw_vf lw_vmax(lw_vf a, lw_vf b)
{
    return lw_vselect(a > b, a, b);
}

static inline float lw_vsum(lw_vf v)
{
    float lane[LW_LANES];

    memcpy(lane, &v, sizeof(lane));
    for (int width = LW_LANES / 2; width; width /= 2)
        for (int i = 0; i < width; i++)
            lane[i] += lane[i + width];
    return lane[0];
}

static inline float lw_vlargest(lw_vf v)
{
    float lane[LW_LANES];

    memcpy(lane, &v, sizeof(lane));
    for (int i = 1; i < LW_LANES; i++)
        if (!(lane[0] >= lane[i]))
            lane[0] = lane[i];
    return lane[0];
}

/* e^x: x = n ln 2 + r with |r| <= ln(2) / 2, then Taylor to r^7 (5e-9) times 2^n. */
static inline lw_vf lw_vexp(lw_vf x)
{
    const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    lw_vf p = lw_vset(1.0f / 5040.0f), n, r;
    lw_vi scale;

    x = lw_vselect(x < -88.0f, lw_vset(-88.0f), x); /* n = -127: scale 0 */
    x = lw_vselect(x > 89.0f, lw_vset(89.0f), x);   /* n = 128: scale infinity */
    n = (x * 1.44269504f + shift) - shift;
    r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    scale = (__builtin_convertvector(n, lw_vi) + 127) << 23;
    return p * (lw_vf)scale;
}

/* 1 / (1 + e^-x) */
static inline lw_vf lw_vsigmoid(lw_vf x)
{
    return 1.0f / (1.0f + lw_vexp(-x));
}

/* The standard normal distribution function, and through *density e^(-x^2 / 2): with a = |x| / √2,
 * erfc(a) = e^(-a^2) t Q(t), t = 1 / (1 + 0.3 a), Q fitted on a in [0, 10] to 2.5e-8. */
static inline lw_vf lw_vnormal_cdf(lw_vf x, lw_vf *density)
{
    lw_vf a = lw_vselect(x < 0.0f, -x, x) * 0.707106781f;
    lw_vf t, q = lw_vset(-0.130770877f), tail;

    a = lw_vselect(a > 10.0f, lw_vset(10.0f), a);
    t = 1.0f / (1.0f + 0.3f * a);
    q = q * t + 0.491934271f;
    q = q * t - 0.526151663f;
    q = q * t + 0.564514242f;
    q = q * t - 0.106983363f;
    q = q * t + 0.220539169f;
    q = q * t + 0.146796022f;
    q = q * t + 0.17094912f;
    q = q * t + 0.169173058f;
    *density = lw_vexp(-a * a);
    tail = 0.5f * *density * t * q;
    return lw_vselect(x < 0.0f, tail, 1.0f - tail);
}

#endif
