/* SPDX-License-Identifier: MIT */
#include "tui/plain.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/guard/guard.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"
#include "engine/run/start.h"
#include "tui/runlist.h"
#include "tui/unit.h"
#include "widgets/axis.h"

#define AGAIN_S 1.0 /* from here on a second signal means: at once */

static volatile sig_atomic_t heard, hung_up;

static void on_signal(int sig)
{
    if (sig == SIGHUP)
        hung_up = 1;
    else
        heard = sig;
}

static size_t put(char *out, size_t size, size_t n, const char *label, double v,
                  enum lw_number kind)
{
    char text[LW_NUMBER_SIZE];

    if (!isfinite(v) || n >= size)
        return n;
    lw_number_format(v, kind, text);
    return n + (size_t)snprintf(out + n, size - n, "%s%s%s", n ? "  " : "", label, text);
}

void lw_plain_line(const struct lw_status *s, const char *unit, char *out, size_t size)
{
    char step[LW_NUMBER_SIZE], of[LW_NUMBER_SIZE], speed[16];
    size_t n;

    lw_number_format((double)s->step, LW_NUMBER_INTEGER, step);
    lw_number_format((double)s->of, LW_NUMBER_INTEGER, of);
    n = (size_t)snprintf(out, size, s->of > 0 ? "step %s/%s" : "step %s", step, of);
    if (isfinite(s->epoch) && n < size)
        n += (size_t)snprintf(out + n, size - n, "  epoch %.2f", s->epoch);
    n = put(out, size, n, "loss ", s->train_loss, LW_NUMBER_FIXED3);
    n = put(out, size, n, "val ", s->val_loss, LW_NUMBER_FIXED3);
    snprintf(speed, sizeof speed, "%s/s ", unit);
    n = put(out, size, n, speed, s->throughput, LW_NUMBER_COMPACT);
    n = put(out, size, n, "ETA ", s->eta, LW_NUMBER_DURATION);
    if (!s->step && s->note[0] && n < size)
        snprintf(out, size, "%s: %s", lw_state_name(s->state), s->note);
}

/* Seconds between lines that nobody sees at once: a log should not grow without end. */
static double line_interval(double age)
{
    return age < 30.0 ? 1.0 : age < 600.0 ? 10.0 : 60.0;
}

struct plain {
    struct lw_started *run;
    struct lw_status status;
    const char *unit;
    bool terminal, in_place; /* in_place: an unfinished line is on the terminal */
    int64_t shown_step;
    double shown_val, began, shown_at;
};

static void end_line(struct plain *p)
{
    if (p->in_place)
        printf("\n");
    p->in_place = false;
}

static void show(struct plain *p, double now)
{
    const struct lw_status *s = &p->status;
    bool evaluated = isfinite(s->val_loss) && s->val_loss != p->shown_val;
    char line[256];

    if (s->step == p->shown_step && !evaluated)
        return;
    if (now - p->shown_at < 1.0 ||
        (!p->terminal && !evaluated && now - p->shown_at < line_interval(now - p->began)))
        return;
    lw_plain_line(s, p->unit, line, sizeof line);
    if (p->terminal) {
        struct winsize w;
        int cols = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1 : 79;

        printf("\r%.*s\033[K", cols, line);
        p->in_place = true;
    } else {
        printf("%s\n", line);
    }
    fflush(stdout);
    p->shown_step = s->step;
    p->shown_val = s->val_loss;
    p->shown_at = now;
}

static void on_event(void *user, const struct lw_event *event)
{
    struct plain *p = user;

    if (event->level < LW_EVENT_WARN || !strncmp(event->text, LW_GUARD_MARK, strlen(LW_GUARD_MARK)))
        return; /* what the guard had to say went to stderr */
    if (p->status.last_error[0] && strstr(event->text, p->status.last_error))
        return; /* the summary will tell */
    end_line(p);
    printf("%s\n", event->text);
    fflush(stdout);
}

static void take_signals(struct sigaction old[3], sigset_t *waiting)
{
    static const int all[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction sa = {.sa_handler = on_signal};
    sigset_t block;

    heard = hung_up = 0;
    sigemptyset(&block);
    for (int i = 0; i < 3; i++) {
        sigaction(all[i], &sa, &old[i]);
        sigaddset(&block, all[i]);
    }
    if (old[2].sa_handler == SIG_IGN) /* nohup: it stays ignored */
        sigaction(SIGHUP, &old[2], NULL);
    signal(SIGPIPE, SIG_IGN); /* nobody reads any more: the run goes on, and so do we */
    sigprocmask(SIG_BLOCK, &block, waiting);
    for (int i = 0; i < 3; i++)
        sigdelset(waiting, all[i]);
}

/* Wait until the run has ended, showing how it goes. Returns the first signal that was heard; -1
 * when the terminal hung up and the run was let go. */
static int follow(struct plain *p, const struct lw_verb *self, struct lw_event_tail *tail,
                  const sigset_t *waiting)
{
    const struct timespec pause = {.tv_nsec = 250000000};
    int asked = 0, first = 0;
    struct lw_error err;
    double asked_at = 0.0;

    for (;;) {
        bool alive = lw_run_alive(p->run->dir, &err) == 1;

        if (lw_status_read(p->run->dir, &p->status, &err))
            lw_status_init(&p->status);
        if (tail && lw_event_tail_poll(tail, on_event, p, &err) < 0)
            fprintf(stderr, "leeway %s: %s\n", self->name, err.text);
        show(p, lw_clock_now());
        if (!alive)
            return first;
        ppoll(NULL, 0, &pause, waiting);
        if (hung_up) {
            lw_run_goodbye(p->run);
            return -1;
        }
        /* The same request may arrive twice at once: from a shell to all of its group. */
        if (heard && asked && lw_clock_now() - asked_at < AGAIN_S)
            heard = 0;
        if (heard && asked < 2) {
            first = first ? first : heard;
            heard = 0;
            asked_at = lw_clock_now();
            end_line(p);
            fprintf(stderr, "leeway %s: stopping %s\n", self->name,
                    asked ? "at once" : "after a checkpoint; once more: at once");
            lw_run_ask_stop(p->run, asked++ > 0);
        }
    }
}

int lw_plain(const struct lw_verb *self, struct lw_started *run)
{
    struct plain p = {.run = run, .terminal = isatty(STDOUT_FILENO), .shown_val = NAN};
    struct lw_event_tail *tail = NULL;
    struct sigaction old[3];
    struct lw_error err;
    sigset_t waiting;
    char name[512];
    int sig, rc;

    p.began = lw_clock_now();
    p.unit = lw_unit_of_run(run->dir);
    lw_run_shown_name(run->dir, name, sizeof name);
    printf("run %s\n", name);
    fflush(stdout);
    take_signals(old, &waiting);
    if (lw_event_tail_open(&tail, run->dir, &err))
        tail = NULL;
    sig = follow(&p, self, tail, &waiting);
    lw_event_tail_close(tail);
    if (sig < 0)
        return LW_EXIT_OK;
    end_line(&p);
    rc = lw_plain_summary(self, run->dir);
    return sig && rc == LW_EXIT_OK ? 128 + sig : rc;
}

static void print_result(const struct lw_status *s, const char *name)
{
    char step[LW_NUMBER_SIZE], time[LW_NUMBER_SIZE], loss[LW_NUMBER_SIZE];

    lw_number_format((double)s->step, LW_NUMBER_INTEGER, step);
    lw_number_format(s->time, LW_NUMBER_DURATION, time);
    printf("%s: %s steps in %s", lw_state_name(s->state), step, time);
    if (isfinite(s->train_loss)) {
        lw_number_format(s->train_loss, LW_NUMBER_FIXED3, loss);
        printf(", train loss %s", loss);
    }
    if (isfinite(s->best_val_loss)) {
        lw_number_format(s->best_val_loss, LW_NUMBER_FIXED3, loss);
        lw_number_format((double)s->best_step, LW_NUMBER_INTEGER, step);
        printf(", best validation loss %s at step %s", loss, step);
    }
    printf("\nlook at it: leeway attach %s\n", name);
}

int lw_plain_summary(const struct lw_verb *self, const char *dir)
{
    struct lw_error err = {0};
    struct lw_status s;
    char name[512];
    bool alive = lw_run_alive(dir, &err) == 1;

    lw_run_shown_name(dir, name, sizeof name);
    if (lw_status_read(dir, &s, &err)) {
        printf("look at it again: leeway attach %s\n", name);
        return LW_EXIT_OK;
    }
    if (alive) {
        printf("%s goes on training.\n  leeway attach %s  comes back to it\n"
               "  leeway stop %s    ends it after a checkpoint\n",
               name, name, name);
        return LW_EXIT_OK;
    }
    if (lw_state_is_active(s.state)) {
        lw_fail(&err, LW_EBACKEND,
                "%s: its engine is gone without a word; leeway resume %s goes on "
                "from the last checkpoint",
                name, name);
        return lw_verb_fail(self, &err);
    }
    if (s.state == LW_STATE_FAILED) {
        lw_fail(&err, LW_EBACKEND, "%s failed: %s", name,
                s.last_error[0] ? s.last_error : "see its events.log");
        return lw_verb_fail(self, &err);
    }
    print_result(&s, name);
    return LW_EXIT_OK;
}
