/* SPDX-License-Identifier: MIT */
#include "engine/ops/cuda/matmul.h"

#include <stdlib.h>
#include <string.h>

#define REPEATS 6 /* the first is not counted; the shortest of the others is */

/* A place to compute into while timing, so that a product that accumulates stays right. */
struct bench {
    void *d;
    size_t count; /* elements */
    cudaEvent_t from, to;
};

static size_t output_elements(const struct lw_matmul *mm)
{
    return (size_t)mm->ldd * (size_t)mm->n + (size_t)(mm->batch - 1) * (size_t)mm->stride_d;
}

static bool open_bench(struct lw_device *dev, struct bench *b, const struct lw_matmul *mm)
{
    memset(b, 0, sizeof *b);
    b->count = output_elements(mm);
    return !cudaMalloc(&b->d, b->count * lw_dtype_size(mm->type_d)) &&
           !cudaMemsetAsync(b->d, 0, b->count * lw_dtype_size(mm->type_d), dev->stream) &&
           !cudaEventCreate(&b->from) && !cudaEventCreate(&b->to);
}

static void close_bench(struct bench *b)
{
    cudaGetLastError(); /* too little memory for a bench: the heuristic's choice stands */
    if (b->from)
        cudaEventDestroy(b->from);
    if (b->to)
        cudaEventDestroy(b->to);
    cudaFree(b->d);
}

static float elapsed(struct lw_device *dev, struct bench *b)
{
    float ms = 1e30f;

    cudaEventRecord(b->to, dev->stream);
    if (cudaEventSynchronize(b->to) || cudaEventElapsedTime(&ms, b->from, b->to))
        return 1e30f;
    return ms;
}

static float time_algorithm(struct lw_device *dev, struct bench *bench, struct lw_matmul_entry *e,
                            const cublasLtMatmulAlgo_t *algo, const void *a, const void *b,
                            const void *aux)
{
    float best = 1e30f;

    for (int i = 0; i < REPEATS; i++) {
        float ms;

        cudaEventRecord(bench->from, dev->stream);
        if (lw_matmul_launch(dev, e, algo, a, b, bench->d, aux))
            return 1e30f;
        ms = elapsed(dev, bench);
        if (i && ms < best)
            best = ms;
    }
    return best;
}

/* The same result in two launches: the product without GELU or residual, and a kernel of its own
 * for that. */
static float time_apart(struct lw_device *dev, struct bench *bench, const struct lw_matmul *key,
                        const void *a, const void *b, void *aux)
{
    struct lw_matmul plain = *key;
    float best = 1e30f;

    plain.epilogue = LW_EPI_NONE; /* a bias costs nothing there */
    plain.residual = false;
    for (int i = 0; i < REPEATS; i++) {
        float ms;

        lw_matmul_run(dev, "matrix product", &plain, a, b, bench->d, NULL, NULL);
        cudaEventRecord(bench->from, dev->stream);
        lw_matmul_run(dev, "matrix product", &plain, a, b, bench->d, NULL, NULL);
        if (key->residual)
            lw_cuda_add(dev, bench->d, aux, bench->count, bench->count);
        else if (key->epilogue == LW_EPI_DGELU)
            lw_cuda_activate_backward(dev, LW_GELU_TANH, bench->d, aux, bench->count);
        else
            lw_cuda_activate(dev, LW_GELU_TANH, bench->d, aux, bench->count);
        ms = elapsed(dev, bench);
        if (i && ms < best)
            best = ms;
    }
    return best;
}

/* A line of the cache file: the product, a colon, and the algorithm's words or "apart". */
static void describe(const struct lw_matmul *mm, char *out, size_t size)
{
    snprintf(out, size, "%d %d %d %d%d %d %d %d %d%d %d%d %d %lld %lld %lld :", mm->m, mm->n, mm->k,
             mm->transpose_a, mm->transpose_b, mm->lda, mm->ldb, mm->ldd, mm->type_ab, mm->type_d,
             mm->epilogue, mm->residual ? 2 : mm->accumulate, mm->batch, mm->stride_a, mm->stride_b,
             mm->stride_d);
}

#define WORDS (sizeof((cublasLtMatmulAlgo_t *)0)->data / sizeof(uint64_t))

/* One write a line, so that processes that search at once don't mix theirs. */
static void keep(struct lw_device *dev, const struct lw_matmul_entry *e)
{
    char line[1024];
    size_t n;

    if (!dev->matmul->file)
        return;
    describe(&e->key, line, sizeof line);
    n = strlen(line);
    if (!e->possible)
        n += (size_t)snprintf(line + n, sizeof line - n, " apart");
    else
        for (size_t i = 0; i < WORDS; i++)
            n += (size_t)snprintf(line + n, sizeof line - n, " %llx",
                                  (unsigned long long)e->algo.data[i]);
    fprintf(dev->matmul->file, "%s\n", line);
    fflush(dev->matmul->file);
}

static bool take(struct lw_device *dev, struct lw_matmul_entry *e, char *words)
{
    cublasLtMatmulHeuristicResult_t check;
    cublasLtMatmulAlgo_t algo;

    if (!strncmp(words, " apart", 6)) {
        e->possible = false;
        return true;
    }
    for (size_t i = 0; i < WORDS; i++)
        algo.data[i] = strtoull(words, &words, 16);
    if (cublasLtMatmulAlgoCheck(dev->blas, e->op, e->a, e->b, e->d, e->d, &algo, &check) ||
        check.workspaceSize > dev->workspace_size)
        return false; /* of another card or driver: search again */
    e->algo = algo;
    return true;
}

static bool recall(struct lw_device *dev, struct lw_matmul_entry *e)
{
    char name[256], line[1024];
    bool found = false;

    if (!dev->matmul->file)
        return false;
    describe(&e->key, name, sizeof name);
    rewind(dev->matmul->file);
    while (!found && fgets(line, sizeof line, dev->matmul->file))
        found = !strncmp(line, name, strlen(name)) && take(dev, e, line + strlen(name));
    fseek(dev->matmul->file, 0, SEEK_END);
    return found;
}

void lw_matmul_search(struct lw_device *dev, struct lw_matmul_entry *e,
                      const cublasLtMatmulHeuristicResult_t *found, int count, const void *a,
                      const void *b, void *aux)
{
    const bool divisible =
        e->key.residual || e->key.epilogue == LW_EPI_GELU_AUX || e->key.epilogue == LW_EPI_DGELU;
    struct bench bench;
    float best = 1e30f;

    if (recall(dev, e))
        return;
    if (open_bench(dev, &bench, &e->key)) {
        for (int i = 0; i < count; i++) {
            const float ms = time_algorithm(dev, &bench, e, &found[i].algo, a, b, aux);

            if (ms < best) {
                best = ms;
                e->algo = found[i].algo;
            }
        }
        if (divisible && time_apart(dev, &bench, &e->key, a, b, aux) < best)
            e->possible = false;
        keep(dev, e);
    }
    close_bench(&bench);
}
