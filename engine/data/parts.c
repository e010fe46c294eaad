/* SPDX-License-Identifier: MIT
 *
 * Training and validation: parting one data set, and opening both from the configuration.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/data/permute.h"
#include "engine/data/stream.h"

#define GROUPS_MAX 65536 /* runs of neighbouring documents that are drawn together */

static int damaged(const struct lw_dataset *d, struct lw_error *err)
{
    return lw_fail(err, LW_EDATA, "the token cache of %s is damaged: remove it and start again",
                   d->info.path ? d->info.path : "the data");
}

/* Where group g of documents starts in the stream; the separators after documents go with them. */
static int64_t group_start(const struct lw_dataset *d, int64_t g, int64_t groups)
{
    int64_t documents = d->info.documents;

    return g == groups ? d->info.tokens : lw_dataset_document(d, documents * g / groups);
}

struct half {
    struct lw_run *run;
    size_t runs;
    int64_t tokens, documents;
};

static void append(struct half *h, int64_t source, int64_t end, int64_t document, int64_t next)
{
    struct lw_run *last = h->runs ? &h->run[h->runs - 1] : NULL;

    if (!last || last->source + (h->tokens - last->at) != source)
        h->run[h->runs++] = (struct lw_run){h->tokens, source, h->documents, document};
    h->tokens += end - source;
    h->documents += next - document;
}

/* half[1] gets the groups that a seeded permutation puts first. */
static int draw_documents(const struct lw_dataset *d, double fraction, uint64_t seed,
                          struct half half[2], struct lw_error *err)
{
    int64_t documents = d->info.documents;
    int64_t groups = documents < GROUPS_MAX ? documents : GROUPS_MAX, drawn;
    unsigned char *chosen = calloc((size_t)groups, 1);

    half[0].run = malloc((size_t)groups * sizeof *half[0].run);
    half[1].run = malloc((size_t)groups * sizeof *half[1].run);
    if (!chosen || !half[0].run || !half[1].run) {
        free(chosen);
        return lw_fail(err, LW_EMEM, "out of memory parting the data");
    }
    drawn = llround((double)groups * fraction);
    drawn = drawn < 1 ? 1 : drawn >= groups ? groups - 1 : drawn;
    for (int64_t i = 0; i < drawn; i++)
        chosen[lw_permute((uint64_t)i, (uint64_t)groups, seed, LW_STREAM_SPLIT)] = 1;
    for (int64_t g = 0; g < groups; g++) {
        int64_t start = group_start(d, g, groups), end = group_start(d, g + 1, groups);

        if (start < 0 || end < start || end > d->info.tokens) {
            free(chosen);
            return damaged(d, err);
        }
        append(&half[chosen[g]], start, end, documents * g / groups, documents * (g + 1) / groups);
    }
    free(chosen);
    return 0;
}

/* The first document that starts at or after a token. */
static int64_t document_at(const struct lw_dataset *d, int64_t token)
{
    int64_t low = 0, high = d->info.documents;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (lw_dataset_document(d, middle) < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int cut_tokens(const struct lw_dataset *d, double fraction, struct half half[2],
                      struct lw_error *err)
{
    int64_t tokens = d->info.tokens, held = llround((double)tokens * fraction);
    int64_t cut = tokens - held, known = d->store->document ? d->info.documents : 0;
    int64_t first = known ? document_at(d, cut) : 0;

    half[0].run = calloc(1, sizeof *half[0].run);
    half[1].run = calloc(1, sizeof *half[1].run);
    if (!half[0].run || !half[1].run)
        return lw_fail(err, LW_EMEM, "out of memory parting the data");
    half[0].runs = half[1].runs = 1;
    half[0].tokens = cut;
    half[0].documents = known ? first : -1;
    /* the document that the cut falls into counts on both sides */
    if (known && (first == known || lw_dataset_document(d, first) > cut))
        first--;
    half[1].run[0] = (struct lw_run){0, cut, 0, first};
    half[1].tokens = tokens - cut;
    half[1].documents = known ? known - first : -1;
    return 0;
}

static int check_length(const struct half half[2], double fraction, int length,
                        struct lw_error *err)
{
    int64_t shortest = half[0].tokens < half[1].tokens ? half[0].tokens : half[1].tokens;

    if (shortest > length)
        return 0;
    return lw_fail(err, LW_EDATA,
                   "validation_split %g parts the data into %lld and %lld tokens, and a sequence "
                   "takes %d (max_seq_len %d and one more): give more data, a shorter max_seq_len, "
                   "or validation_split=0",
                   fraction, (long long)half[0].tokens, (long long)half[1].tokens, length + 1,
                   length);
}

int lw_dataset_split(struct lw_dataset *d, double fraction, uint64_t seed, int length,
                     struct lw_dataset **train, struct lw_dataset **validation,
                     struct lw_error *err)
{
    struct half half[2] = {{0}};
    struct lw_dataset *made[2] = {NULL};
    int by_documents = d->store->document && d->info.documents >= LW_SPLIT_DOCUMENTS, rc;

    if (!(fraction > 0 && fraction < 1) || d->info.endless || d->runs != 1)
        return lw_fail(err, LW_EUSAGE, "data cannot be parted by %g", fraction);
    rc = by_documents ? draw_documents(d, fraction, seed, half, err)
                      : cut_tokens(d, fraction, half, err);
    if (!rc)
        rc = check_length(half, fraction, length, err);
    for (int i = 0; !rc && i < 2; i++) {
        rc = lw_view_new(&made[i], d->store, half[i].run, half[i].runs, half[i].tokens,
                         half[i].documents, err);
        half[i].run = NULL; /* taken over, also where it fails */
        if (!rc)
            made[i]->id_limit = d->id_limit;
    }
    free(half[0].run);
    free(half[1].run);
    if (rc) {
        lw_dataset_close(made[0]);
        lw_dataset_close(made[1]);
        return rc;
    }
    *train = made[0];
    *validation = made[1];
    return 0;
}

static int long_enough(const struct lw_dataset *d, int length, struct lw_error *err)
{
    if (d->info.tokens > length)
        return 0;
    return lw_fail(err, LW_EDATA,
                   "%s holds %lld tokens, and one sequence takes %d (max_seq_len %d and one more): "
                   "give more data or a shorter max_seq_len",
                   d->info.path ? d->info.path : "the data", (long long)d->info.tokens, length + 1,
                   length);
}

static int open_generated(const struct lw_data_options *o, const struct lw_tokenizer *t,
                          struct lw_dataset **train, struct lw_dataset **validation,
                          struct lw_error *err)
{
    struct lw_generate_options generate = o->generate;
    int rc;

    generate.seed = o->seed;
    generate.validation = 0;
    rc = lw_dataset_generate(train, t, &generate, o->epoch_tokens > 0 ? o->epoch_tokens : 1 << 20,
                             err);
    if (rc || o->validation_split <= 0 || o->validation_data)
        return rc;
    generate.validation = 1;
    generate.shift = LW_SHIFT_NONE;
    return lw_dataset_generate(validation, t, &generate,
                               o->validation_tokens > 0 ? o->validation_tokens : 1 << 16, err);
}

/* Data from files: a validation set of its own, by the names of shards, or a part of the data. */
static int open_files(const struct lw_data_options *o, const struct lw_tokenizer *t,
                      struct lw_dataset **train, struct lw_dataset **validation,
                      struct lw_error *err)
{
    struct lw_dataset *whole = NULL;
    int rc = lw_dataset_open_part(train, o->data, LW_PART_TRAIN, t, &o->read, err);

    if (!rc)
        rc = long_enough(*train, o->length, err);
    if (rc || o->validation_data || o->validation_split <= 0)
        return rc;
    rc = lw_dataset_open_part(validation, o->data, LW_PART_VALIDATION, t, &o->read, err);
    if (rc || *validation)
        return rc;
    whole = *train;
    *train = NULL;
    rc = lw_dataset_split(whole, o->validation_split, o->seed, o->length, train, validation, err);
    lw_dataset_close(whole);
    return rc;
}

int lw_data_open(const struct lw_data_options *o, const struct lw_tokenizer *t,
                 struct lw_dataset **train, struct lw_dataset **validation, struct lw_error *err)
{
    int rc;

    *train = *validation = NULL;
    rc = o->data ? open_files(o, t, train, validation, err)
                 : open_generated(o, t, train, validation, err);
    if (!rc && o->validation_data) {
        rc = lw_dataset_open_part(validation, o->validation_data, LW_PART_VALIDATION, t, &o->read,
                                  err);
        if (!rc && !*validation)
            rc = lw_dataset_open_part(validation, o->validation_data, LW_PART_TRAIN, t, &o->read,
                                      err);
    }
    if (!rc)
        rc = long_enough(*train, o->length, err);
    if (!rc && *validation)
        rc = long_enough(*validation, o->length, err);
    if (rc) {
        lw_dataset_close(*train);
        lw_dataset_close(*validation);
        *train = *validation = NULL;
    }
    return rc;
}
