/* SPDX-License-Identifier: MIT
 *
 * The program leeway-engine: supervises a run, is a run's rank, or does what a verb says.
 */
#include "config.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/io.h"
#include "engine/config/config.h"
#include "engine/dist/launcher.h"
#include "engine/dist/mpirun.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"
#include "engine/run/link.h"
#include "engine/run/rank_link.h"
#include "engine/run/supervisor.h"
#include "engine/usage.h"
#include "engine/verbs.h"

static int run_rank(int argc, char **argv);

static const struct lw_verb verbs[] = {
    {"--rank", "RUN_DIR [CONFIG]", "train as a rank of a run (started by its supervisor)",
     run_rank},
    {"sample", "RUN [...]", "let a run's model write text", lw_verb_sample},
    {"export", "RUN [--safetensors DIR] [...]", "write a run for other programs", lw_verb_export},
    {"doctor", "[--json] [--strict]", "tell what this machine can train on", lw_verb_doctor},
    {"profile", "DATA [key=value ...] [-o FILE.json]", "describe a data set", lw_verb_profile},
    {"bench", "attention | train | data | drift | start [...]", "measure this machine",
     lw_verb_bench},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* GNU's OpenMP lets a thread that waits spin for milliseconds before it sleeps. On a machine that
 * has other work as well, the spinning keeps the thread that is waited for from running, and steps
 * take ten times as long. It reads this when the program is loaded: true where it was set anew. */
static bool shorten_spinning(void)
{
    return !getenv("OMP_WAIT_POLICY") && !getenv("GOMP_SPINCOUNT") &&
           setenv("GOMP_SPINCOUNT", "1000", 1) == 0;
}

/* Another rank failed. Whatever this one waits for may never come: this is its end. */
static void end_rank(struct lw_rank_link *link, const char *text)
{
    struct lw_error err = {LW_EPEER, ""};

    snprintf(err.text, sizeof err.text, "%s", text);
    usleep(200000); /* rows on their way to the disk */
    lw_link_end(link, LW_EPEER, &err);
    if (link->fd < 0)
        lw_usage_end(err.code, &err);
    _exit(1);
}

/* A rank that a supervisor's launcher started dies with it, however that ends. */
static void die_with_launcher(void)
{
    const char *launcher = getenv(LW_LAUNCHER_VARIABLE);

    if (!launcher)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != atoi(launcher))
        _exit(127);
    unsetenv(LW_LAUNCHER_VARIABLE);
}

/* argv: --rank RUN_DIR, or where a launcher started this rank, which isn't rank 0: --rank - CONFIG
 */
static int run_rank(int argc, char **argv)
{
    struct lw_error err = {0, ""};
    struct lw_rank_link link;
    struct lw_launch launch;
    int rc;

    if (argc < 2 || argc > 3)
        return lw_usage_end(LW_EUSAGE, &(struct lw_error){LW_EUSAGE, "--rank needs a run folder"});
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error, not the end */
    if (lw_launch_look(&launch, &err) < 0)
        return lw_usage_end(err.code, &err);
    die_with_launcher();
    lw_link_open(&link, launch.rank);
    link.lost = end_rank;
    rc = lw_train_rank(strcmp(argv[1], "-") ? argv[1] : NULL, argc > 2 ? argv[2] : NULL, &link,
                       &err);
    lw_link_end(&link, rc, &err);
    if (rc < 0 && rc != LW_ESTOPPED && link.fd < 0)
        lw_usage_end(err.code, &err);
    lw_link_close(&link);
    return rc == 0 || rc == LW_ESTOPPED ? 0 : rc == LW_EUSAGE ? 2 : 1;
}

/* A run that wants several ranks here gets mpirun between it and them, unless somebody else's
 * launcher started us as one of several already. how->rank_argv is the only rank's, so far. */
static int find_launcher(struct lw_supervise *how, struct lw_mpirun *mpirun, struct lw_error *err)
{
    struct lw_launch launch;
    struct lw_config c;
    bool chosen = false;
    int rc = lw_launch_look(&launch, err), ranks = 1;

    if (!rc)
        rc = lw_config_init(&c, err);
    if (rc)
        return rc;
    /* what is wrong with it is the rank's to say */
    if (launch.size == 1 && !lw_run_load_config(&c, how->dir, err) &&
        !lw_config_finish(&c, false, err)) {
        ranks = lw_mpirun_ranks(&c);
        chosen = c.devices > 1;
    }
    if (ranks > 1)
        rc = lw_mpirun_prepare(mpirun, ranks, how->rank_argv, true, err);
    if (ranks > 1 && !rc) {
        how->rank_argv = mpirun->argv;
        how->ranks = ranks;
        how->door = mpirun->door;
    } else if (rc && !chosen) { /* several GPUs were there, but nobody asked for them */
        struct lw_events *events;

        rc = 0;
        if (!lw_events_open(&events, how->dir, NULL)) {
            lw_events_add(events, LW_EVENT_WARN, "one of %d GPUs is used: %s", ranks, err->text);
            lw_events_close(events);
        }
    }
    lw_config_fini(&c);
    return rc;
}

static int supervise(int argc, char **argv)
{
    char self[] = "/proc/self/exe", flag[] = "--rank";
    char *program = realpath(self, NULL); /* so that ps shows the rank by its name */
    char *rank_argv[] = {program ? program : self, flag, NULL, NULL};
    struct lw_error err = {0, ""};
    struct lw_mpirun mpirun = {.lock = {-1, -1}};
    struct lw_supervise how;
    char *dir = NULL;
    int code;

    if (lw_supervise_arguments(argc, argv, &how, &err) < 0) {
        code = lw_usage_end(err.code, &err);
        goto out;
    }
    dir = realpath(how.dir, NULL);
    if (!dir) {
        lw_fail_errno(&err, "cannot find the run folder %s", how.dir);
        if (how.ready_fd >= 0)
            dprintf(how.ready_fd, "failed %d %s\n", err.code, err.text);
        code = lw_usage_end(err.code, &err);
        goto out;
    }
    how.dir = rank_argv[2] = dir;
    how.rank_argv = rank_argv;
    lw_mpirun_sweep();
    if (find_launcher(&how, &mpirun, &err) < 0) {
        if (how.ready_fd >= 0)
            dprintf(how.ready_fd, "failed %d %s\n", err.code, err.text);
        code = lw_usage_end(err.code, &err);
        goto out;
    }
    code = lw_supervise(&how, &err);
    if (code == 1 || code == 2)
        lw_usage_end(err.code, &err);
out:
    lw_mpirun_clean(&mpirun);
    free(program);
    free(dir);
    return code;
}

static void help(FILE *out)
{
    fputs("usage: leeway-engine RUN_DIR      train the run in this folder to its end\n", out);
    for (int i = 0; i < VERBS; i++)
        fprintf(out, "       leeway-engine %s %s\n%38s%s\n", verbs[i].name, verbs[i].usage, "",
                verbs[i].help);
    fputs("The program leeway starts it; leeway --help says how.\n", out);
}

int main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "";
    bool reload = shorten_spinning(); /* a rank is loaded anew by its supervisor */

    lw_fill_standard();
    if (!*first) {
        help(stderr);
        return 2;
    }
    if (!strcmp(first, "--help")) {
        help(stdout);
        return 0;
    }
    if (!strcmp(first, "--version")) {
        puts("leeway-engine " PACKAGE_VERSION);
        return 0;
    }
    for (int i = 0; i < VERBS; i++) {
        if (strcmp(first, verbs[i].name) != 0)
            continue;
        if (reload)
            execv("/proc/self/exe", argv); /* without it, it is only slower */
        return verbs[i].run(argc - 1, argv + 1);
    }
    return supervise(argc, argv);
}
