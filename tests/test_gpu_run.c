/* SPDX-License-Identifier: MIT
 *
 * A run on a GPU as far as the files of the run and its errors go: on a stand-in for the CUDA
 * module, whose ops the CPU computes, beside a stand-in for NVML.
 */
#include <criterion/criterion.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/run/status.h"
#include "tests/support.h"
#include "tests/train_support.h"

#define SHAPE                                                                                      \
    "d_model=32", "num_layers=1", "num_heads=2", "max_seq_len=16", "threads=1",                    \
        "evaluate_every=off", "sample_every=off"
#define SMALL SHAPE, "batch_size=2"

static void plug(void)
{
    const char *folder = test_folder();

    setenv("LEEWAY_MODULES", folder, 1);
    cr_assert_eq(
        symlink(test_built("tests/.libs/libfake-cuda.so"), test_path(folder, "libleeway-cuda.so")),
        0);
    setenv("LEEWAY_NVML", test_built("tests/.libs/libfake-nvml.so"), 1);
    setenv("LEEWAY_FAKE_NVML", "1", 1);
    unsetenv("LEEWAY_FAKE_GPU");
    unsetenv("LEEWAY_BACKEND");
}

TestSuite(gpu_run, .init = plug, .timeout = 300);

static void check_last(const char *dir, const char *column, double expected)
{
    double values[64];
    int n = train_column(dir, column, values, 64);

    cr_assert_gt(n, 0, "%s is empty", column);
    cr_assert_float_eq(values[n - 1], expected, 1e-6 * fabs(expected), "%s: %g", column,
                       values[n - 1]);
}

Test(gpu_run, telemetry_is_in_the_metrics)
{
    const char *dir = test_folder();
    double mfu[400], rate[400], x[400];
    int n;

    train_config(dir, (const char *const[]){SMALL, "device=cuda", "max_steps=300", NULL});
    train_to_end(dir);
    check_last(dir, "system/gpu_memory_mb", 700);
    check_last(dir, "system/gpu_utilization", 3);
    check_last(dir, "system/gpu_temperature_c", 57);
    check_last(dir, "system/gpu_clock_mhz", 1755);
    cr_assert_eq(train_column(dir, "system/gpu_power_w", x, 400), 0, "the card does not tell it");
    n = train_column(dir, "mfu", mfu, 400);
    cr_assert_eq(n, 300);
    cr_assert_eq(train_column(dir, "tokens_per_second", rate, 400), 300);
    /* N = (257 + 16) 32 + (12 32^2 + 13 32) + 64, and 6 L C T */
    for (int i = 0; i < n; i++)
        cr_assert_float_eq(mfu[i] / rate[i], (6.0 * 21504 + 6.0 * 32 * 16) / 989.4e12, 1e-3 * 1e-10,
                           "row %d", i);
    cr_assert(train_logged(dir, "device: NVIDIA H100 80GB HBM3"));
    cr_assert(train_logged(dir, "warn the GPU's clocks are held down by heat"));
    cr_assert_not(train_logged(dir, "in use by"), "the other card is");
}

Test(gpu_run, others_on_the_card_are_warned_of)
{
    const char *dir = test_folder();

    train_config(dir, (const char *const[]){SMALL, "device=cuda:0", "max_steps=2", NULL});
    train_to_end(dir);
    cr_assert(train_logged(dir, "warn cuda:0 is in use by python3 (pid 4242, 0 MB)"));
}

Test(gpu_run, without_nvml_cells_are_empty_and_a_line_says_so)
{
    const char *dir = test_folder();
    double x[8];

    setenv("LEEWAY_NVML", "/nowhere/libnvidia-ml.so.1", 1);
    train_config(dir, (const char *const[]){SMALL, "device=cuda", "max_steps=3", NULL});
    train_to_end(dir);
    cr_assert_eq(train_column(dir, "system/gpu_memory_mb", x, 8), 0);
    cr_assert_eq(train_column(dir, "mfu", x, 8), 3);
    cr_assert(train_logged(dir, "info no GPU telemetry: /nowhere/libnvidia-ml.so.1"));
}

Test(gpu_run, a_module_of_another_version_is_refused_and_auto_trains_on)
{
    const char *dir = test_folder();
    struct train_end end;

    setenv("LEEWAY_FAKE_GPU", "old", 1);
    train_config(dir, (const char *const[]){SMALL, "device=cuda", "max_steps=3", NULL});
    end = train(dir);
    cr_assert_lt(end.code, 0);
    cr_assert(strstr(end.text, "libleeway-cuda.so is of another version of leeway"), "%s", end.text);
    dir = test_folder();
    train_config(dir, (const char *const[]){SMALL, "device=auto", "max_steps=3", NULL});
    cr_assert_eq(train(dir).code, 0);
}

Test(gpu_run, a_cpu_has_neither)
{
    const char *dir = test_folder();
    double x[8];

    train_config(dir, (const char *const[]){SMALL, "device=cpu", "max_steps=3", NULL});
    train_to_end(dir);
    cr_assert_eq(train_column(dir, "mfu", x, 8), 0);
    cr_assert_eq(train_column(dir, "system/gpu_utilization", x, 8), 0);
    cr_assert_not(train_logged(dir, "telemetry"));
}

static int named_batch(const char *text)
{
    const char *at = strstr(text, ": batch_size=");

    return at ? atoi(at + strlen(": batch_size=")) : 0;
}

/* What the error names fits, and not much less than would. */
static void check_named(const char *limit, int asked)
{
    const char *dir = test_folder();
    struct train_end end;
    char batch[32], step[32];
    int fits;

    setenv("LEEWAY_FAKE_GPU", limit, 1);
    snprintf(batch, sizeof batch, "batch_size=%d", asked);
    snprintf(step, sizeof step, "max_steps=1");
    train_config(dir, (const char *const[]){SHAPE, batch, "device=cuda", step, NULL});
    end = train(dir);
    cr_assert_lt(end.code, 0);
    cr_assert_null(strchr(end.text, '\n'));
    fits = named_batch(end.text);
    cr_assert_gt(fits, 0, "%s", end.text);
    cr_assert_lt(fits, asked);
    for (int more = 0; more < 2; more++) {
        snprintf(batch, sizeof batch, "batch_size=%d", more ? fits + fits / 2 + 1 : fits);
        train_config(dir, (const char *const[]){SHAPE, batch, "device=cuda", step, NULL});
        end = train(dir);
        cr_assert_eq(end.code == 0, !more, "%s: %s", batch, end.text);
    }
}

Test(gpu_run, out_of_memory_names_a_batch_that_fits)
{
    check_named("memory=4000000", 400);
}

Test(gpu_run, and_that_counts_what_the_backend_needs_beside_the_plan)
{
    check_named("batch=37", 400);
}

Test(gpu_run, a_failing_op_is_named_with_step_and_code_and_leaves_the_checkpoint)
{
    const char *dir = test_folder();
    struct train_end end;

    train_config(dir, (const char *const[]){SMALL, "device=cuda", "max_steps=20",
                                            "checkpoint_every=5", NULL});
    setenv("LEEWAY_FAKE_GPU", "fail=13", 1);
    end = train(dir);
    cr_assert_lt(end.code, 0);
    cr_assert(strstr(end.text, "norm failed on NVIDIA H100"), "%s", end.text);
    cr_assert(strstr(end.text, "at step 13"), "%s", end.text);
    cr_assert(strstr(end.text, "700"), "%s", end.text);
    cr_assert_eq(access(test_path(dir, "checkpoints/step-000010/state.json"), R_OK), 0);
    unsetenv("LEEWAY_FAKE_GPU");
    train_to_end(dir);
    cr_assert(train_logged(dir, "resumed from step-000010"));
}

/* bench attention's way through shapes, sets and rounds; times mean nothing here. */
static json_t *bench(const char *shapes, int *code)
{
    const char *dir = test_folder(), *path = test_path(dir, "out");
    char command[9000];
    json_t *report;
    int status;

    snprintf(command, sizeof command,
             "'%s' bench attention device=cuda attention=math shapes=%s --json >'%s' 2>&1",
             test_built("leeway-engine"), shapes, path);
    status = system(command);
    *code = WEXITSTATUS(status);
    report = json_load_file(path, 0, NULL);
    return report;
}

Test(gpu_run, bench_attention_measures_each_shape)
{
    json_t *report, *row;
    int code;

    report = bench("2x2x16x8:causal,1x1x9x16:full", &code);
    cr_assert_eq(code, 0);
    cr_assert(report);
    cr_assert_eq(json_array_size(json_object_get(report, "shapes")), 2);
    row = json_array_get(json_object_get(report, "shapes"), 1);
    cr_assert_eq(json_integer_value(json_object_get(row, "length")), 9);
    cr_assert(json_is_false(json_object_get(row, "causal")));
    cr_assert_gt(json_real_value(json_object_get(row, "forward_us")), 0);
    cr_assert_gt(json_real_value(json_object_get(row, "backward_us")), 0);
    /* 4 B H S^2 D, and two and a half times that */
    cr_assert_float_eq(json_real_value(json_object_get(row, "forward_tflops")) *
                           json_real_value(json_object_get(row, "forward_us")),
                       4.0 * 81 * 16 * 1e-6, 1e-7);
    json_decref(report);
    cr_assert_null(bench("2x2x16:causal", &code));
    cr_assert_eq(code, 2);
    cr_assert_null(bench("2x2x16x8:sideways", &code));
    cr_assert_eq(code, 2);
}

Test(gpu_run, status_carries_the_card)
{
    const char *dir = test_folder();
    struct lw_status in, out;
    struct lw_error err;

    lw_status_init(&in);
    in.mfu = 0.51;
    in.gpu.power_w = 655.5;
    in.gpu.memory_mb = 71234;
    cr_assert_eq(lw_status_write(dir, &in, &err), 0, "%s", err.text);
    cr_assert_eq(lw_status_read(dir, &out, &err), 0, "%s", err.text);
    cr_assert_float_eq(out.mfu, 0.51, 1e-12);
    cr_assert_float_eq(out.gpu.power_w, 655.5, 1e-9);
    cr_assert_float_eq(out.gpu.memory_mb, 71234, 1e-9);
    cr_assert(isnan(out.gpu.utilization) && isnan(out.gpu.clock_mhz));
    lw_status_init(&in);
    cr_assert_eq(lw_status_write(dir, &in, &err), 0, "%s", err.text);
    cr_assert_eq(lw_status_read(dir, &out, &err), 0, "%s", err.text);
    cr_assert(isnan(out.mfu) && isnan(out.gpu.memory_mb));
}
