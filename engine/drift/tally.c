/* SPDX-License-Identifier: MIT */
#include "engine/drift/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this many ids, clearing a table of counts would cost more than counting. */
#define FEW 4096

void lw_tally_fini(struct lw_tally *t)
{
    free(t->row);
    free(t->now);
    free(t->met);
    free(t->seen);
    *t = (struct lw_tally){0};
}

void lw_tally_clear(struct lw_tally *t)
{
    for (uint32_t i = 0; t->sparse && i < t->sees; i++)
        t->row[t->seen[i]] = (struct lw_tally_row){0};
    if (t->row && !t->sparse)
        memset(t->row, 0, t->rows * sizeof *t->row);
    t->sees = 0;
    t->total = t->units = t->unit_squares = 0;
}

/* Make *room larger, from `old` elements to `now`; what is new is zero. */
static int grow(void *room, size_t old, size_t now, size_t element, struct lw_error *err)
{
    char **at = room, *grown = realloc(*at, now * element);

    if (!grown)
        return lw_fail(err, LW_EMEM, "out of memory");
    memset(grown + old * element, 0, (now - old) * element);
    *at = grown;
    return 0;
}

int lw_tally_reserve(struct lw_tally *t, uint32_t rows, struct lw_error *err)
{
    uint32_t room = t->rows ? t->rows : 256;
    int rc;

    if (rows <= t->rows)
        return 0;
    if (rows > LW_TALLY_IDS)
        return lw_fail(err, LW_EDATA, "id %u is too large: ids must be below %u", rows - 1,
                       LW_TALLY_IDS);
    while (room < rows)
        room *= 2;
    if ((rc = grow(&t->row, t->rows, room, sizeof *t->row, err)) ||
        (rc = grow(&t->now, t->rows, room, sizeof *t->now, err)) ||
        (t->sparse && (rc = grow(&t->seen, t->rows, room, sizeof *t->seen, err))))
        return rc;
    if (!t->met && (rc = grow(&t->met, 0, LW_TALLY_UNIT, sizeof *t->met, err)))
        return rc;
    t->rows = room;
    return 0;
}

static int room_for(struct lw_tally *t, const int32_t *ids, size_t n, struct lw_error *err)
{
    int32_t most = -1;

#pragma omp simd reduction(max : most)
    for (size_t i = 0; i < n; i++)
        most = ids[i] > most ? ids[i] : most;
    if (n > LW_TALLY_LIMIT - t->total)
        return lw_fail(err, LW_EDATA, "more than 2^46 ids in one profile");
    return lw_tally_reserve(t, (uint32_t)(most + 1), err);
}

/* Counting touches a small table; the sums of the rows are made once an id. */
static void add_unit(struct lw_tally *t, const int32_t *ids, size_t n)
{
    uint32_t *now = t->now, *met = t->met;
    size_t size = 0, distinct = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t id = (uint32_t)ids[i];

        if (ids[i] < 0)
            continue;
        met[distinct] = id;
        distinct += now[id]++ == 0;
        size++;
    }
    for (size_t i = 0; i < distinct; i++) {
        uint32_t id = met[i];
        struct lw_tally_row *r = &t->row[id];
        uint64_t x = now[id];

        if (t->sparse && !r->count)
            t->seen[t->sees++] = id;
        r->count += x;
        r->square += x * x;
        r->cross += x * size;
        now[id] = 0;
    }
    t->total += size;
    t->units += size > 0;
    t->unit_squares += size * size;
}

int lw_tally_add(struct lw_tally *t, const int32_t *ids, size_t n, struct lw_error *err)
{
    int rc = room_for(t, ids, n, err);

    while (!rc && n > LW_TALLY_UNIT) {
        add_unit(t, ids, LW_TALLY_UNIT);
        ids += LW_TALLY_UNIT;
        n -= LW_TALLY_UNIT;
    }
    if (!rc)
        add_unit(t, ids, n);
    return rc;
}

static void add_single(struct lw_tally *t, uint32_t id, uint64_t n)
{
    struct lw_tally_row *r = &t->row[id];

    if (t->sparse && !r->count)
        t->seen[t->sees++] = id;
    r->count += n;
    r->square += n;
    r->cross += n;
    t->total += n;
    t->units += n;
    t->unit_squares += n;
}

int lw_tally_add_single(struct lw_tally *t, const int32_t *ids, size_t n, struct lw_error *err)
{
    int rc = room_for(t, ids, n, err);

    for (size_t i = 0; !rc && i < n; i++)
        if (ids[i] >= 0)
            add_single(t, (uint32_t)ids[i], 1);
    return rc;
}

/* Neighbours in the stream go to different tables, so that a repeated id does not wait for its
 * own last store. */
static void count_u16(uint32_t *count, const uint16_t *ids, size_t n)
{
    uint32_t *other = count + 65536;
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t a, b;

        memcpy(&a, ids + i, sizeof a);
        memcpy(&b, ids + i + 4, sizeof b);
        count[a & 0xFFFF]++;
        other[a >> 16 & 0xFFFF]++;
        count[a >> 32 & 0xFFFF]++;
        other[a >> 48]++;
        count[b & 0xFFFF]++;
        other[b >> 16 & 0xFFFF]++;
        count[b >> 32 & 0xFFFF]++;
        other[b >> 48]++;
    }
    for (; i < n; i++)
        count[ids[i]]++;
}

int lw_tally_add_u16(struct lw_tally *t, const uint16_t *ids, size_t n, struct lw_error *err)
{
    const size_t part = (size_t)1 << 31; /* what 32-bit counts can hold */
    uint32_t *count;
    int rc = lw_tally_reserve(t, 65536, err);

    if (!rc && n > LW_TALLY_LIMIT - t->total)
        rc = lw_fail(err, LW_EDATA, "more than 2^46 ids in one profile");
    if (rc)
        return rc;
    if (n < FEW) {
        for (size_t i = 0; i < n; i++)
            add_single(t, ids[i], 1);
        return 0;
    }
    count = malloc(2 * 65536 * sizeof *count);
    if (!count)
        return lw_fail(err, LW_EMEM, "out of memory");
    while (n) {
        size_t now = n < part ? n : part;

        memset(count, 0, 2 * 65536 * sizeof *count);
        count_u16(count, ids, now);
        for (uint32_t id = 0; id < 65536; id++)
            if (count[id] | count[id + 65536])
                add_single(t, id, (uint64_t)count[id] + count[id + 65536]);
        ids += now;
        n -= now;
    }
    free(count);
    return 0;
}

static void add_row(struct lw_tally *t, const struct lw_tally *from, uint32_t id)
{
    if (t->sparse && !t->row[id].count && from->row[id].count)
        t->seen[t->sees++] = id;
    t->row[id].count += from->row[id].count;
    t->row[id].square += from->row[id].square;
    t->row[id].cross += from->row[id].cross;
}

int lw_tally_merge(struct lw_tally *t, const struct lw_tally *from, struct lw_error *err)
{
    int rc = lw_tally_reserve(t, from->rows, err);

    if (!rc && from->total > LW_TALLY_LIMIT - t->total)
        rc = lw_fail(err, LW_EDATA, "more than 2^46 ids in one profile");
    if (rc)
        return rc;
    for (uint32_t i = 0; i < (from->sparse ? from->sees : from->rows); i++)
        add_row(t, from, from->sparse ? from->seen[i] : i);
    t->total += from->total;
    t->units += from->units;
    t->unit_squares += from->unit_squares;
    return 0;
}

uint64_t lw_tally_count(const struct lw_tally *t, uint32_t id)
{
    return id < t->rows ? t->row[id].count : 0;
}

uint32_t lw_tally_distinct(const struct lw_tally *t)
{
    uint32_t n = 0;

    for (uint32_t id = 0; id < t->rows; id++)
        n += t->row[id].count > 0;
    return n;
}

/* Is a further down the list than b? */
static int after(struct lw_id_count a, struct lw_id_count b)
{
    return a.count < b.count || (a.count == b.count && a.id > b.id);
}

static void sift(struct lw_id_count *heap, int n, int i)
{
    for (;;) {
        int last = i, left = 2 * i + 1, right = left + 1;
        struct lw_id_count swap;

        if (left < n && after(heap[left], heap[last]))
            last = left;
        if (right < n && after(heap[right], heap[last]))
            last = right;
        if (last == i)
            return;
        swap = heap[i];
        heap[i] = heap[last];
        heap[last] = swap;
        i = last;
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct lw_id_count *x = a, *y = b;

    return after(*x, *y) ? 1 : after(*y, *x) ? -1 : 0;
}

void lw_top_start(struct lw_top *t, struct lw_id_count *room, int max)
{
    *t = (struct lw_top){.list = room, .max = max};
}

void lw_top_put(struct lw_top *t, uint32_t id, uint64_t count)
{
    struct lw_id_count one = {id, count};

    if (!count)
        return;
    if (t->n < t->max) {
        t->list[t->n++] = one;
        if (t->n == t->max) /* from here on a heap with the last of the list on top */
            for (int i = t->n / 2; i-- > 0;)
                sift(t->list, t->n, i);
    } else if (t->n && after(t->list[0], one)) {
        t->list[0] = one;
        sift(t->list, t->n, 0);
    }
}

int lw_top_end(struct lw_top *t)
{
    if (t->n)
        qsort(t->list, (size_t)t->n, sizeof *t->list, by_rank);
    return t->n;
}

int lw_tally_top(const struct lw_tally *t, struct lw_id_count *top, int max)
{
    struct lw_top all;

    lw_top_start(&all, top, max);
    for (uint32_t id = 0; id < t->rows; id++) /* most are too rare for the list: seen at once */
        if (all.n < max || t->row[id].count > top[0].count)
            lw_top_put(&all, id, t->row[id].count);
    return lw_top_end(&all);
}

double lw_tally_effect(const struct lw_tally *t, uint32_t id)
{
    double n = (double)t->total, units = (double)t->units, p, spread;
    const struct lw_tally_row *r;

    if (t->units < 2 || id >= t->rows || !t->row[id].count || t->row[id].count == t->total)
        return NAN;
    r = &t->row[id];
    p = (double)r->count / n;
    spread = (double)r->square - 2 * p * (double)r->cross + p * p * (double)t->unit_squares;
    return units / (units - 1) * fmax(spread, 0) / (n * p * (1 - p));
}
