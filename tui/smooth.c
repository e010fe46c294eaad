/* SPDX-License-Identifier: MIT */
#include "tui/smooth.h"

#include <math.h>
#include <string.h>

const double lw_smooth_weight[LW_SMOOTHINGS] = {0.6, 0.9, 0.97, 0.99};

void lw_smoother_init(struct lw_smoother *s)
{
    memset(s, 0, sizeof *s);
    s->ratio = 1.0;
    memcpy(s->decay, lw_smooth_weight, sizeof s->decay);
}

/* How far x is from the last sample, in mean distances so far; x that does not grow (a run that
 * was resumed, a repeated step) counts as one. */
static double distance(const struct lw_smoother *s, double x)
{
    double span = x - s->first_x, step = x - s->last_x;

    if (!(step > 0.0) || !(span > 0.0))
        return 1.0;
    return step * (double)s->count / span;
}

static void weigh(struct lw_smoother *s, double ratio)
{
    int settled = 1;

    if (ratio != s->ratio) {
        s->ratio = ratio;
        for (int k = 0; k < LW_SMOOTHINGS; k++)
            s->decay[k] = pow(lw_smooth_weight[k], ratio);
    }
    for (int k = 0; k < LW_SMOOTHINGS; k++) {
        double weight = s->weight[k] * s->decay[k] + 1.0;

        settled = settled && weight == s->weight[k];
        s->weight[k] = weight;
        s->share[k] = 1.0 / weight;
    }
    s->settled = settled;
}

void lw_smoother_add(struct lw_smoother *s, double x, double y)
{
    if (!s->count) {
        s->first_x = x;
        for (int k = 0; k < LW_SMOOTHINGS; k++) {
            s->weight[k] = 1.0;
            s->value[k] = y;
        }
    } else {
        double ratio = distance(s, x);

        if (ratio != s->ratio || !s->settled)
            weigh(s, ratio);
        for (int k = 0; k < LW_SMOOTHINGS; k++)
            s->value[k] += (y - s->value[k]) * s->share[k];
    }
    s->last_x = x;
    s->count++;
}
