/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/folder.h"
#include "engine/run/protocol.h"
#include "tests/support.h"

static struct lw_config c;
static struct lw_error err;
static char *runs;

static void init(void)
{
    runs = strdup(test_path(test_folder(), "runs"));
    cr_assert_eq(lw_config_init(&c, &err), 0);
    cr_assert_eq(lw_config_change(&c, "runs_dir", runs, NULL, &err), 0);
    cr_assert_eq(lw_config_finish(&c, false, &err), 0);
}

static void fini(void)
{
    lw_config_fini(&c);
    free(runs);
}

TestSuite(folder, .init = init, .fini = fini, .timeout = 30);

static char *create(void)
{
    char *made;

    cr_assert_eq(lw_run_create(&c, NULL, &made, &err), 0, "%s", err.text);
    return made;
}

Test(folder, runs_of_the_same_second_differ)
{
    char *a = create(), *b = create(), *third = create();

    cr_assert_str_neq(a, b);
    cr_assert_str_neq(b, third);
    cr_assert(strstr(a, "-lm-tiny"), "%s", a);
    cr_assert_eq(access(test_path(b, "config.yaml"), R_OK), 0);
    free(a);
    free(b);
    free(third);
}

Test(folder, config_is_whole_and_says_where_it_was_made)
{
    char *made = create(), *text;
    struct lw_config again;
    size_t size;

    cr_assert_eq(lw_config_init(&again, &err), 0);
    cr_assert_eq(lw_run_load_config(&again, runs, &err), LW_EIO, "no run is there");
    cr_assert_eq(lw_run_load_config(&again, made, &err), 0, "%s", err.text);
    cr_assert_eq(lw_config_finish(&again, false, &err), 0, "%s", err.text);
    cr_assert_eq(again.d_model, c.d_model);
    cr_assert_eq(lw_read_file(test_path(made, "config.yaml"), 0, &text, &size, &err), 0);
    cr_assert(strstr(text, "# started 2"), "%.80s", text);
    cr_assert(strstr(text, " by leeway "));
    cr_assert(strstr(text, "# command: "), "%.200s", text);
    free(text);
    lw_config_fini(&again);
    free(made);
}

Test(folder, a_name_cannot_leave_the_folder)
{
    char *made;

    cr_assert_eq(lw_config_change(&c, "run_name", "../../etc/ \033[2J x=y", NULL, &err), 0);
    made = create();
    cr_assert(!strncmp(made, runs, strlen(runs)), "%s", made);
    cr_assert_null(strchr(made + strlen(runs) + 1, '/'), "%s", made);
    cr_assert_null(strchr(made, '\033'));
    free(made);
}

Test(folder, a_long_name_is_cut_between_characters)
{
    char name[256] = "", *made;
    uint32_t code;

    for (int i = 0; i < 100; i++)
        strcat(name, "\xc3\xa9");
    cr_assert_eq(lw_config_change(&c, "run_name", name, NULL, &err), 0, "%s", err.text);
    made = create();
    for (const char *p = strrchr(made, '/') + 1; *p;) {
        size_t n = lw_utf8_decode(p, strlen(p), &code);

        cr_assert_gt(n, 0, "%s", made);
        p += n;
    }
    free(made);
}

Test(folder, the_given_folder)
{
    const char *parent = test_folder();
    char *given = strdup(test_path(parent, "a/b")), *made;

    cr_assert_eq(lw_run_create(&c, given, &made, &err), 0, "%s", err.text);
    cr_assert(strstr(made, "/a/b"));
    free(made);
    cr_assert_eq(lw_run_create(&c, given, &made, &err), LW_EBUSY);
    cr_assert(strstr(err.text, "leeway resume"), "%s", err.text);
    cr_assert_null(made);
    test_write(test_path(parent, "thesis.tex"), "x");
    cr_assert_eq(lw_run_create(&c, parent, &made, &err), LW_EBUSY);
    cr_assert(strstr(err.text, "is not empty"), "%s", err.text);
    free(given);
}

Test(folder, nowhere_to_write)
{
    char *made;

    cr_assert_eq(lw_config_change(&c, "runs_dir", "/proc/nothing", NULL, &err), 0);
    cr_assert_neq(lw_run_create(&c, NULL, &made, &err), 0);
    cr_assert(strstr(err.text, "/proc"), "%s", err.text);
}

/* A process that holds the lock until it is killed. */
static pid_t hold(const char *dir)
{
    int ready[2];
    pid_t pid;
    char byte;

    cr_assert_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        int fd;

        if (lw_run_lock(dir, &fd, &err) < 0)
            _exit(1);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

Test(folder, the_lock_names_its_holder_and_dies_with_it)
{
    char *dir = create(), holder[64];
    pid_t pid = hold(dir);
    int fd;

    cr_assert_eq(lw_run_alive(dir, &err), 1);
    cr_assert_eq(lw_run_lock(dir, &fd, &err), LW_EBUSY);
    snprintf(holder, sizeof(holder), "process %d on ", (int)pid);
    cr_assert(strstr(err.text, holder), "%s", err.text);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    cr_assert_eq(lw_run_alive(dir, &err), 0);
    cr_assert_eq(lw_run_lock(dir, &fd, &err), 0, "%s", err.text);
    cr_assert_eq(lw_run_alive(dir, &err), 1);
    close(fd);
    cr_assert_eq(lw_run_alive(dir, &err), 0);
    free(dir);
}

Test(folder, a_lock_is_not_handed_to_programs_that_are_started)
{
    char *dir = create();
    int fd;

    cr_assert_eq(lw_run_lock(dir, &fd, &err), 0);
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    free(dir);
}

Test(folder, a_lock_in_a_missing_folder)
{
    int fd;

    cr_assert_eq(lw_run_lock("/nowhere", &fd, &err), LW_EIO);
    cr_assert(strstr(err.text, "/nowhere"));
    cr_assert_eq(lw_run_alive("/nowhere", &err), 0);
}

static void set_status(const char *dir, enum lw_run_state state, double started)
{
    struct lw_status s;

    lw_status_init(&s);
    s.state = state;
    s.started = started;
    cr_assert_eq(lw_status_write(dir, &s, &err), 0);
}

Test(folder, the_list_believes_the_lock)
{
    char *a = create(), *b = create(), *third = create();
    struct lw_run_list list;
    pid_t pid = hold(b);

    set_status(a, LW_STATE_RUNNING, 100);
    set_status(b, LW_STATE_RUNNING, 300);
    set_status(third, LW_STATE_FINISHED, 200);
    cr_assert_eq(mkdir(test_path(runs, "no run"), 0777), 0);
    cr_assert_eq(lw_run_list(runs, &list, &err), 0);
    cr_assert_eq(list.count, 3);
    cr_assert_str_eq(list.item[0].dir, b);
    cr_assert(list.item[0].alive);
    cr_assert_eq(list.item[0].status.state, LW_STATE_RUNNING);
    cr_assert_str_eq(list.item[1].dir, third);
    cr_assert_eq(list.item[1].status.state, LW_STATE_FINISHED);
    cr_assert_eq(list.item[2].status.state, LW_STATE_LOST);
    lw_run_list_free(&list);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    free(a);
    free(b);
    free(third);
}

Test(folder, names_in_the_list_are_clean)
{
    struct lw_run_list list;
    const char *bad = test_path(runs, "x\033[2J");

    cr_assert_eq(lw_make_folders(bad, &err), 0);
    test_write(test_path(bad, "metrics.csv"), "step\n");
    cr_assert_eq(lw_run_list(runs, &list, &err), 0);
    cr_assert_eq(list.count, 1);
    cr_assert_str_eq(list.item[0].name, "x?[2J");
    cr_assert_not(list.item[0].has_status);
    lw_run_list_free(&list);
}

Test(folder, finding_a_run)
{
    char *a = create(), *b = create(), *found;
    const char *name = strrchr(b, '/') + 1;

    set_status(a, LW_STATE_FINISHED, 100);
    set_status(b, LW_STATE_FINISHED, 200);
    cr_assert_eq(lw_run_find(runs, NULL, &found, &err), 0, "%s", err.text);
    cr_assert_str_eq(found, b);
    free(found);
    cr_assert_eq(lw_run_find(runs, a, &found, &err), 0);
    cr_assert_str_eq(found, a);
    free(found);
    cr_assert_eq(lw_run_find(runs, name, &found, &err), 0, "%s", err.text);
    cr_assert_str_eq(found, b);
    free(found);
    cr_assert_eq(lw_run_find(runs, "tiny-2", &found, &err), 0, "%s", err.text);
    cr_assert_str_eq(found, b);
    free(found);
    cr_assert_eq(lw_run_find(runs, "20", &found, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "2 runs"), "%s", err.text);
    cr_assert_eq(lw_run_find(runs, "zebra", &found, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "no run zebra"), "%s", err.text);
    cr_assert(strstr(err.text, "; leeway runs lists them"), "%s", err.text);
    cr_assert_eq(lw_run_find(runs, "lm-tinny", &found, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "did you mean 2"), "%s", err.text);
    cr_assert(strstr(err.text, "-lm-tiny?"), "%s", err.text);
    free(a);
    free(b);
}

Test(folder, no_runs_yet)
{
    struct lw_run_list list;
    char *found;

    cr_assert_eq(lw_run_list(runs, &list, &err), 0);
    cr_assert_eq(list.count, 0);
    cr_assert_eq(lw_run_find(runs, NULL, &found, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "leeway train"), "%s", err.text);
}

Test(folder, requests_and_answers)
{
    static const char *const bad[] = {"", "{}", "[1]", "{\"command\":[]}", "{\"command\":\"\"}"};
    struct lw_reply reply;
    char line[LW_CONTROL_LINE];
    size_t n;

    for (int i = 1; i < LW_REQUEST_COUNT; i++) {
        n = (size_t)snprintf(line, sizeof(line), "{\"command\": \"%s\"}",
                             lw_request_name((enum lw_request)i));
        cr_assert_eq(lw_protocol_request(line, n, &err), (enum lw_request)i);
        cr_assert_eq(lw_request_from(lw_request_name((enum lw_request)i)), (enum lw_request)i);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_eq(lw_protocol_request(bad[i], strlen(bad[i]), &err), LW_REQUEST_NONE);
    n = lw_protocol_answer(line, sizeof(line), true, LW_STATE_PAUSED, 12, "a\n\"b\" \377");
    cr_assert_eq(line[n - 1], '\n');
    cr_assert_null(memchr(line, '\n', n - 1));
    cr_assert_eq(lw_protocol_reply(line, n - 1, &reply, &err), 0, "%s", err.text);
    cr_assert(reply.ok);
    cr_assert_eq(reply.state, LW_STATE_PAUSED);
    cr_assert_eq(reply.step, 12);
    cr_assert_str_eq(reply.text, "a | \"b\" ?");
    cr_assert_eq(lw_protocol_answer(line, 10, true, LW_STATE_PAUSED, 12, "long"), 0);
    cr_assert_eq(lw_protocol_reply("{\"ok\":1}", 8, &reply, &err), LW_EDATA);
}
