/* SPDX-License-Identifier: MIT
 *
 * What a card could do at best, for MFU.
 */
#ifndef LW_OPS_PEAKS_H
#define LW_OPS_PEAKS_H

#include "engine/ops/dtype.h"

/* Floating point operations a second of dense matrix products with inputs of that type and sums in
 * fp32, at the boost clock, from the vendor's data sheets: for LW_BF16 and LW_F16 by tensor cores,
 * for LW_F32 in IEEE arithmetic (no TF32). name is CUDA's. 0: a card that the table doesn't know,
 * a laptop's or other variant of one it knows, a slice of a card. */
double lw_peak_flops(const char *name, enum lw_dtype type);

#endif
