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

enum { TILE = LW_CPU_TILE };

/* Backward wants two tiles, one more for dropout, and a number for each row. */
size_t lw_cpu_attention_tiled_scratch(const struct lw_shapes *s)
{
    return 3 * TILE * TILE + (size_t)s->length;
}

struct tile {
    int q, queries, k, keys;
};

static int tiles_of(int length)
{
    return (length + TILE - 1) / TILE;
}

static struct tile tile_at(const struct lw_attention *a, int i, int j)
{
    struct tile t = {.q = i * TILE, .k = j * TILE};

    t.queries = a->length - t.q < TILE ? a->length - t.q : TILE;
    t.keys = a->length - t.k < TILE ? a->length - t.k : TILE;
    return t;
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
                                                  v->stride, TILE});
}

static void drop_tile(struct lw_device *dev, const struct lw_attention *a,
                      const struct lw_cpu_head_view *v, const struct tile *t, float *dst,
                      const float *src, const struct lw_cpu_mask *mask)
{
    for (int r = 0; r < t->queries; r++) {
        uint64_t first = v->element + (uint64_t)(t->q + r) * (uint64_t)a->length + (uint64_t)t->k;

        dev->k->dropout(dst + r * TILE, src + r * TILE, (size_t)t->keys, first, mask);
    }
}

/* One tile of queries against all their keys. */
static void forward_rows(struct lw_device *dev, const struct lw_attention *a,
                         const struct lw_cpu_head_view *v, int i, float *out, float *lse,
                         const struct lw_cpu_mask *mask)
{
    float *s = lw_cpu_scratch(dev, omp_get_thread_num()), m[TILE], l[TILE];
    int c = a->heads * a->head_dim, tiles = a->causal ? i + 1 : tiles_of(a->length);
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
            float factor = dev->k->softmax_online(s + r * TILE, n, a->scale, &m[r], &l[r]);

            memset(s + (size_t)r * TILE + n, 0, ((size_t)t.keys - n) * sizeof(float));
            if (j > 0 && factor != 1.0f)
                dev->k->scale_row(o + (size_t)r * (size_t)c, (size_t)a->head_dim, factor);
        }
        if (mask->threshold)
            drop_tile(dev, a, v, &t, s, s, mask);
        lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){
                                    t.queries, a->head_dim, t.keys, false, false, j > 0, 1.0f, s,
                                    v->v + (size_t)t.k * (size_t)v->stride, o, TILE, v->stride, c});
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
    int tiles = tiles_of(a->length), heads = a->batch * a->heads;

    /* late tiles see more keys: the longest first */
#pragma omp parallel for num_threads(dev->threads) schedule(dynamic, 1)
    for (int i = 0; i < heads * tiles; i++) {
        struct lw_cpu_head_view v = lw_cpu_head_at(a, qkv, NULL, i % heads);

        forward_rows(dev, a, &v, tiles - 1 - i / heads, out, lse, &mask);
    }
}

struct backward {
    struct lw_device *dev;
    const struct lw_attention *a;
    const struct lw_cpu_mask *mask;
    struct lw_cpu_head_view v;
    const float *dout, *lse;      /* of the head */
    float *p, *dp, *kept, *delta; /* scratch */
};

static void backward_tile(const struct backward *w, const struct tile *t, bool first_query,
                          bool first_key)
{
    struct lw_device *dev = w->dev;
    const struct lw_attention *a = w->a;
    const struct lw_cpu_kernels *k = dev->k;
    const struct lw_cpu_head_view *v = &w->v;
    int d = a->head_dim, c = a->heads * d;
    size_t q = (size_t)t->q * (size_t)v->stride, key = (size_t)t->k * (size_t)v->stride;
    const float *dout = w->dout + (size_t)t->q * (size_t)c, *kept = w->p;

    scores(dev, a, v, t, w->p);
    for (int r = 0; r < t->queries; r++) {
        size_t n = seen(a, t, r);

        k->exp_row(w->p + r * TILE, n, a->scale, w->lse[t->q + r]);
        memset(w->p + (size_t)r * TILE + n, 0, ((size_t)t->keys - n) * sizeof(float));
    }
    if (w->mask->threshold) {
        drop_tile(dev, a, v, t, w->kept, w->p, w->mask);
        kept = w->kept;
    }
    lw_cpu_gemm_serial(dev,
                       &(struct lw_cpu_gemm){t->keys, d, t->queries, true, false, !first_query,
                                             1.0f, kept, dout, v->dv + key, TILE, c, v->stride});
    lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t->queries, t->keys, d, false, true, false, 1.0f,
                                                  dout, v->v + key, w->dp, c, v->stride, TILE});
    if (w->mask->threshold)
        drop_tile(dev, a, v, t, w->dp, w->dp, w->mask);
    for (int r = 0; r < t->queries; r++)
        k->softmax_row_backward(w->dp + r * TILE, w->p + r * TILE, w->dp + r * TILE,
                                (size_t)t->keys, w->delta[t->q + r], a->scale);
    lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t->queries, d, t->keys, false, false, !first_key,
                                                  1.0f, w->dp, v->k + key, v->dq + q, TILE,
                                                  v->stride, v->stride});
    lw_cpu_gemm_serial(dev, &(struct lw_cpu_gemm){t->keys, d, t->queries, true, false, !first_query,
                                                  1.0f, w->dp, v->q + q, v->dk + key, TILE,
                                                  v->stride, v->stride});
}

void lw_cpu_attention_tiled_backward(struct lw_device *dev, const struct lw_attention *a,
                                     float *dqkv, const float *dout, const float *out,
                                     const float *lse, const float *qkv)
{
    struct lw_cpu_mask mask = lw_cpu_mask_of(dev, &a->dropout);
    int tiles = tiles_of(a->length);
    size_t d = (size_t)a->head_dim, c = (size_t)a->heads * d;

#pragma omp parallel for num_threads(dev->threads) schedule(dynamic, 1)
    for (int h = 0; h < a->batch * a->heads; h++) {
        float *scratch = lw_cpu_scratch(dev, omp_get_thread_num());
        struct backward w = {dev,
                             a,
                             &mask,
                             lw_cpu_head_at(a, qkv, dqkv, h),
                             NULL,
                             NULL,
                             scratch,
                             scratch + TILE * TILE,
                             scratch + 2 * TILE * TILE,
                             scratch + 3 * TILE * TILE};

        w.dout = dout + w.v.out;
        w.lse = lse + w.v.lse;
        for (size_t t = 0; t < (size_t)a->length; t++)
            w.delta[t] = dev->k->dot(w.dout + t * c, out + w.v.out + t * c, d);
        for (int j = 0; j < tiles; j++) {
            int from = a->causal ? j : 0;

            for (int i = from; i < tiles; i++) {
                struct tile t = tile_at(a, i, j);

                backward_tile(&w, &t, i == from, j == 0);
            }
        }
    }
}
