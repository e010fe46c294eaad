/* SPDX-License-Identifier: MIT */
#include "engine/train/steps.h"

int lw_steps_init(struct lw_steps *s, uint64_t batches, uint64_t accumulation, uint64_t epochs,
                  uint64_t max_steps, struct lw_error *err)
{
    if (!batches)
        return lw_fail(err, LW_EDATA,
                       "the training data does not fill one batch: use a smaller "
                       "batch_size or max_seq_len, or more data");
    if (!epochs && !max_steps)
        return lw_fail(err, LW_EUSAGE, "neither epochs nor max_steps says when to end");
    s->accumulation = accumulation ? accumulation : 1;
    s->epochs = epochs;
    s->max_steps = max_steps;
    s->per_epoch = (batches + s->accumulation - 1) / s->accumulation;
    lw_steps_go_on(s, 0, 0, batches);
    return 0;
}

void lw_steps_go_on(struct lw_steps *s, uint64_t done, uint64_t epoch, uint64_t left)
{
    uint64_t later = s->epochs > epoch ? s->epochs - epoch - 1 : 0, steps = 0;

    if (s->epochs > epoch)
        steps = (left + s->accumulation - 1) / s->accumulation;
    if (!s->epochs || __builtin_mul_overflow(later, s->per_epoch, &s->total) ||
        __builtin_add_overflow(s->total, steps, &s->total) ||
        __builtin_add_overflow(s->total, done, &s->total))
        s->total = UINT64_MAX;
    if (s->max_steps && s->max_steps < s->total)
        s->total = s->max_steps;
}
