/* SPDX-License-Identifier: MIT */
#include "engine/ops/sdpa.h"

#define OLDEST 90500 /* the first whose composite attention we know to be right */

/* The widest head whose backward there is, by compute capability; 0: no fused attention. */
static int widest_head(int major, int minor)
{
    if (major < 8)
        return 0;
    return major == 9 && minor == 0 ? 256 : 128;
}

static int check_version(size_t v, struct lw_error *err)
{
    if (v == LW_SDPA_ANY_VERSION)
        return 0;
    if (!v)
        return lw_fail(err, LW_EMISSING, "no cuDNN");
    if (v < OLDEST)
        return lw_fail(err, LW_EMISSING, "cuDNN %zu.%zu.%zu is too old: update it to 9.19 or newer",
                       v / 10000, v / 100 % 100, v % 100);
    if (v == 91000 || v == 91001)
        return lw_fail(err, LW_EMISSING,
                       "cuDNN 9.10.%zu computes attention wrongly: update it to 9.19 or newer",
                       v % 100);
    return 0;
}

int lw_sdpa_eligible(const struct lw_sdpa_place *p, const struct lw_attention *a,
                     struct lw_error *err)
{
    const int widest = widest_head(p->major, p->minor);

    if (!p->cuda)
        return lw_fail(err, LW_EMISSING, "no CUDA");
    if (!widest)
        return lw_fail(err, LW_EMISSING, "compute capability %d.%d%s; cuDNN's needs 8.0 or newer",
                       p->major, p->minor, p->major == 7 && p->minor == 5 ? ", as a T4 has" : "");
    if (p->type != LW_BF16 && p->type != LW_F16)
        return lw_fail(err, LW_EMISSING, "%s; cuDNN's trains in bf16 or fp16",
                       lw_dtype_name(p->type));
    if (a->head_dim < 8 || a->head_dim % 8 || a->head_dim > widest)
        return lw_fail(err, LW_EMISSING,
                       "head dimension %d; cuDNN's needs a multiple of 8 up to %d at compute "
                       "capability %d.%d",
                       a->head_dim, widest, p->major, p->minor);
    if (a->length < 2)
        return lw_fail(err, LW_EMISSING, "sequence length 1");
    return check_version(p->cudnn, err);
}

bool lw_sdpa_needs_padding(size_t cudnn, const struct lw_attention *a)
{
    if (cudnn <= 91500 && a->length % 128)
        return true;                            /* keys beyond the last full tile */
    return !a->causal && a->length % 128 == 64; /* dQ turns NaN where a row's sum is tiny */
}
