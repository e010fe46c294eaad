/* SPDX-License-Identifier: MIT
 *
 * Runs that are killed with -9 again and again, at any moment: in a step, a checkpoint, an
 * evaluation, a check of drift, while starting and while cutting files back. What they leave in the
 * end is what a run leaves that nobody disturbed. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/run/folder.h"
#include "engine/train/checkpoint.h"
#include "tests/support.h"
#include "tests/train_support.h"

#define ROWS 1000

/* Every few steps something happens, and some of it at the same ones. */
static const char *const often[] = {
    "d_model=8",          "num_layers=1",       "num_heads=1",
    "batch_size=2",       "dropout=0.1",        "threads=1",
    "checkpoint_every=4", "keep_checkpoints=2", "gradient_accumulation_steps=3",
    "epochs=1000",        "sample_every=off",   NULL};

static void configure(const char *dir, const char *const *more)
{
    const char *all[40];
    int n = 0;

    for (int i = 0; often[i]; i++)
        all[n++] = often[i];
    for (int i = 0; more[i]; i++)
        all[n++] = more[i];
    all[n] = NULL;
    train_config(dir, all);
}

/* The last step on file; 0: none. */
static int newest(const char *dir)
{
    double step[ROWS];
    int n = access(test_path(dir, LW_RUN_METRICS), R_OK) == 0
                ? train_column(dir, "step", step, ROWS)
                : 0;

    return n ? (int)step[n - 1] : 0;
}

static bool is_over(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

/* One start, killed a little after a step was written that is drawn from those to come; or at once,
 * where the last start came that far. True: it was killed, false: it came to its end before. */
static bool disturb(const char *dir, unsigned short draw[3])
{
    int target = newest(dir) + (int)(nrand48(draw) % 8);
    struct train_end end;
    pid_t pid;
    int fd;

    pid = train_start(dir, &fd);
    usleep((useconds_t)(nrand48(draw) % 20000));
    for (int i = 0; i < 60000 && newest(dir) < target && !is_over(pid); i++)
        usleep(500);
    usleep((useconds_t)(nrand48(draw) % 3000));
    kill(pid, SIGKILL);
    end = train_wait(pid, fd);
    cr_assert(end.code == 0 || end.code == -1000, "%d: %s", end.code, end.text);
    return end.code != 0;
}

static void expect_same(const char *whole, const char *broken, const char *last, int kills)
{
    static const char *const files[] = {LW_CHECKPOINT_MODEL, LW_CHECKPOINT_OPTIMIZER,
                                        LW_DRIFT_STATE};
    char path[100];

    train_same_rows(whole, broken);
    train_same_drift(whole, broken);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", last, files[i]);
        cr_expect(train_same_file(whole, broken, path), "%s after %d kills", path, kills);
    }
    cr_expect(train_same_file(whole, broken, LW_RUN_CURRENT));
    cr_expect(train_same_file(whole, broken, LW_RUN_REFERENCE));
}

/* Leave nothing behind but what belongs there. */
static void expect_tidy(const char *dir)
{
    char command[4400];

    snprintf(command, sizeof command, "! find '%s' -name '*.tmp' -o -name '*.damaged' | grep .",
             dir);
    cr_expect_eq(system(command), 0, "something was left behind");
}

/* At least `least` kills, in as many runs as that takes. */
static void compare(const char *const *settings, const char *last, int least)
{
    const char *folder = test_folder();
    unsigned short draw[3] = {(unsigned short)getpid(), 1, 2};
    char whole[4200], broken[4300];
    int kills = 0;

    snprintf(whole, sizeof whole, "%s/whole", folder);
    configure(whole, settings);
    train_to_end(whole);
    for (int run = 0; kills < least && run < 20; run++) {
        snprintf(broken, sizeof broken, "%s/broken-%d", folder, run);
        configure(broken, settings);
        while (disturb(broken, draw))
            kills++;
        expect_same(whole, broken, last, kills);
        expect_tidy(broken);
    }
    cr_expect_geq(kills, least, "runs are over before they can be killed");
}

Test(kill, text, .timeout = 300)
{
    const char *path = test_path(test_folder(), "text");
    FILE *f = fopen(path, "w");
    char data[4200];

    cr_assert_not_null(f);
    for (int i = 0; i < 24; i++)
        for (int n = 0; n <= i % 7; n++)
            fprintf(f, "the %d of %d goes on%s", i, n * i, n == i % 7 ? "\n\n" : " and ");
    fclose(f);
    snprintf(data, sizeof data, "data=%s", path);
    compare((const char *const[]){"task=lm", data, "document_separator=\\n\\n", "max_seq_len=16",
                                  "max_steps=120", NULL},
            "checkpoints/step-000120", 24);
}

/* Generated text drifts while it is trained on: there are sums and alarms to be kept. */
Test(kill, drifting_text, .timeout = 300)
{
    compare((const char *const[]){"max_seq_len=16", "max_steps=90", "drift_every=3",
                                  "drift_window=40", "shift=vocabulary", "shift_at=40",
                                  "evaluate_every=9", NULL},
            "checkpoints/step-000090", 16);
}

Test(kill, images, .timeout = 300)
{
    compare((const char *const[]){"task=vision_tiny", "augment=true", "max_steps=36",
                                  "drift_every=6", "evaluate_every=12", "shift=brightness",
                                  "shift_at=16", NULL},
            "checkpoints/step-000036", 8);
}
