/* SPDX-License-Identifier: MIT */
#include "engine/data/bench.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/data/generate.h"
#include "engine/data/loader.h"

#define SAMPLE_BYTES ((size_t)4 << 20)
#define WINDOW       1024
#define ROWS         8

static int sample(char **text, size_t *n, const char *path, struct lw_error *err)
{
    struct lw_generate_options options = {.seed = 1};
    struct lw_generated out = {0};
    int rc = 0;

    if (path)
        return lw_read_file(path, (size_t)1 << 30, text, n, err);
    for (int64_t i = 0; !rc && out.n < SAMPLE_BYTES; i++)
        rc = lw_generate_document(&options, i / 128, i % 128, &out, err);
    *text = out.text;
    *n = out.n;
    return rc;
}

/* Millions of bytes a second; the first pass, which fills the word cache, counts. */
static int time_encoding(const char *spec, const char *text, size_t n, double seconds, double *mb_s,
                         struct lw_error *err)
{
    struct lw_tokenizer *t = NULL;
    struct lw_encoder *e = NULL;
    struct lw_ids ids = {0};
    double start, passes = 0;
    int rc = lw_tokenizer_open(&t, spec, err);

    if (!rc)
        rc = lw_encoder_open(&e, t, err);
    start = lw_clock_core();
    while (!rc && (passes == 0 || lw_clock_core() - start < seconds)) {
        ids.count = 0;
        rc = lw_encode(e, text, n, &ids, err);
        passes++;
    }
    if (!rc)
        *mb_s = passes * (double)n / (lw_clock_core() - start) / 1e6;
    lw_ids_free(&ids);
    lw_encoder_close(e);
    lw_tokenizer_close(t);
    return rc;
}

static int time_generating(double seconds, double *mb_s, struct lw_error *err)
{
    struct lw_generate_options options = {.seed = 1};
    int32_t *ids = malloc(LW_GENERATE_CHUNK * sizeof *ids);
    struct lw_tokenizer *t = NULL;
    struct lw_encoder *e = NULL;
    double start, tokens = 0;
    int rc = ids ? lw_tokenizer_open(&t, "bytes", err) : lw_fail(err, LW_EMEM, "out of memory");

    if (!rc)
        rc = lw_encoder_open(&e, t, err);
    start = lw_clock_core();
    for (int64_t i = 0; !rc && (i == 0 || lw_clock_core() - start < seconds); i++) {
        rc = lw_generate_chunk(&options, i, e, 256, ids, err);
        tokens += LW_GENERATE_CHUNK;
    }
    if (!rc)
        *mb_s = tokens / (lw_clock_core() - start) / 1e6;
    lw_encoder_close(e);
    lw_tokenizer_close(t);
    free(ids);
    return rc;
}

static int time_loading(const char *text, size_t n, double seconds, double *windows_s,
                        struct lw_error *err)
{
    struct lw_loader_options options = {.rows = ROWS, .length = WINDOW, .shuffle = 1, .seed = 1};
    uint32_t *ids = malloc(n * sizeof *ids);
    struct lw_dataset *d = NULL;
    struct lw_loader *l = NULL;
    const struct lw_batch *b;
    double start, windows = 0;
    int rc = 0;

    if (!ids)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        ids[i] = (unsigned char)text[i];
    rc = lw_dataset_from_ids(&d, ids, (int64_t)n, 256, 257, err);
    free(ids);
    if (!rc)
        rc = lw_loader_open(&l, d, &options, NULL, err);
    start = lw_clock_now();
    while (!rc && (windows == 0 || lw_clock_now() - start < seconds)) {
        rc = lw_loader_next(l, &b, err);
        windows += ROWS;
    }
    if (!rc)
        *windows_s = windows / (lw_clock_now() - start);
    lw_loader_close(l);
    lw_dataset_close(d);
    return rc;
}

int lw_bench_data(struct lw_data_bench *out, const char *text, const char *tokenizer,
                  double seconds, struct lw_error *err)
{
    char *bytes = NULL;
    size_t n = 0;
    int rc = sample(&bytes, &n, text, err);

    memset(out, 0, sizeof *out);
    out->bytes = (double)n;
    if (!rc)
        rc = time_encoding("bytes", bytes, n, seconds, &out->bytes_mb_s, err);
    if (!rc && tokenizer && strcmp(tokenizer, "bytes") != 0)
        rc = time_encoding(tokenizer, bytes, n, seconds, &out->bpe_mb_s, err);
    if (!rc)
        rc = time_generating(seconds, &out->generate_mb_s, err);
    if (!rc)
        rc = time_loading(bytes, n, seconds, &out->windows_s, err);
    free(bytes);
    return rc;
}
