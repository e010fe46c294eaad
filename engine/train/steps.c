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
    accumulation = accumulation ? accumulation : 1;
    s->per_epoch = (batches + accumulation - 1) / accumulation;
    if (!epochs || __builtin_mul_overflow(epochs, s->per_epoch, &s->total))
        s->total = UINT64_MAX;
    if (max_steps && max_steps < s->total)
        s->total = max_steps;
    return 0;
}
