/* SPDX-License-Identifier: MIT
 *
 * leeway-engine itself, end to end: supervisor, rank, signals, control socket. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/run/control.h"
#include "engine/run/folder.h"
#include "engine/run/status.h"
#include "tests/support.h"
#include "tests/train_support.h"

/* Runs for minutes unless it is told otherwise. */
static const char *const long_run[] = {"d_model=64",        "num_layers=2",        "num_heads=2",
                                       "max_seq_len=64",    "batch_size=4",        "threads=1",
                                       "max_steps=1000000", "evaluate_every=off",  "epochs=1000000",
                                       "sample_every=off",  "checkpoint_every=20", NULL};

struct program {
    pid_t pid;
    char out[4200], err[4200]; /* files */
};

/* argv[0] is the program below the build folder; user 0 means as we are. */
static struct program start(const char *const *argv, const char *folder, uid_t user)
{
    struct program p;

    snprintf(p.out, sizeof p.out, "%s/stdout", folder);
    snprintf(p.err, sizeof p.err, "%s/stderr", folder);
    p.pid = fork();
    cr_assert_geq(p.pid, 0);
    if (p.pid == 0) {
        int out = open(p.out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        int err = open(p.err, O_WRONLY | O_CREAT | O_TRUNC, 0666);

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no engine behind */
        dup2(out, 1);
        dup2(err, 2);
        if (user && setuid(user) < 0)
            _exit(126);
        execv(test_built(argv[0]), (char *const *)argv);
        _exit(127);
    }
    return p;
}

static struct program start_engine(const char *folder, const char *dir)
{
    return start((const char *const[]){"leeway-engine", dir, NULL}, folder, 0);
}

/* Exit code, or minus the signal that ended it. */
static int end_of(const struct program *p)
{
    int status;

    cr_assert_eq(waitpid(p->pid, &status, 0), p->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static char *text_of(const char *path)
{
    struct lw_error err = {0};
    char *text = NULL;
    size_t n;

    cr_assert_eq(lw_read_file(path, 0, &text, &n, &err), 0, "%s", err.text);
    return text;
}

static int lines_in(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void wait_for(const char *path)
{
    struct stat st;

    for (int i = 0; i < 12000 && stat(path, &st) < 0; i++)
        usleep(10000);
    cr_assert_eq(stat(path, &st), 0, "%s did not appear", path);
}

static int64_t newest_step(const char *dir)
{
    double step[20000];
    int n = train_column(dir, "step", step, 20000);

    return n ? (int64_t)step[n - 1] : 0;
}

static void wait_for_step(const char *dir, int64_t step)
{
    wait_for(test_path(dir, "metrics.csv"));
    for (int i = 0; i < 12000 && newest_step(dir) < step; i++)
        usleep(10000);
    cr_assert_geq(newest_step(dir), step);
}

/* The rank is the supervisor's only child. */
static pid_t rank_of(pid_t supervisor)
{
    char path[64], *text;
    pid_t rank;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
    text = text_of(path);
    rank = (pid_t)atoi(text);
    free(text);
    cr_assert_gt(rank, 0, "process %d has no child", (int)supervisor);
    return rank;
}

static struct lw_reply tell(const char *dir, enum lw_request what)
{
    struct lw_reply reply = {0};
    struct lw_error err = {0};

    cr_assert_eq(lw_control_send(dir, what, 30.0, &reply, &err), 0, "%s", err.text);
    return reply;
}

static struct lw_status status_of(const char *dir)
{
    struct lw_status s;
    struct lw_error err = {0};

    cr_assert_eq(lw_status_read(dir, &s, &err), 0, "%s", err.text);
    return s;
}

/* Resume for some more steps, and see that nothing was lost. */
static void expect_it_goes_on(const char *folder, const char *dir)
{
    struct lw_status s;
    struct program p;
    int64_t before;

    before = newest_step(dir);
    p = start_engine(folder, dir);
    wait_for_step(dir, before + 2);
    cr_expect(train_logged(dir, "resumed from step-"));
    cr_expect(tell(dir, LW_REQUEST_STOP).ok);
    cr_expect_eq(end_of(&p), 0);
    s = status_of(dir);
    cr_expect_eq(s.state, LW_STATE_STOPPED);
    cr_expect_gt(s.step, before);
}

Test(engine, golden_losses, .timeout = 300)
{
    const char *folder = test_folder();
    char dir[4200];
    struct program p;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_golden_config(dir);
    p = start_engine(folder, dir);
    cr_assert_eq(end_of(&p), 0);
    train_golden_check(dir);
    cr_expect_eq(status_of(dir).state, LW_STATE_FINISHED);
}

Test(engine, pause_continue_checkpoint_stop, .timeout = 300)
{
    const char *folder = test_folder();
    struct lw_reply reply;
    struct program p;
    char dir[4200], name[64];
    int64_t at;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    p = start_engine(folder, dir);
    wait_for_step(dir, 3);
    reply = tell(dir, LW_REQUEST_PAUSE);
    cr_expect(reply.ok);
    cr_expect_eq(reply.state, LW_STATE_PAUSED);
    at = reply.step;
    wait_for_step(dir, at); /* rows on their way */
    usleep(500000);
    cr_expect_eq(newest_step(dir), at, "it went on while paused");
    reply = tell(dir, LW_REQUEST_CHECKPOINT);
    cr_expect(reply.ok, "%s", reply.text);
    snprintf(name, sizeof name, "checkpoints/step-%06d/state.json", (int)at);
    cr_expect_eq(access(test_path(dir, name), R_OK), 0, "%s: %s", name, reply.text);
    cr_expect(tell(dir, LW_REQUEST_CONTINUE).ok);
    wait_for_step(dir, at + 3);
    cr_expect(tell(dir, LW_REQUEST_STOP).ok);
    cr_expect_eq(end_of(&p), 0);
    cr_expect_eq(status_of(dir).state, LW_STATE_STOPPED);
    snprintf(name, sizeof name, "checkpoints/step-%06d/state.json", (int)newest_step(dir));
    cr_expect_eq(access(test_path(dir, name), R_OK), 0, "no %s", name);
    expect_it_goes_on(folder, dir);
}

static void signal_ends_it(int number, int code)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200], name[64];

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    p = start_engine(folder, dir);
    wait_for_step(dir, 3);
    kill(p.pid, number);
    cr_expect_eq(end_of(&p), code);
    snprintf(name, sizeof name, "checkpoints/step-%06d/state.json", (int)newest_step(dir));
    cr_expect_eq(access(test_path(dir, name), R_OK), 0, "no %s", name);
}

Test(engine, sigterm_saves_and_ends_with_143, .timeout = 300)
{
    signal_ends_it(SIGTERM, 143);
}

Test(engine, sigint_saves_and_ends_with_130, .timeout = 300)
{
    signal_ends_it(SIGINT, 130);
}

Test(engine, sigusr1_writes_a_checkpoint, .timeout = 300)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200];

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    p = start_engine(folder, dir);
    wait_for_step(dir, 1);
    kill(p.pid, SIGUSR1);
    wait_for(test_path(dir, "checkpoints"));
    cr_expect(tell(dir, LW_REQUEST_STOP).ok);
    cr_expect_eq(end_of(&p), 0);
}

Test(engine, killed_rank_is_said_and_resumed, .timeout = 300)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200], *err;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    p = start_engine(folder, dir);
    wait_for(test_path(dir, "checkpoints/step-000020"));
    kill(rank_of(p.pid), SIGKILL);
    cr_expect_eq(end_of(&p), 1);
    err = text_of(p.err);
    cr_expect_eq(lines_in(err), 1, "%s", err);
    free(err);
    cr_expect_eq(status_of(dir).state, LW_STATE_FAILED);
    expect_it_goes_on(folder, dir);
}

Test(engine, killed_supervisor_takes_its_rank_along, .timeout = 300)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200];
    pid_t rank;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    p = start_engine(folder, dir);
    wait_for(test_path(dir, "checkpoints/step-000020"));
    rank = rank_of(p.pid);
    kill(p.pid, SIGKILL);
    cr_expect_eq(end_of(&p), -SIGKILL);
    for (int i = 0; i < 6000 && kill(rank, 0) == 0; i++) {
        char path[64], *stat;

        snprintf(path, sizeof path, "/proc/%d/stat", (int)rank);
        if (access(path, R_OK) < 0)
            break;
        stat = text_of(path);
        if (strstr(stat, ") Z "))
            i = 6000;
        free(stat);
        usleep(10000);
    }
    cr_expect_eq(lw_run_alive(dir, NULL), 0);
    expect_it_goes_on(folder, dir);
}

Test(engine, two_engines_on_one_folder, .timeout = 300)
{
    const char *folder = test_folder(), *other;
    struct program first, second;
    char dir[4200], *err;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    first = start_engine(folder, dir);
    wait_for_step(dir, 3);
    other = test_path(folder, "second");
    cr_assert_eq(mkdir(other, 0777), 0);
    second = start_engine(other, dir);
    cr_expect_eq(end_of(&second), 1);
    err = text_of(second.err);
    cr_expect_eq(lines_in(err), 1, "%s", err);
    cr_expect(strstr(err, "process"), "%s", err);
    free(err);
    wait_for_step(dir, newest_step(dir) + 3);
    cr_expect(tell(dir, LW_REQUEST_STOP).ok);
    cr_expect_eq(end_of(&first), 0);
}

/* Can this user run what was built? Not where the build lies in a home folder closed to others. */
static int may_run(uid_t user)
{
    int status = 1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(setuid(user) || access(test_built("leeway-engine"), X_OK) ? 1 : 0);
    waitpid(pid, &status, 0);
    return status == 0;
}

Test(engine, read_only_folder, .timeout = 300)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200], *err;
    uid_t nobody = geteuid() == 0 ? 65534 : 0;

    if (nobody && !may_run(nobody))
        cr_skip_test("user 65534 cannot reach the build folder");
    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    cr_assert_eq(chmod(folder, 0755), 0);
    cr_assert_eq(chmod(dir, 0555), 0);
    p = start((const char *const[]){"leeway-engine", dir, NULL}, folder, nobody);
    cr_expect_eq(end_of(&p), 1);
    err = text_of(p.err);
    cr_expect_eq(lines_in(err), 1, "%s", err);
    cr_expect(strstr(err, dir), "%s", err);
    free(err);
    cr_assert_eq(chmod(dir, 0755), 0);
}

Test(engine, missing_data_is_one_line, .timeout = 300)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200], *err;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, (const char *const[]){"data=/nonexistent/kjv.txt", NULL});
    p = start_engine(folder, dir);
    cr_expect_eq(end_of(&p), 1);
    err = text_of(p.err);
    cr_expect_eq(lines_in(err), 1, "%s", err);
    cr_expect(strstr(err, "/nonexistent/kjv.txt"), "%s", err);
    free(err);
    cr_expect(strstr(status_of(dir).last_error, "/nonexistent/kjv.txt"));
    cr_expect_eq(status_of(dir).state, LW_STATE_FAILED);
}

Test(engine, damaged_configuration_is_said, .timeout = 300)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200], *err;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir, long_run);
    test_write(test_path(dir, "config.yaml"), "d_model: 64\nd_modl: 65\nnum_heads: x\n");
    p = start_engine(folder, dir);
    cr_expect_neq(end_of(&p), 0);
    err = text_of(p.err);
    cr_expect(strstr(err, "d_modl"), "%s", err);
    cr_expect(strstr(err, "num_heads"), "%s", err);
    free(err);
}

Test(engine, sample_prints_text, .timeout = 300)
{
    const char *folder = test_folder();
    struct program p;
    char dir[4200], *out;

    snprintf(dir, sizeof dir, "%s/run", folder);
    train_config(dir,
                 (const char *const[]){"d_model=32", "num_layers=1", "num_heads=2",
                                       "max_seq_len=32", "batch_size=2", "threads=1", "max_steps=5",
                                       "evaluate_every=off", "sample_every=off", NULL});
    p = start((const char *const[]){"leeway-engine", "sample", dir, NULL}, folder, 0);
    cr_expect_eq(end_of(&p), 1);
    out = text_of(p.err);
    cr_expect(strstr(out, "has no checkpoint yet"), "%s", out);
    cr_expect_eq(lines_in(out), 1, "%s", out);
    free(out);
    p = start_engine(folder, dir);
    cr_expect_eq(end_of(&p), 0);
    p = start((const char *const[]){"leeway-engine", "sample", dir, "--prompt", "The captain",
                                    "--tokens", "80", NULL},
              folder, 0);
    cr_expect_eq(end_of(&p), 0);
    out = text_of(p.out);
    cr_expect(strncmp(out, "The captain", 11) == 0, "%s", out);
    for (const char *c = out; *c; c++)
        cr_expect((unsigned char)*c >= ' ' || *c == '\n' || *c == '\t', "byte %02x", *c);
    free(out);
    p = start((const char *const[]){"leeway-engine", "sample", dir, "--tokens", "many", NULL},
              folder, 0);
    cr_expect_eq(end_of(&p), 2);
}

Test(engine, doctor_and_bench_speak_json, .timeout = 300)
{
    const char *folder = test_folder();
    json_error_t why;
    struct program p;
    json_t *report;
    char *out;

    p = start((const char *const[]){"leeway-engine", "doctor", "--json", NULL}, folder, 0);
    cr_expect_eq(end_of(&p), 0);
    out = text_of(p.out);
    report = json_loads(out, 0, &why);
    cr_assert(report != NULL, "%s: %s", why.text, out);
    cr_expect_geq(
        json_integer_value(json_object_get(json_object_get(report, "machine"), "threads")), 1);
    cr_expect(json_is_true(json_object_get(json_object_get(report, "parts"), "criterion")),
              "this test is built with it");
    json_decref(report);
    free(out);
    p = start((const char *const[]){"leeway-engine", "bench", "train", "size=custom", "steps=2",
                                    "warmup=0", "d_model=32", "num_layers=1", "num_heads=2",
                                    "--json", NULL},
              folder, 0);
    cr_expect_eq(end_of(&p), 0);
    out = text_of(p.out);
    report = json_loads(out, 0, &why);
    cr_assert(report != NULL, "%s: %s", why.text, out);
    cr_expect_gt(json_real_value(json_object_get(report, "tokens_per_second")), 0);
    json_decref(report);
    free(out);
    p = start((const char *const[]){"leeway-engine", "bench", "train", "size=7B", NULL}, folder, 0);
    cr_expect_eq(end_of(&p), 2);
}
