/* SPDX-License-Identifier: MIT */
#include "engine/drift/bins.h"
#include "engine/drift/compare_parts.h"

size_t lw_quantile_bins(const uint64_t *const fine[2], double max, uint64_t coarse[2][LW_QUANTILES],
                        double edge[LW_QUANTILES + 1])
{
    uint64_t n = lw_bins_sum(fine[0], LW_FEATURE_BINS), seen = 0;
    size_t k = 0;

    coarse[0][0] = coarse[1][0] = 0;
    edge[0] = 0;
    for (size_t i = 0; i < LW_FEATURE_BINS; i++) {
        seen += fine[0][i];
        coarse[0][k] += fine[0][i];
        coarse[1][k] += fine[1][i];
        if (k + 1 < LW_QUANTILES && i + 1 < LW_FEATURE_BINS && coarse[0][k] && seen < n &&
            (double)seen >= (double)n * (double)(k + 1) / LW_QUANTILES) {
            edge[++k] = max * (double)(i + 1) / LW_FEATURE_BINS;
            coarse[0][k] = coarse[1][k] = 0;
        }
    }
    edge[k + 1] = max;
    return k + 1;
}
