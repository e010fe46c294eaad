/* SPDX-License-Identifier: MIT
 *
 * Matrix products through cuBLASLt. Descriptors and the chosen algorithm are made once per shape;
 * under max-autotune matmul_search.c chooses by timing.
 */
#include "engine/ops/cuda/matmul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cudaDataType_t type_of(enum lw_dtype type)
{
    return type == LW_BF16 ? CUDA_R_16BF : type == LW_F16 ? CUDA_R_16F : CUDA_R_32F;
}

static cublasLtEpilogue_t epilogue_of(const struct lw_matmul *mm)
{
    switch (mm->epilogue) {
    case LW_EPI_BIAS:
        return CUBLASLT_EPILOGUE_BIAS;
    case LW_EPI_GELU_AUX:
        return CUBLASLT_EPILOGUE_GELU_AUX_BIAS;
    case LW_EPI_DGELU:
        return CUBLASLT_EPILOGUE_DGELU;
    default:
        return CUBLASLT_EPILOGUE_DEFAULT;
    }
}

static bool same(const struct lw_matmul *x, const struct lw_matmul *y)
{
    return x->m == y->m && x->n == y->n && x->k == y->k && x->transpose_a == y->transpose_a &&
           x->transpose_b == y->transpose_b && x->lda == y->lda && x->ldb == y->ldb &&
           x->ldd == y->ldd && x->type_ab == y->type_ab && x->type_d == y->type_d &&
           x->epilogue == y->epilogue && x->accumulate == y->accumulate &&
           x->residual == y->residual && x->batch == y->batch && x->stride_a == y->stride_a &&
           x->stride_b == y->stride_b && x->stride_d == y->stride_d;
}

static cublasLtMatrixLayout_t layout(enum lw_dtype type, int rows, int columns, int ld, int batch,
                                     long long stride)
{
    cublasLtMatrixLayout_t l = NULL;
    int32_t n = batch;
    int64_t step = stride;

    if (cublasLtMatrixLayoutCreate(&l, type_of(type), (uint64_t)rows, (uint64_t)columns, ld))
        return NULL;
    if (batch > 1) {
        cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &n, sizeof n);
        cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step,
                                         sizeof step);
    }
    return l;
}

static int set(cublasLtMatmulDesc_t op, cublasLtMatmulDescAttributes_t name, const void *value,
               size_t size)
{
    return (int)cublasLtMatmulDescSetAttribute(op, name, value, size);
}

static void set_pointers(struct lw_matmul_entry *e, void *bias, void *aux)
{
    if (e->key.epilogue != LW_EPI_NONE && e->key.epilogue != LW_EPI_DGELU)
        set(e->op, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    if (e->key.epilogue == LW_EPI_GELU_AUX || e->key.epilogue == LW_EPI_DGELU)
        set(e->op, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, &aux, sizeof aux);
}

static int make_descriptors(struct lw_matmul_entry *e)
{
    const struct lw_matmul *mm = &e->key;
    const cublasOperation_t ta = mm->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t tb = mm->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue = epilogue_of(mm);
    int bad = 0;

    if (cublasLtMatmulDescCreate(&e->op, CUBLAS_COMPUTE_32F, CUDA_R_32F))
        return -1;
    bad |= set(e->op, CUBLASLT_MATMUL_DESC_TRANSA, &ta, sizeof ta);
    bad |= set(e->op, CUBLASLT_MATMUL_DESC_TRANSB, &tb, sizeof tb);
    bad |= set(e->op, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
    if (mm->epilogue == LW_EPI_GELU_AUX || mm->epilogue == LW_EPI_DGELU) {
        const int64_t ld = mm->ldd;

        bad |= set(e->op, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, &ld, sizeof ld);
    }
    e->a = layout(mm->type_ab, mm->transpose_a ? mm->k : mm->m, mm->transpose_a ? mm->m : mm->k,
                  mm->lda, mm->batch, mm->stride_a);
    e->b = layout(mm->type_ab, mm->transpose_b ? mm->n : mm->k, mm->transpose_b ? mm->k : mm->n,
                  mm->ldb, mm->batch, mm->stride_b);
    e->d = layout(mm->type_d, mm->m, mm->n, mm->ldd, mm->batch, mm->stride_d);
    return bad || !e->a || !e->b || !e->d ? -1 : 0;
}

int lw_matmul_launch(struct lw_device *dev, struct lw_matmul_entry *e,
                     const cublasLtMatmulAlgo_t *algo, const void *a, const void *b, void *d,
                     const void *aux)
{
    const float alpha = e->key.alpha, beta = e->key.accumulate || e->key.residual ? 1.f : 0.f;
    const void *c = e->key.residual ? aux : d;

    return (int)cublasLtMatmul(dev->blas, e->op, &alpha, a, e->a, b, e->b, &beta, c, e->d, d, e->d,
                               algo, dev->workspace, dev->workspace_size, dev->stream);
}

static void choose(struct lw_device *dev, struct lw_matmul_entry *e, const void *a, const void *b,
                   void *bias, void *aux)
{
    const bool timing = dev->options.compile_mode == LW_COMPILE_MAX_AUTOTUNE &&
                        !dev->options.deterministic && dev->recording_slot < 0;
    cublasLtMatmulHeuristicResult_t found[LW_MATMUL_CANDIDATES];
    cublasLtMatmulPreference_t preference = NULL;
    size_t workspace = dev->workspace_size;
    int count = 0;

    if (make_descriptors(e))
        return;
    set_pointers(e, bias, aux);
    if (cublasLtMatmulPreferenceCreate(&preference))
        return;
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                         &workspace, sizeof workspace);
    if (cublasLtMatmulAlgoGetHeuristic(dev->blas, e->op, e->a, e->b, e->d, e->d, preference,
                                       timing ? LW_MATMUL_CANDIDATES : 1, found, &count))
        count = 0;
    cublasLtMatmulPreferenceDestroy(preference);
    e->possible = count > 0;
    if (!e->possible)
        return;
    e->algo = found[0].algo;
    if (timing)
        lw_matmul_search(dev, e, found, count, a, b, aux);
}

static struct lw_matmul_entry *look_up(struct lw_device *dev, const struct lw_matmul *mm,
                                       const void *a, const void *b, void *bias, void *aux)
{
    struct lw_matmul_cache *cache = dev->matmul;
    struct lw_matmul_entry **slot;

    for (slot = &cache->first; *slot; slot = &(*slot)->next)
        if (same(&(*slot)->key, mm))
            return *slot;
    *slot = calloc(1, sizeof **slot);
    if (*slot) {
        (*slot)->key = *mm;
        choose(dev, *slot, a, b, bias, aux);
    }
    return *slot;
}

bool lw_matmul_run(struct lw_device *dev, const char *op, const struct lw_matmul *mm, const void *a,
                   const void *b, void *d, void *bias, void *aux)
{
    struct lw_matmul_entry *e = look_up(dev, mm, a, b, bias, aux);
    int status;

    if (!e) {
        lw_cuda_failed(dev, op, "out of host memory");
        return true;
    }
    if (!e->possible) {
        if (mm->epilogue != LW_EPI_NONE || mm->residual)
            return false;
        lw_cuda_failed(dev, op, "cuBLASLt has no such matrix product");
        return true;
    }
    e->key.alpha = mm->alpha;
    set_pointers(e, bias, aux);
    status = lw_matmul_launch(dev, e, &e->algo, a, b, d, aux);
    if (status)
        lw_cuda_failed(dev, op, lw_cublas_text(status));
    return true;
}

int lw_matmul_open(struct lw_device *dev, struct lw_error *err)
{
    char path[1024];

    dev->matmul = calloc(1, sizeof *dev->matmul);
    if (!dev->matmul)
        return lw_fail(err, LW_EMEM, "out of memory opening the GPU");
    if (cublasLtCreate(&dev->blas))
        return lw_fail(err, LW_EBACKEND, "cuBLASLt could not start on GPU %d", dev->index);
    if (dev->cache_dir[0] && dev->options.compile_mode == LW_COMPILE_MAX_AUTOTUNE) {
        snprintf(path, sizeof path, "%s/matmul-%s-%zu.txt", dev->cache_dir, dev->properties.name,
                 cublasLtGetVersion());
        for (char *p = path + strlen(dev->cache_dir) + 1; *p; p++)
            if (*p == ' ' || *p == '/')
                *p = '-';
        dev->matmul->file = fopen(path, "a+e"); /* a read-only home: nothing is kept */
    }
    return 0;
}

void lw_matmul_close(struct lw_device *dev)
{
    struct lw_matmul_cache *cache = dev->matmul;

    if (!cache)
        return;
    while (cache->first) {
        struct lw_matmul_entry *e = cache->first;

        cache->first = e->next;
        if (e->a)
            cublasLtMatrixLayoutDestroy(e->a);
        if (e->b)
            cublasLtMatrixLayoutDestroy(e->b);
        if (e->d)
            cublasLtMatrixLayoutDestroy(e->d);
        if (e->op)
            cublasLtMatmulDescDestroy(e->op);
        free(e);
    }
    if (cache->file)
        fclose(cache->file);
    free(cache);
    dev->matmul = NULL;
    if (dev->blas)
        cublasLtDestroy(dev->blas);
}
