/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "engine/drift/draw.h"
#include "engine/drift/profile.h"

#define LENGTH_MAX 512
#define MEDIAN     120
#define SIGMA      0.6
#define FARTHEST   6.0 /* deviations that a tilt moves the logarithm's mean at most */

void lw_shares_even(struct lw_shares *s, int k)
{
    s->k = k;
    for (int i = 0; i < k; i++)
        s->p[i] = 1.0 / k;
    lw_shares_ready(s);
}

void lw_shares_zipf(struct lw_shares *s, int k)
{
    double sum = 0;

    s->k = k;
    for (int i = 0; i < k; i++)
        sum += s->p[i] = 1.0 / (i + 1);
    for (int i = 0; i < k; i++)
        s->p[i] /= sum;
    lw_shares_ready(s);
}

/* A tilt moves the logarithm's mean. */
static void tilted(double tilt, int k, double *p)
{
    double below = 0;

    for (int i = 0; i < k; i++) {
        double at = (log(lw_bin_edge(i + 1, k, LENGTH_MAX)) - log(MEDIAN)) / SIGMA - tilt;
        double upto = i + 1 == k ? 1 : 0.5 * erfc(-at / sqrt(2));

        p[i] = upto - below;
        below = upto;
    }
}

static double distance_of(const double *p, const double *q, int k)
{
    double sum = 0;

    for (int i = 0; i < k; i++) {
        double m = (p[i] + q[i]) / 2;

        sum += p[i] > 0 ? 0.5 * p[i] * log(p[i] / m) : 0;
        sum += q[i] > 0 ? 0.5 * q[i] * log(q[i] / m) : 0;
    }
    return sqrt(fmax(sum, 0));
}

void lw_shares_lengths(struct lw_shares *s, int k, double distance)
{
    double p[LW_SHARES_LIMIT], low = 0, high = FARTHEST;

    s->k = k;
    tilted(0, k, p);
    for (int i = 0; i < 60; i++) {
        tilted((low + high) / 2, k, s->p);
        if (distance_of(p, s->p, k) < distance)
            low = (low + high) / 2;
        else
            high = (low + high) / 2;
    }
    tilted(distance > 0 ? low : 0, k, s->p);
    lw_shares_ready(s);
}
