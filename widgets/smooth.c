/* SPDX-License-Identifier: MIT */
#include "widgets/smooth.h"

#include <math.h>

void lw_ema_init(struct lw_ema *ema, double half_life)
{
    *ema = (struct lw_ema){.half_life = half_life, .x = NAN};
}

double lw_ema_push(struct lw_ema *ema, double x, double y)
{
    double distance, keep;

    if (!isfinite(y))
        return NAN;
    if (!(ema->half_life > 0))
        return y;
    distance = x - ema->x;
    keep = distance > 0 ? exp2(-distance / ema->half_life) : 1;
    if (isfinite(x))
        ema->x = x;
    /* The mean moves towards y by y's share of the weight: a constant stays exactly itself, which
     * a running sum divided by a running weight would not. */
    ema->weight = ema->weight * keep + 1;
    ema->mean += (y - ema->mean) / ema->weight;
    return ema->mean;
}

/* Take p into bucket b, which holds only gaps or nothing if b->y is NaN. */
static void take(struct lw_point *b, const struct lw_point *p)
{
    double low = isfinite(p->low) ? p->low : p->y, high = isfinite(p->high) ? p->high : p->y;

    if (!isfinite(p->y)) {
        if (!isfinite(b->y))
            b->x = p->x;
        return;
    }
    if (!isfinite(b->y)) {
        *b = (struct lw_point){p->x, p->y, low, high};
        return;
    }
    b->x = p->x;
    b->y = p->y;
    b->low = fmin(b->low, low);
    b->high = fmax(b->high, high);
}

size_t lw_decimate(const struct lw_point *in, size_t n, double first, double last, size_t columns,
                   struct lw_point *out)
{
    double scale = (double)columns / (last - first);
    size_t count = 0, now = 0;

    if (columns == 0 || !(last > first))
        return 0;
    for (size_t i = 0; i < n; i++) {
        double at = (in[i].x - first) * scale;
        size_t column;

        if (!(in[i].x >= first && in[i].x <= last))
            continue;
        column = at >= (double)columns ? columns - 1 : (size_t)at;
        if (count == 0 || column > now) {
            out[count++] = (struct lw_point){in[i].x, NAN, NAN, NAN};
            now = column;
        }
        take(&out[count - 1], &in[i]);
    }
    return count;
}
