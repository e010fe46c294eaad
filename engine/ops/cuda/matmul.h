/* SPDX-License-Identifier: MIT
 *
 * What matmul.c and matmul_search.c share: the products met so far.
 */
#ifndef LW_OPS_CUDA_MATMUL_H
#define LW_OPS_CUDA_MATMUL_H

#include <stdio.h>

#include "engine/ops/cuda/device.h"

#define LW_MATMUL_CANDIDATES 24 /* algorithms asked for when searching */

struct lw_matmul_entry {
    struct lw_matmul_entry *next;
    struct lw_matmul key;
    bool possible; /* cuBLASLt has it, and it is worth using: see lw_matmul_search */
    cublasLtMatmulDesc_t op;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulAlgo_t algo;
};

struct lw_matmul_cache {
    struct lw_matmul_entry *first;
    FILE *file; /* what a search found is appended; NULL: not kept */
};

/* aux: lw_matmul_run's, read here only where it is C. */
int lw_matmul_launch(struct lw_device *dev, struct lw_matmul_entry *e,
                     const cublasLtMatmulAlgo_t *algo, const void *a, const void *b, void *d,
                     const void *aux);

/* Choose e's algorithm by timing the candidates, or as an earlier run did. A product with GELU or
 * a residual in it is marked not possible where the plain product and a kernel of its own are
 * faster. */
void lw_matmul_search(struct lw_device *dev, struct lw_matmul_entry *e,
                      const cublasLtMatmulHeuristicResult_t *found, int count, const void *a,
                      const void *b, void *aux);

#endif
