/* SPDX-License-Identifier: MIT */
#include "engine/drift/chance.h"

#include <math.h>

#include "engine/drift/bins.h"
#include "engine/drift/special.h"

#define THIN    10.0 /* items expected on the smaller side that are enough, */
#define LEAST   0.25 /* and the part of that which will do */
#define Z_LIMIT 8.0  /* beyond this a tail has no digits */

/* Sums over the bins that are left when thin ones were joined. */
struct sums {
    double share; /* of all items that are a's */
    double distance, inverse, bins;
};

struct bin {
    double a, both;
};

double lw_chance_enough(double n, double m, double effect)
{
    return THIN * effect * (n + m) / fmin(n, m);
}

static void add(struct sums *s, const struct bin *x)
{
    double d = x->a - x->both * s->share;

    if (!(x->both > 0))
        return;
    s->distance += d * d / x->both;
    s->inverse += 1 / x->both;
    s->bins++;
}

/* Groups of neighbours, one closed wherever the running total passes a multiple of enough, if it
 * holds enough to stand alone. */
static void join_neighbours(struct sums *s, const uint64_t *a, const uint64_t *b, size_t k,
                            double enough)
{
    struct bin last = {0}, open = {0};
    double seen = 0, from = 0;

    for (size_t i = 0; i < k; i++) {
        double both = (double)(a[i] + b[i]);

        seen += both;
        open.a += (double)a[i];
        open.both += both;
        if (open.both < LEAST * enough ||
            (floor(seen / enough) == floor(from / enough) && i + 1 < k))
            continue;
        add(s, &last);
        last = open;
        from = seen;
        open = (struct bin){0};
    }
    last.a += open.a;
    last.both += open.both;
    add(s, &last);
}

/* All rare ids together, with the rarest of the others if that is not enough. */
static void join_rare(struct sums *s, const uint64_t *a, const uint64_t *b, size_t k, double enough)
{
    struct bin rarest = {0, INFINITY}, rest = {0};

    for (size_t i = 0; i < k; i++) {
        struct bin x = {(double)(int64_t)a[i], (double)(int64_t)(a[i] + b[i])};

        if (x.both < enough) {
            rest.a += x.a;
            rest.both += x.both;
        } else if (x.both < rarest.both) {
            if (rarest.both < INFINITY)
                add(s, &rarest);
            rarest = x;
        } else {
            add(s, &x);
        }
    }
    if (rarest.both < INFINITY && rest.both < LEAST * enough) {
        rarest.a += rest.a;
        rarest.both += rest.both;
        rest = (struct bin){0};
    }
    if (rarest.both < INFINITY)
        add(s, &rarest);
    add(s, &rest);
}

struct lw_chance lw_chance(const uint64_t *a, const uint64_t *b, size_t k, bool ordered,
                           double effect)
{
    double n = (double)lw_bins_sum(a, k), m = (double)lw_bins_sum(b, k), all = n + m;
    double items = all / effect, own = n / all, sides, columns, uneven, thin, mean, variance, tail;
    struct lw_chance out = {NAN, NAN};
    struct sums s = {.share = own};

    if (!(n > 0 && m > 0 && items > 3))
        return out;
    if (ordered)
        join_neighbours(&s, a, b, k, lw_chance_enough(n, m, effect));
    else
        join_rare(&s, a, b, k, lw_chance_enough(n, m, effect));
    if (s.bins < 2)
        return out;
    sides = (items - 2) / (items - 1);
    columns = (s.bins - 1) * (items - s.bins) / (items - 1);
    uneven = (all / n + all / m - 4) / (items - 2);
    thin = (all * s.inverse - s.bins * s.bins) / (items - 2);
    mean = items * (s.bins - 1) / (items - 1);
    variance = 2 * items / (items - 3) * (sides - uneven) * (columns - thin) +
               items * items / (items - 1) * uneven * thin;
    if (!(variance > 0))
        return out;
    tail = lw_chi2_tail(all * all / n / m * s.distance / effect * 2 * mean / variance,
                        2 * mean * mean / variance);
    out.z = fmax(-Z_LIMIT, fmin(Z_LIMIT, lw_normal_tail_inverse(tail)));
    /* The reference's error moves the statistic by its square, and where its bins are thin by
     * itself too, since they are what differences are measured by. */
    out.shared = sqrt((2 * (s.bins - 1) * (1 - own) * (1 - own) +
                       pow(own, 4) * effect * (s.inverse / own - s.bins * s.bins / n)) /
                      variance);
    out.shared = fmin(out.shared, 0.99);
    return out;
}
