/* SPDX-License-Identifier: MIT */
#include "engine/data/items.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/base/text.h"
#include "engine/data/hash.h"
#include "engine/data/items_store.h"
#include "engine/data/permute.h"

struct lw_items_store *lw_items_store_new(const struct lw_items_kind *kind, struct lw_error *err)
{
    struct lw_items_store *s = calloc(1, sizeof *s);

    if (!s) {
        lw_fail(err, LW_EMEM, "out of memory opening data");
        return NULL;
    }
    atomic_init(&s->users, 1);
    s->kind = kind;
    return s;
}

void lw_items_store_release(struct lw_items_store *s)
{
    if (!s || atomic_fetch_sub(&s->users, 1) > 1)
        return;
    s->kind->close(s->own);
    for (int i = 0; s->labels && i < s->info.classes; i++)
        free(s->labels[i]);
    free(s->labels);
    free(s->label);
    free(s->path);
    free(s);
}

int lw_items_view(struct lw_items **out, struct lw_items_store *s, int64_t *index, int64_t items,
                  struct lw_error *err)
{
    struct lw_items *d = calloc(1, sizeof *d);

    if (!d) {
        free(index);
        return lw_fail(err, LW_EMEM, "out of memory opening data");
    }
    atomic_fetch_add(&s->users, 1);
    d->store = s;
    d->info = s->info;
    d->info.path = s->path;
    d->info.note = s->note;
    d->info.labels = (const char *const *)s->labels;
    d->info.items = items;
    d->index = index;
    *out = d;
    return 0;
}

void lw_items_close(struct lw_items *d)
{
    if (!d)
        return;
    lw_items_store_release(d->store);
    free(d->index);
    free(d);
}

const struct lw_items_info *lw_items_info(const struct lw_items *d)
{
    return &d->info;
}

size_t lw_items_row(const struct lw_items *d)
{
    const size_t side = (size_t)d->info.image_size;

    return side ? 3 * side * side : (size_t)d->info.length * sizeof(int32_t);
}

int lw_items_read(const struct lw_items *d, int64_t i, void *row, int32_t *label,
                  struct lw_error *err)
{
    if (i < 0 || (!d->info.endless && i >= d->info.items))
        return lw_fail(err, LW_EDATA, "item %lld was asked of data that holds %lld", (long long)i,
                       (long long)d->info.items);
    i = d->index ? d->index[i] : i;
    if (d->store->label)
        *label = d->store->label[i];
    return d->store->kind->read(d->store, i, row, label, err);
}

int lw_items_split(struct lw_items *d, double fraction, uint64_t seed, struct lw_items **train,
                   struct lw_items **validation, struct lw_error *err)
{
    const int64_t items = d->info.items;
    int64_t held = llround((double)items * fraction), t = 0, v = 0;
    int64_t *first = NULL, *second = NULL;
    unsigned char *chosen;
    int rc;

    *train = *validation = NULL;
    if (items < 2)
        return lw_fail(err, LW_EDATA,
                       "%s holds one item: nothing can be held back to validate on; set "
                       "validation_split=0",
                       d->info.path ? d->info.path : "the data");
    held = held < 1 ? 1 : held >= items ? items - 1 : held;
    chosen = calloc((size_t)items, 1);
    first = malloc((size_t)(items - held) * sizeof *first);
    second = malloc((size_t)held * sizeof *second);
    if (!chosen || !first || !second) {
        free(chosen);
        free(first);
        free(second);
        return lw_fail(err, LW_EMEM, "out of memory parting the data");
    }
    for (int64_t i = 0; i < held; i++)
        chosen[lw_permute((uint64_t)i, (uint64_t)items, seed, LW_STREAM_SPLIT)] = 1;
    for (int64_t i = 0; i < items; i++)
        *(chosen[i] ? &second[v++] : &first[t++]) = d->index ? d->index[i] : i;
    free(chosen);
    rc = lw_items_view(train, d->store, first, t, err);
    if (!rc)
        rc = lw_items_view(validation, d->store, second, v, err);
    else
        free(second);
    if (rc) {
        lw_items_close(*train);
        *train = NULL;
    }
    return rc;
}

void lw_items_name(struct lw_items_store *s, char **names, int classes)
{
    s->labels = names;
    s->info.classes = classes;
}

static int add_numbers(struct lw_items_store *s, int from, int to, struct lw_error *err)
{
    char **labels = realloc(s->labels, (size_t)to * sizeof *labels);

    if (!labels)
        return lw_fail(err, LW_EMEM, "out of memory for %d classes", to);
    s->labels = labels;
    for (int i = from; i < to; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i);
        if (!(labels[i] = strdup(text)))
            return lw_fail(err, LW_EMEM, "out of memory for %d classes", to);
        s->info.classes = i + 1;
    }
    return 0;
}

int lw_items_number(struct lw_items_store *s, int classes, struct lw_error *err)
{
    return add_numbers(s, 0, classes, err);
}

int lw_items_widen(struct lw_items_store *s, int classes, struct lw_error *err)
{
    if (classes && classes < s->info.classes)
        return lw_fail(err, LW_EDATA,
                       "%s: label %d (%.60s) is out of range: num_classes is %d, and the data has "
                       "%d classes",
                       s->path ? s->path : "the data", classes, s->labels[classes], classes,
                       s->info.classes);
    return classes > s->info.classes ? add_numbers(s, s->info.classes, classes, err) : 0;
}

int lw_items_same_labels(const struct lw_items *a, const struct lw_items *b, struct lw_error *err)
{
    const struct lw_items_info *x = &a->info, *y = &b->info;
    int shared = x->classes < y->classes ? x->classes : y->classes;

    for (int i = 0; i < shared; i++) {
        char one[64], other[64];

        if (!strcmp(x->labels[i], y->labels[i]))
            continue;
        lw_text_clean(x->labels[i], strlen(x->labels[i]), one, sizeof one);
        lw_text_clean(y->labels[i], strlen(y->labels[i]), other, sizeof other);
        return lw_fail(err, LW_EDATA,
                       "class %d is \"%s\" in the training data and \"%s\" in the validation data: "
                       "both need the same classes",
                       i, one, other);
    }
    if (y->classes <= x->classes)
        return 0;
    return lw_fail(err, LW_EDATA,
                   "the validation data has %d classes and the training data %d: both need the "
                   "same ones",
                   y->classes, x->classes);
}

/* o's image_size is the training data's: one model sees both. */
static int validation_of(const struct lw_items_options *o, lw_items_opener *open, const void *user,
                         bool parted, struct lw_items **train, struct lw_items **validation,
                         struct lw_error *err)
{
    struct lw_items *whole;
    int rc;

    if (o->validation_data) {
        rc = open(validation, o->validation_data, LW_ITEMS_VALIDATION, o, user, err);
        if (!rc && !*validation)
            rc = open(validation, o->validation_data, LW_ITEMS_WHOLE, o, user, err);
        return rc;
    }
    if (o->validation_split <= 0)
        return 0;
    if (parted) {
        rc = open(validation, o->data, LW_ITEMS_VALIDATION, o, user, err);
        if (rc || *validation)
            return rc;
    }
    whole = *train;
    *train = NULL;
    rc = lw_items_split(whole, o->validation_split, o->seed, train, validation, err);
    lw_items_close(whole);
    return rc;
}

int lw_items_open_both(const struct lw_items_options *o, lw_items_opener *open, const void *user,
                       struct lw_items **train, struct lw_items **validation, struct lw_error *err)
{
    struct lw_items_options same = *o;
    bool parted;
    int rc;

    *train = *validation = NULL;
    rc = open(train, o->data, LW_ITEMS_TRAIN, o, user, err);
    parted = *train != NULL;
    if (!rc && !parted)
        rc = open(train, o->data, LW_ITEMS_WHOLE, o, user, err);
    if (!rc) {
        same.image_size = (*train)->info.image_size;
        rc = validation_of(&same, open, user, parted, train, validation, err);
    }
    if (!rc && *validation)
        rc = lw_items_same_labels(*train, *validation, err);
    if (rc) {
        lw_items_close(*train);
        lw_items_close(*validation);
        *train = *validation = NULL;
    }
    return rc;
}

void lw_items_hash_facts(struct lw_items_store *s, const uint64_t *facts, size_t count)
{
    snprintf(s->info.hash, sizeof s->info.hash, "%016llx%016llx",
             (unsigned long long)lw_hash(facts, count * sizeof *facts, 0),
             (unsigned long long)lw_hash(facts, count * sizeof *facts, 1));
}
