/* SPDX-License-Identifier: MIT */
#include "engine/run/start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/folder.h"
#include "engine/run/parent_watch.h"

static const double up_s = 20; /* how long an engine may take to be up */
static const double end_s = 5; /* and to end, when it isn't */

#define ENGINE "leeway-engine"

/* dir/leeway-engine when it can be run. */
static char *engine_in(const char *dir)
{
    char *path = lw_path_join(dir, ENGINE);

    if (path && access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static char *engine_in_path(void)
{
    const char *path = getenv("PATH");
    char *copy = path ? strdup(path) : NULL, *found = NULL, *rest = copy, *dir;

    while (copy && !found && (dir = strsep(&rest, ":")))
        if (*dir)
            found = engine_in(dir);
    free(copy);
    return found;
}

char *lw_engine_path(struct lw_error *err)
{
    const char *given = getenv("LEEWAY_ENGINE");
    char self[PATH_MAX], *found = NULL, *slash;
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (given && *given)
        return strdup(given);
    self[n > 0 ? n : 0] = '\0';
    slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
        /* libtool keeps programs that are not installed in .libs, and a script that starts them
         * with the libraries they need above it */
        slash = strrchr(self, '/');
        if (slash && !strcmp(slash, "/.libs"))
            *slash = '\0';
        found = engine_in(self);
    }
#ifdef LW_LIBEXECDIR
    if (!found)
        found = engine_in(LW_LIBEXECDIR);
#endif
    if (!found)
        found = engine_in_path();
    if (!found)
        lw_fail(err, LW_EMISSING,
                "cannot find %s beside this program or in PATH; is leeway installed whole?",
                ENGINE);
    return found;
}

struct pipes {
    int ready[2], lifeline[2];
};

static void close_both(int fd[2])
{
    for (int i = 0; i < 2; i++) {
        if (fd[i] >= 0)
            close(fd[i]);
        fd[i] = -1;
    }
}

/* In the child: never returns. What it prints before it is up goes to the starter. */
static void become(const struct lw_start *how, const char *engine, const char *dir,
                   struct pipes *p)
{
    static const int reset[] = {SIGINT,  SIGTERM, SIGQUIT, SIGUSR1, SIGCHLD,
                                SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};
    const char *argv[10];
    char kernel[64];
    sigset_t none;
    int n = 0, null = open("/dev/null", O_RDWR);

    setsid();
    signal(SIGHUP, SIG_IGN);
    for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
        signal(reset[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* handed over as standard input and output, which a shell script between us passes on */
    dup2(p->lifeline[0] >= 0 ? p->lifeline[0] : null, 0);
    dup2(p->ready[1], 1);
    dup2(p->ready[1], 2);
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    setenv("OPENBLAS_NUM_THREADS", "1", 1); /* or its pool starts in the supervisor too */
    argv[n++] = engine;
    argv[n++] = "--ready-fd";
    argv[n++] = "1";
    if (p->lifeline[0] >= 0) {
        argv[n++] = "--lifeline-fd";
        argv[n++] = "0";
    }
    if (how->kernel > 0) {
        lw_parent_watch_text(how->kernel, how->kernel_start, kernel, sizeof(kernel));
        argv[n++] = "--kernel";
        argv[n++] = kernel;
    }
    argv[n++] = dir;
    argv[n] = NULL;
    execv(engine, (char *const *)argv);
    dprintf(2, "cannot run %s: %s\n", engine, strerror(errno));
    _exit(127);
}

/* One line from the engine until the deadline. 1, 0: the deadline, -1: it hung up. */
static int read_line(int fd, char *line, size_t size, double deadline)
{
    size_t used = 0;

    for (;;) {
        double left = deadline - lw_clock_now();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n = poll(&p, 1, left > 0 ? (int)(left * 1000) + 1 : 0);
        char c;

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return 0;
        n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || c == '\n') {
            line[used] = '\0';
            return n == 1 || used ? 1 : -1;
        }
        if (used + 1 < size)
            line[used++] = c;
    }
}

/* "failed CODE TEXT" as an error. */
static int take_failure(const char *line, struct lw_error *err)
{
    char *text;
    long code = strtol(line + strlen("failed "), &text, 10);
    char clean[1024];

    lw_text_clean(text, strlen(text), clean, sizeof(clean));
    return lw_fail(err, code < 0 && code >= LW_EPEER ? (int)code : LW_EIO, "%s",
                   clean + (*clean == ' '));
}

/* Wait until the engine is up, then for training to begin, as long as was asked for. */
static int wait_up(int fd, double wait_s, const char *engine, bool *up, struct lw_error *err)
{
    char line[2048], said[512] = "";
    double deadline = lw_clock_now() + up_s;
    int rc;

    *up = false;
    while ((rc = read_line(fd, line, sizeof(line), deadline)) > 0) {
        if (!strncmp(line, "failed ", 7))
            return take_failure(line, err);
        if (!strncmp(line, "running", 7))
            return 0;
        if (!strncmp(line, "up ", 3)) {
            *up = true;
            if (wait_s <= 0)
                return 0;
            deadline = lw_clock_now() + wait_s;
        } else if (!*said) {
            lw_text_clean(line, strlen(line), said, sizeof(said));
        }
    }
    if (*up)
        return 0;
    if (rc == 0)
        return lw_fail(err, LW_EIO, "%s does not answer", engine);
    return lw_fail(err, LW_EIO, "%s ended before it was up%s%s", engine, *said ? ": " : "", said);
}

/* An engine that did not come up: what holds it may hold it against SIGTERM too. */
static int end_engine(pid_t pid)
{
    double deadline = lw_clock_now() + end_s;
    bool killed = false;
    int status = 0;

    kill(pid, SIGTERM);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (lw_clock_now() >= deadline + end_s)
            return 0; /* in the kernel, where no signal reaches it */
        if (lw_clock_now() >= deadline && !killed)
            killed = kill(pid, SIGKILL) == 0;
        poll(NULL, 0, 20);
    }
    return killed ? 0 : status;
}

static int spawn(const struct lw_start *how, const char *engine, struct lw_started *out,
                 struct lw_error *err)
{
    struct pipes p = {{-1, -1}, {-1, -1}};
    bool up;
    int rc;

    if (pipe2(p.ready, O_CLOEXEC) < 0 || (how->lifeline && pipe2(p.lifeline, O_CLOEXEC) < 0)) {
        rc = lw_fail_errno(err, "cannot make a pipe");
        goto out;
    }
    out->pid = fork();
    if (out->pid == 0)
        become(how, engine, out->dir, &p);
    if (out->pid < 0) {
        rc = lw_fail_errno(err, "cannot start %s", engine);
        goto out;
    }
    close(p.ready[1]);
    p.ready[1] = -1;
    rc = wait_up(p.ready[0], how->wait_s, engine, &up, err);
    if (rc < 0 && !up) {
        int status = 0;

        status = end_engine(out->pid);
        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
            rc = lw_wrap(err, "killed by signal %d", WTERMSIG(status));
        out->pid = 0;
    }
    if (rc == 0) {
        out->lifeline = p.lifeline[1];
        p.lifeline[1] = -1;
    }
out:
    close_both(p.ready);
    close_both(p.lifeline);
    return rc;
}

/* Write the changed configuration while nobody can start on the folder. */
static int save_over(struct lw_config *c, const char *dir, struct lw_error *err)
{
    int lock, rc = lw_run_lock(dir, &lock, err);

    if (rc < 0)
        return rc;
    if (c)
        rc = lw_run_save_config(c, dir, "resumed", err);
    close(lock);
    return rc;
}

/* An event that cannot be written is not worth a run. */
static void tell_events(const struct lw_start *how, const char *dir)
{
    struct lw_events *events = NULL;
    struct lw_error err;

    if (!how->events || lw_events_open(&events, dir, &err) < 0)
        return;
    for (int i = 0; i < how->events; i++)
        lw_events_add(events, how->event[i].level, "%s", how->event[i].text);
    lw_events_close(events);
}

/* Take away the folder of a run that never began. */
static void discard(const char *dir)
{
    static const char *const files[] = {LW_RUN_CONFIG, LW_RUN_LOCK, LW_RUN_STATUS, LW_RUN_EVENTS};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *path = lw_path_join(dir, files[i]);

        if (path)
            unlink(path);
        free(path);
    }
    rmdir(dir);
}

int lw_run_start(struct lw_config *c, const struct lw_start *how, struct lw_started *out,
                 struct lw_error *err)
{
    char *engine = how->engine ? strdup(how->engine) : lw_engine_path(err);
    int rc;

    *out = (struct lw_started){.lifeline = -1};
    if (!engine)
        return how->engine ? lw_fail(err, LW_EMEM, "out of memory") : LW_EMISSING;
    if (how->existing) {
        out->dir = realpath(how->run_dir, NULL);
        rc = out->dir ? save_over(c, out->dir, err)
                      : lw_fail_errno(err, "cannot find the run %s", how->run_dir);
    } else {
        rc = lw_run_create(c, how->run_dir, &out->dir, err);
    }
    if (rc == 0)
        tell_events(how, out->dir);
    if (rc == 0)
        rc = spawn(how, engine, out, err);
    if (rc < 0) {
        if (!how->existing && out->dir && out->pid <= 0)
            discard(out->dir);
        free(out->dir);
        *out = (struct lw_started){.lifeline = -1};
    }
    free(engine);
    return rc;
}

static void say(const struct lw_started *s, char word)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;

    if (s->lifeline < 0)
        return;
    sigaction(SIGPIPE, &ignore, &old);
    (void)!write(s->lifeline, &word, 1);
    sigaction(SIGPIPE, &old, NULL);
}

void lw_run_goodbye(struct lw_started *s)
{
    say(s, 'g');
    if (s->lifeline >= 0)
        close(s->lifeline);
    s->lifeline = -1;
}

void lw_run_ask_stop(const struct lw_started *s, bool hard)
{
    if (s->lifeline >= 0)
        say(s, hard ? 'h' : 's');
    else if (s->pid > 0)
        kill(s->pid, hard ? SIGKILL : SIGTERM);
}
