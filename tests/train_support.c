/* SPDX-License-Identifier: MIT */
#include "tests/train_support.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/config/config.h"
#include "engine/run/folder.h"
#include "engine/run/rank_link.h"
#include "engine/verbs.h"
#include "tests/support.h"

static void need(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "train support: %s\n", what);
    abort();
}

void train_config(const char *dir, const char *const *settings)
{
    struct lw_error err = {0};
    struct lw_config c;

    need(lw_make_folders(dir, &err) == 0 && lw_config_init(&c, &err) == 0, err.text);
    for (; *settings; settings++)
        need(lw_config_set(&c, *settings, &err) == 0, err.text);
    need(lw_config_finish(&c, false, &err) == 0, err.text);
    need(lw_config_save(&c, test_path(dir, "config.yaml"), &err) == 0, err.text);
    lw_config_fini(&c);
}

void train_golden_config(const char *dir)
{
    char data[4200], from[4200];

    snprintf(data, sizeof data, "data=%s", test_source("tests/data/gpt2-tiny-stream.bin"));
    snprintf(from, sizeof from, "init_from=%s", test_source("tests/data/gpt2-tiny"));
    train_config(dir, (const char *const[]){
                          "task=lm", data, from, "shuffle=false", "batch_size=4", "max_seq_len=48",
                          "learning_rate=1e-3", "lr_schedule=constant", "warmup_ratio=0",
                          "validation_split=0", "max_steps=10", "precision=fp32", NULL});
}

void train_golden_check(const char *dir)
{
    static const double golden[] = {5.658717632293701, 5.597621440887451,  5.621115207672119,
                                    5.65166711807251,  5.658443927764893,  5.60786247253418,
                                    5.678936004638672, 5.6201558113098145, 5.6166300773620605,
                                    5.568355083465576};
    double loss[16];

    cr_assert_eq(train_column(dir, "train/loss", loss, 16), 10);
    for (int i = 0; i < 10; i++)
        cr_expect_float_eq(loss[i], golden[i], 1e-4, "step %d: %.9g, not %.9g", i + 1, loss[i],
                           golden[i]);
}

pid_t train_start(const char *dir, int *pipe_fd)
{
    int fds[2];
    pid_t pid;

    need(pipe(fds) == 0, "pipe");
    pid = fork();
    need(pid >= 0, "fork");
    if (pid == 0) {
        struct lw_rank_link link = {.fd = -1};
        struct train_end end = {0};
        struct lw_error err = {0};

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        close(fds[0]);
        end.code = lw_train_rank(dir, NULL, &link, &err);
        memcpy(end.text, err.text, sizeof end.text);
        need(write(fds[1], &end, sizeof end) == (ssize_t)sizeof end, "write");
        _exit(0);
    }
    close(fds[1]);
    *pipe_fd = fds[0];
    return pid;
}

struct train_end train_wait(pid_t pid, int pipe_fd)
{
    struct train_end end = {.code = -1000};
    int status;

    if (read(pipe_fd, &end, sizeof end) != (ssize_t)sizeof end)
        end.code = -1000;
    close(pipe_fd);
    need(waitpid(pid, &status, 0) == pid, "waitpid");
    return end;
}

struct train_end train(const char *dir)
{
    int fd;
    pid_t pid = train_start(dir, &fd);

    return train_wait(pid, fd);
}

void train_to_end(const char *dir)
{
    struct train_end end = train(dir);

    cr_assert_eq(end.code, 0, "%s: %s", dir, end.text);
}

struct train_end train_until(const char *dir, const char *const *settings, const char *name,
                             int number)
{
    struct train_end end;
    struct lw_error err;
    char path[4200];
    siginfo_t over;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    for (int tries = 0; tries < 20; tries++) {
        pid_t pid;
        int fd;

        need(lw_remove_tree(dir, &err) == 0, err.text);
        train_config(dir, settings);
        pid = train_start(dir, &fd);
        for (over.si_pid = 0; access(path, F_OK) < 0 && over.si_pid == 0; usleep(1000))
            need(waitid(P_PID, (id_t)pid, &over, WEXITED | WNOHANG | WNOWAIT) == 0, "waitid");
        kill(pid, number);
        end = train_wait(pid, fd);
        if (end.code != 0)
            return end;
    }
    need(0, "runs are over before a signal reaches them");
    return end;
}

char *train_file(const char *dir, const char *name, size_t *size)
{
    struct lw_error err;
    char *data;

    return lw_read_file(test_path(dir, name), 0, &data, size, &err) ? NULL : data;
}

bool train_same_file(const char *dir_a, const char *dir_b, const char *name)
{
    size_t na = 0, nb = 0;
    char *a = train_file(dir_a, name, &na), *b = train_file(dir_b, name, &nb);
    bool same = a && b && na == nb && memcmp(a, b, na) == 0;

    free(a);
    free(b);
    return same;
}

bool train_logged(const char *dir, const char *text)
{
    size_t n;
    char *log = train_file(dir, "events.log", &n);
    bool found = log && strstr(log, text);

    free(log);
    return found;
}

/* Cell `column` of a line. */
static size_t cell(const char *line, int column, const char **start)
{
    for (; column > 0; column--)
        line += strcspn(line, ",\n") + 1;
    *start = line;
    return strcspn(line, ",\n");
}

static int column_of(const char *header, const char *name)
{
    for (int i = 0;; i++) {
        const char *at;
        size_t n = cell(header, i, &at);

        if (n == strlen(name) && memcmp(at, name, n) == 0)
            return i;
        need(at[n] == ',', name);
    }
}

int train_column(const char *dir, const char *name, double *out, int max)
{
    size_t n;
    char *text = train_file(dir, "metrics.csv", &n), *line;
    int column, count = 0;

    need(text != NULL, "no metrics.csv");
    line = strchr(text, '\n');
    column = line ? column_of(text, name) : 0; /* a run that starts has not written its header */
    for (; line && line[1] && strchr(line + 1, '\n') && count < max;
         line = strchr(line + 1, '\n')) {
        const char *at;

        if (cell(line + 1, column, &at))
            out[count++] = strtod(at, NULL);
    }
    free(text);
    return count;
}

char *train_rows(const char *dir)
{
    static const char *const timing[] = {"time", "epoch_duration", "tokens_per_second"};
    size_t n;
    char *text = train_file(dir, "metrics.csv", &n), *line, *out, *to;
    int skip[3];

    need(text != NULL, "no metrics.csv");
    for (int i = 0; i < 3; i++)
        skip[i] = column_of(text, timing[i]);
    to = out = malloc(n + 1);
    need(out != NULL, "memory");
    for (line = text; *line; line = strchr(line, '\n') + 1) {
        const char *at;
        size_t length;

        for (int i = 0;; i++) {
            length = cell(line, i, &at);
            if (i != skip[0] && i != skip[1] && i != skip[2]) {
                memcpy(to, at, length);
                to += length;
                *to++ = ',';
            }
            if (at[length] != ',')
                break;
        }
        *to++ = '\n';
    }
    *to = '\0';
    free(text);
    return out;
}

/* drift.csv without its column of time. */
static char *drift_rows(const char *dir)
{
    size_t n;
    char *text = train_file(dir, LW_RUN_DRIFT, &n), *to = text;
    int column = 0;

    need(text != NULL, "no drift.csv");
    for (const char *at = text; *at; at++) {
        column = *at == '\n' ? 0 : *at == ',' ? column + 1 : column;
        if (column != 2 || *at == ',')
            *to++ = *at;
    }
    *to = '\0';
    return text;
}

static void expect_same(char *a, char *b, const char *dir)
{
    cr_expect_str_eq(a, b, "rows of %s", dir);
    free(a);
    free(b);
}

void train_same_rows(const char *dir_a, const char *dir_b)
{
    expect_same(train_rows(dir_a), train_rows(dir_b), dir_b);
}

void train_same_drift(const char *dir_a, const char *dir_b)
{
    expect_same(drift_rows(dir_a), drift_rows(dir_b), dir_b);
}
