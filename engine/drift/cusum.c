/* SPDX-License-Identifier: MIT */
#include "engine/drift/cusum.h"

#include <math.h>

#define OVERSHOOT 1.166 /* twice what a normal walk jumps over its limit in the mean */
#define SIDES     24    /* steps of the reference's luck on either side of none, */
#define STEP      0.25  /* of a deviation each */
#define TIMES     120   /* at which a score may have been quiet so far, */
#define FIRST     -2.0  /* e^-2 checks to ... */
#define RATIO     0.3   /* ... e^34, each e^0.3 of the one before */
#define HIGHEST   60.0

/* Mean checks until a walk of normal steps (mean less slack: drift, deviation 1), never below 0,
 * passes limit (Siegmund 1985, 2.57). */
static double mean_checks(double drift, double limit)
{
    double b = limit + OVERSHOOT, x = -2 * drift * b;

    if (fabs(x) < 1e-4)
        return b * b * (1 + x / 3);
    return (expm1(x) - x) / (2 * drift * drift);
}

/* Mean checks until the first of several scores passes. A score's steps share what its reference
 * has by chance: a part `shared` of their deviation, the same in all of a run. Given that, the time
 * is exponential nearly; its chance to be quiet so far, over all references, to the power of the
 * scores is that of all, and its integral the mean. */
static double first_alarm(double limit, double slack, int scores, double shared)
{
    double own = sqrt(1 - shared * shared), luck[2 * SIDES + 1], mean[2 * SIDES + 1], all = 0;
    double sum = 0, one = 0;

    for (int i = 0; i <= 2 * SIDES; i++) {
        double g = (i - SIDES) * STEP;

        all += luck[i] = exp(-g * g / 2);
        mean[i] = mean_checks((shared * g - slack) / own, limit / own);
        one += luck[i] * mean[i];
    }
    if (scores == 1)
        return one / all;
    for (int t = 0; t < TIMES; t++) {
        double time = exp(FIRST + RATIO * t), quiet = 0;

        for (int i = 0; i <= 2 * SIDES; i++)
            quiet += luck[i] / all * exp(-time / mean[i]);
        sum += pow(quiet, scores) * time * RATIO;
    }
    return sum;
}

double lw_cusum_limit(double mean, int scores, double shared)
{
    double low = 0, high = HIGHEST;

    if (isnan(shared))
        return NAN;
    if (!(mean > 1 && scores > 0))
        return 0;
    for (int i = 0; i < 32; i++) { /* the higher the limit, the later */
        double middle = (low + high) / 2;

        if (first_alarm(middle, LW_CUSUM_SLACK, scores, shared) < mean)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool lw_cusum_add(struct lw_cusum *c, double z, double slack, double limit, int64_t *began)
{
    c->seen++;
    if (isnan(z))
        return false;
    c->sum += z - slack;
    if (c->sum <= 0) {
        c->sum = 0;
        c->zero = c->seen;
    }
    if (c->sum <= limit)
        return false;
    if (began)
        *began = c->zero + 1;
    c->sum = 0;
    c->zero = c->seen;
    return true;
}
