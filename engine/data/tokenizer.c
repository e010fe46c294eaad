/* SPDX-License-Identifier: MIT */
#include "engine/data/tokenizer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/bpe.h"
#include "engine/data/hash.h"

/* GPT-2's files are 1.0 and 0.5 MB, the largest in use about ten times that. */
#define FILE_MAX_BYTES ((size_t)64 << 20)

static struct lw_tokenizer *tokenizer_new(struct lw_error *err)
{
    struct lw_tokenizer *t = calloc(1, sizeof *t);

    if (!t)
        lw_fail(err, LW_EMEM, "out of memory opening a tokenizer");
    return t;
}

static int open_bytes(struct lw_tokenizer *t, struct lw_error *err)
{
    t->vocab_size = 257;
    t->separator = 256;
    t->token = calloc((size_t)t->vocab_size, sizeof *t->token);
    t->pool = malloc(256);
    if (!t->token || !t->pool)
        return lw_fail(err, LW_EMEM, "out of memory opening a tokenizer");
    for (int i = 0; i < 256; i++) {
        t->pool[i] = (char)i;
        t->token[i] = (struct lw_token){t->pool + i, 1};
        t->byte_id[i] = (uint32_t)i;
    }
    t->token[256] = (struct lw_token){t->pool, 0};
    t->hash = lw_hash("bytes", 5, 0);
    return 0;
}

static int exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int open_files(struct lw_tokenizer *t, const char *vocab, const char *merges,
                      struct lw_error *err)
{
    char *v = NULL, *m = NULL;
    size_t vn, mn;
    int rc = lw_read_file(vocab, FILE_MAX_BYTES, &v, &vn, err);

    if (!rc)
        rc = lw_read_file(merges, FILE_MAX_BYTES, &m, &mn, err);
    if (!rc)
        rc = lw_bpe_parse_pair(t, v, vn, vocab, m, mn, merges, err);
    free(v);
    free(m);
    return rc;
}

static int open_json(struct lw_tokenizer *t, const char *path, struct lw_error *err)
{
    char *json = NULL;
    size_t n;
    int rc = lw_read_file(path, FILE_MAX_BYTES, &json, &n, err);

    if (!rc)
        rc = lw_bpe_parse_json(t, json, n, path, err);
    free(json);
    return rc;
}

static int open_folder(struct lw_tokenizer *t, const char *folder, struct lw_error *err)
{
    char *vocab = lw_path_join(folder, "vocab.json"), *merges = lw_path_join(folder, "merges.txt");
    char *json = lw_path_join(folder, "tokenizer.json");
    int rc;

    if (!vocab || !merges || !json)
        rc = lw_fail(err, LW_EMEM, "out of memory opening tokenizer %s", folder);
    else if (exists(vocab) && exists(merges))
        rc = open_files(t, vocab, merges, err);
    else if (exists(json))
        rc = open_json(t, json, err);
    else if (exists(vocab) || exists(merges))
        rc = lw_fail(err, LW_EIO,
                     "tokenizer folder %s has no %s: give both vocab.json and merges.txt, or "
                     "tokenizer.json",
                     folder, exists(vocab) ? "merges.txt" : "vocab.json");
    else
        rc = lw_fail(err, LW_EIO,
                     "tokenizer folder %s holds neither vocab.json and merges.txt nor "
                     "tokenizer.json",
                     folder);
    free(vocab);
    free(merges);
    free(json);
    return rc;
}

int lw_tokenizer_open(struct lw_tokenizer **out, const char *spec, struct lw_error *err)
{
    struct lw_tokenizer *t = tokenizer_new(err);
    struct stat st;
    int rc;

    if (!t)
        return LW_EMEM;
    if (!spec || !strcmp(spec, "bytes"))
        rc = open_bytes(t, err);
    else if (stat(spec, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        rc = lw_fail(err, LW_EIO,
                     "there is no tokenizer %s: write \"bytes\", or the folder of vocab.json and "
                     "merges.txt",
                     spec);
    else if (stat(spec, &st) < 0)
        rc = lw_fail_errno(err, "cannot open tokenizer %s", spec);
    else if (S_ISDIR(st.st_mode))
        rc = open_folder(t, spec, err);
    else
        rc = open_json(t, spec, err);
    if (rc)
        lw_tokenizer_close(t);
    else
        *out = t;
    return rc;
}

int lw_tokenizer_parse(struct lw_tokenizer **out, const char *vocab, size_t vocab_size,
                       const char *merges, size_t merges_size, struct lw_error *err)
{
    struct lw_tokenizer *t = tokenizer_new(err);
    int rc;

    if (!t)
        return LW_EMEM;
    rc = lw_bpe_parse_pair(t, vocab, vocab_size, "vocab.json", merges, merges_size, "merges.txt",
                           err);
    if (rc)
        lw_tokenizer_close(t);
    else
        *out = t;
    return rc;
}

void lw_tokenizer_close(struct lw_tokenizer *t)
{
    if (!t)
        return;
    free(t->token);
    free(t->pool);
    free(t->merge);
    free(t);
}

int lw_tokenizer_vocab_size(const struct lw_tokenizer *t)
{
    return t->vocab_size;
}

int lw_tokenizer_separator(const struct lw_tokenizer *t)
{
    return t->separator;
}

const char *lw_tokenizer_name(const struct lw_tokenizer *t)
{
    return t->bpe ? "bpe" : "bytes";
}

uint64_t lw_tokenizer_hash(const struct lw_tokenizer *t)
{
    return t->hash;
}

const char *lw_tokenizer_bytes(const struct lw_tokenizer *t, uint32_t id, size_t *n)
{
    if (id >= (uint32_t)t->vocab_size || !t->token[id].bytes)
        return NULL;
    *n = t->token[id].n;
    return t->token[id].bytes;
}

int lw_tokenizer_decode(const struct lw_tokenizer *t, const uint32_t *ids, size_t count,
                        char **bytes, size_t *n, struct lw_error *err)
{
    size_t total = 0, length;
    const char *token;
    char *out;

    for (size_t i = 0; i < count; i++) {
        if (!lw_tokenizer_bytes(t, ids[i], &length))
            return lw_fail(err, LW_EDATA, "token id %u is not in the vocabulary of %d", ids[i],
                           t->vocab_size);
        total += length;
    }
    out = malloc(total + 1);
    if (!out)
        return lw_fail(err, LW_EMEM, "out of memory decoding %zu tokens", count);
    total = 0;
    for (size_t i = 0; i < count; i++) {
        token = lw_tokenizer_bytes(t, ids[i], &length);
        memcpy(out + total, token, length);
        total += length;
    }
    out[total] = '\0';
    *bytes = out;
    *n = total;
    return 0;
}
