/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/train/bench.h"
#include "engine/train/checkpoint.h"
#include "engine/train/state.h"
#include "engine/usage.h"
#include "engine/train/watch.h"
#include "tests/support.h"

static struct lw_train_state sample_state(void)
{
    struct lw_train_state s;

    lw_state_init(&s);
    s.step = 500;
    s.updates = 498;
    s.tokens = 1ull << 40;
    s.epoch = 1.0 / 3.0;
    s.time = 1234.56789012345;
    s.epoch_began = 0.1;
    s.seed = 9007199254740993ull;
    s.loader.epoch = 2;
    s.loader.index = 77;
    strcpy(s.data_hash, "0123456789abcdef0123456789abcdef");
    s.length = 128;
    s.stop.best = 2.25;
    s.stop.best_step = 450;
    s.stop.anchor = 2.3;
    s.stop.waited = 1;
    s.evaluated = 500;
    s.train_loss = 2.1;
    s.val_loss = 2.26;
    s.metrics_bytes = 4096;
    s.drift_bytes = 10;
    s.events_bytes = 333;
    s.files = 1;
    strcpy(s.file[0].name, "model.safetensors");
    s.file[0].bytes = 12345;
    s.file[0].hash = 0xfedcba9876543210ull;
    return s;
}

Test(state, comes_back_as_it_was_saved)
{
    const char *path = test_path(test_folder(), "state.json");
    struct lw_train_state s = sample_state(), t;

    cr_assert_eq(lw_state_save(&s, path, NULL), 0);
    lw_state_init(&t);
    cr_assert_eq(lw_state_load(&t, path, NULL), 0);
    cr_expect_eq(t.step, s.step);
    cr_expect_eq(t.updates, s.updates);
    cr_expect_eq(t.tokens, s.tokens);
    cr_expect_eq(t.epoch, s.epoch);
    cr_expect_eq(t.time, s.time);
    cr_expect_eq(t.seed, s.seed);
    cr_expect_eq(t.loader.epoch, 2);
    cr_expect_eq(t.loader.index, 77);
    cr_expect_str_eq(t.data_hash, s.data_hash);
    cr_expect_eq(t.stop.best, 2.25);
    cr_expect_eq(t.stop.anchor, 2.3);
    cr_expect_eq(t.stop.waited, 1);
    cr_expect_eq(t.evaluated, 500);
    cr_expect_eq(t.events_bytes, 333);
    cr_assert_eq(t.files, 1);
    cr_expect_eq(t.file[0].hash, s.file[0].hash);
}

Test(state, nothing_known_yet_comes_back_too)
{
    const char *path = test_path(test_folder(), "state.json");
    struct lw_train_state s, t;

    lw_state_init(&s);
    cr_assert_eq(lw_state_save(&s, path, NULL), 0);
    lw_state_init(&t);
    t.val_loss = 1;
    cr_assert_eq(lw_state_load(&t, path, NULL), 0);
    cr_expect(isnan(t.val_loss));
    cr_expect(isinf(t.stop.best));
}

static bool says_the_same(const struct lw_train_state *a, const struct lw_train_state *b)
{
    const char *path = test_path(test_folder(), "same.json");
    char *x, *y;
    size_t n;
    bool same;

    cr_assert_eq(lw_state_save(a, path, NULL), 0);
    cr_assert_eq(lw_read_file(path, 0, &x, &n, NULL), 0);
    cr_assert_eq(lw_state_save(b, path, NULL), 0);
    cr_assert_eq(lw_read_file(path, 0, &y, &n, NULL), 0);
    same = strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

/* Every single character that is changed must be found out, wherever it stands. */
Test(state, no_changed_byte_goes_unseen)
{
    const char *path = test_path(test_folder(), "state.json");
    struct lw_train_state s = sample_state(), t;
    struct lw_error err;
    char *text;
    size_t n;
    int believed = 0;

    cr_assert_eq(lw_state_save(&s, path, NULL), 0);
    cr_assert_eq(lw_read_file(path, 0, &text, &n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        char saved = text[i];

        if (saved == ' ' || saved == '\n')
            continue;
        text[i] = saved == '7' ? '8' : '7';
        cr_assert_eq(lw_replace_file(path, text, n, 0, NULL), 0);
        lw_state_init(&t);
        if (lw_state_load(&t, path, &err) == 0) {
            believed += !says_the_same(&t, &s); /* the 17th digit may not matter */
        } else {
            cr_assert_eq(err.code, LW_EDATA);
            cr_assert(strstr(err.text, "state.json"), "%s", err.text);
        }
        text[i] = saved;
    }
    cr_assert_eq(believed, 0, "%d changes were believed", believed);
    free(text);
}

Test(state, a_later_version_is_told_apart)
{
    const char *path = test_path(test_folder(), "state.json");
    struct lw_train_state t;
    struct lw_error err;

    test_write(path, "{\"version\": 99}");
    cr_assert_eq(lw_state_load(&t, path, &err), LW_EDATA);
    cr_assert(strstr(err.text, "version 99"), "%s", err.text);
}

static void make_checkpoints(const char *dir, const char *const *names)
{
    struct lw_error err;

    for (; *names; names++)
        cr_assert_eq(lw_make_folders(test_path(dir, *names), &err), 0);
}

Test(checkpoints, listed_by_number_newest_first)
{
    const char *dir = test_folder();
    struct lw_checkpoint_list list;

    make_checkpoints(
        dir, (const char *const[]){"checkpoints/step-000900", "checkpoints/step-1000000",
                                   "checkpoints/step-000010", "checkpoints/.step-000020.tmp",
                                   "checkpoints/step-000030.damaged", "checkpoints/other", NULL});
    cr_assert_eq(lw_checkpoint_list(dir, &list, NULL), 0);
    cr_assert_eq(list.count, 3);
    cr_expect_eq(list.item[0].step, 1000000);
    cr_expect_eq(list.item[1].step, 900);
    cr_expect_eq(list.item[2].step, 10);
    lw_checkpoint_list_free(&list);
}

Test(checkpoints, no_folder_is_an_empty_list)
{
    struct lw_checkpoint_list list;

    cr_assert_eq(lw_checkpoint_list(test_folder(), &list, NULL), 0);
    cr_assert_eq(list.count, 0);
}

Test(checkpoints, pruning_keeps_the_newest_and_the_best)
{
    const char *dir = test_folder();
    struct lw_checkpoint_list list;

    make_checkpoints(dir,
                     (const char *const[]){"checkpoints/step-000010", "checkpoints/step-000020",
                                           "checkpoints/step-000030", "checkpoints/step-000040",
                                           "checkpoints/.step-000050.tmp", NULL});
    lw_checkpoint_prune(dir, 2, 10);
    cr_assert_eq(lw_checkpoint_list(dir, &list, NULL), 0);
    cr_assert_eq(list.count, 3);
    cr_expect_eq(list.item[0].step, 40);
    cr_expect_eq(list.item[1].step, 30);
    cr_expect_eq(list.item[2].step, 10);
    cr_expect_eq(access(test_path(dir, "checkpoints/.step-000050.tmp"), F_OK), -1);
    lw_checkpoint_list_free(&list);
}

Test(watch, tells_a_spike_once)
{
    struct lw_watch w;
    char text[240];
    int told = 0;

    lw_watch_init(&w);
    for (uint64_t i = 1; i <= 200; i++)
        told += lw_watch_step(&w, i, 3.0 + 0.01 * (double)(i % 7), 1.0 + 0.02 * (double)(i % 5),
                              0.1, text, sizeof text);
    cr_assert_eq(told, 0, "%s", text);
    cr_assert(lw_watch_step(&w, 201, 9.0, 1.0, 0.1, text, sizeof text));
    cr_assert(strstr(text, "loss spike at step 201"), "%s", text);
    cr_assert_not(lw_watch_step(&w, 202, 9.0, 1.0, 0.1, text, sizeof text));
}

Test(watch, tells_a_slow_step)
{
    struct lw_watch w;
    char text[240];

    lw_watch_init(&w);
    for (uint64_t i = 1; i <= 100; i++)
        cr_assert_not(lw_watch_step(&w, i, 3.0, 1.0, 0.5, text, sizeof text));
    cr_assert(lw_watch_step(&w, 101, 3.0, 1.0, 10.0, text, sizeof text));
    cr_assert(strstr(text, "slow step 101: 10.0 s"), "%s", text);
}

Test(watch, nan_is_not_its_business)
{
    struct lw_watch w;
    char text[240];

    lw_watch_init(&w);
    for (uint64_t i = 1; i <= 100; i++)
        cr_assert_not(lw_watch_step(&w, i, NAN, INFINITY, 0.1, text, sizeof text));
}

Test(usage, numbers_are_checked)
{
    struct lw_error err;
    double x = 0;

    cr_assert_eq(lw_usage_number("--tokens", "12", 1, 100, true, &x, &err), 0);
    cr_assert_float_eq(x, 12, 0);
    cr_assert_eq(lw_usage_number("--tokens", "1.5", 1, 100, true, &x, &err), LW_EUSAGE);
    cr_assert_eq(lw_usage_number("--tokens", "12x", 1, 100, true, &x, &err), LW_EUSAGE);
    cr_assert_eq(lw_usage_number("--tokens", "", 1, 100, true, &x, &err), LW_EUSAGE);
    cr_assert_eq(lw_usage_number("--tokens", "nan", 1, 100, false, &x, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "--tokens: \"nan\""), "%s", err.text);
}

/* A file may be called anything: a line that names it must not steer the terminal. */
Test(usage, errors_are_told_line_by_line_and_cleaned, .init = cr_redirect_stderr)
{
    struct lw_error err;
    char said[200];
    FILE *f;
    size_t n;

    f = cr_get_redirected_stderr();
    lw_fail(&err, LW_EUSAGE, "a\033]0;x\007.csv is empty\nb\xff is none");
    cr_assert_eq(lw_usage_end(LW_EUSAGE, &err), 2);
    cr_assert_eq(lw_usage_end(LW_EIO, &(struct lw_error){LW_EIO, "the end"}), 1);
    cr_assert_eq(lw_usage_end(0, &err), 0);
    fflush(stderr);
    n = fread(said, 1, sizeof said - 1, f);
    said[n] = '\0';
    cr_assert_str_eq(said, "leeway-engine: a?]0;x?.csv is empty\nleeway-engine: b? is none\n"
                           "leeway-engine: the end\n");
}

Test(bench, arguments_are_taken_or_named)
{
    char a[] = "size=124M", b[] = "steps=7", c[] = "size_x=1";
    char *items[] = {a, b, c};
    struct lw_bench_args args = {items, 3};
    struct lw_error err;
    int steps;

    cr_assert_str_eq(lw_bench_take(&args, "size", "10.8M"), "124M");
    cr_assert_str_eq(lw_bench_take(&args, "size", "10.8M"), "10.8M");
    cr_assert_eq(lw_bench_take_number(&args, "steps", 10, 1, 100, &steps, &err), 0);
    cr_assert_eq(steps, 7);
    cr_assert_eq(lw_bench_all_taken(&args, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "size_x=1"), "%s", err.text);
}

Test(bench, median)
{
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};

    cr_assert_float_eq(lw_bench_median(odd, 3), 2, 0);
    cr_assert_float_eq(lw_bench_median(even, 4), 2.5, 0);
}
