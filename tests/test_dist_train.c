/* SPDX-License-Identifier: MIT
 *
 * Ranks that train together, started as torchrun starts its own: the same losses as one rank, the
 * same bits again, checkpoints for any number of ranks, and what goes wrong at the start. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/drift/profile.h"
#include "tests/support.h"
#include "tests/train_support.h"

#define SMALL                                                                                      \
    "d_model=32", "num_layers=2", "num_heads=2", "max_seq_len=32", "threads=1",                    \
        "learning_rate=0.0005", "precision=fp32", "device=cpu"

TestSuite(ranks, .timeout = 120);

static void set_number(const char *name, int value)
{
    char text[16];

    snprintf(text, sizeof text, "%d", value);
    setenv(name, text, 1);
}

/* In a child: one of `size` ranks, as torchrun starts it, that dies with us. */
static void become_rank(int rank, int size, int port, const char *said)
{
    int out = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, 1);
    dup2(out, 2);
    set_number("RANK", rank);
    set_number("LOCAL_RANK", rank);
    set_number("WORLD_SIZE", size);
    set_number("MASTER_PORT", port);
    setenv("MASTER_ADDR", "127.0.0.1", 1);
}

/* One rank in a process of its own; what it prints goes to said. */
static pid_t start_rank(int rank, int size, int port, const char *dir, const char *own,
                        const char *said)
{
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        become_rank(rank, size, port, said);
        setenv("GOMP_SPINCOUNT", "1000", 1);
        execl(test_built("leeway-engine"), "leeway-engine", "--rank", rank ? "-" : dir, own,
              (char *)NULL);
        _exit(127);
    }
    return pid;
}

static int end_of(pid_t pid)
{
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* All of them to their end; fails the test unless each ended with 0. */
static void train_ranks(int size, const char *dir)
{
    int port = test_port();
    pid_t pid[8];

    for (int r = 0; r < size; r++)
        pid[r] = start_rank(r, size, port, dir, NULL, test_path(dir, r ? "said-1" : "said-0"));
    for (int r = 0; r < size; r++) {
        int code = end_of(pid[r]);
        size_t n;

        cr_assert_eq(code, 0, "rank %d of %d ended with %d: %s", r, size, code,
                     train_file(dir, r ? "said-1" : "said-0", &n));
    }
}

/* A path that stays: test_path's are soon another's. */
static const char *kept(const char *path)
{
    static char all[8][4200];
    static int n;

    snprintf(all[n++ % 8], sizeof all[0], "%s", path);
    return all[(n - 1) % 8];
}

static const char *folder(const char *parent, const char *name, const char *const *settings)
{
    const char *dir = kept(test_path(parent, name));

    train_config(dir, settings);
    return dir;
}

static void same_column(const char *a, const char *b, const char *column, double tolerance)
{
    double x[64], y[64];
    int n = train_column(a, column, x, 64), m = train_column(b, column, y, 64);

    cr_assert_gt(n, 0);
    cr_assert_eq(n, m, "%s: %d and %d rows", column, n, m);
    for (int i = 0; i < n; i++)
        cr_assert_leq(fabs(x[i] - y[i]), tolerance, "%s, row %d: %.9g and %.9g", column, i, x[i],
                      y[i]);
}

/* Drift as if one rank had seen it all: the same profiles to the last integer, the same scores.
 * What the model says is left out: a tie may fall otherwise. */
static void same_drift(const char *a, const char *b)
{
    static const char *const names[] = {"profile-reference.json", "profile-current.json"};
    struct lw_profile p[2];
    struct lw_error err;

    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(lw_profile_load(&p[0], test_path(a, names[i]), &err), 0, "%s", err.text);
        cr_assert_eq(lw_profile_load(&p[1], test_path(b, names[i]), &err), 0, "%s", err.text);
        cr_assert_gt(p[0].items, 0);
        cr_assert_eq(p[0].items, p[1].items);
        cr_assert_eq(p[0].text.tokens.total, p[1].text.tokens.total);
        cr_assert_eq(p[0].text.tokens.units, p[1].text.tokens.units);
        cr_assert_eq(p[0].text.tokens.unit_squares, p[1].text.tokens.unit_squares);
        for (uint32_t id = 0; id < p[0].text.tokens.rows; id++)
            cr_assert_eq(lw_tally_count(&p[0].text.tokens, id),
                         lw_tally_count(&p[1].text.tokens, id), "token %u", id);
        for (int k = 0; k < p[0].text.length_bins; k++)
            cr_assert_eq(p[0].text.length_hist[k], p[1].text.length_hist[k]);
        lw_profile_fini(&p[0]);
        lw_profile_fini(&p[1]);
    }
}

Test(ranks, two_give_the_losses_of_one_with_twice_the_batch)
{
    const char *home = test_folder();
    const char *one = folder(home, "one",
                             (const char *[]){SMALL, "batch_size=8", "max_steps=30",
                                              "evaluate_every=10", "drift_every=10", NULL});
    const char *two = folder(home, "two",
                             (const char *[]){SMALL, "batch_size=4", "max_steps=30",
                                              "evaluate_every=10", "drift_every=10", NULL});
    const char *again = folder(home, "again",
                               (const char *[]){SMALL, "batch_size=4", "max_steps=30",
                                                "evaluate_every=10", "drift_every=10", NULL});

    cr_assert_eq(train(one).code, 0);
    train_ranks(2, two);
    train_ranks(2, again);
    same_column(one, two, "train/loss", 1e-5);
    same_column(one, two, "val/loss", 1e-5);
    same_column(one, two, "val/accuracy", 1e-3);
    same_column(one, two, "gradients/pre_clip_norm", 1e-4);
    same_column(one, two, "tokens", 0);
    same_column(one, two, "epoch", 0);
    same_drift(one, two);
    cr_expect(train_same_file(one, two, "profile-reference.json"), "ranks' profiles add up");
    train_same_rows(two, again);
    cr_assert(train_same_file(two, again, "checkpoints/step-000030/model.safetensors"));
    cr_assert(train_same_file(two, again, "checkpoints/step-000030/optimizer.safetensors"));
}

Test(ranks, two_count_what_is_among_the_first_five_as_one_does)
{
    const char *home = test_folder();
    char text[20000], setting[4200];
    const char *dir[2];
    size_t n = (size_t)snprintf(text, sizeof text, "text,label\n");

    for (int i = 0; i < 400; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%c%c%c word %d,class %d\n", 'a' + i % 9,
                              'a' + i % 7, 'b' + i % 5, i * i % 11, i % 9);
    test_write(test_path(home, "texts.csv"), text);
    snprintf(setting, sizeof setting, "data=%s", test_path(home, "texts.csv"));
    for (int ranks = 1; ranks <= 2; ranks++)
        dir[ranks - 1] = folder(
            home, ranks == 1 ? "one" : "two",
            (const char *[]){SMALL, "task=text_classification", setting,
                             ranks == 1 ? "batch_size=16" : "batch_size=8", "max_steps=20", NULL});
    cr_assert_eq(train(dir[0]).code, 0);
    train_ranks(2, dir[1]);
    same_column(dir[0], dir[1], "train/loss", 1e-5);
    same_column(dir[0], dir[1], "train/top5_accuracy", 1e-12);
    same_column(dir[0], dir[1], "val/top5_accuracy", 1e-12);
}

Test(ranks, three_with_accumulation_and_a_short_last_window)
{
    const char *home = test_folder();
    char text[9000];
    const char *one, *three;

    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = (char)('a' + i * i % 23);
    text[sizeof text - 1] = '\0';
    test_write(test_path(home, "text.txt"), text);
    snprintf(text, sizeof text, "data=%s", test_path(home, "text.txt"));
    one = folder(home, "one",
                 (const char *[]){SMALL, text, "batch_size=6", "epochs=2",
                                  "gradient_accumulation_steps=4", NULL});
    three = folder(home, "three",
                   (const char *[]){SMALL, text, "batch_size=2", "epochs=2",
                                    "gradient_accumulation_steps=4", NULL});
    cr_assert_eq(train(one).code, 0);
    train_ranks(3, three);
    same_column(one, three, "train/loss", 1e-5);
    same_column(one, three, "val/loss", 1e-5);
}

Test(ranks, a_checkpoint_goes_from_two_to_one_and_back)
{
    const char *home = test_folder();
    const char *whole =
        folder(home, "whole", (const char *[]){SMALL, "batch_size=8", "max_steps=30", NULL});
    struct lw_error err;
    const char *cut;

    cr_assert_eq(train(whole).code, 0);
    cut = folder(
        home, "cut",
        (const char *[]){SMALL, "batch_size=4", "max_steps=30", "checkpoint_every=10", NULL});
    train_ranks(2, cut);
    same_column(whole, cut, "train/loss", 1e-5);
    /* back to step 20, with one rank from there; then to step 10, with two */
    cr_assert_eq(lw_remove_tree(test_path(cut, "checkpoints/step-000030"), &err), 0);
    train_config(
        cut, (const char *[]){SMALL, "batch_size=8", "max_steps=30", "checkpoint_every=15", NULL});
    cr_assert_eq(train(cut).code, 0);
    cr_assert(train_logged(cut, "resumed from step-000020"));
    same_column(whole, cut, "train/loss", 1e-5);
    cr_assert_eq(lw_remove_tree(test_path(cut, "checkpoints/step-000030"), &err), 0);
    cr_assert_eq(lw_remove_tree(test_path(cut, "checkpoints/step-000020"), &err), 0);
    train_config(cut, (const char *[]){SMALL, "batch_size=4", "max_steps=30", NULL});
    train_ranks(2, cut);
    cr_assert(train_logged(cut, "resumed from step-000010"));
    same_column(whole, cut, "train/loss", 1e-5);
    cr_expect(train_same_file(whole, cut, "profile-reference.json"), "nothing was profiled twice");
}

/* Both ranks fail with the same line. */
static void both_say(const char *dir, const char *own, int code, const char *text)
{
    int port = test_port();
    char *said;
    size_t n;
    pid_t pid[2];

    for (int r = 0; r < 2; r++)
        pid[r] =
            start_rank(r, 2, port, dir, r ? own : NULL, test_path(dir, r ? "said-1" : "said-0"));
    for (int r = 0; r < 2; r++) {
        int end = end_of(pid[r]);

        said = train_file(dir, r ? "said-1" : "said-0", &n);
        cr_assert_eq(end, code, "rank %d ended with %d: %s", r, end, said);
        cr_assert(said && strstr(said, text), "rank %d: %s", r, said);
        cr_assert_eq(strchr(said, '\n'), said + n - 1, "one line: %s", said);
        free(said);
    }
}

Test(ranks, configurations_that_differ_are_named_on_all)
{
    const char *home = test_folder();
    const char *run = folder(home, "run", (const char *[]){SMALL, "max_steps=5", NULL});
    const char *other = folder(home, "other", (const char *[]){SMALL, "max_steps=6", NULL});

    both_say(run, test_path(other, "config.yaml"), 2, "max_steps is 6 on rank 1 and 5 on rank 0");
}

Test(ranks, the_same_configuration_is_fine)
{
    const char *home = test_folder();
    const char *run = folder(home, "run", (const char *[]){SMALL, "max_steps=3", NULL});
    char own[4200];
    int port = test_port();
    pid_t pid[2];

    snprintf(own, sizeof own, "%s/config.yaml",
             folder(home, "other", (const char *[]){SMALL, "max_steps=3", NULL}));
    for (int r = 0; r < 2; r++)
        pid[r] = start_rank(r, 2, port, run, r ? own : NULL, test_path(home, "said"));
    cr_assert_eq(end_of(pid[0]), 0);
    cr_assert_eq(end_of(pid[1]), 0);
}

Test(ranks, what_rank_0_cannot_do_is_said_by_all)
{
    const char *home = test_folder();
    const char *run = folder(home, "run", (const char *[]){SMALL, "max_steps=5", NULL});
    struct lw_error err;

    train_config(run, (const char *[]){SMALL, "max_steps=5", "data=/nowhere/text.txt", NULL});
    cr_assert_eq(lw_make_folders(test_path(run, "x"), &err), 0);
    both_say(run, NULL, 1, "/nowhere/text.txt");
}

Test(ranks, a_rank_alone)
{
    const char *home = test_folder();
    char *said;
    size_t n;

    setenv("LEEWAY_JOIN_SECONDS", "0.5", 1);
    cr_assert_eq(end_of(start_rank(1, 2, test_port(), NULL, NULL, test_path(home, "said"))), 1);
    said = train_file(home, "said", &n);
    cr_assert(said && strstr(said, "rank 1 of 2 cannot reach rank 0"), "%s", said);
    cr_assert_eq(strchr(said, '\n'), said + n - 1, "one line: %s", said);
    free(said);
}

/* leeway itself, started as a launcher does. */
static pid_t start_leeway(int rank, int port, const char *dir, const char *step, const char *said)
{
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        become_rank(rank, 2, port, said);
        execl(test_built("leeway"), "leeway", "train", "--run-dir", dir, "device=cpu", "threads=1",
              "d_model=32", "num_layers=1", "num_heads=2", "max_seq_len=32", step, (char *)NULL);
        _exit(127);
    }
    return pid;
}

Test(ranks, leeway_is_a_rank_where_a_launcher_starts_it)
{
    const char *home = test_folder();
    const char *dir = kept(test_path(home, "run"));
    int port = test_port();
    pid_t zero = start_leeway(0, port, dir, "max_steps=5", test_path(home, "said-0"));
    pid_t one = start_leeway(1, port, dir, "max_steps=5", test_path(home, "said-1"));
    char *said;
    size_t n;

    cr_assert_eq(end_of(zero), 0, "%s", train_file(home, "said-0", &n));
    cr_assert_eq(end_of(one), 0, "%s", train_file(home, "said-1", &n));
    cr_assert(train_logged(dir, "2 ranks, gradients summed by TCP"));
    cr_assert(train_logged(dir, "finished after 5 steps"));
    said = train_file(home, "said-1", &n);
    cr_assert_str_eq(said, "", "only rank 0 prints");
    free(said);
}

Test(ranks, launched_with_different_configurations)
{
    const char *home = test_folder();
    const char *dir = kept(test_path(home, "run"));
    int port = test_port();
    pid_t zero = start_leeway(0, port, dir, "max_steps=5", test_path(home, "said-0"));
    pid_t one = start_leeway(1, port, dir, "max_steps=7", test_path(home, "said-1"));
    size_t n;

    cr_assert_neq(end_of(zero), 0);
    cr_assert_eq(end_of(one), 2);
    for (int r = 0; r < 2; r++) {
        char *said = train_file(home, r ? "said-1" : "said-0", &n);

        cr_assert(strstr(said, "max_steps is 7 on rank 1 and 5 on rank 0"), "%s", said);
        free(said);
    }
}
