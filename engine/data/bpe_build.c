/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/data/bpe.h"
#include "engine/data/hash.h"

#define IDS_LIMIT (1 << 20) /* four times the largest vocabulary in use */
#define SEPARATOR "<|endoftext|>"

struct entry {
    size_t at; /* of its bytes in the pool */
    uint32_t n, id;
    int special;
};

struct merge {
    uint32_t left, right, result;
};

struct lw_bpe_builder {
    struct lw_tokenizer *t;
    const char *vocab_name, *merges_name;
    struct entry *entry;
    size_t entries, entries_capacity;
    size_t pool, pool_capacity; /* of t->pool */
    uint32_t *by_bytes;         /* entry index + 1, found by hash; 0: empty */
    size_t by_bytes_mask;
    struct merge *merge;
    size_t merges, merges_capacity;
    unsigned char *made; /* [vocab_size] a merge makes it, or it stands for itself */
};

static int no_memory(const struct lw_bpe_builder *b, struct lw_error *err)
{
    return lw_fail(err, LW_EMEM, "out of memory reading %s", b->vocab_name);
}

/* Make room for one more of *count items. */
static int grow(void **items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : 1024;
    void *grown;

    if (count < *capacity)
        return 0;
    grown = realloc(*items, wanted * size);
    if (!grown)
        return -1;
    *items = grown;
    *capacity = wanted;
    return 0;
}

int lw_bpe_builder_new(struct lw_bpe_builder **out, struct lw_tokenizer *t, const char *vocab_name,
                       const char *merges_name, struct lw_error *err)
{
    struct lw_bpe_builder *b = calloc(1, sizeof *b);

    if (!b)
        return lw_fail(err, LW_EMEM, "out of memory reading %s", vocab_name);
    b->t = t;
    b->vocab_name = vocab_name;
    b->merges_name = merges_name;
    *out = b;
    return 0;
}

void lw_bpe_builder_free(struct lw_bpe_builder *b)
{
    if (!b)
        return;
    free(b->entry);
    free(b->by_bytes);
    free(b->merge);
    free(b->made);
    free(b);
}

/* GPT-2 writes each byte as a character that can be seen: most printable bytes of Latin-1 as
 * themselves, the other 68 as U+0100 and up. Returns -1 for a character outside this alphabet. */
static int byte_of(uint32_t code)
{
    if ((code >= 33 && code <= 126) || (code >= 161 && code <= 255 && code != 173))
        return (int)code;
    if (code < 256 || code >= 256 + 68)
        return -1;
    code -= 256;
    return code < 33 ? (int)code : code < 67 ? (int)code - 33 + 127 : 173;
}

/* text, in the byte alphabet, as bytes at out (room for n). Text outside it is taken as it is:
 * entries that were added by hand. */
static uint32_t to_bytes(const char *text, size_t n, char *out)
{
    uint32_t count = 0, code;

    for (size_t at = 0, used; at < n; at += used) {
        int byte = -1;

        used = lw_utf8_decode(text + at, n - at, &code);
        if (used)
            byte = byte_of(code);
        if (byte < 0) {
            memcpy(out, text, n);
            return (uint32_t)n;
        }
        out[count++] = (char)byte;
    }
    return count;
}

static const char *shown(const char *bytes, size_t n, char out[64])
{
    lw_text_clean(bytes, n, out, 64);
    return out;
}

int lw_bpe_add_token(struct lw_bpe_builder *b, const char *text, size_t n, int64_t id, int special,
                     struct lw_error *err)
{
    char name[64];
    struct entry *e;

    if (id < 0 || id >= IDS_LIMIT)
        return lw_fail(err, LW_EDATA, "%s: the id of \"%s\" is %lld, not in 0..%d", b->vocab_name,
                       shown(text, n, name), (long long)id, IDS_LIMIT - 1);
    while (b->pool_capacity - b->pool < n) {
        size_t wanted = b->pool_capacity ? b->pool_capacity * 2 : 1 << 16;
        char *grown = realloc(b->t->pool, wanted);

        if (!grown)
            return no_memory(b, err);
        b->t->pool = grown;
        b->pool_capacity = wanted;
    }
    if (grow((void **)&b->entry, b->entries, &b->entries_capacity, sizeof *b->entry) < 0)
        return no_memory(b, err);
    e = &b->entry[b->entries++];
    e->at = b->pool;
    e->n = to_bytes(text, n, b->t->pool + b->pool);
    e->id = (uint32_t)id;
    e->special = special || (n > 2 && ((text[0] == '<' && text[n - 1] == '>') ||
                                       (text[0] == '[' && text[n - 1] == ']')));
    b->pool += e->n;
    if (id >= b->t->vocab_size)
        b->t->vocab_size = (int)id + 1;
    return 0;
}

/* Where the entry with these bytes is, or goes, in by_bytes. */
static uint32_t *place(const struct lw_bpe_builder *b, const char *bytes, size_t n)
{
    size_t i = lw_hash(bytes, n, 0) & b->by_bytes_mask;

    for (; b->by_bytes[i]; i = (i + 1) & b->by_bytes_mask) {
        const struct entry *e = &b->entry[b->by_bytes[i] - 1];

        if (e->n == n && !memcmp(b->t->pool + e->at, bytes, n))
            break;
    }
    return &b->by_bytes[i];
}

static int seal_entry(struct lw_bpe_builder *b, size_t i, struct lw_error *err)
{
    struct lw_tokenizer *t = b->t;
    struct entry *e = &b->entry[i];
    struct lw_token *token = &t->token[e->id];
    const char *bytes = t->pool + e->at;
    uint32_t *at = place(b, bytes, e->n);
    char name[64], other[64];

    if (*at) {
        struct entry *first = &b->entry[*at - 1];

        first->special |= e->special;
        if (first->id == e->id) /* tokenizer.json lists added tokens twice */
            return 0;
        return lw_fail(err, LW_EDATA, "%s: \"%s\" has two ids, %u and %u", b->vocab_name,
                       shown(bytes, e->n, name), first->id, e->id);
    }
    if (token->bytes)
        return lw_fail(err, LW_EDATA, "%s: id %u stands for both \"%s\" and \"%s\"", b->vocab_name,
                       e->id, shown(token->bytes, token->n, name), shown(bytes, e->n, other));
    *at = (uint32_t)i + 1;
    *token = (struct lw_token){bytes, e->n};
    return 0;
}

int lw_bpe_seal_tokens(struct lw_bpe_builder *b, struct lw_error *err)
{
    struct lw_tokenizer *t = b->t;
    uint32_t separator;
    int rc = 0;

    if (!b->entries)
        return lw_fail(err, LW_EDATA, "%s lists no tokens", b->vocab_name);
    for (b->by_bytes_mask = 1023; b->by_bytes_mask < 2 * b->entries;)
        b->by_bytes_mask = b->by_bytes_mask * 2 + 1;
    b->by_bytes = calloc(b->by_bytes_mask + 1, sizeof *b->by_bytes);
    b->made = calloc((size_t)t->vocab_size, 1);
    t->token = calloc((size_t)t->vocab_size, sizeof *t->token);
    if (!b->by_bytes || !b->made || !t->token)
        return no_memory(b, err);
    for (size_t i = 0; !rc && i < b->entries; i++)
        rc = seal_entry(b, i, err);
    for (int c = 0; !rc && c < 256; c++) {
        char byte = (char)c;
        uint32_t found = *place(b, &byte, 1);

        if (!found)
            rc = lw_fail(err, LW_EDATA,
                         "%s has no entry for byte 0x%02x: it is not a byte-level vocabulary, or "
                         "cut short",
                         b->vocab_name, c);
        else
            t->byte_id[c] = b->entry[found - 1].id;
    }
    if (rc)
        return rc;
    separator = *place(b, SEPARATOR, strlen(SEPARATOR));
    if (!separator)
        return lw_fail(err, LW_EDATA, "%s has no entry %s to stand between documents",
                       b->vocab_name, SEPARATOR);
    t->separator = (int)b->entry[separator - 1].id;
    return 0;
}

/* The entry a merge names, or NULL. */
static const struct entry *named(const struct lw_bpe_builder *b, const char *bytes, size_t n)
{
    uint32_t found = *place(b, bytes, n);

    return found ? &b->entry[found - 1] : NULL;
}

int lw_bpe_add_merge(struct lw_bpe_builder *b, const char *left, size_t left_n, const char *right,
                     size_t right_n, size_t line, struct lw_error *err)
{
    char buffer[1024], name[64];
    const struct entry *l, *r, *made;
    uint32_t ln, rn;

    if (!left_n || !right_n || left_n + right_n > sizeof buffer)
        return lw_fail(err, LW_EDATA, "%s: merge %zu is not a pair of tokens", b->merges_name,
                       line);
    ln = to_bytes(left, left_n, buffer);
    l = named(b, buffer, ln);
    rn = to_bytes(right, right_n, buffer + ln);
    r = named(b, buffer + ln, rn);
    made = named(b, buffer, (size_t)ln + rn);
    if (!l || !r || !made) {
        if (l && r)
            shown(buffer, (size_t)ln + rn, name);
        else
            shown(l ? right : left, l ? right_n : left_n, name);
        return lw_fail(err, LW_EDATA, "%s: merge %zu %s \"%s\", which %s does not list",
                       b->merges_name, line, l && r ? "makes" : "joins", name, b->vocab_name);
    }
    if (grow((void **)&b->merge, b->merges, &b->merges_capacity, sizeof *b->merge) < 0)
        return no_memory(b, err);
    b->merge[b->merges++] = (struct merge){l->id, r->id, made->id};
    b->made[made->id] = 1;
    return 0;
}

const struct lw_merge *lw_bpe_find(const struct lw_tokenizer *t, uint32_t left, uint32_t right)
{
    uint64_t pair = (uint64_t)left << 32 | right;
    uint64_t i = lw_hash_mix(pair ^ UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93));

    for (i &= t->merge_mask; t->merge[i].rank != UINT32_MAX && t->merge[i].pair != pair;)
        i = (i + 1) & t->merge_mask;
    return &t->merge[i];
}

static int check_reachable(const struct lw_bpe_builder *b, struct lw_error *err)
{
    const struct entry *first = NULL;
    char name[64];
    size_t count = 0;

    for (size_t i = 0; i < b->entries; i++) {
        const struct entry *e = &b->entry[i];

        if (e->n == 1 || e->special || b->made[e->id])
            continue;
        if (!count++)
            first = e;
    }
    if (!count)
        return 0;
    return lw_fail(err, LW_EDATA,
                   "%s makes %zu entries of %s by no merge (the first is \"%s\", id %u): it is cut "
                   "short or belongs to another vocabulary",
                   b->merges_name, count, b->vocab_name,
                   shown(b->t->pool + first->at, first->n, name), first->id);
}

int lw_bpe_finish(struct lw_bpe_builder *b, struct lw_error *err)
{
    struct lw_tokenizer *t = b->t;
    int rc = check_reachable(b, err);

    if (rc)
        return rc;
    for (t->merge_mask = 15; t->merge_mask < 2 * b->merges;)
        t->merge_mask = t->merge_mask * 2 + 1;
    t->merge = malloc((t->merge_mask + 1) * sizeof *t->merge);
    if (!t->merge)
        return no_memory(b, err);
    for (uint64_t i = 0; i <= t->merge_mask; i++)
        t->merge[i].rank = UINT32_MAX;
    for (size_t i = 0; i < b->merges; i++) {
        const struct merge *m = &b->merge[i];
        struct lw_merge *slot = (struct lw_merge *)lw_bpe_find(t, m->left, m->right);

        if (slot->rank != UINT32_MAX)
            return lw_fail(err, LW_EDATA, "%s: merge %zu repeats merge %u", b->merges_name, i + 1,
                           slot->rank + 1);
        *slot = (struct lw_merge){(uint64_t)m->left << 32 | m->right, (uint32_t)i, m->result};
    }
    t->bpe = 1;
    t->hash = lw_hash(b->merge, b->merges * sizeof *b->merge, (uint64_t)t->vocab_size);
    for (int id = 0; id < t->vocab_size; id++)
        if (t->token[id].bytes)
            t->hash = lw_hash(t->token[id].bytes, t->token[id].n, t->hash ^ (uint64_t)id);
    return 0;
}
