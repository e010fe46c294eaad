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
#include <unistd.h>

#include "engine/base/io.h"
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

static int rank(const char *dir)
{
    char behave[32] = "", *text;
    size_t size;
    FILE *pid;

    if (chdir(dir) < 0 || lw_read_file("behave", 100, &text, &size, NULL) < 0)
        return 1;
    snprintf(behave, sizeof(behave), "%s", text);
    free(text);
    pid = fopen("rank-pid", "w");
    if (pid) {
        fprintf(pid, "%d\n", (int)getpid());
        fclose(pid);
    }
    lw_link_open(&rank_link);
    lw_status_init(&status);
    report(LW_STATE_STARTING, 0);
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
    rank_argv[2] = (char *)how.dir;
    how.rank_argv = rank_argv;
    return lw_supervise(&how, &err);
}
