/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/io.h"
#include "tests/support.h"
#include "tests/train_support.h"

static const char *const small[] = {
    "d_model=32",          "num_layers=1",     "num_heads=2", "max_seq_len=16",
    "batch_size=2",        "max_steps=20",     "threads=1",   "evaluate_every=off",
    "checkpoint_every=10", "sample_every=off", NULL};

static const char *const further[] = {
    "d_model=32",   "num_layers=1", "num_heads=2",        "max_seq_len=16",   "batch_size=2",
    "max_steps=25", "threads=1",    "evaluate_every=off", "sample_every=off", NULL};

static const char *const endless[] = {
    "d_model=32",          "num_layers=1",      "num_heads=2",    "max_seq_len=16",
    "batch_size=2",        "max_steps=1000000", "threads=1",      "evaluate_every=off",
    "checkpoint_every=10", "sample_every=off",  "epochs=1000000", NULL};

enum harm { CUT, GARBAGE, GONE };

static void harm_file(const char *path, enum harm how)
{
    struct stat st;
    int fd;

    cr_assert_eq(stat(path, &st), 0, "no %s", path);
    if (how == GONE) {
        cr_assert_eq(unlink(path), 0);
    } else if (how == CUT) {
        cr_assert_eq(truncate(path, st.st_size / 2), 0);
    } else {
        fd = open(path, O_WRONLY);
        cr_assert_geq(fd, 0);
        cr_assert_eq(pwrite(fd, "\xff\x00garbage", 9, st.st_size / 2), 9);
        close(fd);
    }
}

static void resume_with_harm(const char *name, enum harm how)
{
    const char *dir = test_folder();
    char path[64];
    struct train_end end;

    train_config(dir, small);
    train_to_end(dir);
    snprintf(path, sizeof path, "checkpoints/step-000020/%s", name);
    harm_file(test_path(dir, path), how);
    end = train(dir);
    cr_expect_eq(end.code, 0, "%s", end.text);
    cr_expect(train_logged(dir, "resumed from step-000010"), "%s %d", name, how);
    cr_expect(train_logged(dir, name), "the log does not name %s", name);
    cr_expect_eq(access(test_path(dir, "checkpoints/step-000020/state.json"), R_OK), 0);
    cr_expect_eq(access(test_path(dir, "checkpoints/step-000020.damaged"), F_OK), 0);
}

static const char *const files[] = {"model.safetensors", "optimizer.safetensors", "config.json",
                                    "state.json"};

Test(trouble, a_cut_checkpoint_is_passed_over, .timeout = 300)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        resume_with_harm(files[i], CUT);
}

Test(trouble, a_changed_checkpoint_is_passed_over, .timeout = 300)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        resume_with_harm(files[i], GARBAGE);
}

Test(trouble, an_incomplete_checkpoint_is_passed_over, .timeout = 300)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        resume_with_harm(files[i], GONE);
}

Test(trouble, only_damaged_checkpoints_are_an_error_that_loses_nothing, .timeout = 300)
{
    const char *dir = test_folder();
    struct train_end end;
    char *before, *after;
    size_t n;

    train_config(dir, small);
    train_to_end(dir);
    harm_file(test_path(dir, "checkpoints/step-000010/state.json"), GARBAGE);
    harm_file(test_path(dir, "checkpoints/step-000020/model.safetensors"), CUT);
    before = train_file(dir, "metrics.csv", &n);
    for (int i = 0; i < 2; i++) {
        end = train(dir);
        cr_expect_eq(end.code, LW_EDATA);
        cr_expect(strstr(end.text, "no checkpoint of"), "%s", end.text);
        cr_expect(strstr(end.text, "step-000020/model.safetensors"), "%s", end.text);
    }
    after = train_file(dir, "metrics.csv", &n);
    cr_expect_str_eq(before, after);
    free(before);
    free(after);
}

static struct train_end fail_with(const char *field, const char *value)
{
    const char *dir = test_folder();
    char setting[4300];

    snprintf(setting, sizeof setting, "%s=%s", field, value);
    train_config(dir, (const char *const[]){setting, "d_model=32", "num_layers=1", "num_heads=2",
                                            "max_seq_len=64", "batch_size=2", "threads=1", NULL});
    return train(dir);
}

Test(trouble, data_that_is_not_there, .timeout = 300)
{
    struct train_end end = fail_with("data", "/nonexistent/bible.txt");

    cr_assert_eq(end.code, LW_EIO);
    cr_assert(strstr(end.text, "/nonexistent/bible.txt"), "%s", end.text);
}

Test(trouble, data_shorter_than_a_sequence, .timeout = 300)
{
    const char *path = test_path(test_folder(), "short.txt");
    struct train_end end;

    test_write(path, "In the beginning");
    end = fail_with("data", path);
    cr_assert_eq(end.code, LW_EDATA);
    cr_assert(strstr(end.text, "short.txt"), "%s", end.text);
}

Test(trouble, data_that_is_empty, .timeout = 300)
{
    const char *path = test_path(test_folder(), "empty.txt");
    struct train_end end;

    test_write(path, "");
    end = fail_with("data", path);
    cr_assert_eq(end.code, LW_EDATA);
    cr_assert(strstr(end.text, "empty.txt"), "%s", end.text);
}

Test(trouble, more_positions_than_the_weights_have, .timeout = 300)
{
    const char *dir = test_folder();
    char data[4200], from[4200];
    struct train_end end;

    snprintf(data, sizeof data, "data=%s", test_source("tests/data/gpt2-tiny-stream.bin"));
    snprintf(from, sizeof from, "init_from=%s", test_source("tests/data/gpt2-tiny"));
    train_config(dir, (const char *const[]){"task=lm", data, from, "max_seq_len=128", NULL});
    end = train(dir);
    cr_assert_eq(end.code, LW_EUSAGE);
    cr_assert(strstr(end.text, "max_seq_len=64"), "%s", end.text);
}

Test(trouble, memory_that_does_not_suffice_names_a_batch_that_does, .timeout = 300)
{
    const char *dir = test_folder();
    struct train_end end;

    train_config(dir,
                 (const char *const[]){"d_model=512", "num_layers=8", "num_heads=8",
                                       "max_seq_len=1024", "batch_size=8192", "threads=1", NULL});
    end = train(dir);
    cr_assert_eq(end.code, LW_EMEM, "%d %s", end.code, end.text);
    cr_assert(strstr(end.text, "batch_size="), "%s", end.text);
}

static void limit_files(pid_t pid, rlim_t bytes)
{
    struct rlimit limit;

    cr_assert_eq(prlimit(pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = bytes;
    cr_assert_eq(prlimit(pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void wait_logged(const char *dir, const char *text)
{
    for (int i = 0; i < 12000 && !train_logged(dir, text); i++)
        usleep(10000);
    cr_assert(train_logged(dir, text), "events.log does not say \"%s\"", text);
}

/* Files that may not grow any more stand for a disk that is full: first checkpoints cannot be
 * written, and the run goes on without; then there is room again. */
Test(trouble, a_full_disk_costs_no_run, .timeout = 300)
{
    const char *folder = test_folder();
    char whole[4200], full[4200];
    struct train_end end;
    pid_t pid;
    int fd;

    snprintf(whole, sizeof whole, "%s/whole", folder);
    snprintf(full, sizeof full, "%s/full", folder);
    train_config(whole, small);
    train_config(full, small);
    train_to_end(whole);

    signal(SIGXFSZ, SIG_IGN);
    limit_files(0, 4000); /* metrics.csv passes this within the run, in the middle of a row */
    pid = train_start(full, &fd);
    limit_files(0, RLIM_INFINITY);
    wait_logged(full, "no checkpoint at step 20");
    cr_expect(train_logged(full, "no checkpoint at step 10"));
    limit_files(pid, RLIM_INFINITY);
    end = train_wait(pid, fd);
    cr_assert_eq(end.code, 0, "%s", end.text);
    cr_expect(train_same_file(whole, full, "checkpoints/step-000020/model.safetensors"));
    cr_expect_eq(access(test_path(full, "checkpoints/.step-000010.tmp"), F_OK), -1);
    train_same_rows(whole, full);
}

/* A run that meets a full disk before its first checkpoint. */
static pid_t start_full(const char *dir, int *fd)
{
    pid_t pid;

    signal(SIGXFSZ, SIG_IGN);
    limit_files(0, 20000);
    pid = train_start(dir, fd);
    limit_files(0, RLIM_INFINITY);
    return pid;
}

Test(trouble, a_stop_ends_the_wait_for_a_disk_that_stays_full, .timeout = 300)
{
    const char *dir = test_folder();
    struct train_end end;
    pid_t pid;
    int fd;

    train_config(dir, small);
    pid = start_full(dir, &fd);
    wait_logged(dir, "waiting up to 60 min for the disk");
    kill(pid, SIGTERM);
    end = train_wait(pid, fd);
    cr_expect_eq(end.code, LW_EIO, "%d", end.code);
    cr_expect(strstr(end.text, "all 20 steps are done, but the checkpoint could not be written"),
              "%s", end.text);
    cr_expect(strstr(end.text, "there is no other one"), "%s", end.text);
}

Test(trouble, the_wait_for_a_disk_that_stays_full_has_an_end, .timeout = 300)
{
    const char *dir = test_folder();
    struct train_end end;
    size_t n;
    char *log, *line;
    pid_t pid;
    int fd;

    train_config(dir, small);
    train_to_end(dir);
    train_config(dir, further);
    setenv("LEEWAY_DISK_SECONDS", "2", 1);
    pid = start_full(dir, &fd);
    end = train_wait(pid, fd);
    cr_expect_eq(end.code, LW_EIO, "%d", end.code);
    cr_expect(strstr(end.text, "step-000020 is the last good one"), "%s", end.text);
    cr_expect_eq(access(test_path(dir, "checkpoints/step-000020/state.json"), R_OK), 0);
    log = train_file(dir, "events.log", &n);
    line = strstr(log, "no checkpoint at step 25");
    cr_assert(line);
    cr_expect_null(strstr(line + 1, "no checkpoint at step 25"), "one line for all attempts");
    free(log);
    end = train(dir);
    cr_expect_eq(end.code, 0, "%s", end.text);
    cr_expect_eq(access(test_path(dir, "checkpoints/step-000025/state.json"), R_OK), 0);
}

/* Whoever stops a run wants its work kept: a stop waits for the disk as well. */
static struct train_end stop_full(const char *dir, bool room_again)
{
    pid_t pid;
    int fd;

    train_config(dir, endless);
    pid = start_full(dir, &fd);
    wait_logged(dir, "no checkpoint at step 10");
    kill(pid, SIGTERM);
    wait_logged(dir, "waiting up to 10 min for the disk");
    cr_expect(train_logged(dir, "a second stop ends that"));
    if (room_again)
        limit_files(pid, RLIM_INFINITY);
    else
        kill(pid, SIGTERM);
    return train_wait(pid, fd);
}

Test(trouble, a_stop_waits_for_room, .timeout = 300)
{
    const char *dir = test_folder();
    struct train_end end = stop_full(dir, true);

    cr_expect_eq(end.code, LW_ESTOPPED, "%d %s", end.code, end.text);
    cr_expect(train_logged(dir, "(stop), "), "no checkpoint was logged");
}

Test(trouble, a_second_stop_does_not_wait_for_room, .timeout = 300)
{
    struct train_end end = stop_full(test_folder(), false);

    cr_expect_eq(end.code, LW_EIO, "%d", end.code);
    cr_expect(strstr(end.text, "stopped at step "), "%s", end.text);
}

/* A disk of a megabyte that this process alone sees; false: only root may have one. */
static bool small_disk(const char *at)
{
    struct lw_error err;

    cr_assert_eq(lw_make_folders(at, &err), 0, "%s", err.text);
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", at, "tmpfs", 0, "size=1m") == 0;
}

Test(trouble, what_is_missing_on_a_full_disk_is_told, .timeout = 300)
{
    char dir[4200];
    struct train_end end;

    snprintf(dir, sizeof dir, "%s/disk", test_folder());
    if (!small_disk(dir))
        cr_skip_test("no file system can be mounted here");
    train_config(dir, (const char *const[]){"d_model=96", "num_layers=1", "num_heads=2",
                                            "max_seq_len=16", "batch_size=2", "max_steps=2",
                                            "threads=1", "evaluate_every=off", NULL});
    setenv("LEEWAY_DISK_SECONDS", "1", 1);
    end = train(dir);
    cr_expect_eq(end.code, LW_EIO, "%d", end.code);
    cr_expect(train_logged(dir, "no room for a checkpoint: it takes 1."), "said at the start");
    cr_expect(strstr(end.text, "written: it takes 1."), "%s", end.text);
    cr_expect(strstr(end.text, " MB are free in "), "%s", end.text);
    cr_expect(strstr(end.text, dir), "%s", end.text);
    umount2(dir, MNT_DETACH);
}

/* Another length cuts the data into other windows: the place in it means nothing any more. */
Test(trouble, resuming_with_another_length_begins_the_epoch_again, .timeout = 300)
{
    const char *dir = test_folder();
    struct train_end end;

    train_config(dir, small);
    train_to_end(dir);
    train_config(dir, (const char *const[]){"d_model=32", "num_layers=1", "num_heads=2",
                                            "max_seq_len=8", "batch_size=2", "max_steps=25",
                                            "threads=1", "sample_every=off", NULL});
    end = train(dir);
    cr_expect_eq(end.code, LW_EDATA, "fewer positions than the weights have: %s", end.text);
    cr_expect(strstr(end.text, "wpe"), "%s", end.text);
}
