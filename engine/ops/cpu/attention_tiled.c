/* SPDX-License-Identifier: MIT
 *
 * Attention over tiles of scores with an online softmax (Milakov & Gimelshein 2018; Dao et al.
 * 2022): memory is linear in T. A row's running maximum m and sum l are carried from tile to tile,
 * and what was summed into the output so far is scaled by exp(old m - new m). Backward makes a
 * tile's probabilities again from lse = m + log l. Tiles above the diagonal are left out.
 */
#include "engine/ops/cpu/attention.h"

#include <math.h>
#include <string.h>
#include <omp.h>

/* Rows and columns of a tile of scores, which stays in the second-level cache; its rows lie a cache
 * line further apart, so that they do not all compete for the same few sets of the first. */
enum { QUERIES = 128, KEYS = 256, STRIDE = KEYS + 16, TILE = QUERIES * STRIDE };

/* Backward wants two tiles, one more for dropout, and a number for each row. */
size_t lw_cpu_attention_tiled_scratch(const struct lw_shapes *s)
{
    return 3 * TILE + (size_t)s->length;
}

struct tile {
    int q, queries, k, keys;
};

static int pieces(int n, int size)
{
    return (n + size - 1) / size;
}

/* Tile i of the queries against tile j of the keys, without keys that none of them may look at. */
static struct tile tile_at(const struct lw_attention *a, int i, int j)
{
    struct tile t = {.q = i * QUERIES, .k = j * KEYS};
    int end;

    t.queries = a->length - t.q < QUERIES ? a->length - t.q : QUERIES;
    end = a->causal ? t.q + t.queries : a->length;
    t.keys = end - t.k < KEYS ? end - t.k : KEYS;
    return t;
}

/* Tiles of keys that tile i of the queries looks at. */
static int key_tiles(const struct lw_attention *a, int i)
{
    int end = (i + 1) * QUERIES;

    return pieces(a->causal && end < a->length ? end : a->length, KEYS);
}

/* How many keys of the tile its row r may look at. */
static size_t seen(const struct lw_attention *a, const struct tile *t, int r)
{
    int n = t->q + r + 1 - t->k;

    return (size_t)(a->causal && n < t->keys ? n : t->keys);
}

static void scores(struct lw_device *dev, const struct lw_attention *a,
                   const struct lw_cpu_head_view *v, const struct tile *t, float *s)
{
    size_t stride = (size_t)v->stride;

    lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t->queries, t->keys, a->head_dim, false, true,
                                                  false, 1.0f, v->q + (size_t)t->q * stride,
                                                  v->k + (size_t)t->k * stride, s, v->stride,
                                                  v->stride, STRIDE});
}

static void drop_tile(struct lw_device *dev, const struct lw_attention *a,
                      const struct lw_cpu_head_view *v, const struct tile *t, float *dst,
                      const float *src, const struct lw_cpu_mask *mask)
{
    for (int r = 0; r < t->queries; r++) {
        uint64_t first = v->element + (uint64_t)(t->q + r) * (uint64_t)a->length + (uint64_t)t->k;

        dev->k->dropout(dst + r * STRIDE, src + r * STRIDE, (size_t)t->keys, first, mask);
    }
}

/* One tile of queries against all their keys. */
static void forward_rows(struct lw_device *dev, const struct lw_attention *a,
                         const struct lw_cpu_head_view *v, int i, float *out, float *lse,
                         const struct lw_cpu_mask *mask)
{
    float *s = lw_cpu_scratch(dev, omp_get_thread_num()), m[QUERIES], l[QUERIES];
    int c = a->heads * a->head_dim, tiles = key_tiles(a, i);
    struct tile t = tile_at(a, i, 0);
    float *o = out + v->out + (size_t)t.q * (size_t)c;

    for (int r = 0; r < t.queries; r++) {
        m[r] = -INFINITY;
        l[r] = 0;
    }
    for (int j = 0; j < tiles; j++) {
        t = tile_at(a, i, j);
        scores(dev, a, v, &t, s);
        for (int r = 0; r < t.queries; r++) {
            size_t n = seen(a, &t, r);
            float factor = dev->k->softmax_online(s + r * STRIDE, n, a->scale, &m[r], &l[r]);

            memset(s + (size_t)r * STRIDE + n, 0, ((size_t)t.keys - n) * sizeof(float));
            if (j > 0 && factor != 1.0f)
                dev->k->scale_row(o + (size_t)r * (size_t)c, (size_t)a->head_dim, factor);
        }
        if (mask->threshold)
            drop_tile(dev, a, v, &t, s, s, mask);
        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t.queries, a->head_dim, t.keys, false, false,
                                                      j > 0, 1.0f, s,
                                                      v->v + (size_t)t.k * (size_t)v->stride, o,
                                                      STRIDE, v->stride, c});
    }
    for (int r = 0; r < t.queries; r++) {
        dev->k->scale_row(o + (size_t)r * (size_t)c, (size_t)a->head_dim, 1.0f / l[r]);
        lse[v->lse + (size_t)(t.q + r)] = m[r] + logf(l[r]);
    }
}

void lw_cpu_attention_tiled(struct lw_device *dev, const struct lw_attention *a, float *out,
                            float *lse, const float *qkv)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &a->dropout);
    int tiles = pieces(a->length, QUERIES), heads = a->batch * a->heads;

    /* late tiles see more keys: the longest first */
#pragma omp parallel for num_threads(dev->threads) schedule(dynamic, 1)
    for (int i = 0; i < heads * tiles; i++) {
        struct lw_cpu_head_view v = lw_cpu_head_at(a, qkv, NULL, i % heads);

        forward_rows(dev, a, &v, tiles - 1 - i / heads, out, lse, &mask);
    }
}

/* Which gradients a pass over tiles is for. */
enum part { FOR_KEYS = 1, FOR_QUERIES = 2 };

struct backward {
    struct lw_device *dev;
    const struct lw_attention *a;
    const struct lw_cpu_mask *mask;
    struct lw_cpu_head_view v;
    const float *out, *dout, *lse; /* of the head */
    float *p, *dp, *kept, *delta;  /* scratch */
};

static void masked_probabilities(const struct backward *w, const struct tile *t)
{
    const struct lw_cpu_kernels *k = w->dev->k;

    scores(w->dev, w->a, &w->v, t, w->p);
    for (int r = 0; r < t->queries; r++) {
        size_t n = seen(w->a, t, r);

        k->exp_row(w->p + r * STRIDE, n, w->a->scale, w->lse[t->q + r]);
        memset(w->p + (size_t)r * STRIDE + n, 0, ((size_t)t->keys - n) * sizeof(float));
    }
    if (w->mask->threshold)
        drop_tile(w->dev, w->a, &w->v, t, w->kept, w->p, w->mask);
}

/* dp = dout Vᵀ, masked, and then the gradient of the unscaled scores. */
static void scores_backward(const struct backward *w, const struct tile *t, const float *dout)
{
    const struct lw_cpu_kernels *k = w->dev->k;
    int d = w->a->head_dim, stride = w->v.stride;

    lw_cpu_gemm_serial(w->dev,
                       &(struct lw_cpu_gemm){t->queries, t->keys, d, false, true, false, 1.0f, dout,
                                             w->v.v + (size_t)t->k * (size_t)stride, w->dp,
                                             w->a->heads * d, stride, STRIDE});
    if (w->mask->threshold)
        drop_tile(w->dev, w->a, &w->v, t, w->dp, w->dp, w->mask);
    for (int r = 0; r < t->queries; r++)
        k->softmax_row_backward(w->dp + r * STRIDE, w->p + r * STRIDE, w->dp + r * STRIDE,
                                (size_t)t->keys, w->delta[t->q + r], w->a->scale);
}

/* Adds what the tile gives. */
static void backward_tile(const struct backward *w, const struct tile *t, unsigned parts)
{
    const struct lw_cpu_head_view *v = &w->v;
    int d = w->a->head_dim, c = w->a->heads * d, stride = v->stride;
    size_t q = (size_t)t->q * (size_t)stride, key = (size_t)t->k * (size_t)stride;
    const float *dout = w->dout + (size_t)t->q * (size_t)c;
    const float *kept = w->mask->threshold ? w->kept : w->p;

    masked_probabilities(w, t);
    scores_backward(w, t, dout);
    if (parts & FOR_KEYS) {
        lw_cpu_gemm_serial(w->dev,
                           &(struct lw_cpu_gemm){t->keys, d, t->queries, true, false, true, 1.0f,
                                                 kept, dout, v->dv + key, STRIDE, c, stride});
        lw_cpu_gemm_serial(w->dev, &(struct lw_cpu_gemm){t->keys, d, t->queries, true, false, true,
                                                         1.0f, w->dp, v->q + q, v->dk + key, STRIDE,
                                                         stride, stride});
    }
    if (parts & FOR_QUERIES)
        lw_cpu_gemm_serial(w->dev, &(struct lw_cpu_gemm){t->queries, d, t->keys, false, false, true,
                                                         1.0f, w->dp, v->k + key, v->dq + q, STRIDE,
                                                         stride, stride});
}

static struct backward backward_of(struct lw_device *dev, const struct lw_attention *a,
                                   const struct lw_cpu_mask *mask, int head, float *dqkv,
                                   const float *dout, const float *out, const float *lse,
                                   const float *qkv)
{
    float *scratch = lw_cpu_scratch(dev, omp_get_thread_num());
    struct backward w = {.dev = dev,
                         .a = a,
                         .mask = mask,
                         .v = lw_cpu_head_at(a, qkv, dqkv, head),
                         .p = scratch,
                         .dp = scratch + TILE,
                         .kept = scratch + 2 * TILE,
                         .delta = scratch + 3 * TILE};

    w.out = out + w.v.out;
    w.dout = dout + w.v.out;
    w.lse = lse + w.v.lse;
    return w;
}

/* delta of these positions: the row sums of dout · out. */
static void find_delta(const struct backward *w, int from, int count)
{
    size_t d = (size_t)w->a->head_dim, c = (size_t)w->a->heads * d;

    for (size_t t = (size_t)from; t < (size_t)(from + count); t++)
        w->delta[t] = w->dev->k->dot(w->dout + t * c, w->out + t * c, d);
}

static void clear(const struct backward *w, float *x, int from, int count)
{
    for (int t = from; t < from + count; t++)
        memset(x + (size_t)t * (size_t)w->v.stride, 0, (size_t)w->a->head_dim * sizeof(float));
}

/* All tiles of queries that look at tile j of the keys. */
static void backward_keys(const struct backward *w, int j, unsigned parts)
{
    int length = w->a->length, first = w->a->causal ? j * KEYS / QUERIES : 0;
    int keys = length - j * KEYS < KEYS ? length - j * KEYS : KEYS;

    clear(w, w->v.dk, j * KEYS, keys);
    clear(w, w->v.dv, j * KEYS, keys);
    for (int i = first; i < pieces(length, QUERIES); i++) {
        struct tile t = tile_at(w->a, i, j);

        backward_tile(w, &t, parts);
    }
}

static void backward_queries(const struct backward *w, int i)
{
    for (int j = 0; j < key_tiles(w->a, i); j++) {
        struct tile t = tile_at(w->a, i, j);

        backward_tile(w, &t, FOR_QUERIES);
    }
}

/* A thread takes a whole head. Where there are too few for that, it takes a tile of keys of a head
 * or, in a second pass that makes the scores once more, a tile of queries. */
void lw_cpu_attention_tiled_backward(struct lw_device *dev, const struct lw_attention *a,
                                     float *dqkv, const float *dout, const float *out,
                                     const float *lse, const float *qkv)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &a->dropout);
    int heads = a->batch * a->heads, key_count = pieces(a->length, KEYS);
    int query_count = pieces(a->length, QUERIES);
    bool split = heads < dev->threads && key_count > 1;
    int tasks = split ? heads * (key_count + query_count) : heads;

#pragma omp parallel for num_threads(dev->threads) schedule(dynamic, 1)
    for (int n = 0; n < tasks; n++) {
        struct backward w = backward_of(dev, a, &mask, n % heads, dqkv, dout, out, lse, qkv);
        int part = n / heads;

        if (split && part >= key_count) {
            int i = part - key_count, last = (i + 1) * QUERIES;

            last = last < a->length ? last : a->length;
            find_delta(&w, i * QUERIES, last - i * QUERIES);
            clear(&w, w.v.dq, i * QUERIES, last - i * QUERIES);
            backward_queries(&w, i);
            continue;
        }
        find_delta(&w, 0, a->length);
        if (!split)
            clear(&w, w.v.dq, 0, a->length);
        for (int j = part; j < (split ? part + 1 : key_count); j++)
            backward_keys(&w, j, split ? FOR_KEYS : FOR_KEYS | FOR_QUERIES);
    }
}
