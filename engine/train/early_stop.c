/* SPDX-License-Identifier: MIT */
#include "engine/train/early_stop.h"

#include <math.h>

void lw_early_stop_init(struct lw_early_stop *e, int patience, double min_delta)
{
    e->patience = patience;
    e->min_delta = min_delta;
    e->best = INFINITY;
    e->best_step = 0;
    e->anchor = INFINITY;
    e->waited = 0;
}

bool lw_early_stop_take(struct lw_early_stop *e, double loss, uint64_t step)
{
    bool better = isfinite(loss) && loss < e->best;

    if (better) {
        e->best = loss;
        e->best_step = step;
    }
    if (isfinite(loss) && loss < e->anchor - e->min_delta) {
        e->anchor = loss;
        e->waited = 0;
    } else {
        e->waited++;
    }
    return better;
}

bool lw_early_stop_due(const struct lw_early_stop *e)
{
    return e->patience > 0 && e->waited >= e->patience;
}
