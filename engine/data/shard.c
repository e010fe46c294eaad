/* SPDX-License-Identifier: MIT */
#include "engine/data/shard.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_MAX_FILES                                                                             \
    256 /* kept open; of a folder with more, the rest is opened for each read                      \
         */
#define BLOCK ((int64_t)1 << 19) /* ids scanned at a time */

/* Vocabulary and separator of the tokenizers that such files are made with: GPT-2 and Llama 3. */
#define VOCAB16     50257
#define SEPARATOR16 50256
#define VOCAB32     128256
#define SEPARATOR32 128000

int lw_shard_count(const char *path, enum lw_format format, const unsigned char *header, size_t n,
                   int64_t size, int64_t *count, struct lw_error *err)
{
    int64_t width = format == LW_FORMAT_SHARD32 ? 4 : 2, held;
    struct lw_shard_header h;

    if (format == LW_FORMAT_RAW16) {
        *count = size / 2;
        return 0;
    }
    if (n < LW_SHARD_HEADER || size < LW_SHARD_HEADER)
        return lw_fail(err, LW_EDATA,
                       "%s is cut short: a token shard's header alone takes %d bytes, the file has "
                       "%lld",
                       path, LW_SHARD_HEADER, (long long)size);
    memcpy(&h, header, sizeof h);
    held = (size - LW_SHARD_HEADER) / width;
    if (h.tokens < 1)
        return lw_fail(err, LW_EDATA, "%s: its header says %d tokens", path, h.tokens);
    if (size != LW_SHARD_HEADER + h.tokens * width)
        return lw_fail(err, LW_EDATA, "%s: its header says %d tokens, but the file holds %lld: %s",
                       path, h.tokens, (long long)held,
                       held < h.tokens ? "it was cut short" : "it is not what its header says");
    *count = h.tokens;
    return 0;
}

static int add_file(struct lw_store *s, const char *path, enum lw_format format,
                    struct lw_error *err)
{
    unsigned char header[LW_SHARD_HEADER];
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
    struct stat st;
    int64_t count;
    ssize_t got;

    if (fd < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if (fstat(fd, &st) < 0 || (got = pread(fd, header, sizeof header, 0)) < 0) {
        rc = lw_fail_errno(err, "cannot read %s", path);
        close(fd);
        return rc;
    }
    rc = lw_shard_count(path, format, header, (size_t)got, st.st_size, &count, err);
    if (rc || s->segments >= OPEN_MAX_FILES) {
        close(fd);
        fd = -1;
    }
    if (!rc)
        rc = lw_store_add(s, count, NULL, fd, format == LW_FORMAT_RAW16 ? 0 : LW_SHARD_HEADER, path,
                          err);
    return rc;
}

/* Count the documents and find the largest id. */
static int scan(struct lw_store *s, struct lw_error *err)
{
    int64_t tokens = s->info.tokens, separators = 0, most = -1, last = -1;
    int64_t blocks = (tokens + BLOCK - 1) / BLOCK;
    int32_t separator = s->info.separator, first = -1;
    int rc = 0;

#pragma omp parallel reduction(+ : separators) reduction(max : most) if (blocks > 2)
    {
        int32_t *ids = malloc(BLOCK * sizeof *ids);

#pragma omp for schedule(dynamic)
        for (int64_t b = 0; b < blocks; b++) {
            int64_t n = tokens - b * BLOCK < BLOCK ? tokens - b * BLOCK : BLOCK;
            struct lw_error one = {0};
            int32_t top = -1;
            int failed = ids ? lw_store_read(s, b * BLOCK, n, 0, ids, &one)
                             : lw_fail(&one, LW_EMEM, "out of memory reading shards");

            if (failed) {
#pragma omp critical(lw_shard_scan)
                {
                    rc = failed;
                    if (err)
                        *err = one;
                }
                continue;
            }
            for (int64_t i = 0; i < n; i++) {
                separators += ids[i] == separator;
                top = ids[i] > top ? ids[i] : top;
            }
            most = top > most ? top : most;
            if (b == 0)
                first = ids[0];
            if (b == blocks - 1)
                last = ids[n - 1];
        }
        free(ids);
    }
    /* llm.c puts the separator before each document, others put it after */
    s->info.documents = separators + (first != separator && last != separator);
    s->info.max_id = most;
    return rc;
}

int lw_shards_open(struct lw_store *s, const struct lw_token_source *source,
                   const struct lw_tokenizer *t, struct lw_error *err)
{
    int wide = source->format[0] == LW_FORMAT_SHARD32;
    int own = strcmp(lw_tokenizer_name(t), "bytes") != 0; /* the tokenizer was chosen for them */
    int rc = 0;

    s->info.shards = 1;
    s->width = wide ? 4 : 2;
    s->info.format = source->format[0] == LW_FORMAT_RAW16 ? "headerless uint16 tokens"
                     : wide                               ? "token shards (uint32)"
                                                          : "token shards";
    s->info.vocab_size = own ? lw_tokenizer_vocab_size(t) : wide ? VOCAB32 : VOCAB16;
    s->info.separator = own ? lw_tokenizer_separator(t) : wide ? SEPARATOR32 : SEPARATOR16;
    s->info.documents = -1;
    for (size_t i = 0; !rc && i < source->count; i++)
        rc = add_file(s, source->path[i], source->format[i], err);
    if (!rc && s->info.tokens * s->width <= LW_SCAN_LIMIT)
        rc = scan(s, err);
    if (!rc && s->info.max_id >= s->info.vocab_size) {
        if (own)
            rc = lw_fail(err, LW_EDATA,
                         "%s holds token id %lld, beyond the tokenizer's vocabulary of %d",
                         source->path[0], (long long)s->info.max_id, s->info.vocab_size);
        else
            s->info.vocab_size = (int)s->info.max_id + 1;
    }
    return rc;
}

/* Is word one of the words of the file's name, as in fineweb_train_000001.bin? */
static int names(const char *path, const char *word)
{
    const char *p = strrchr(path, '/');
    size_t n = strlen(word);

    for (p = p ? p + 1 : path; (p = strcasestr(p, word)); p++)
        if (!isalpha((unsigned char)p[n]) && !(p > path && isalpha((unsigned char)p[-1])))
            return 1;
    return 0;
}

static int validates(const char *path)
{
    return names(path, "val") || names(path, "valid") || names(path, "validation");
}

int lw_shards_part(struct lw_token_source *source, enum lw_part part)
{
    size_t held = 0, kept = 0;

    for (size_t i = 0; i < source->count; i++)
        held += validates(source->path[i]) != 0;
    if (!source->folder || !held || held == source->count)
        return 0;
    for (size_t i = 0; i < source->count; i++) {
        if (validates(source->path[i]) != (part == LW_PART_VALIDATION)) {
            free(source->path[i]);
            continue;
        }
        source->format[kept] = source->format[i];
        source->path[kept++] = source->path[i];
    }
    source->count = kept;
    return 1;
}
