/* SPDX-License-Identifier: MIT */
#include "engine/run/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/children.h"
#include "engine/run/door.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"
#include "engine/run/ladder.h"
#include "engine/run/one_line.h"
#include "engine/run/parent_watch.h"
#include "engine/run/rank_process.h"
#include "engine/run/server.h"

static const double status_s = 1;   /* between two status.json while nothing changes but numbers */
static const double grace_s = 3;    /* for a checkpoint and the way out, once the kernel is gone */
static const double trouble_s = 3;  /* for the other ranks to end, once one has */
static const double parting_s = 60; /* the same after an end that was good */
static const double term_s = 30;    /* until a rank that was asked to stop gets SIGTERM */
static const double silent_s = 600; /* and is killed, when it says and does nothing */
static const double sweep_s = 5;    /* for what was killed to be gone */

enum { OUTPUT_LINES = 200 }; /* of a rank that are worth an event each */

struct supervisor {
    const struct lw_supervise *how;
    int lock, signals, ready, lifeline;
    sigset_t mask; /* of signals, as it was before */
    struct lw_rank_process rank;
    struct lw_parent_watch kernel;
    struct lw_door door;
    double trouble; /* when ranks that outlive another are killed; 0: all is well */
    bool cleared;   /* they were */
    double heard;   /* from rank 0 last */
    struct lw_ladder ladder;
    struct pollfd *poll;
    double deadline; /* when a rank that was asked to stop is killed; 0: never */
    bool running, told_running;
    int wait_status;
    struct lw_server server;
    struct lw_events *events;
    struct lw_status status;
    double written;
    bool dirty, write_failed;
    uint32_t requests;
    int signal; /* that asked to stop; 0: none */
    bool stopping, stop_sent, at_once;
    bool has_end; /* the rank said how it ended */
    int end_code;
    int left; /* processes that nothing ends */
    char end_text[1024];
};

/* A line to whoever started us. */
static void tell_starter(struct supervisor *s, const char *fmt, ...) LW_PRINTF(2, 3);

static void tell_starter(struct supervisor *s, const char *fmt, ...)
{
    char line[2048];
    va_list args;
    int n;

    if (s->ready < 0)
        return;
    va_start(args, fmt);
    n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (n > 0)
        (void)!write(s->ready, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static void leave_starter(struct supervisor *s)
{
    if (s->ready >= 0)
        close(s->ready);
    s->ready = -1;
}

static void write_status(struct supervisor *s)
{
    struct lw_error err = {0, ""};

    s->status.updated = lw_clock_wall();
    s->written = lw_clock_now();
    s->dirty = false;
    if (lw_status_write(s->how->dir, &s->status, &err) == 0) {
        s->write_failed = false;
    } else if (!s->write_failed) {
        s->write_failed = true;
        lw_events_add(s->events, LW_EVENT_WARN, "%s; the run goes on", err.text);
    }
}

static void ask_stop(struct supervisor *s, const char *why)
{
    if (s->stopping)
        return;
    s->stopping = true;
    lw_events_add(s->events, LW_EVENT_INFO, "%s: stopping after a checkpoint", why);
    s->stop_sent = lw_rank_process_request(&s->rank, LW_REQUEST_STOP, 0) == 0;
}

/* Its number is its own until it has been waited for. */
static void kill_rank(struct supervisor *s)
{
    if (s->running)
        kill(s->rank.pid, SIGKILL);
    lw_door_kill(&s->door);
}

static void leave_at_once(struct supervisor *s, const char *why)
{
    if (s->at_once)
        return;
    s->at_once = s->stopping = true;
    lw_events_add(s->events, LW_EVENT_WARN, "%s: leaving at once, without a checkpoint", why);
    kill_rank(s);
}

/* From asking to stop to making it stop. A rank that is held still goes on to hear SIGTERM. */
static void climb(struct supervisor *s)
{
    bool agreed = s->status.state == LW_STATE_STOPPING || s->has_end;
    pid_t pid = s->door.fd >= 0 ? lw_door_pid(&s->door, 0) : s->rank.pid;
    char why[100];

    switch (lw_ladder_climb(&s->ladder, pid, agreed, s->heard, s->status.step, why)) {
    case LW_RUNG_TERM:
        lw_events_add(s->events, LW_EVENT_WARN, "%s: SIGTERM to process %d", why, (int)pid);
        kill(pid, SIGTERM);
        kill(pid, SIGCONT);
        break;
    case LW_RUNG_KILL:
        leave_at_once(s, why);
        break;
    default:
        break;
    }
}

/* A request of a client. */
static uint32_t take_request(void *user, enum lw_request request, bool *ok, char *text)
{
    struct supervisor *s = user;

    *ok = true;
    if (request == LW_REQUEST_STATUS)
        return 0;
    if (++s->requests == 0)
        ++s->requests;
    if (lw_rank_process_request(&s->rank, request, s->requests) < 0) {
        *ok = false;
        snprintf(text, 512, "%s",
                 s->running ? "the rank has not taken earlier requests yet, try again"
                            : "the run has ended");
        return 0;
    }
    if (request == LW_REQUEST_STOP)
        s->stopping = s->stop_sent = true;
    lw_events_add(s->events, LW_EVENT_INFO, "%s was asked for", lw_request_name(request));
    return s->requests;
}

/* Take over what the rank knows; the rest of the status is ours. */
static void take_progress(struct supervisor *s, const struct lw_status *now)
{
    struct lw_status old = s->status;
    bool changed = now->state != old.state;

    s->status = *now;
    if (s->status.state >= LW_STATE_COUNT)
        s->status.state = old.state;
    s->status.pid = old.pid;
    memcpy(s->status.host, old.host, sizeof(old.host));
    s->status.started = old.started;
    s->status.exit_code = -1;
    s->status.device[sizeof(s->status.device) - 1] = '\0';
    s->status.note[sizeof(s->status.note) - 1] = '\0';
    s->status.last_error[sizeof(s->status.last_error) - 1] = '\0';
    if (s->status.ranks < 0 || s->status.ranks > LW_STATUS_RANKS)
        s->status.ranks = 0;
    if (!lw_state_is_active(s->status.state))
        s->status.state = LW_STATE_STOPPING; /* over is what has been waited for */
    s->dirty = true;
    if (changed)
        write_status(s);
    if (s->status.state == LW_STATE_RUNNING && !s->told_running) {
        s->told_running = true;
        tell_starter(s, "running\n");
        leave_starter(s);
    }
}

static void take_messages(struct supervisor *s)
{
    struct lw_link_message m;
    int rc;

    if (s->rank.link < 0)
        return;
    while ((rc = lw_rank_process_receive(&s->rank, &m)) > 0) {
        s->heard = lw_clock_now();
        if (m.kind == LW_LINK_PROGRESS) {
            take_progress(s, &m.status);
        } else if (m.kind == LW_LINK_ANSWER) {
            lw_server_answer(&s->server, m.id, m.code == 0, m.text);
        } else if (m.kind == LW_LINK_END) {
            s->has_end = true;
            s->end_code = m.code;
            memcpy(s->end_text, m.text, sizeof(s->end_text));
            lw_door_rank_0(&s->door, false, m.code, m.text);
        }
    }
    if (rc < 0)
        lw_door_rank_0(&s->door, true, 0, NULL);
}

/* Ranks that a launcher started, and what is to be done when one of them is gone. */
static void take_ranks(struct supervisor *s)
{
    double now = lw_clock_now();
    int link = lw_door_serve(&s->door);

    if (link >= 0) {
        fcntl(link, F_SETFL, O_NONBLOCK);
        s->rank.link = link;
    }
    if (s->trouble <= 0 && lw_door_trouble(&s->door))
        s->trouble = now + trouble_s;
    else if (s->trouble <= 0 && s->has_end && s->door.fd >= 0)
        s->trouble = now + parting_s;
    if (s->trouble > 0 && now >= s->trouble) {
        s->cleared = true;
        kill_rank(s);
    }
}

static void take_line(void *user, const char *text)
{
    struct supervisor *s = user;
    int job, rank = 0, at = 0;

    /* a launcher marks its ranks' lines; its own, of which it has many, are not for everybody */
    if (s->door.fd >= 0 && (sscanf(text, "[%d,%d]<std%*3c>:%n", &job, &rank, &at) < 2 || !at))
        return;
    if (s->rank.lines <= OUTPUT_LINES)
        lw_events_add(s->events, LW_EVENT_WARN, "rank %d: %s", rank, text + at);
    if (s->rank.lines == OUTPUT_LINES)
        lw_events_add(s->events, LW_EVENT_WARN, "rank %d prints on, no more of it here", rank);
}

/* The child, and orphans of its own that came to us. */
static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != s->rank.pid)
            continue;
        s->wait_status = status;
        s->running = false;
    }
}

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
        int signo = (int)info.ssi_signo;
        const char *name = signo == SIGINT ? "SIGINT" : "SIGTERM";

        if (signo == SIGUSR1) {
            lw_events_add(s->events, LW_EVENT_INFO, "SIGUSR1: a checkpoint was asked for");
            lw_rank_process_request(&s->rank, LW_REQUEST_CHECKPOINT, 0);
        } else if (signo == SIGINT || signo == SIGTERM) {
            if (s->signal)
                leave_at_once(s, name);
            s->signal = signo;
            ask_stop(s, name);
        } else if (signo == SIGCHLD) {
            reap(s);
        }
    }
}

/* The front end that holds the other end: g lets go, s stops, h stops hard, and so does its loss
 * (softly). */
static void take_lifeline(struct supervisor *s)
{
    char word;
    ssize_t n = read(s->lifeline, &word, 1);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n == 1 && word == 's') {
        ask_stop(s, "the front end");
        return;
    }
    if (n == 1 && word == 'h') {
        leave_at_once(s, "the front end");
        return;
    }
    if (n <= 0)
        ask_stop(s, "the front end is gone");
    close(s->lifeline);
    s->lifeline = -1;
}

/* The notebook kernel that the run must not outlive. */
static void take_kernel(struct supervisor *s)
{
    char why[64];

    snprintf(why, sizeof(why), "the notebook kernel (process %d) is gone", (int)s->kernel.pid);
    if (lw_parent_watch_gone(&s->kernel)) {
        ask_stop(s, why);
        s->deadline = lw_clock_now() + grace_s;
    }
    if (s->deadline > 0 && lw_clock_now() >= s->deadline)
        leave_at_once(s, "no end of training in time");
}

/* One turn: wait for something, at most until the next status is due. */
static void turn(struct supervisor *s)
{
    bool often = (s->kernel.pid && s->kernel.fd < 0) || s->deadline > 0 || s->trouble > 0;
    struct pollfd *p = s->poll;
    int n = 0, served, own;

    p[n++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = s->rank.link, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = s->rank.output, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = s->lifeline, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = s->kernel.fd, .events = POLLIN};
    own = n;
    served = lw_server_wait(&s->server, p + n);
    n += served;
    n += lw_door_wait(&s->door, p + n);
    if (poll(p, (nfds_t)n, often ? LW_PARENT_POLL_MS : (int)(status_s * 1000)) < 0 &&
        errno != EINTR)
        return;
    if (p[2].revents)
        lw_rank_process_listen(&s->rank, take_line, s);
    take_ranks(s);
    if (p[1].revents || s->door.fd >= 0)
        take_messages(s);
    if (p[3].revents)
        take_lifeline(s);
    take_kernel(s);
    if (p[0].revents)
        take_signals(s);
    lw_server_serve(&s->server, p + own, served);
    if (s->stopping && s->running)
        climb(s);
    if (s->stopping && !s->stop_sent)
        s->stop_sent = lw_rank_process_request(&s->rank, LW_REQUEST_STOP, 0) == 0;
    if (s->dirty && lw_clock_now() >= s->written + status_s)
        write_status(s);
}

/* What to say of a rank that ended without a word. */
static void explain_death(struct supervisor *s, char *out, size_t size)
{
    const char *who = s->door.fd >= 0 ? "the launcher of the ranks" : "the rank";
    char words[800];
    int n;

    if (s->door.fd >= 0 &&
        lw_door_explain(&s->door, s->status.host, s->cleared ? 0 : s->wait_status, out, size,
                        &s->end_code)) {
        s->has_end = true;
        n = (int)strlen(out);
        if (s->status.step && s->end_code != LW_EUSAGE)
            snprintf(out + n, size - (size_t)n, " (step %lld)", (long long)s->status.step);
        return;
    }
    if (WIFSIGNALED(s->wait_status)) {
        int signo = WTERMSIG(s->wait_status);

        n = snprintf(out, size, "%s was killed by signal %d (%s%s) at step %lld", who, signo,
                     strsignal(signo), signo == SIGKILL ? "; perhaps memory ran out" : "",
                     (long long)s->status.step);
    } else {
        n = snprintf(out, size, "%s ended with exit code %d at step %lld", who,
                     WEXITSTATUS(s->wait_status), (long long)s->status.step);
    }
    lw_rank_process_last_words(&s->rank, words, sizeof(words));
    if (*words && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "; its last words: %s", words);
}

/* The final status. Returns the exit code. */
static int finish(struct supervisor *s, struct lw_error *err)
{
    long long step = s->status.step;
    int code = 0;

    if (s->at_once || (!s->has_end && lw_ladder_ended(&s->ladder, s->wait_status))) {
        s->status.state = LW_STATE_STOPPED;
        code = s->signal ? 128 + s->signal : 1;
        lw_events_add(s->events, LW_EVENT_WARN, "stopped at step %lld without a checkpoint", step);
    } else if (s->has_end && s->end_code == 0) {
        s->status.state = LW_STATE_FINISHED; /* the rank wrote that down, and more */
    } else if (s->has_end && s->end_code == LW_ESTOPPED) {
        s->status.state = LW_STATE_STOPPED;
        code = s->signal ? 128 + s->signal : 0;
    } else {
        if (!s->has_end || !*s->end_text || s->door.fd >= 0)
            explain_death(s, s->end_text, sizeof(s->end_text));
        s->status.state = LW_STATE_FAILED;
        code = s->has_end && s->end_code == LW_EUSAGE ? 2 : 1;
        lw_fail(err, s->has_end ? s->end_code : LW_EIO, "%s", s->end_text);
        lw_events_add(s->events, LW_EVENT_ERROR, "failed: %s", s->end_text);
        lw_one_line(s->end_text, s->status.last_error, sizeof(s->status.last_error));
    }
    if (s->left && code == 0)
        code = 1;
    s->status.exit_code = code;
    s->status.note[0] = '\0';
    write_status(s);
    if (s->status.state == LW_STATE_FAILED)
        tell_starter(s, "failed %d %s\n", err->code, s->status.last_error);
    return code;
}

/* Nobody outlives this process. */
static void sweep(struct supervisor *s)
{
    double deadline = lw_clock_now() + sweep_s;
    char said[400];
    int left = lw_children_sweep(sweep_s, said, sizeof(said));

    while (lw_door_alive(&s->door) && lw_clock_now() < deadline) {
        lw_door_kill(&s->door);
        poll(NULL, 0, 20);
    }
    if (left)
        lw_events_add(s->events, LW_EVENT_ERROR, "killed, and still there after %.0f s: %s",
                      sweep_s, said);
    s->left = left;
}

static int open_signals(struct supervisor *s, struct lw_error *err)
{
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGUSR1);
    signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, exit codes would be lost */
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigprocmask(SIG_BLOCK, &wanted, &s->mask);
    s->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals < 0 ? lw_fail_errno(err, "cannot wait for signals") : 0;
}

/* A full disk must not keep a run from being told about: no control socket is only a warning. */
static void open_server(struct supervisor *s)
{
    struct lw_error err = {0, ""};

    s->server.status = &s->status;
    s->server.request = take_request;
    s->server.user = s;
    if (lw_server_open(&s->server, s->how->dir, &err) < 0)
        lw_events_add(s->events, LW_EVENT_WARN,
                      "%s: pause, continue, checkpoint and stop are not possible", err.text);
}

static int start(struct supervisor *s, struct lw_error *err)
{
    const char *dir = s->how->dir;
    int rc;

    if (!lw_run_is_folder(dir))
        return lw_fail(err, LW_EUSAGE, "%s is no run folder (no %s in it)", dir, LW_RUN_CONFIG);
    rc = lw_run_lock(dir, &s->lock, err);
    if (rc < 0)
        return rc;
    rc = lw_events_open(&s->events, dir, err);
    if (rc < 0)
        return rc;
    rc = open_signals(s, err);
    if (rc < 0)
        return rc;
    lw_status_init(&s->status);
    s->status.pid = (int)getpid();
    gethostname(s->status.host, sizeof(s->status.host) - 1);
    s->status.started = lw_clock_wall();
    write_status(s);
    open_server(s);
    lw_events_add(s->events, LW_EVENT_INFO, "started: process %d on %s", s->status.pid,
                  s->status.host);
    if (s->how->kernel && lw_parent_watch_parse(&s->kernel, s->how->kernel) == 0)
        lw_parent_watch_open(&s->kernel);
    lw_children_adopt();
    s->poll = calloc((size_t)(5 + LW_SERVER_FDS + lw_door_fds(&s->door) + s->how->ranks),
                     sizeof(*s->poll));
    if (!s->poll)
        return lw_fail(err, LW_EMEM, "out of memory");
    if (s->how->door && (rc = lw_door_open(&s->door, s->how->door, s->how->ranks, err)))
        return rc;
    rc = lw_rank_process_spawn(&s->rank, s->how->rank_argv, s->how->door, &s->mask, err);
    if (rc < 0)
        return rc;
    s->running = true;
    s->heard = lw_clock_now();
    if (s->ready >= 0) { /* our stderr was the starter's too, until now */
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null >= 0) {
            dup2(null, 2);
            close(null);
        }
    }
    tell_starter(s, "up %d\n", s->status.pid);
    return 0;
}

int lw_supervise(const struct lw_supervise *how, struct lw_error *err)
{
    struct supervisor s = {.how = how,
                           .lock = -1,
                           .signals = -1,
                           .ready = how->ready_fd,
                           .lifeline = how->lifeline_fd,
                           .rank = {.link = -1, .output = -1},
                           .kernel = {.fd = -1},
                           .door = {.fd = -1, .first = -1},
                           .server = {.fd = -1},
                           .ladder = {.term_s = how->term_s > 0 ? how->term_s : term_s,
                                      .kill_s = how->kill_s > 0 ? how->kill_s : silent_s}};
    struct lw_error own = {0, ""};
    int code = 1;

    if (!err)
        err = &own;
    setsid();
    if (start(&s, err) < 0) {
        char line[1024];

        lw_one_line(err->text, line, sizeof(line));
        if (s.status.pid) {
            s.status.state = LW_STATE_FAILED;
            s.status.exit_code = code;
            memcpy(s.status.last_error, line, sizeof(s.status.last_error));
            write_status(&s);
        }
        lw_events_add(s.events, LW_EVENT_ERROR, "not started: %s", line);
        tell_starter(&s, "failed %d %s\n", err->code, line);
    } else {
        while (s.running)
            turn(&s);
        take_ranks(&s);
        sweep(&s);
        lw_rank_process_listen(&s.rank, take_line, &s);
        take_messages(&s);
        code = finish(&s, err);
    }
    lw_server_close(&s.server, "the run has ended");
    lw_rank_process_close(&s.rank);
    lw_door_close(&s.door);
    free(s.poll);
    lw_parent_watch_close(&s.kernel);
    lw_events_close(s.events);
    leave_starter(&s);
    if (s.signals >= 0) {
        close(s.signals);
        sigprocmask(SIG_SETMASK, &s.mask, NULL);
    }
    if (s.lock >= 0)
        close(s.lock);
    return code;
}
