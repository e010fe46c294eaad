/* SPDX-License-Identifier: MIT
 *
 * Nothing of a run outlives it: kill -9 of supervisor, launcher, ranks, console, console and
 * supervisor at once, with ranks that train, that ignore what can be ignored, and that are stopped.
 * This process adopts every orphan, reaps first, and then looks who is left.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/base/process.h"
#include "engine/dist/mpi.h"
#include "engine/dist/mpirun.h"
#include "engine/run/folder.h"
#include "engine/run/start.h"
#include "engine/run/status.h"
#include "tests/support.h"
#include "tests/train_support.h"

#define LOOK_US 20000
#define GONE                                                                                       \
    250 /* looks after which nothing may be left: 5 s, more where we too have to wait for          \
         * the processor */
#define UP_S 60.0 /* a loaded machine starts slowly */

struct job {
    const char *dir;
    pid_t console, supervisor, launcher, rank[2];
    char memory[200]; /* folder of what ranks share */
};

static void skip_without_mpi(void)
{
    struct lw_error why;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (lw_mpi_ready(&why))
        cr_skip_test("%s", why.text);
}

TestSuite(kill9, .init = skip_without_mpi, .timeout = 150);

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* Children of a process, at most two; returns how many there are. */
static int children_of(pid_t parent, pid_t *out)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    while ((entry = readdir(proc))) {
        struct lw_process p;
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid > 0 && lw_process_read("/proc", pid, &p) == 0 && p.ppid == parent &&
            p.state != 'Z') {
            if (n < 2)
                out[n] = pid;
            n++;
        }
    }
    closedir(proc);
    return n;
}

/* All below this process. */
static int descendants(pid_t parent)
{
    pid_t child[2] = {0};
    int n = children_of(parent, child), all = n;

    for (int i = 0; i < n && i < 2; i++)
        all += descendants(child[i]);
    return all;
}

static int64_t step_of(const char *dir)
{
    struct lw_status s;
    struct lw_error ignored;

    return lw_status_read(dir, &s, &ignored) == 0 && s.state == LW_STATE_RUNNING ? s.step : 0;
}

static void wait_for_step(const char *dir, int64_t step)
{
    double deadline = lw_clock_now() + UP_S;
    size_t n;

    while (step_of(dir) < step && lw_clock_now() < deadline)
        usleep(LOOK_US);
    cr_assert_geq(step_of(dir), step, "%s", train_file(dir, "events.log", &n));
}

static void find_memory(struct job *j)
{
    char path[64], text[4000];
    size_t n;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)j->launcher);
    f = fopen(path, "r");
    cr_assert(f);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    for (char *at = text; at < text + n; at += strlen(at) + 1)
        if (!strcmp(at, "btl_vader_backing_directory"))
            snprintf(j->memory, sizeof j->memory, "%.199s", at + strlen(at) + 1);
    cr_assert(j->memory[0] && access(j->memory, F_OK) == 0);
}

/* A console starts the run and stays; the run is up when it has come to a step. */
static void begin(struct job *j, const char *engine)
{
    int fds[2];
    pid_t child[2];

    cr_assert_eq(pipe(fds), 0);
    j->console = fork();
    cr_assert_geq(j->console, 0);
    if (j->console == 0) {
        struct lw_start how = {.run_dir = j->dir, .existing = true, .engine = engine};
        struct lw_started run = {.lifeline = -1};
        struct lw_error err;
        pid_t pid = lw_run_start(NULL, &how, &run, &err) == 0 ? run.pid : 0;

        prctl(PR_SET_CHILD_SUBREAPER, 0);
        (void)!write(fds[1], &pid, sizeof pid);
        for (;;)
            pause();
    }
    cr_assert_eq(read(fds[0], &j->supervisor, sizeof j->supervisor), sizeof j->supervisor);
    cr_assert_gt(j->supervisor, 0);
    close(fds[0]);
    close(fds[1]);
    wait_for_step(j->dir, 2);
    cr_assert_eq(children_of(j->supervisor, child), 1);
    j->launcher = child[0];
    cr_assert_eq(children_of(j->launcher, j->rank), 2);
    if (j->rank[0] > j->rank[1]) {
        pid_t first = j->rank[1];

        j->rank[1] = j->rank[0];
        j->rank[0] = first;
    }
    find_memory(j);
}

/* Real ranks that would train for hours. */
static struct job begin_training(void)
{
    struct job j = {.dir = test_folder()};

    train_config(j.dir,
                 (const char *[]){"d_model=32", "num_layers=1", "num_heads=2", "max_seq_len=32",
                                  "batch_size=2", "max_steps=100000000", "evaluate_every=off",
                                  "device=cpu", "threads=1", "strategy=ddp", "devices=2", NULL});
    begin(&j, test_built("leeway-engine"));
    return j;
}

static struct job begin_stubborn_in(const char *dir)
{
    struct job j = {.dir = dir};

    train_config(j.dir, (const char *[]){"strategy=ddp", "devices=2", NULL});
    test_write(test_path(j.dir, "behave"), "ranks");
    begin(&j, test_built("tests/fake_engine"));
    return j;
}

static struct job begin_stubborn(void)
{
    return begin_stubborn_in(test_folder());
}

/* Nothing is left, but for the console where it was not killed, nor in shared memory, at the latest
 * when the next run starts. */
static void nothing_is_left(const struct job *j, bool console)
{
    int left = 0;

    for (int i = 0; i < GONE; i++) {
        reap();
        left = descendants(getpid());
        if (left <= (console ? 1 : 0))
            break;
        usleep(LOOK_US);
    }
    if (left > (console ? 1 : 0))
        (void)!system("ps -ef >&2");
    cr_assert_eq(left, console ? 1 : 0, "%d processes are left", left);
    lw_mpirun_sweep();
    cr_assert_eq(access(j->memory, F_OK), -1, "%s is left", j->memory);
    if (console)
        kill(j->console, SIGKILL);
}

/* The run is told to have failed, and why. */
static void failed_with(const struct job *j, const char *text)
{
    double deadline = lw_clock_now() + UP_S;
    struct lw_status s;
    struct lw_error err;

    do {
        usleep(LOOK_US);
        reap();
        cr_assert_eq(lw_status_read(j->dir, &s, &err), 0, "%s", err.text);
    } while (s.state != LW_STATE_FAILED && lw_clock_now() < deadline);
    cr_assert_eq(s.state, LW_STATE_FAILED);
    cr_assert(strstr(s.last_error, text), "%s", s.last_error);
    cr_assert_eq(s.exit_code, 1);
}

static void stop_both(const struct job *j)
{
    kill(j->rank[0], SIGSTOP);
    kill(j->rank[1], SIGSTOP);
}

/* The six cells of a mode. prepare NULL: ranks go on. */
#define CELLS(mode, start, prepare)                                                                \
    Test(kill9, supervisor_##mode)                                                                 \
    {                                                                                              \
        struct job j = start();                                                                    \
                                                                                                   \
        prepare(&j);                                                                               \
        kill(j.supervisor, SIGKILL);                                                               \
        nothing_is_left(&j, true);                                                                 \
    }                                                                                              \
    Test(kill9, launcher_##mode)                                                                   \
    {                                                                                              \
        struct job j = start();                                                                    \
                                                                                                   \
        prepare(&j);                                                                               \
        kill(j.launcher, SIGKILL);                                                                 \
        failed_with(&j, "killed by signal 9");                                                     \
        nothing_is_left(&j, true);                                                                 \
    }                                                                                              \
    Test(kill9, rank_0_##mode)                                                                     \
    {                                                                                              \
        struct job j = start();                                                                    \
                                                                                                   \
        prepare(&j);                                                                               \
        kill(j.rank[0], SIGKILL);                                                                  \
        failed_with(&j, "rank 0 on ");                                                             \
        nothing_is_left(&j, true);                                                                 \
    }                                                                                              \
    Test(kill9, rank_1_##mode)                                                                     \
    {                                                                                              \
        struct job j = start();                                                                    \
                                                                                                   \
        prepare(&j);                                                                               \
        kill(j.rank[1], SIGKILL);                                                                  \
        failed_with(&j, "rank 1 on ");                                                             \
        nothing_is_left(&j, true);                                                                 \
    }                                                                                              \
    Test(kill9, console_and_supervisor_##mode)                                                     \
    {                                                                                              \
        struct job j = start();                                                                    \
                                                                                                   \
        prepare(&j);                                                                               \
        kill(j.console, SIGKILL);                                                                  \
        kill(j.supervisor, SIGKILL);                                                               \
        nothing_is_left(&j, false);                                                                \
    }

static void go_on(const struct job *j)
{
    (void)j;
}

CELLS(training, begin_training, go_on)
CELLS(stubborn, begin_stubborn, go_on)
CELLS(stopped, begin_stubborn, stop_both)
CELLS(stopped_training, begin_training, stop_both)

/* Without its console the run goes on. */
static void console_killed(struct job *j)
{
    int64_t step = step_of(j->dir);

    kill(j->console, SIGKILL);
    reap();
    wait_for_step(j->dir, step + 3);
    for (int i = 0; i < GONE && lw_run_alive(j->dir, NULL) == 1; i++) {
        kill(j->supervisor, SIGINT); /* the second one leaves no time for a checkpoint */
        usleep(5 * LOOK_US);
    }
    nothing_is_left(j, false);
}

Test(kill9, console_training)
{
    struct job j = begin_training();

    console_killed(&j);
}

Test(kill9, console_stubborn)
{
    struct job j = begin_stubborn();

    console_killed(&j);
}

Test(kill9, console_while_ranks_are_stopped)
{
    struct job j = begin_training();
    int64_t step;

    stop_both(&j);
    kill(j.console, SIGKILL);
    usleep(300000);
    step = step_of(j.dir);
    kill(j.rank[0], SIGCONT);
    kill(j.rank[1], SIGCONT);
    wait_for_step(j.dir, step + 3);
    kill(j.supervisor, SIGKILL);
    nothing_is_left(&j, false);
}

Test(kill9, a_rank_that_hangs_is_named)
{
    struct job j = begin_training();

    kill(j.rank[1], SIGSTOP);
    failed_with(&j, "rank 1 on ");
    failed_with(&j, "no sign of life");
    nothing_is_left(&j, true);
}

/* Its training thread alone is held still, as a deadlock would: its other threads live, and its signs
 * of life go on. */
Test(kill9, a_rank_whose_training_hangs_is_named)
{
    struct job j = begin_training();

    wait_for_step(j.dir, 150); /* patience is four of the slowest steps of late: the first is not */
    if (ptrace(PTRACE_SEIZE, j.rank[1], NULL, NULL) < 0 ||
        ptrace(PTRACE_INTERRUPT, j.rank[1], NULL, NULL) < 0) {
        kill(j.supervisor, SIGKILL);
        kill(j.console, SIGKILL);
        cr_skip_test("no process may be traced here");
    }
    failed_with(&j, "rank 1 on ");
    failed_with(&j, " hangs: it has slept for ");
    nothing_is_left(&j, true);
}

Test(kill9, where_pidfds_are_refused)
{
    struct job j;

    setenv("LEEWAY_NO_PIDFD", "1", 1);
    j = begin_stubborn();
    stop_both(&j);
    kill(j.rank[1], SIGKILL);
    failed_with(&j, "rank 1 on ");
    nothing_is_left(&j, true);
}

/* Ranks that train on, deaf to requests and SIGTERM. */
Test(kill9, deaf_ranks_are_killed_when_patience_is_over)
{
    struct job j = {.dir = test_folder()};

    test_write(test_path(j.dir, "patience"), "0.3 2");
    j = begin_stubborn_in(j.dir);
    kill(j.supervisor, SIGTERM);
    for (int i = 0; i < 3000 && lw_run_alive(j.dir, NULL) == 1; i++)
        usleep(20000);
    cr_assert(train_logged(j.dir, "SIGTERM to process"));
    cr_assert(train_logged(j.dir, "the rank goes on"));
    nothing_is_left(&j, true);
    cr_assert_eq(access(j.memory, F_OK), -1);
}

Test(kill9, a_run_that_is_stopped_leaves_a_checkpoint_and_nobody)
{
    struct job j = begin_training();

    kill(j.supervisor, SIGTERM);
    for (int i = 0; i < 3000 && lw_run_alive(j.dir, NULL) == 1; i++)
        usleep(LOOK_US);
    cr_assert(train_logged(j.dir, "stopped on request after step"));
    cr_assert(train_logged(j.dir, "checkpoint step-"));
    nothing_is_left(&j, true);
    cr_assert_eq(access(j.memory, F_OK), -1);
}
