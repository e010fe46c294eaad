/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/kernels_table.h"

const struct lw_cpu_kernels LW_JOIN(lw_cpu_kernels, LW_ISA) = {
    .name = LW_ISA_TITLE,
    .lanes = LW_LANES,
    .gemm = LW_NAME(gemm),
    .bias_activate = LW_NAME(bias_activate),
    .activate_backward = LW_NAME(activate_backward),
    .column_sums = LW_NAME(column_sums),
    .add = LW_NAME(add),
    .dropout = LW_NAME(dropout),
    .norm_row = LW_NAME(norm_row),
    .norm_row_backward = LW_NAME(norm_row_backward),
    .loss_row = LW_NAME(loss_row),
    .softmax_row = LW_NAME(softmax_row),
    .softmax_row_backward = LW_NAME(softmax_row_backward),
    .softmax_online = LW_NAME(softmax_online),
    .exp_row = LW_NAME(exp_row),
    .scale_row = LW_NAME(scale_row),
    .dot = LW_NAME(dot),
    .add_scaled = LW_NAME(add_scaled),
    .sum_squares = LW_NAME(sum_squares),
    .adamw = LW_NAME(adamw),
};
