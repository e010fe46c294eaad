/* SPDX-License-Identifier: MIT
 *
 * Opening a data set from files: what it is, whether its tokens are cached, and tokenising it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/data/cache.h"
#include "engine/data/feed.h"
#include "engine/data/hash.h"
#include "engine/data/shard.h"
#include "engine/data/stream.h"

/* Pieces that one thread encodes, one after another, into one list. */
struct slice {
    size_t first, last; /* pieces [first, last) */
    struct lw_ids ids;
    int64_t invalid;
    struct lw_error err;
};

#define SLICES 64

static int64_t count_invalid(const char *p, size_t n)
{
    int64_t invalid = 0;

    for (size_t at = 0, used; at < n;) {
        uint64_t eight;
        uint32_t code;

        if (n - at >= 8 && (memcpy(&eight, p + at, 8), !(eight & UINT64_C(0x8080808080808080)))) {
            at += 8;
            continue;
        }
        used = lw_utf8_decode(p + at, n - at, &code);
        invalid += !used;
        at += used ? used : 1;
    }
    return invalid;
}

static void encode_slice(struct lw_text_batch *b, struct slice *s, struct lw_encoder *e)
{
    int rc = 0;

    s->ids.count = 0;
    s->invalid = 0;
    s->err.code = 0;
    for (size_t i = s->first; !rc && i < s->last; i++) {
        struct lw_piece *piece = &b->piece[i];
        size_t before = s->ids.count;

        s->invalid += count_invalid(b->bytes + piece->at, piece->n);
        rc = lw_encode(e, b->bytes + piece->at, piece->n, &s->ids, &s->err);
        piece->tokens = s->ids.count - before;
    }
}

/* Part the batch's pieces into slices of about as many bytes. */
static void deal(struct lw_text_batch *b, struct slice *slice)
{
    size_t at = 0;

    for (size_t i = 0; i < SLICES; i++) {
        slice[i].first = at;
        while (at < b->pieces && b->piece[at].at < b->n / SLICES * (i + 1))
            at++;
        slice[i].last = i + 1 < SLICES ? at : b->pieces;
    }
}

static void put_slice(struct lw_cache_file *c, const struct lw_text_batch *b, const struct slice *s,
                      uint32_t separator)
{
    size_t at = 0;

    for (size_t i = s->first; i < s->last; i++) {
        const struct lw_piece *piece = &b->piece[i];

        if (piece->first && c->header.documents)
            lw_cache_put(c, &separator, 1, 0);
        lw_cache_put(c, s->ids.id + at, piece->tokens, piece->first);
        at += piece->tokens;
    }
    c->header.invalid_bytes += s->invalid;
}

static int this_thread(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

/* Read, encode and write batch after batch. */
static int pump(struct lw_feed *feed, struct lw_text_batch *b, struct slice *slice,
                struct lw_encoder **encoder, int threads, uint32_t separator,
                struct lw_cache_file *c, struct lw_error *err)
{
    (void)threads; /* not looked at without OpenMP */
    for (;;) {
        int rc = lw_feed_fill(feed, b, err);

        if (rc || !b->pieces)
            return rc;
        deal(b, slice);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
        for (size_t i = 0; i < SLICES; i++)
            encode_slice(b, &slice[i], encoder[this_thread()]);
        for (size_t i = 0; i < SLICES; i++) {
            if (slice[i].err.code)
                return lw_fail(err, slice[i].err.code, "%s", slice[i].err.text);
            put_slice(c, b, &slice[i], separator);
        }
        rc = lw_cache_check(c, err);
        if (rc)
            return rc;
    }
}

static int tokenise(const struct lw_token_source *source, const struct lw_tokenizer *t,
                    const struct lw_dataset_options *o, struct lw_cache_file *c,
                    struct lw_error *err)
{
    int threads = 1, rc;
    struct slice *slice = calloc(SLICES, sizeof *slice);
    struct lw_encoder **encoder;
    struct lw_text_batch batch = {0};
    struct lw_feed *feed = NULL;

#ifdef _OPENMP
    threads = o->threads > 0 ? o->threads : omp_get_max_threads();
#endif
    encoder = calloc((size_t)threads, sizeof *encoder);
    rc = slice && encoder ? lw_feed_open(&feed, source, o->document_separator, err)
                          : lw_fail(err, LW_EMEM, "out of memory tokenising");
    for (int i = 0; !rc && i < threads; i++)
        rc = lw_encoder_open(&encoder[i], t, err);
    if (!rc)
        rc = pump(feed, &batch, slice, encoder, threads, (uint32_t)lw_tokenizer_separator(t), c,
                  err);
    for (int i = 0; encoder && i < threads; i++)
        lw_encoder_close(encoder[i]);
    for (size_t i = 0; slice && i < SLICES; i++)
        lw_ids_free(&slice[i].ids);
    lw_text_batch_free(&batch);
    lw_feed_close(feed);
    free(encoder);
    free(slice);
    return rc;
}

/* Tokenise into a file of dir, or, dir NULL, into a nameless one. */
static int build(struct lw_store *s, const struct lw_token_source *source,
                 const struct lw_tokenizer *t, const struct lw_dataset_options *o, const char *dir,
                 const char *path, uint64_t key, int *unwritable, struct lw_error *err)
{
    int width = lw_tokenizer_vocab_size(t) <= 65536 ? 2 : 4, rc;
    struct lw_cache_file c;

    rc = lw_cache_create(&c, dir, key, width, err);
    if (rc) {
        *unwritable = 1;
        return rc;
    }
    rc = tokenise(source, t, o, &c, err);
    if (!rc)
        rc = lw_cache_finish(&c, path, s, err);
    *unwritable = c.failed != 0;
    lw_cache_discard(&c);
    return rc;
}

/* From the cache, or into it. 0 when s holds the tokens; *unwritable when the cache is no use. */
static int through_cache(struct lw_store *s, const struct lw_token_source *source,
                         const struct lw_tokenizer *t, const struct lw_dataset_options *o,
                         uint64_t key, int *unwritable, struct lw_error *err)
{
    int width = lw_tokenizer_vocab_size(t) <= 65536 ? 2 : 4, lock, rc = 0;
    char name[32], *path;

    snprintf(name, sizeof name, "%016llx.tokens", (unsigned long long)key);
    path = lw_path_join(o->cache_dir, name);
    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    s->info.from_cache = lw_cache_load(s, path, key, width);
    if (!s->info.from_cache) {
        rc = lw_make_folders(o->cache_dir, err);
        *unwritable = rc != 0;
    }
    if (!rc && !s->info.from_cache) {
        lw_cache_sweep(o->cache_dir);
        lock = lw_cache_lock(o->cache_dir);
        s->info.from_cache = lw_cache_load(s, path, key, width); /* while we waited */
        if (!s->info.from_cache)
            rc = build(s, source, t, o, o->cache_dir, path, key, unwritable, err);
        if (lock >= 0)
            close(lock);
    }
    free(path);
    return rc;
}

static int open_text(struct lw_store *s, const struct lw_token_source *source,
                     const struct lw_tokenizer *t, const struct lw_dataset_options *o, uint64_t key,
                     struct lw_error *err)
{
    const char *separator = o->document_separator ? o->document_separator : "";
    struct lw_error said = {0};
    int unwritable = 0, rc;

    key = lw_hash(separator, strlen(separator), key ^ lw_tokenizer_hash(t));
    for (size_t i = 0; i < source->count; i++)
        key = lw_hash_mix(key ^ (uint64_t)source->format[i], UINT64_C(0x3c6ef372fe94f82b));
    s->info.vocab_size = lw_tokenizer_vocab_size(t);
    s->info.separator = lw_tokenizer_separator(t);
    s->info.format = source->format[0] == LW_FORMAT_JSONL ? "JSONL"
                     : source->folder                     ? "folder of text"
                                                          : "text";
    if (!o->cache_dir)
        return build(s, source, t, o, NULL, NULL, key, &unwritable, err);
    rc = through_cache(s, source, t, o, key, &unwritable, &said);
    if (rc && unwritable) {
        snprintf(s->note, sizeof s->note, "tokens are not cached: %.450s", said.text);
        return build(s, source, t, o, NULL, NULL, key, &unwritable, err);
    }
    if (rc && err)
        *err = said;
    return rc;
}

static int fill(struct lw_store *s, struct lw_token_source *source, const char *path,
                const struct lw_tokenizer *t, const struct lw_dataset_options *o,
                struct lw_error *err)
{
    int tokens = source->format[0] != LW_FORMAT_TEXT && source->format[0] != LW_FORMAT_JSONL, rc;
    uint64_t key;

    if (tokens && source->ignored)
        snprintf(s->note, sizeof s->note, "%zu files of the folder are no token files: left out",
                 source->ignored);
    else if (!tokens)
        memcpy(s->note, source->note, sizeof source->note);
    s->path = strdup(path);
    if (!s->path)
        return lw_fail(err, LW_EMEM, "out of memory opening %s", path);
    rc = lw_content_hash(source->path, source->count, s->info.hash, &key, &s->info.bytes, err);
    if (!rc && !s->info.bytes)
        rc = lw_fail(err, LW_EDATA, "%s is empty", path);
    if (!rc)
        rc = tokens ? lw_shards_open(s, source, t, err) : open_text(s, source, t, o, key, err);
    if (!rc && !s->info.tokens)
        rc = lw_fail(err, LW_EDATA, "%s holds no text", path);
    return rc;
}

int lw_dataset_open_part(struct lw_dataset **out, const char *path, enum lw_part part,
                         const struct lw_tokenizer *t, const struct lw_dataset_options *options,
                         struct lw_error *err)
{
    static const struct lw_dataset_options plain = {0};
    struct lw_store *s = NULL;
    struct lw_token_source source;
    int rc = lw_token_source_open(&source, path, err), tokens, parted;

    *out = NULL;
    if (rc)
        return rc;
    tokens = source.format[0] != LW_FORMAT_TEXT && source.format[0] != LW_FORMAT_JSONL;
    parted = tokens && lw_shards_part(&source, part);
    if (part == LW_PART_TRAIN || parted) {
        s = lw_store_new(err);
        rc = s ? fill(s, &source, path, t, options ? options : &plain, err) : LW_EMEM;
        if (!rc)
            rc = lw_view_new(out, s, NULL, 0, 0, 0, err);
        lw_store_release(s);
    }
    lw_token_source_close(&source);
    return rc;
}

int lw_dataset_open(struct lw_dataset **out, const char *path, const struct lw_tokenizer *t,
                    const struct lw_dataset_options *options, struct lw_error *err)
{
    return lw_dataset_open_part(out, path, LW_PART_TRAIN, t, options, err);
}
