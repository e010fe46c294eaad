/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine/train/early_stop.h"
#include "engine/train/machine.h"
#include "engine/train/plan.h"
#include "engine/train/schedule.h"
#include "engine/train/steps.h"

static struct lw_rate_schedule schedule(enum lw_schedule kind, double min_ratio, double warmup)
{
    struct lw_rate_schedule s;

    lw_rate_init(&s, kind, 2e-3, min_ratio, warmup, 100);
    return s;
}

Test(schedule, warms_up_in_a_line_to_the_peak)
{
    struct lw_rate_schedule s = schedule(LW_SCHEDULE_COSINE, 0.1, 0.1);

    cr_assert_eq(s.warmup, 10);
    cr_assert_float_eq(lw_rate_at(&s, 1), 2e-3 / 11, 1e-15);
    cr_assert_float_eq(lw_rate_at(&s, 10), 2e-3 * 10 / 11, 1e-15);
    cr_assert_float_eq(lw_rate_at(&s, 11), 2e-3, 1e-15);
}

Test(schedule, cosine_falls_to_the_floor)
{
    struct lw_rate_schedule s = schedule(LW_SCHEDULE_COSINE, 0.1, 0.0);

    cr_assert_float_eq(lw_rate_at(&s, 1), 2e-3, 1e-15);
    cr_assert_float_eq(lw_rate_at(&s, 51), 2e-3 * 0.55, 1e-12, "half way down at half time");
    cr_assert_gt(lw_rate_at(&s, 100), 2e-4, "the last step still moves");
    cr_assert_float_eq(lw_rate_at(&s, 101), 2e-4, 1e-15);
    cr_assert_float_eq(lw_rate_at(&s, 1000), 2e-4, 1e-15);
    for (uint64_t i = 1; i < 100; i++)
        cr_assert_gt(lw_rate_at(&s, i), lw_rate_at(&s, i + 1));
}

Test(schedule, linear_and_constant)
{
    struct lw_rate_schedule l = schedule(LW_SCHEDULE_LINEAR, 0.0, 0.2),
                            c = schedule(LW_SCHEDULE_CONSTANT, 0.0, 0.0);

    cr_assert_float_eq(lw_rate_at(&l, 21), 2e-3, 1e-15);
    cr_assert_float_eq(lw_rate_at(&l, 61), 1e-3, 1e-15);
    cr_assert_float_eq(lw_rate_at(&c, 1), 2e-3, 0);
    cr_assert_float_eq(lw_rate_at(&c, 100), 2e-3, 0);
}

Test(schedule, all_warm_up_does_not_divide_by_zero)
{
    struct lw_rate_schedule s = schedule(LW_SCHEDULE_COSINE, 0.0, 1.0);

    cr_assert(isfinite(lw_rate_at(&s, 100)));
    cr_assert_float_eq(lw_rate_at(&s, 101), 0, 0);
}

Test(steps, a_short_window_ends_an_epoch)
{
    struct lw_steps s;

    cr_assert_eq(lw_steps_init(&s, 10, 4, 3, 0, NULL), 0);
    cr_assert_eq(s.per_epoch, 3);
    cr_assert_eq(s.total, 9);
}

Test(steps, whichever_ends_first)
{
    struct lw_steps s;
    struct lw_error err = {0};

    cr_assert_eq(lw_steps_init(&s, 10, 1, 10, 25, NULL), 0);
    cr_assert_eq(s.total, 25);
    cr_assert_eq(lw_steps_init(&s, 10, 1, 2, 25, NULL), 0);
    cr_assert_eq(s.total, 20);
    cr_assert_eq(lw_steps_init(&s, 10, 1, 0, 7, NULL), 0);
    cr_assert_eq(s.total, 7);
    cr_assert_eq(lw_steps_init(&s, UINT64_MAX / 2, 1, 10, 7, NULL), 0);
    cr_assert_eq(s.total, 7);
    cr_assert_eq(lw_steps_init(&s, 10, 1, 0, 0, &err), LW_EUSAGE);
    cr_assert_eq(lw_steps_init(&s, 0, 1, 1, 0, &err), LW_EDATA);
    cr_assert(strstr(err.text, "batch_size"));
}

/* Ten batches an epoch, of which seven are to come in the second of three. */
Test(steps, are_counted_again_where_batches_have_changed)
{
    struct lw_steps s;

    cr_assert_eq(lw_steps_init(&s, 10, 2, 3, 0, NULL), 0);
    lw_steps_go_on(&s, 100, 1, 7);
    cr_expect_eq(s.total, 100 + 4 + 5);
    lw_steps_go_on(&s, 7, 1, 6);
    cr_expect_eq(s.total, 15, "as from the start, where nothing has changed");
    lw_steps_go_on(&s, 100, 3, 10);
    cr_expect_eq(s.total, 100, "all epochs are over");
    cr_assert_eq(lw_steps_init(&s, 10, 2, 3, 103, NULL), 0);
    lw_steps_go_on(&s, 100, 1, 7);
    cr_expect_eq(s.total, 103);
}

Test(early_stop, waits_as_long_as_told)
{
    struct lw_early_stop e;

    lw_early_stop_init(&e, 2, 0.0);
    cr_assert(lw_early_stop_take(&e, 3.0, 10));
    cr_assert_not(lw_early_stop_take(&e, 3.0, 20), "equal is not better");
    cr_assert_not(lw_early_stop_due(&e));
    cr_assert(lw_early_stop_take(&e, 2.9, 30));
    cr_assert_not(lw_early_stop_take(&e, 3.5, 40));
    cr_assert_not(lw_early_stop_due(&e));
    cr_assert_not(lw_early_stop_take(&e, NAN, 50));
    cr_assert(lw_early_stop_due(&e));
    cr_assert_float_eq(e.best, 2.9, 0);
    cr_assert_eq(e.best_step, 30);
}

Test(early_stop, small_steps_add_up_to_an_improvement)
{
    struct lw_early_stop e;

    lw_early_stop_init(&e, 3, 0.1);
    lw_early_stop_take(&e, 1.0, 1);
    cr_assert(lw_early_stop_take(&e, 0.95, 2), "it is the best, if not by enough");
    cr_assert_eq(e.waited, 1);
    cr_assert(lw_early_stop_take(&e, 0.89, 3));
    cr_assert_eq(e.waited, 0);
}

Test(early_stop, off_by_default)
{
    struct lw_early_stop e;

    lw_early_stop_init(&e, 0, 0.0);
    for (uint64_t i = 1; i < 100; i++)
        lw_early_stop_take(&e, 1.0, i);
    cr_assert_not(lw_early_stop_due(&e));
}

Test(machine, quota_of_a_control_group)
{
    cr_assert_float_eq(lw_machine_quota("200000 100000"), 2.0, 0);
    cr_assert_float_eq(lw_machine_quota("50000 100000"), 0.5, 0);
    cr_assert_float_eq(lw_machine_quota("max 100000"), 0, 0);
    cr_assert_float_eq(lw_machine_quota(""), 0, 0);
    cr_assert_float_eq(lw_machine_quota("100000 0"), 0, 0);
}

Test(machine, says_what_is_there)
{
    struct lw_machine m;

    lw_machine_look(&m);
    cr_assert_geq(m.threads, 1);
    cr_assert_leq(m.threads, m.affinity);
    cr_assert_leq(m.affinity, m.online);
    cr_assert_gt(m.memory_total, 1 << 20);
    cr_assert_leq(m.memory_free, m.memory_total);
}

/* What an image is cut into where nobody says: of every side a patch that divides it, where there
 * is one, and more than one patch. */
Test(plan, patches_fit_the_image)
{
    static const struct {
        int side, patch;
    } known[] = {{28, 7},   {32, 4}, {56, 7}, {64, 4},  {96, 16},
                 {224, 16}, {30, 5}, {50, 5}, {100, 20}};
    struct lw_error err;
    struct lw_config c;

    cr_assert_eq(lw_config_init(&c, &err), 0);
    cr_assert_eq(lw_config_set(&c, "task=vision_classification", &err), 0);
    cr_assert_eq(lw_config_set(&c, "data=x", &err), 0);
    cr_assert_eq(lw_config_finish(&c, false, &err), 0, "%s", err.text);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct lw_plan_data data = {.image_size = known[i].side, .classes = 10};
        struct lw_model_spec spec;

        cr_assert_eq(lw_plan_spec(&c, &data, &spec, &err), 0, "%d: %s", known[i].side, err.text);
        cr_expect_eq(spec.patch_size, known[i].patch, "%d: %d", known[i].side, spec.patch_size);
    }
    lw_config_fini(&c);
}
