/* SPDX-License-Identifier: MIT */
#include "engine/train/schedule.h"

#include <math.h>

void lw_rate_init(struct lw_rate_schedule *s, enum lw_schedule kind, double peak, double min_ratio,
                  double warmup_ratio, uint64_t total)
{
    s->kind = kind;
    s->peak = peak;
    s->min_ratio = min_ratio;
    s->warmup = (uint64_t)llround(warmup_ratio * (double)total);
    s->total = total;
}

double lw_rate_at(const struct lw_rate_schedule *s, uint64_t step)
{
    double share, shape;

    if (step <= s->warmup)
        return s->peak * (double)step / (double)(s->warmup + 1);
    if (s->kind == LW_SCHEDULE_CONSTANT)
        return s->peak;
    if (step > s->total)
        return s->peak * s->min_ratio;
    share = (double)(step - 1 - s->warmup) / (double)(s->total - s->warmup);
    shape = s->kind == LW_SCHEDULE_COSINE ? 0.5 * (1.0 + cos(M_PI * share)) : 1.0 - share;
    return s->peak * (s->min_ratio + (1.0 - s->min_ratio) * shape);
}
