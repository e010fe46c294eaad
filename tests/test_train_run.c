/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/train/checkpoint.h"
#include "tests/support.h"
#include "tests/train_support.h"

/* Small enough for many runs, large enough to take a while: 40 steps of 3 micro-batches, an
 * evaluation every 10, in an epoch whose last window is short. */
static const char *const small[] = {"d_model=32",
                                    "num_layers=2",
                                    "num_heads=2",
                                    "d_ff=64",
                                    "max_seq_len=32",
                                    "batch_size=4",
                                    "dropout=0.1",
                                    "max_steps=40",
                                    "gradient_accumulation_steps=3",
                                    "threads=1",
                                    "evaluate_every=10",
                                    "checkpoint_every=10",
                                    "keep_checkpoints=10",
                                    "sample_every=off",
                                    NULL};

Test(train, reproduces_the_golden_losses, .timeout = 300)
{
    const char *dir = test_folder();

    train_golden_config(dir);
    train_to_end(dir);
    train_golden_check(dir);
}

Test(train, goes_on_after_kill_bit_for_bit, .timeout = 300)
{
    const char *folder = test_folder();
    char whole[4200], broken[4200];
    struct train_end end;

    snprintf(whole, sizeof whole, "%s/whole", folder);
    snprintf(broken, sizeof broken, "%s/broken", folder);
    train_config(whole, small);
    train_to_end(whole);

    end = train_until(broken, small, "checkpoints/step-000020", SIGKILL);
    cr_assert_eq(end.code, -1000, "%s", end.text);
    train_to_end(broken);
    cr_assert(train_logged(broken, "resumed from step-0000"));

    cr_expect(train_same_file(whole, broken, "checkpoints/step-000040/model.safetensors"));
    cr_expect(train_same_file(whole, broken, "checkpoints/step-000040/optimizer.safetensors"));
    train_same_rows(whole, broken);
}

Test(train, stops_after_a_checkpoint_and_goes_on, .timeout = 300)
{
    const char *folder = test_folder();
    char whole[4200], parts[4200];
    struct train_end end;

    snprintf(whole, sizeof whole, "%s/whole", folder);
    snprintf(parts, sizeof parts, "%s/parts", folder);
    train_config(whole, small);
    train_to_end(whole);
    end = train_until(parts, small, "checkpoints/step-000010", SIGTERM);
    cr_assert_eq(end.code, LW_ESTOPPED, "%s", end.text);
    cr_assert(train_logged(parts, "stopped on request after step"));
    train_to_end(parts);
    cr_expect(train_same_file(whole, parts, "checkpoints/step-000040/model.safetensors"));
    train_same_rows(whole, parts);
}

Test(train, keeps_the_best_and_the_last_checkpoint, .timeout = 300)
{
    const char *dir = test_folder();
    struct lw_checkpoint_list list;
    struct lw_train_state state;
    char best[64];

    train_config(dir, (const char *const[]){"d_model=32", "num_layers=1", "num_heads=2",
                                            "max_seq_len=16", "batch_size=2", "max_steps=30",
                                            "threads=1", "evaluate_every=10", "checkpoint_every=5",
                                            "keep_checkpoints=2", "sample_every=off", NULL});
    train_to_end(dir);
    cr_assert_eq(lw_checkpoint_list(dir, &list, NULL), 0);
    cr_assert_eq(list.item[0].step, 30);
    cr_assert_eq(lw_checkpoint_check(list.item[0].path, &state, NULL), 0);
    cr_assert_leq(list.count, 3);
    cr_assert_geq(list.count, 2);
    snprintf(best, sizeof best, "checkpoints/step-%06d/state.json", (int)state.stop.best_step);
    cr_assert_eq(access(test_path(dir, best), R_OK), 0, "%s is gone", best);
    lw_checkpoint_list_free(&list);
}

/* Two epochs in batches of two, then as much again in batches of eight: four epochs are four
 * epochs, however many steps they take. */
Test(train, goes_on_with_another_batch_size, .timeout = 300)
{
    const char *dir = test_folder();
    char data[4200];
    double epoch[1000];
    struct train_end end;
    int n, before;

    snprintf(data, sizeof data, "data=%s", test_source("tests/data/gpt2-tiny-stream.bin"));
    for (int half = 0; half < 2; half++) {
        train_config(dir, (const char *const[]){"task=lm", data, "d_model=16", "num_layers=1",
                                                "num_heads=1", "max_seq_len=16", "threads=1",
                                                half ? "batch_size=8" : "batch_size=2",
                                                half ? "epochs=4" : "epochs=2", NULL});
        before = half ? n : 0;
        end = train(dir);
        cr_assert_eq(end.code, 0, "%s", end.text);
        n = train_column(dir, "epoch", epoch, 1000);
        cr_expect_float_eq(epoch[n - 1], half ? 4 : 2, 0, "epoch %g", epoch[n - 1]);
    }
    cr_expect(n > before && n < 2 * before);
}

/* So many tokens that 64 bits do not hold their number are never reached, not passed already. */
Test(train, a_shift_at_the_end_of_time_does_not_begin_at_once, .timeout = 300)
{
    static const char *const common[] = {"d_model=8",        "num_layers=1",   "num_heads=1",
                                         "max_seq_len=1024", "batch_size=16",  "max_steps=1",
                                         "threads=1",        "drift_every=off"};
    const char *settings[12] = {0}, *dir;
    double loss[2][4];
    struct train_end end;

    memcpy(settings, common, sizeof common);
    for (int shifted = 0; shifted < 2; shifted++) {
        dir = test_folder();
        settings[8] = shifted ? "shift=vocabulary" : "evaluate_every=off";
        settings[9] = shifted ? "shift_at=999999999999999" : "sample_every=off";
        train_config(dir, settings);
        end = train(dir);
        cr_assert_eq(end.code, 0, "%s", end.text);
        cr_assert_eq(train_column(dir, "train/loss", loss[shifted], 4), 1);
    }
    cr_expect_float_eq(loss[0][0], loss[1][0], 0, "%.9g, %.9g", loss[0][0], loss[1][0]);
}

/* Ids that the tokenizer does not know, of which an untrained model says many. */
Test(train, a_sample_may_hold_unknown_ids, .timeout = 300)
{
    const char *dir = test_folder();

    train_config(dir, (const char *const[]){"d_model=8", "num_layers=1", "num_heads=1",
                                            "max_seq_len=16", "batch_size=2", "max_steps=2",
                                            "threads=1", "vocab_size=2000", "sample_every=1",
                                            "drift_every=off", "evaluate_every=off", NULL});
    train_to_end(dir);
    cr_expect(train_logged(dir, "sample at step 2: "));
    cr_expect(train_logged(dir, "\xef\xbf\xbd"));
}

/* The 256 bytes as GPT-2 spells them, and no merges. */
static void write_tokenizer(const char *path)
{
    FILE *f = fopen(path, "w");
    int unseen = 256;

    cr_assert_not_null(f);
    fputs("{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
          "\"added_tokens\":[{\"id\":256,\"content\":\"<|endoftext|>\"}],"
          "\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{",
          f);
    for (int c = 0; c < 256; c++) {
        bool seen = (c > 32 && c < 127) || (c > 160 && c != 173);

        fprintf(f, "%s\"\\u%04x\":%d", c ? "," : "", (unsigned)(seen ? c : unseen++), c);
    }
    fputs("}}}", f);
    fclose(f);
}

/* It goes along under the name that whoever opens a folder looks for. */
Test(train, a_checkpoint_has_its_tokenizer_whatever_its_name, .timeout = 300)
{
    const char *dir = test_folder(), *path = test_path(dir, "mine.json");
    char setting[4200];

    write_tokenizer(path);
    snprintf(setting, sizeof setting, "tokenizer=%s", path);
    train_config(dir, (const char *const[]){setting, "d_model=8", "num_layers=1", "num_heads=1",
                                            "max_seq_len=16", "batch_size=2", "max_steps=2",
                                            "threads=1", "drift_every=off", "evaluate_every=off",
                                            NULL});
    train_to_end(dir);
    cr_expect_eq(access(test_path(dir, "checkpoints/step-000002/tokenizer.json"), R_OK), 0);
}

Test(train, three_bad_steps_end_a_run, .timeout = 300)
{
    const char *dir = test_folder();
    struct train_end end;

    train_config(dir, (const char *const[]){"d_model=32", "num_layers=2", "num_heads=2",
                                            "max_seq_len=16", "batch_size=2", "max_steps=200",
                                            "threads=1", "evaluate_every=1000", "learning_rate=900",
                                            "warmup_ratio=0", "weight_decay=99",
                                            "max_grad_norm=off", "sample_every=off", NULL});
    end = train(dir);
    cr_assert_eq(end.code, LW_ENAN, "%d %s", end.code, end.text);
    cr_assert(strstr(end.text, "3 steps in a row"), "%s", end.text);
    cr_assert(strstr(end.text, "learning_rate"), "%s", end.text);
    cr_assert(train_logged(dir, "is skipped"));
    cr_assert(train_logged(dir, "last good checkpoint is step-"));
}

Test(train, early_stopping_ends_a_run, .timeout = 300)
{
    const char *dir = test_folder();
    double step[400];
    int n;

    train_config(dir,
                 (const char *const[]){"d_model=16", "num_layers=1", "num_heads=2",
                                       "max_seq_len=16", "batch_size=2", "max_steps=300",
                                       "threads=1", "evaluate_every=5", "early_stopping_patience=2",
                                       "early_stopping_min_delta=100", "sample_every=off", NULL});
    train_to_end(dir);
    n = train_column(dir, "step", step, 400);
    cr_assert_float_eq(step[n - 1], 15, 0, "it ended at step %g", step[n - 1]);
    cr_assert(train_logged(dir, "finished early"));
}

/* What the golden stream gives with these batches, nothing but the last column changing: losses and
 * pre-clip norms of each step, with weights that stay as they are. */
static int norms_with(const char *batch, const char *accumulation, const char *steps, double *loss,
                      double *norm)
{
    const char *dir = test_folder();
    char data[4200], from[4200];

    snprintf(data, sizeof data, "data=%s", test_source("tests/data/gpt2-tiny-stream.bin"));
    snprintf(from, sizeof from, "init_from=%s", test_source("tests/data/gpt2-tiny"));
    train_config(dir,
                 (const char *const[]){"task=lm", data, from, "shuffle=false", batch, accumulation,
                                       steps, "max_seq_len=48", "learning_rate=1e-20",
                                       "weight_decay=0", "threads=1", "validation_split=0", NULL});
    train_to_end(dir);
    train_column(dir, "train/loss", loss, 64);
    return train_column(dir, "gradients/pre_clip_norm", norm, 64);
}

Test(train, accumulated_micro_batches_are_one_batch, .timeout = 300)
{
    double loss[2][64], norm[2][64];
    int n = norms_with("batch_size=4", "gradient_accumulation_steps=1", "max_steps=8", loss[0],
                       norm[0]);

    cr_assert_eq(n, 8);
    cr_assert_eq(norms_with("batch_size=2", "gradient_accumulation_steps=2", "max_steps=8", loss[1],
                            norm[1]),
                 n);
    for (int i = 0; i < n; i++) {
        cr_expect_float_eq(loss[0][i], loss[1][i], 1e-5, "step %d", i + 1);
        cr_expect_float_eq(norm[0][i], norm[1][i], 1e-5 * norm[0][i], "step %d", i + 1);
    }
}

/* 40 windows: 10 batches of 4, or three windows of 3 micro-batches and one of 1. That last step
 * sees the tenth batch alone and must have its mean, not a third of it. */
Test(train, a_short_last_window_is_scaled_right, .timeout = 300)
{
    double loss[2][64], norm[2][64];

    cr_assert_eq(
        norms_with("batch_size=4", "gradient_accumulation_steps=1", "epochs=1", loss[0], norm[0]),
        10);
    cr_assert_eq(
        norms_with("batch_size=4", "gradient_accumulation_steps=3", "epochs=1", loss[1], norm[1]),
        4);
    cr_expect_float_eq(loss[1][0], (loss[0][0] + loss[0][1] + loss[0][2]) / 3, 1e-5);
    cr_expect_float_eq(loss[1][3], loss[0][9], 1e-5);
    cr_expect_float_eq(norm[1][3], norm[0][9], 1e-5 * norm[0][9]);
}
