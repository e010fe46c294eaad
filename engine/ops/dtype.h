/* SPDX-License-Identifier: MIT
 *
 * Element types, with conversions on the host.
 */
#ifndef LW_OPS_DTYPE_H
#define LW_OPS_DTYPE_H

#include <stddef.h>
#include <stdint.h>

enum lw_dtype { LW_F32, LW_F16, LW_BF16, LW_F64, LW_I64, LW_I32, LW_I16, LW_I8, LW_U8, LW_BOOL };

/* Bytes of one element. */
size_t lw_dtype_size(enum lw_dtype type);

/* "F32", "BF16", …: safetensors' names. */
const char *lw_dtype_name(enum lw_dtype type);

/* The type of that name, or -1. */
int lw_dtype_parse(const char *name);

/* count elements of any floating type to fp32, exactly. src may be unaligned. */
void lw_to_f32(float *dst, const void *src, enum lw_dtype type, size_t count);

/* fp32 to F32, F16 or BF16, rounding to nearest even. dst may be unaligned. */
void lw_from_f32(void *dst, enum lw_dtype type, const float *src, size_t count);

#endif
