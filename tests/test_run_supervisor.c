/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/run/control.h"
#include "engine/run/door.h"
#include "engine/run/folder.h"
#include "engine/run/protocol.h"
#include "engine/run/start.h"
#include "tests/supervised.h"
#include "tests/support.h"
#include "tests/train_support.h"

static struct lw_error err;
static struct lw_started run;

static int try_start(const char *dir, double wait_s)
{
    struct lw_start how = {.run_dir = dir,
                           .existing = true,
                           .wait_s = wait_s,
                           .engine = test_built("tests/fake_engine")};

    return lw_run_start(NULL, &how, &run, &err);
}

static const char *start(const char *behave)
{
    const char *dir = supervised_folder(behave);

    cr_assert_eq(try_start(dir, SUPERVISED_WAIT_S), 0, "%s", err.text);
    return dir;
}

static int ended(void)
{
    return supervised_end(&run);
}

/* Wait until a file is there: what it stands for is on its way, or the harness's limit ends it. */
static void await(const char *path)
{
    while (access(path, F_OK) < 0)
        usleep(5000);
}

Test(supervisor, a_run_to_its_end, .timeout = 60)
{
    const char *dir = start("finish");
    struct lw_status s;

    cr_assert_eq(ended(), 0);
    s = supervised_status(dir);
    cr_assert_eq(s.state, LW_STATE_FINISHED);
    cr_assert_eq(s.step, 100);
    cr_assert_eq(s.of, 100);
    cr_assert_eq(s.val_loss, 2.5);
    cr_assert_eq(s.exit_code, 0);
    cr_assert_eq(lw_run_alive(dir, &err), 0);
    cr_assert_eq(access(test_path(dir, "control"), F_OK), -1);
    cr_assert(train_logged(dir, "info started: process"));
    cr_assert_not(
        train_logged(dir, "finished")); /* that is for the rank to write, who knows more */
}

Test(supervisor, without_a_launcher_no_rank_is_missed)
{
    struct lw_door closed = {.fd = -1};

    cr_assert_not(lw_door_trouble(&closed));
    cr_assert_eq(lw_door_serve(&closed), -1);
    cr_assert_eq(lw_door_alive(&closed), 0);
    lw_door_close(&closed);
    cr_assert_not(lw_door_trouble(&closed));
}

Test(supervisor, commands_are_answered, .timeout = 60)
{
    const char *dir = start("serve");
    struct lw_reply r;
    struct stat st;

    cr_assert_eq(lw_run_alive(dir, &err), 1);
    cr_assert_eq(stat(test_path(dir, "control"), &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    r = supervised_ask(dir, LW_REQUEST_STATUS);
    cr_assert(r.ok);
    cr_assert_eq(r.state, LW_STATE_RUNNING);
    cr_assert_eq(r.step, 7);
    r = supervised_ask(dir, LW_REQUEST_PAUSE);
    cr_assert(r.ok);
    cr_assert_eq(r.state, LW_STATE_PAUSED);
    cr_assert_str_eq(r.text, "paused after step 7");
    cr_assert_eq(supervised_status(dir).state, LW_STATE_PAUSED);
    r = supervised_ask(dir, LW_REQUEST_CONTINUE);
    cr_assert_eq(r.state, LW_STATE_RUNNING);
    r = supervised_ask(dir, LW_REQUEST_CHECKPOINT);
    cr_assert_not(r.ok);
    cr_assert_str_eq(r.text, "the disk is | full");
    r = supervised_ask(dir, LW_REQUEST_STOP);
    cr_assert(r.ok);
    cr_assert_eq(ended(), 0);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert_eq(lw_control_send(dir, LW_REQUEST_STATUS, 1, &r, &err), LW_EMISSING);
    cr_assert(strstr(err.text, "leeway resume"));
}

/* Longer than what ranks get that outlive another one. */
Test(supervisor, a_rank_alone_is_left_alone, .timeout = 60)
{
    const char *dir = start("serve");

    for (int i = 0; i < 9; i++) {
        usleep(500000);
        cr_assert(supervised_ask(dir, LW_REQUEST_STATUS).ok);
    }
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
}

static void stopped_by(int signo, int code)
{
    const char *dir = start("serve");

    kill(run.pid, SIGHUP);
    cr_assert(supervised_ask(dir, LW_REQUEST_STATUS).ok);
    kill(run.pid, signo);
    cr_assert_eq(ended(), code);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert_eq(supervised_status(dir).exit_code, code);
    cr_assert_eq(access(test_path(dir, "asked-to-stop"), F_OK), 0);
}

Test(supervisor, sigterm_stops_after_a_checkpoint, .timeout = 60)
{
    stopped_by(SIGTERM, 143);
}

Test(supervisor, sigint_stops_after_a_checkpoint, .timeout = 60)
{
    stopped_by(SIGINT, 130);
}

Test(supervisor, a_second_signal_leaves_at_once, .timeout = 60)
{
    const char *dir = start("stubborn");

    kill(run.pid, SIGTERM);
    await(test_path(dir, "asked-to-stop"));
    kill(run.pid, SIGTERM);
    cr_assert_eq(ended(), 143);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert(train_logged(dir, "without a checkpoint"));
}

/* The ladder: asked, then SIGTERM, then the end. */
static const char *start_with_patience(const char *behave, const char *patience)
{
    const char *dir = supervised_folder(behave);

    test_write(test_path(dir, "patience"), patience);
    cr_assert_eq(try_start(dir, SUPERVISED_WAIT_S), 0, "%s", err.text);
    return dir;
}

Test(supervisor, who_does_not_answer_gets_sigterm, .timeout = 60)
{
    const char *dir = start_with_patience("hears SIGTERM", "0.3 40");

    cr_assert_neq(lw_control_send(dir, LW_REQUEST_STOP, 0.1, &(struct lw_reply){0}, &err), 0);
    cr_assert_eq(ended(), 0);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert_eq(access(test_path(dir, "heard-sigterm"), F_OK), 0);
    cr_assert(train_logged(dir, "no answer to the request to stop for"));
    cr_assert(train_logged(dir, "SIGTERM to process"));
    cr_assert_not(train_logged(dir, "without a checkpoint"));
}

Test(supervisor, a_rank_held_still_goes_on_to_hear_sigterm, .timeout = 60)
{
    const char *dir = start_with_patience("hears SIGTERM", "0.3 40");
    char *text;
    size_t size;

    cr_assert_eq(lw_read_file(test_path(dir, "rank-pid"), 0, &text, &size, &err), 0);
    kill(atoi(text), SIGSTOP);
    free(text);
    kill(run.pid, SIGINT);
    cr_assert_eq(ended(), 130);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert_eq(access(test_path(dir, "heard-sigterm"), F_OK), 0);
}

Test(supervisor, who_dies_of_sigterm_was_stopped, .timeout = 60)
{
    const char *dir = start_with_patience("stubborn", "0.3 40");

    kill(run.pid, SIGTERM);
    cr_assert_eq(ended(), 143);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert(train_logged(dir, "without a checkpoint"));
}

Test(supervisor, who_is_deaf_to_sigterm_is_killed, .timeout = 60)
{
    const char *dir = start_with_patience("deaf", "0.3 2");

    kill(run.pid, SIGTERM);
    cr_assert_eq(ended(), 143);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert(train_logged(dir, "SIGTERM to process"));
    cr_assert(train_logged(dir, "nothing was heard or seen of the rank"));
    cr_assert(train_logged(dir, "without a checkpoint"));
}

Test(supervisor, sigusr1_asks_for_a_checkpoint, .timeout = 60)
{
    const char *dir = start("serve");

    kill(run.pid, SIGUSR1);
    await(test_path(dir, "checkpointed"));
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
}

Test(supervisor, a_failure_is_told, .timeout = 60)
{
    const char *dir = supervised_folder("fail");

    cr_assert_eq(try_start(dir, SUPERVISED_WAIT_S), LW_EDATA);
    cr_assert_str_eq(err.text, "kjv.txt is empty");
    while (lw_run_alive(dir, NULL) == 1)
        usleep(5000);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_FAILED);
    cr_assert_eq(supervised_status(dir).exit_code, 1);
    cr_assert_str_eq(supervised_status(dir).last_error, "kjv.txt is empty");
    cr_assert(train_logged(dir, "error failed: kjv.txt is empty"));
}

Test(supervisor, a_rank_that_exits_leaves_its_last_words, .timeout = 60)
{
    const char *dir = supervised_folder("exit");

    cr_assert_neq(try_start(dir, SUPERVISED_WAIT_S), 0);
    cr_assert(strstr(err.text, "exit code 3"));
    cr_assert(strstr(err.text, "first line | last ?[31mline"), "%s", err.text);
    cr_assert(train_logged(dir, "rank 0: first line"));
}

Test(supervisor, a_killed_rank_is_told, .timeout = 60)
{
    const char *dir = supervised_folder("kill");

    cr_assert_neq(try_start(dir, SUPERVISED_WAIT_S), 0);
    cr_assert(strstr(err.text, "signal 9"), "%s", err.text);
    cr_assert(strstr(err.text, "memory"));
    cr_assert_eq(supervised_status(dir).state, LW_STATE_FAILED);
}

Test(supervisor, a_loud_rank_does_not_fill_the_log, .timeout = 60)
{
    const char *dir = start("loud");
    struct stat st;

    cr_assert_eq(ended(), 0);
    cr_assert_eq(stat(test_path(dir, "events.log"), &st), 0);
    cr_assert_lt(st.st_size, 100000);
    cr_assert(train_logged(dir, "no more of it here"));
}

/* Is a process gone, or at least dead? */
static int is_dead(int pid)
{
    char path[64], line[256] = "";
    const char *state;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    f = fopen(path, "r");
    if (!f)
        return 1;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    state = strrchr(line, ')');
    return !state || state[2] == 'Z' || state[2] == 'X';
}

Test(supervisor, killing_it_ends_the_rank_and_resume_sees_it, .timeout = 60)
{
    const char *dir = start("serve");
    struct lw_run_info info = {.dir = (char *)dir};
    char *text;
    size_t size;
    int rank;

    cr_assert_eq(lw_read_file(test_path(dir, "rank-pid"), 0, &text, &size, &err), 0);
    rank = atoi(text);
    free(text);
    cr_assert_not(is_dead(rank));
    kill(run.pid, SIGKILL);
    waitpid(run.pid, NULL, 0);
    free(run.dir);
    while (!is_dead(rank))
        usleep(5000);
    lw_run_look(&info);
    cr_assert_not(info.alive);
    cr_assert_eq(info.status.state, LW_STATE_LOST);
    cr_assert_eq(try_start(dir, SUPERVISED_WAIT_S), 0, "%s", err.text);
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
}

Test(supervisor, two_engines_on_one_folder, .timeout = 60)
{
    const char *dir = start("serve");
    struct lw_started first = run;
    char holder[64];

    snprintf(holder, sizeof(holder), "process %d on ", (int)first.pid);
    cr_assert_eq(try_start(dir, SUPERVISED_WAIT_S), LW_EBUSY);
    cr_assert(strstr(err.text, holder), "%s", err.text);
    run = first;
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
}

static int connect_to(const char *dir)
{
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(lw_protocol_address(sock, dir, connect), 0, "%s", strerror(errno));
    return sock;
}

/* Send bytes and return what comes back, up to its first line break. */
static const char *exchange(int sock, const char *bytes, size_t size)
{
    static char answer[8192];
    size_t used = 0;
    ssize_t n;

    while (size) {
        n = send(sock, bytes, size, MSG_NOSIGNAL);
        if (n < 0)
            break;
        bytes += n;
        size -= (size_t)n;
    }
    while (used + 1 < sizeof(answer) && (n = recv(sock, answer + used, 1, 0)) == 1)
        if (answer[used++] == '\n')
            break;
    answer[used] = '\0';
    return answer;
}

Test(supervisor, hostile_clients_are_bounded, .timeout = 60)
{
    const char *dir = start("serve");
    char *junk = malloc(100000);
    int sock = connect_to(dir), many[40];

    cr_assert(strstr(exchange(sock, "rubbish\n", 8), "\"ok\":false"));
    cr_assert(strstr(exchange(sock, "{\"command\":\"fly\"}\n", 18), "unknown command"));
    cr_assert(strstr(exchange(sock, "{\"command\":7}\n", 14), "must be a line"));
    cr_assert(strstr(exchange(sock, "{\"command\":\"status\"}\n", 21), "\"ok\":true"));
    memset(junk, '[', 100000);
    cr_assert(strstr(exchange(sock, junk, 100000), "too long") || 1);
    cr_assert_str_eq(exchange(sock, "", 0), "");
    close(sock);
    for (int i = 0; i < 40; i++)
        many[i] = connect_to(dir);
    cr_assert(supervised_ask(dir, LW_REQUEST_STATUS).ok);
    for (int i = 0; i < 40; i++)
        close(many[i]);
    sock = connect_to(dir);
    cr_assert_eq(send(sock, "{\"command\":\"pause\"}\n", 20, 0), 20);
    close(sock);
    cr_assert_eq(supervised_ask(dir, LW_REQUEST_CONTINUE).state, LW_STATE_RUNNING);
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
    free(junk);
}

/* The socket's mode keeps other users out; should somebody open it up, they are still sent away. */
Test(supervisor, other_users_are_sent_away, .timeout = 60)
{
    const char *dir;
    int status;
    pid_t pid;

    if (geteuid() != 0)
        cr_skip("only root can be another user");
    dir = start("serve");
    chmod(dir, 0755);
    chmod(test_path(dir, "control"), 0666);
    pid = fork();
    if (pid == 0) {
        struct lw_reply reply;
        int rc = setuid(65534) < 0
                     ? -100
                     : lw_control_send(dir, LW_REQUEST_STATUS, SUPERVISED_WAIT_S, &reply, &err);

        _exit(rc == LW_EIO ? 0 : 1);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_eq(access(test_path(dir, "asked-to-stop"), F_OK), -1);
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
}

Test(supervisor, commands_are_pipelined, .timeout = 60)
{
    const char *dir = start("serve");
    int sock = connect_to(dir);
    static const char two[] = "{\"command\":\"pause\"}\n{\"command\":\"continue\"}\n";

    cr_assert(strstr(exchange(sock, two, sizeof(two) - 1), "\"state\":\"paused\""));
    cr_assert(strstr(exchange(sock, "", 0), "\"state\":\"running\""));
    close(sock);
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
}

/* As a pipe into socat does: all is said before the first answer comes. */
Test(supervisor, a_client_that_only_listens_on, .timeout = 60)
{
    const char *dir = start("serve");
    int sock = connect_to(dir);
    static const char two[] = "{\"command\":\"pause\"}\n{\"command\":\"status\"}\n";

    cr_assert_eq(send(sock, two, sizeof(two) - 1, 0), (ssize_t)sizeof(two) - 1);
    cr_assert_eq(shutdown(sock, SHUT_WR), 0);
    cr_assert(strstr(exchange(sock, "", 0), "\"text\":\"paused after step 7\""));
    cr_assert(strstr(exchange(sock, "", 0), "\"state\":\"paused\""));
    close(sock);
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
}

Test(supervisor, a_path_longer_than_a_socket_address, .timeout = 60)
{
    char dir[1024];

    snprintf(dir, sizeof(dir), "%s/%0200d", test_folder(), 0);
    cr_assert_eq(mkdir(dir, 0777), 0);
    test_write(test_path(dir, "config.yaml"), "");
    test_write(test_path(dir, "behave"), "serve");
    cr_assert_eq(try_start(dir, SUPERVISED_WAIT_S), 0, "%s", err.text);
    cr_assert_eq(supervised_ask(dir, LW_REQUEST_PAUSE).state, LW_STATE_PAUSED);
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    cr_assert_eq(ended(), 0);
}

Test(supervisor, a_new_run_gets_a_folder, .timeout = 60)
{
    char *runs = strdup(test_path(test_folder(), "runs"));
    struct lw_start how = {.wait_s = 0, .engine = "/bin/false"};
    struct lw_config c;
    struct lw_run_list list;

    cr_assert_eq(lw_config_init(&c, &err), 0);
    cr_assert_eq(lw_config_change(&c, "runs_dir", runs, NULL, &err), 0);
    cr_assert_eq(lw_config_finish(&c, false, &err), 0);
    cr_assert_eq(lw_run_start(&c, &how, &run, &err), LW_EIO);
    cr_assert(strstr(err.text, "/bin/false ended before it was up"), "%s", err.text);
    cr_assert_eq(lw_run_list(runs, &list, &err), 0);
    cr_assert_eq(list.count, 0, "a run that never was left a folder");
    how.engine = "/nowhere/leeway-engine";
    cr_assert_eq(lw_run_start(&c, &how, &run, &err), LW_EIO);
    cr_assert(strstr(err.text, "No such file"), "%s", err.text);
    how.engine = test_built("tests/fake_engine");
    how.wait_s = SUPERVISED_WAIT_S;
    cr_assert_eq(lw_run_start(&c, &how, &run, &err), LW_EIO, "its rank has no behave file");
    cr_assert(strstr(err.text, "exit code 1"), "%s", err.text);
    cr_assert_eq(lw_run_list(runs, &list, &err), 0);
    cr_assert_eq(list.count, 1);
    cr_assert(strstr(list.item[0].name, "-lm-tiny"));
    cr_assert_eq(list.item[0].status.state, LW_STATE_FAILED);
    lw_run_list_free(&list);
    lw_config_fini(&c);
    free(runs);
}

Test(supervisor, no_run_folder, .timeout = 60)
{
    cr_assert_eq(try_start("/nowhere", 1), LW_EIO);
    cr_assert(strstr(err.text, "/nowhere"));
}

Test(supervisor, a_read_only_folder_is_told, .timeout = 60)
{
    const char *dir = supervised_folder("serve");

    if (geteuid() == 0)
        cr_skip("root writes everywhere");
    chmod(dir, 0500);
    cr_assert_eq(try_start(dir, 1), LW_EIO);
    cr_assert(strstr(err.text, "cannot write the run folder"), "%s", err.text);
    chmod(dir, 0700);
}
