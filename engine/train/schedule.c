/* SPDX-License-Identifier: MIT */
#include "engine/train/schedule.h"

#include <math.h>
#include <string.h>

int lw_schedule_init(struct lw_schedule *s, const char *kind, double peak, double min_ratio,
                     double warmup_ratio, uint64_t total, struct lw_error *err)
{
    static const char *const words[] = {"cosine", "linear", "constant"};
    size_t k = 0;

    while (k < sizeof words / sizeof *words && strcmp(words[k], kind) != 0)
        k++;
    if (k == sizeof words / sizeof *words)
        return lw_fail(err, LW_EUSAGE, "lr_schedule: \"%s\" is none of cosine, linear, constant",
                       kind);
    s->kind = (enum lw_schedule_kind)k;
    s->peak = peak;
    s->min_ratio = min_ratio;
    s->warmup = (uint64_t)llround(warmup_ratio * (double)total);
    s->total = total;
    return 0;
}

double lw_schedule_rate(const struct lw_schedule *s, uint64_t step)
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
