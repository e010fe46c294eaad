/* SPDX-License-Identifier: MIT
 *
 * Which layers cuDNN's fused attention can take, for cards and versions that this machine need not
 * have.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "engine/ops/sdpa.h"

static const struct lw_sdpa_place h100 = {true, 9, 0, LW_BF16, 91900};
static const struct lw_attention gpt2 = {
    .batch = 8, .length = 1024, .heads = 12, .head_dim = 64, .causal = true, .scale = 0.125f};

static void yes(struct lw_sdpa_place p, struct lw_attention a)
{
    struct lw_error err = {0};

    cr_expect_eq(lw_sdpa_eligible(&p, &a, &err), 0, "%s", err.text);
}

static void no(struct lw_sdpa_place p, struct lw_attention a, const char *why)
{
    struct lw_error err = {0};

    cr_expect_eq(lw_sdpa_eligible(&p, &a, &err), LW_EMISSING, "expected: %s", why);
    cr_expect_str_eq(err.text, why);
}

static struct lw_sdpa_place card(int major, int minor)
{
    struct lw_sdpa_place p = h100;

    p.major = major;
    p.minor = minor;
    return p;
}

static struct lw_attention head(int dim)
{
    struct lw_attention a = gpt2;

    a.head_dim = dim;
    return a;
}

Test(ops_sdpa, the_usual_is_eligible)
{
    struct lw_sdpa_place p = h100;
    struct lw_attention a = gpt2;

    yes(p, a);
    p.type = LW_F16;
    yes(p, a);
    a.causal = false;
    a.length = 197;
    yes(p, a);
    p.cudnn = LW_SDPA_ANY_VERSION;
    yes(p, a);
    a.length = 2;
    yes(p, a);
}

Test(ops_sdpa, a_card_must_be_new_enough)
{
    struct lw_sdpa_place none = {.cuda = false};

    no(none, gpt2, "no CUDA");
    no(card(7, 5), gpt2, "compute capability 7.5, as a T4 has; cuDNN's needs 8.0 or newer");
    no(card(7, 0), gpt2, "compute capability 7.0; cuDNN's needs 8.0 or newer");
    no(card(6, 1), gpt2, "compute capability 6.1; cuDNN's needs 8.0 or newer");
    yes(card(8, 0), gpt2);
    yes(card(8, 6), gpt2);
    yes(card(8, 9), gpt2);
    yes(card(10, 0), gpt2);
    yes(card(12, 1), gpt2);
}

Test(ops_sdpa, heads_have_a_width_that_the_backward_knows)
{
    const int good[] = {8, 16, 64, 80, 96, 128};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        yes(card(8, 0), head(good[i]));
        yes(card(9, 0), head(good[i]));
        yes(card(10, 0), head(good[i]));
    }
    yes(card(9, 0), head(256));
    no(card(8, 9), head(256),
       "head dimension 256; cuDNN's needs a multiple of 8 up to 128 at compute capability 8.9");
    no(card(10, 0), head(136),
       "head dimension 136; cuDNN's needs a multiple of 8 up to 128 at compute capability 10.0");
    no(card(9, 0), head(512),
       "head dimension 512; cuDNN's needs a multiple of 8 up to 256 at compute capability 9.0");
    no(card(9, 0), head(36),
       "head dimension 36; cuDNN's needs a multiple of 8 up to 256 at compute capability 9.0");
    no(card(9, 0), head(0),
       "head dimension 0; cuDNN's needs a multiple of 8 up to 256 at compute capability 9.0");
}

Test(ops_sdpa, types_and_lengths)
{
    struct lw_sdpa_place p = h100;
    struct lw_attention a = gpt2;

    p.type = LW_F32;
    no(p, a, "F32; cuDNN's trains in bf16 or fp16");
    a.length = 1;
    no(h100, a, "sequence length 1");
}

Test(ops_sdpa, versions_that_are_missing_old_or_wrong)
{
    struct lw_sdpa_place p = h100;

    p.cudnn = 0;
    no(p, gpt2, "no cuDNN");
    p.cudnn = 90102;
    no(p, gpt2, "cuDNN 9.1.2 is too old: update it to 9.19 or newer");
    p.cudnn = 91001;
    no(p, gpt2, "cuDNN 9.10.1 computes attention wrongly: update it to 9.19 or newer");
    p.cudnn = 91002;
    yes(p, gpt2);
    p.cudnn = 90500;
    yes(p, gpt2);
    /* what is cheap to know comes first: nothing is loaded for a card that can't */
    p = card(7, 5);
    p.cudnn = 0;
    no(p, head(36), "compute capability 7.5, as a T4 has; cuDNN's needs 8.0 or newer");
}

static bool padded(size_t cudnn, int length, bool causal)
{
    struct lw_attention a = gpt2;

    a.length = length;
    a.causal = causal;
    return lw_sdpa_needs_padding(cudnn, &a);
}

Test(ops_sdpa, shapes_that_a_version_computes_wrongly_carry_a_mask)
{
    cr_expect_not(padded(91900, 1024, true));
    cr_expect_not(padded(91900, 197, false));
    cr_expect_not(padded(91900, 192, true));
    cr_expect(padded(91900, 192, false));
    cr_expect(padded(91900, 576, false));
    cr_expect(padded(91900, 64, false));
    cr_expect_not(padded(91900, 256, false));
    cr_expect(padded(91400, 197, false));
    cr_expect(padded(91500, 1000, true));
    cr_expect_not(padded(91500, 1024, true));
    cr_expect_not(padded(91501, 1000, true));
}
