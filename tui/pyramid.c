/* SPDX-License-Identifier: MIT */
#include "tui/pyramid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void lw_pyramid_init(struct lw_pyramid *p, size_t limit)
{
    memset(p, 0, sizeof *p);
    p->limit = limit;
    p->width = 1;
    p->low = p->high = NAN;
    p->low_x = p->high_x = NAN;
    p->last = NAN;
    lw_smoother_init(&p->smoother);
}

void lw_pyramid_fini(struct lw_pyramid *p)
{
    free(p->bucket);
    p->bucket = NULL;
    p->count = p->room = 0;
}

static uint32_t add_saturated(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void lw_bucket_merge(struct lw_bucket *a, const struct lw_bucket *b)
{
    a->x1 = b->x1;
    a->odd = add_saturated(a->odd, b->odd);
    if (!b->count)
        return;
    if (!a->count) {
        a->min = b->min;
        a->max = b->max;
        a->mean = b->mean;
    } else {
        double n = (double)a->count + b->count;

        a->mean = (float)(((double)a->mean * a->count + (double)b->mean * b->count) / n);
        a->min = b->min < a->min ? b->min : a->min;
        a->max = b->max > a->max ? b->max : a->max;
    }
    a->last = b->last;
    a->count = add_saturated(a->count, b->count);
    memcpy(a->smooth, b->smooth, sizeof a->smooth);
}

static void halve(struct lw_pyramid *p)
{
    size_t i;

    for (i = 0; i < p->count / 2; i++) {
        struct lw_bucket b = p->bucket[2 * i];

        lw_bucket_merge(&b, &p->bucket[2 * i + 1]);
        p->bucket[i] = b;
    }
    p->count /= 2;
    p->width *= 2;
    p->filled = p->width;
}

/* Open a new bucket at x. */
static int open_bucket(struct lw_pyramid *p, double x)
{
    struct lw_bucket *b;

    if (p->count == p->limit)
        halve(p);
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 64;

        if (room > p->limit)
            room = p->limit;
        b = realloc(p->bucket, room * sizeof *b);
        if (!b)
            return -1;
        p->bucket = b;
        p->room = room;
    }
    b = &p->bucket[p->count++];
    memset(b, 0, sizeof *b);
    b->x0 = x;
    b->min = b->max = b->mean = b->last = NAN;
    for (int k = 0; k < LW_SMOOTHINGS; k++)
        b->smooth[k] = p->smoother.count ? (float)p->smoother.value[k] : NAN;
    p->filled = 0;
    p->sum = 0.0;
    return 0;
}

int lw_pyramid_add(struct lw_pyramid *p, double x, double y)
{
    struct lw_bucket *b;

    if (!isfinite(x))
        return -1;
    if ((!p->count || p->filled == p->width) && open_bucket(p, x))
        return -1;
    b = &p->bucket[p->count - 1];
    b->x1 = x;
    p->filled++;
    p->last = y;
    if (!p->samples && !p->odd) {
        p->x_min = p->x_max = x;
    } else {
        p->x_min = x < p->x_min ? x : p->x_min;
        p->x_max = x > p->x_max ? x : p->x_max;
    }
    if (!isfinite(y)) {
        b->odd = add_saturated(b->odd, 1);
        p->odd++;
        return 0;
    }
    p->samples++;
    p->sum += y;
    b->count = add_saturated(b->count, 1);
    b->last = (float)y;
    b->mean = b->count == 1 ? (float)y : (float)(p->sum / b->count);
    b->min = b->min <= (float)y ? b->min : (float)y;
    b->max = b->max >= (float)y ? b->max : (float)y;
    if (!p->rough) {
        lw_smoother_add(&p->smoother, x, y);
        for (int k = 0; k < LW_SMOOTHINGS; k++)
            b->smooth[k] = (float)p->smoother.value[k];
    }
    if (!(p->low <= (float)y)) {
        p->low = (float)y;
        p->low_x = x;
    }
    if (!(p->high >= (float)y)) {
        p->high = (float)y;
        p->high_x = x;
    }
    return 0;
}

size_t lw_pyramid_find(const struct lw_pyramid *p, double x)
{
    size_t lo = 0, hi = p->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (p->bucket[mid].x1 < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct lw_bucket *lw_pyramid_at(const struct lw_pyramid *p, double x)
{
    size_t i = lw_pyramid_find(p, x);

    if (i < p->count && p->bucket[i].x0 <= x)
        return &p->bucket[i];
    return i ? &p->bucket[i - 1] : NULL;
}
