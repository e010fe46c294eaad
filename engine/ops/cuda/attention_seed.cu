/* SPDX-License-Identifier: MIT
 *
 * Where cuDNN's dropout of attention probabilities begins: its generator takes a seed from device
 * memory, which so can follow the step in a recording too.
 */
#include "engine/ops/cuda/kernel.cuh"

/* The words of the site's stream at a position that no element has. */
__global__ void draw_seed(long long *seed, const struct lw_record *record, uint32_t site)
{
    const struct lw_step step = record->step;
    const uint64_t stream = 3 | (uint64_t)site << 8 | (step.step * 4096 + step.micro) << 24;
    const uint4 w = philox(step.seed, stream, ~0ull);

    seed[0] = (long long)((uint64_t)(w.x & 0x7fffffffu) << 32 | w.y);
    seed[1] = 0; /* the offset */
}

extern "C" void lw_cuda_attention_seed(struct lw_device *dev, int64_t *seed, uint32_t site)
{
    draw_seed<<<1, 1, 0, dev->stream>>>((long long *)seed, dev->record, site);
    lw_cuda_launched(dev, "attention dropout");
}
