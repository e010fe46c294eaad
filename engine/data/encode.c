/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/data/bpe.h"
#include "engine/data/hash.h"

/* Words up to KEY_MAX bytes that become at most IDS_MAX ids are remembered, each in the one slot
 * its hash points to; the slot is a cache line. */
#define KEY_MAX 16
#define IDS_MAX 11
#define SLOTS   (1u << 15)

struct slot {
    uint64_t key[2]; /* the word, padded with zeros */
    uint16_t length; /* of the word; 0: empty */
    uint16_t count;
    uint32_t id[IDS_MAX];
};

/* A candidate merge: rank above, place of its left symbol below, so that the smallest comes
 * first and of equals the leftmost. */
struct heap {
    uint64_t *item;
    size_t count, capacity;
};

struct symbol {
    uint32_t id;
    int32_t prev, next; /* -1: none */
};

struct lw_encoder {
    const struct lw_tokenizer *t;
    struct lw_splitter *splitter; /* NULL for bytes */
    struct slot *cache;
    struct symbol *symbol;
    size_t symbols;
    struct heap heap;
};

void lw_ids_free(struct lw_ids *ids)
{
    free(ids->id);
    ids->id = NULL;
    ids->count = ids->capacity = 0;
}

static int reserve(struct lw_ids *ids, size_t more, struct lw_error *err)
{
    size_t capacity = ids->capacity ? ids->capacity : 256;
    uint32_t *grown;

    if (ids->capacity - ids->count >= more)
        return 0;
    while (capacity - ids->count < more)
        capacity += capacity / 2;
    grown = realloc(ids->id, capacity * sizeof *grown);
    if (!grown)
        return lw_fail(err, LW_EMEM, "out of memory for %zu token ids", capacity);
    ids->id = grown;
    ids->capacity = capacity;
    return 0;
}

int lw_encoder_open(struct lw_encoder **out, const struct lw_tokenizer *t, struct lw_error *err)
{
    struct lw_encoder *e = calloc(1, sizeof *e);
    int rc = 0;

    if (!e)
        return lw_fail(err, LW_EMEM, "out of memory opening a tokenizer");
    e->t = t;
    if (t->bpe) {
        e->cache = calloc(SLOTS, sizeof *e->cache);
        rc = e->cache ? lw_splitter_open(&e->splitter, err)
                      : lw_fail(err, LW_EMEM, "out of memory opening a tokenizer");
    }
    if (rc)
        lw_encoder_close(e);
    else
        *out = e;
    return rc;
}

void lw_encoder_close(struct lw_encoder *e)
{
    if (!e)
        return;
    lw_splitter_close(e->splitter);
    free(e->cache);
    free(e->symbol);
    free(e->heap.item);
    free(e);
}

static void heap_push(struct heap *h, uint64_t item)
{
    size_t i = h->count++;

    while (i && h->item[(i - 1) / 2] > item) {
        h->item[i] = h->item[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->item[i] = item;
}

static uint64_t heap_pop(struct heap *h)
{
    uint64_t top = h->item[0], last = h->item[--h->count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->item[child + 1] < h->item[child])
            child++;
        if (h->item[child] >= last)
            break;
        h->item[i] = h->item[child];
        i = child;
    }
    if (h->count)
        h->item[i] = last;
    return top;
}

static void offer(struct lw_encoder *e, int32_t left)
{
    const struct symbol *s = &e->symbol[left];
    const struct lw_merge *m;

    if (s->next < 0)
        return;
    m = lw_bpe_find(e->t, s->id, e->symbol[s->next].id);
    if (m->rank != UINT32_MAX)
        heap_push(&e->heap, (uint64_t)m->rank << 32 | (uint32_t)left);
}

/* Room for n symbols, and for the candidates they can make: n - 1 at first and two more for each
 * of at most n - 1 merges. */
static int room(struct lw_encoder *e, size_t n, struct lw_error *err)
{
    struct symbol *symbol;
    uint64_t *item;

    if (n <= e->symbols)
        return 0;
    n += n / 2 + 64;
    symbol = realloc(e->symbol, n * sizeof *symbol);
    if (symbol)
        e->symbol = symbol;
    item = symbol ? realloc(e->heap.item, 3 * n * sizeof *item) : NULL;
    if (!item)
        return lw_fail(err, LW_EMEM, "out of memory encoding a word of %zu bytes", n);
    e->heap.item = item;
    e->symbols = n;
    return 0;
}

/* Append the ids of one word: join the pair of the lowest rank until no pair is in the table. */
static int merge_word(struct lw_encoder *e, const char *word, size_t n, struct lw_ids *ids,
                      struct lw_error *err)
{
    int rc = room(e, n, err);

    if (!rc)
        rc = reserve(ids, n, err);
    if (rc)
        return rc;
    e->heap.count = 0;
    for (size_t i = 0; i < n; i++) {
        e->symbol[i].id = e->t->byte_id[(unsigned char)word[i]];
        e->symbol[i].prev = (int32_t)i - 1;
        e->symbol[i].next = i + 1 < n ? (int32_t)i + 1 : -1;
    }
    for (size_t i = 0; i + 1 < n; i++)
        offer(e, (int32_t)i);
    while (e->heap.count) {
        uint64_t item = heap_pop(&e->heap);
        struct symbol *left = &e->symbol[(uint32_t)item], *right;
        const struct lw_merge *m;

        if (left->id == UINT32_MAX || left->next < 0)
            continue;
        right = &e->symbol[left->next];
        m = lw_bpe_find(e->t, left->id, right->id);
        if (m->rank != item >> 32)
            continue; /* one of the two has been joined to another since */
        left->id = m->result;
        left->next = right->next;
        right->id = UINT32_MAX;
        if (left->next >= 0)
            e->symbol[left->next].prev = (int32_t)(uint32_t)item;
        offer(e, (int32_t)(uint32_t)item);
        if (left->prev >= 0)
            offer(e, left->prev);
    }
    for (int32_t i = 0; i >= 0; i = e->symbol[i].next)
        ids->id[ids->count++] = e->symbol[i].id;
    return 0;
}

/* The n <= KEY_MAX bytes at p, of which `left` may be read, padded with zeros. */
static inline void load_key(const char *p, size_t n, size_t left, uint64_t key[2])
{
    if (left >= KEY_MAX && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        memcpy(key, p, KEY_MAX);
        if (n <= 8) {
            key[0] &= UINT64_MAX >> (64 - 8 * n);
            key[1] = 0;
        } else {
            key[1] &= UINT64_MAX >> (128 - 8 * n);
        }
        return;
    }
    key[0] = key[1] = 0;
    memcpy(key, p, n);
}

static int encode_word(struct lw_encoder *e, const char *p, size_t n, size_t left,
                       struct lw_ids *ids, struct lw_error *err)
{
    size_t before = ids->count;
    struct slot *s;
    uint64_t key[2];
    int rc;

    if (n > KEY_MAX)
        return merge_word(e, p, n, ids, err);
    load_key(p, n, left, key);
    s = &e->cache[lw_hash_mix(key[0] ^ UINT64_C(0x9e3779b97f4a7c15),
                              key[1] ^ UINT64_C(0xbf58476d1ce4e5b9) ^ n) &
                  (SLOTS - 1)];
    if (s->key[0] == key[0] && s->key[1] == key[1] && s->length == n) {
        memcpy(ids->id + ids->count, s->id, sizeof s->id);
        ids->count += s->count;
        return 0;
    }
    rc = merge_word(e, p, n, ids, err);
    if (!rc && ids->count - before <= IDS_MAX) {
        s->key[0] = key[0];
        s->key[1] = key[1];
        s->length = (uint16_t)n;
        s->count = (uint16_t)(ids->count - before);
        memcpy(s->id, ids->id + before, s->count * sizeof *s->id);
    }
    return rc;
}

int lw_encode(struct lw_encoder *e, const char *bytes, size_t n, struct lw_ids *ids,
              struct lw_error *err)
{
    int rc = 0;

    if (!e->t->bpe) {
        rc = reserve(ids, n, err);
        for (size_t i = 0; !rc && i < n; i++)
            ids->id[ids->count + i] = (unsigned char)bytes[i];
        if (!rc)
            ids->count += n;
        return rc;
    }
    for (size_t at = 0; !rc && at < n;) {
        size_t word = lw_splitter_next(e->splitter, bytes + at, n - at);

        rc = reserve(ids, IDS_MAX, err); /* a remembered word is copied as a whole slot */
        if (!rc)
            rc = encode_word(e, bytes + at, word, n - at, ids, err);
        at += word;
    }
    return rc;
}

int lw_encode_prompt(const struct lw_tokenizer *t, const char *prompt, struct lw_ids *ids,
                     struct lw_error *err)
{
    struct lw_encoder *e;
    int rc = lw_encoder_open(&e, t, err);

    if (rc)
        return rc;
    rc = lw_encode(e, prompt ? prompt : "", prompt ? strlen(prompt) : 0, ids, err);
    lw_encoder_close(e);
    if (!rc && !ids->count && !(rc = reserve(ids, 1, err)))
        ids->id[ids->count++] = (uint32_t)lw_tokenizer_separator(t);
    return rc;
}
