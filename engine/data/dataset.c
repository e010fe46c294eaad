/* SPDX-License-Identifier: MIT */
#include "engine/data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/hash.h"
#include "engine/data/stream.h"

int lw_view_new(struct lw_dataset **out, struct lw_store *s, struct lw_run *runs, size_t count,
                int64_t tokens, int64_t documents, struct lw_error *err)
{
    struct lw_dataset *d = calloc(1, sizeof *d);

    if (d && !runs) {
        runs = calloc(1, sizeof *runs);
        count = 1;
        tokens = s->info.tokens;
        documents = s->info.documents;
    }
    if (!d || !runs) {
        free(d);
        free(runs);
        return lw_fail(err, LW_EMEM, "out of memory opening data");
    }
    d->store = s;
    atomic_fetch_add(&s->users, 1);
    d->info = s->info;
    d->info.path = s->path;
    d->info.note = s->note;
    d->info.tokens = tokens;
    d->info.documents = documents;
    d->run = runs;
    d->runs = count;
    *out = d;
    return 0;
}

void lw_dataset_close(struct lw_dataset *d)
{
    if (!d)
        return;
    lw_store_release(d->store);
    free(d->run);
    free(d);
}

const struct lw_dataset_info *lw_dataset_info(const struct lw_dataset *d)
{
    return &d->info;
}

/* The last run that starts at or before a token, or (by document) before a document. */
static size_t find_run(const struct lw_dataset *d, int64_t place, int by_document)
{
    size_t low = 0, high = d->runs;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const struct lw_run *r = &d->run[middle];

        if ((by_document ? r->document_at : r->at) <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int lw_dataset_read(const struct lw_dataset *d, int64_t start, int64_t count, int32_t *out,
                    struct lw_error *err)
{
    size_t i;
    int rc = 0;

    if (start < 0 || count < 0 ||
        (!d->info.endless && (start > d->info.tokens || count > d->info.tokens - start)))
        return lw_fail(err, LW_EDATA, "tokens %lld to %lld were asked of data that holds %lld",
                       (long long)start, (long long)(start + count), (long long)d->info.tokens);
    for (i = find_run(d, start, 0); !rc && count; i++) {
        const struct lw_run *r = &d->run[i];
        int64_t end = d->info.endless   ? INT64_MAX
                      : i + 1 < d->runs ? d->run[i + 1].at
                                        : d->info.tokens;
        int64_t take = end - start < count ? end - start : count;

        rc = lw_store_read(d->store, r->source + start - r->at, take, d->id_limit, out, err);
        start += take;
        count -= take;
        out += take;
    }
    return rc;
}

int lw_dataset_check_ids(struct lw_dataset *d, int vocab_size, struct lw_error *err)
{
    int32_t block[4096];

    d->id_limit = vocab_size;
    if (d->info.endless) {
        if (d->info.vocab_size > vocab_size)
            return lw_fail(err, LW_EDATA,
                           "the tokenizer has %d ids, the model's vocabulary only %d: use tokenizer=FOLDER "
                           "with the vocab.json and merges.txt that the model was made with",
                           d->info.vocab_size, vocab_size);
        return 0;
    }
    if (d->info.max_id < vocab_size)
        return 0;
    for (int64_t at = 0; at < d->info.tokens; at += 4096) { /* the read that meets it says where */
        int64_t count = d->info.tokens - at < 4096 ? d->info.tokens - at : 4096;
        int rc = lw_dataset_read(d, at, count, block, err);

        if (rc)
            return rc;
    }
    return 0;
}

int64_t lw_dataset_document(const struct lw_dataset *d, int64_t i)
{
    const struct lw_run *r;
    int64_t start;

    if (i < 0 || i > d->info.documents || !d->store->document)
        return -1;
    if (i == d->info.documents)
        return d->info.tokens;
    r = &d->run[find_run(d, i, 1)];
    start = (int64_t)d->store->document[r->document_source + i - r->document_at];
    return start < r->source ? r->at : r->at + start - r->source; /* cut in its middle by a split */
}

int lw_dataset_generate(struct lw_dataset **out, const struct lw_tokenizer *t,
                        const struct lw_generate_options *options, int64_t epoch_tokens,
                        struct lw_error *err)
{
    struct lw_store *s = lw_store_new(err);
    uint64_t facts[3];
    int rc;

    if (!s)
        return LW_EMEM;
    s->generate = *options;
    s->info.format = "generated";
    s->info.tokens = epoch_tokens;
    s->info.documents = -1;
    s->info.vocab_size = lw_tokenizer_vocab_size(t);
    s->info.separator = lw_tokenizer_separator(t);
    s->info.endless = 1;
    facts[0] = options->seed;
    facts[1] = (uint64_t)options->validation << 32 | (uint64_t)options->shift;
    facts[2] = lw_tokenizer_hash(t);
    snprintf(s->info.hash, sizeof s->info.hash, "%016llx%016llx",
             (unsigned long long)lw_hash(facts, sizeof facts, 0),
             (unsigned long long)lw_hash(facts, sizeof facts, 1));
    s->chunk = malloc(LW_GENERATE_CHUNK * sizeof *s->chunk);
    rc = s->chunk ? lw_encoder_open(&s->encoder, t, err)
                  : lw_fail(err, LW_EMEM, "out of memory opening data");
    if (!rc)
        rc = lw_view_new(out, s, NULL, 0, 0, 0, err);
    lw_store_release(s);
    return rc;
}

int lw_dataset_from_ids(struct lw_dataset **out, const uint32_t *ids, int64_t count, int separator,
                        int vocab_size, struct lw_error *err)
{
    struct lw_store *s = lw_store_new(err);
    uint64_t *document;
    uint32_t *copy;
    int rc;

    if (!s)
        return LW_EMEM;
    /* as many places for documents as there are tokens, before the tokens */
    s->memory = malloc((size_t)count * (sizeof *document + sizeof *copy) + 1);
    if (!s->memory) {
        lw_store_release(s);
        return lw_fail(err, LW_EMEM, "out of memory for %lld token ids", (long long)count);
    }
    document = s->memory;
    copy = (uint32_t *)(document + count);
    for (int64_t i = 0; i < count; i++) {
        if (i == 0 || ids[i - 1] == (uint32_t)separator)
            document[s->info.documents++] = (uint64_t)i;
        copy[i] = ids[i];
        s->info.max_id = ids[i] > s->info.max_id ? ids[i] : s->info.max_id;
    }
    s->document = document;
    s->width = 4;
    s->info.format = "ids";
    s->info.bytes = count * (int64_t)sizeof *ids;
    s->info.separator = separator;
    s->info.vocab_size = vocab_size;
    snprintf(s->info.hash, sizeof s->info.hash, "%016llx%016llx",
             (unsigned long long)lw_hash(ids, (size_t)s->info.bytes, 0),
             (unsigned long long)lw_hash(ids, (size_t)s->info.bytes, 1));
    rc = lw_store_add(s, count, copy, -1, 0, NULL, err);
    if (!rc)
        rc = lw_view_new(out, s, NULL, 0, 0, 0, err);
    lw_store_release(s);
    return rc;
}
