/* SPDX-License-Identifier: MIT
 *
 * An engine whose rank trains nothing: it does what RUN_DIR/behave says. For tests of the
 * supervisor, which is the real one.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/dist/mpirun.h"
#include "engine/run/link.h"
#include "engine/run/rank_link.h"
#include "engine/run/supervisor.h"

static struct lw_rank_link rank_link;
static struct lw_status status;

static void report(enum lw_run_state state, int64_t step)
{
    status.state = state;
    status.step = step;
    status.of = 100;
    lw_link_progress(&rank_link, &status);
}

static void end(int code, const char *text)
{
    struct lw_error err;

    lw_fail(&err, code, "%s", text);
    lw_link_end(&rank_link, code, &err);
    exit(0);
}

static void touch(const char *name)
{
    FILE *f = fopen(name, "w");

    if (f)
        fclose(f);
}

static void stop_on_signal(int signo)
{
    (void)signo;
    touch("heard-sigterm");
    end(LW_ESTOPPED, "checkpoints/step-000007");
}

static void serve(int stubborn)
{
    report(LW_STATE_RUNNING, 7);
    for (;;) {
        switch (lw_link_poll(&rank_link, -1)) {
        case LW_REQUEST_PAUSE:
            report(LW_STATE_PAUSED, 7);
            lw_link_answer(&rank_link, true, "paused after step 7");
            break;
        case LW_REQUEST_CONTINUE:
            report(LW_STATE_RUNNING, 7);
            lw_link_answer(&rank_link, true, NULL);
            break;
        case LW_REQUEST_CHECKPOINT:
            touch("checkpointed");
            lw_link_answer(&rank_link, false, "the disk is\nfull");
            break;
        case LW_REQUEST_STOP:
            touch("asked-to-stop");
            if (stubborn)
                break;
            report(LW_STATE_STOPPING, 8);
            lw_link_answer(&rank_link, true, "stopping");
            end(LW_ESTOPPED, "checkpoints/step-000008");
            break;
        default:
            break;
        }
    }
}

/* One of several that a launcher started, deaf to all that can be ignored. */
static void train_stubbornly(int number)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (int64_t step = 1;; step++) {
        if (number == 0)
            report(LW_STATE_RUNNING, step);
        usleep(20000);
    }
}

static int rank(const char *dir)
{
    const char *ours = getenv("OMPI_COMM_WORLD_RANK"), *launcher = getenv(LW_LAUNCHER_VARIABLE);
    int number = ours ? atoi(ours) : 0;
    char behave[32] = "", *text;
    size_t size;
    FILE *pid;

    if (launcher) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != atoi(launcher))
            return 1;
    }

    if (chdir(dir) < 0 || lw_read_file("behave", 100, &text, &size, NULL) < 0)
        return 1;
    snprintf(behave, sizeof(behave), "%s", text);
    free(text);
    pid = fopen("rank-pid", "w");
    if (pid) {
        fprintf(pid, "%d\n", (int)getpid());
        fclose(pid);
    }
    lw_link_open(&rank_link, number);
    lw_status_init(&status);
    if (!strncmp(behave, "ranks", 5))
        train_stubbornly(number);
    report(LW_STATE_STARTING, 0);
    if (!strcmp(behave, "deaf"))
        signal(SIGTERM, SIG_IGN);
    if (!strcmp(behave, "hears SIGTERM"))
        signal(SIGTERM, stop_on_signal);
    if (!strcmp(behave, "deaf") || !strcmp(behave, "hears SIGTERM"))
        serve(1);
    if (!strcmp(behave, "serve") || !strcmp(behave, "stubborn"))
        serve(!strcmp(behave, "stubborn"));
    if (!strcmp(behave, "fail"))
        end(LW_EDATA, "kjv.txt is empty");
    if (!strcmp(behave, "exit")) {
        fprintf(stderr, "first line\nlast \033[31mline\n");
        return 3;
    }
    if (!strcmp(behave, "kill"))
        raise(SIGKILL);
    if (!strcmp(behave, "loud"))
        for (int i = 0; i < 20000; i++)
            fprintf(stderr, "line %d\n", i);
    report(LW_STATE_RUNNING, 1);
    status.val_loss = 2.5;
    report(LW_STATE_FINISHED, 100);
    end(0, "");
    return 0;
}

/* RUN_DIR/patience: seconds until SIGTERM, and until the end. */
static void read_patience(struct lw_supervise *how)
{
    char *path = lw_path_join(how->dir, "patience"), *text = NULL;
    size_t size;

    if (path && lw_read_file(path, 100, &text, &size, NULL) == 0)
        sscanf(text, "%lf %lf", &how->term_s, &how->kill_s);
    free(path);
    free(text);
}

/* Does the run want ranks that mpirun starts? */
static int several(const char *dir)
{
    char *path = lw_path_join(dir, "behave"), *text = NULL;
    size_t size;
    int found =
        path && lw_read_file(path, 100, &text, &size, NULL) == 0 && !strncmp(text, "ranks", 5);

    free(path);
    free(text);
    return found;
}

int main(int argc, char **argv)
{
    char self[] = "/proc/self/exe", flag[] = "--rank";
    char *rank_argv[] = {self, flag, NULL, NULL};
    struct lw_error err = {0, ""};
    struct lw_supervise how;

    if (argc == 3 && !strcmp(argv[1], "--rank"))
        return rank(argv[2]);
    if (lw_supervise_arguments(argc, argv, &how, &err) < 0)
        return 2;
    read_patience(&how);
    rank_argv[2] = (char *)how.dir;
    how.rank_argv = rank_argv;
    if (several(how.dir)) {
        struct lw_mpirun m;
        int code;

        rank_argv[0] = realpath(self, NULL);
        if (lw_mpirun_prepare(&m, 2, rank_argv, true, &err) < 0) {
            dprintf(how.ready_fd, "failed %d %s\n", err.code, err.text);
            return 1;
        }
        how.rank_argv = m.argv;
        how.ranks = 2;
        how.door = m.door;
        code = lw_supervise(&how, &err);
        lw_mpirun_clean(&m);
        return code;
    }
    return lw_supervise(&how, &err);
}
