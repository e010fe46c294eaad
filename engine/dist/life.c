/* SPDX-License-Identifier: MIT
 *
 * Signs of life between rank 0 and the others, on a thread of each rank. Beats are counted, not
 * timed: when a whole machine stands still for a while, nobody has missed more than one.
 */
#include "engine/dist/comm_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/text.h"
#include "engine/dist/net.h"

enum word { BEAT = 0x62656174, FAULT, GOODBYE };

struct message {
    int word, rank, broken;
    double throughput;
    struct lw_late_sign sign;
    char text[1024];
};

/* What came of a message so far: half of one must not make this thread wait for the rest. */
struct inbox {
    struct message m;
    size_t got;
};

/* Without waiting: a peer that takes nothing any more is found out by its silence. */
static void post(int fd, const struct message *m)
{
    const char *at = (const char *)m;
    size_t left = sizeof *m;

    while (left) {
        ssize_t n = send(fd, at, left, MSG_NOSIGNAL | (left == sizeof *m ? MSG_DONTWAIT : 0));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (left < sizeof *m) /* what follows half a message makes no sense */
                shutdown(fd, SHUT_RDWR);
            return;
        }
        at += n;
        left -= (size_t)n;
    }
}

static int peers_of(const struct lw_comm *c)
{
    return c->rank ? 1 : c->size;
}

static void post_all(struct lw_comm *c, const struct message *m, int except)
{
    pthread_mutex_lock(&c->lock);
    for (int p = c->rank ? 0 : 1; p < peers_of(c); p++)
        if (p != except || c->rank)
            post(c->peer[p].line[LW_LINE_LIFE], m);
    pthread_mutex_unlock(&c->lock);
}

static void beat(struct lw_comm *c, const struct lw_late_sign *sign)
{
    struct message m = {.word = BEAT, .rank = c->rank, .sign = *sign};

    pthread_mutex_lock(&c->lock);
    m.throughput = c->throughput;
    m.broken = c->broken;
    pthread_mutex_unlock(&c->lock);
    post_all(c, &m, -1);
}

/* Rank `from` (on rank 0: a peer's number) is no more: tell the others, then our own side. */
static void give_up(struct lw_comm *c, int from, const char *text)
{
    struct message m = {.word = FAULT, .rank = from};

    if (c->failed)
        return;
    snprintf(m.text, sizeof m.text, "%s", text);
    if (!c->rank)
        post_all(c, &m, from);
    if (c->lost)
        c->lost(c->user, text);
}

static void lost_peer(struct lw_comm *c, int p, const char *how)
{
    char text[300];

    snprintf(text, sizeof text, "rank %d on %s %s", p, c->peer[p].host, how);
    give_up(c, p, text);
}

/* 1: a message is whole; 0: not yet; -1: nothing will come any more. */
static int take(int fd, struct inbox *in)
{
    ssize_t n;

    do
        n = recv(fd, (char *)&in->m + in->got, sizeof in->m - in->got, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0)
        return -1;
    in->got += (size_t)n;
    if (in->got < sizeof in->m)
        return 0;
    in->got = 0;
    return 1;
}

/* What came from peer p. False: this is the end of watching. */
static bool hear(struct lw_comm *c, int p, struct inbox *in)
{
    struct message *m = &in->m;
    int rc = take(c->peer[p].line[LW_LINE_LIFE], in);

    if (rc < 0)
        lost_peer(c, p, "is gone: its process ended or was killed");
    if (rc <= 0)
        return rc == 0;
    c->peer[p].silent = 0;
    if (m->word == BEAT) {
        pthread_mutex_lock(&c->lock);
        c->peer[p].throughput = m->throughput;
        c->peer[p].broken = m->broken;
        c->peer[p].sign = m->sign;
        pthread_mutex_unlock(&c->lock);
    } else if (m->word == FAULT) {
        char clean[sizeof m->text];

        m->text[sizeof m->text - 1] = '\0';
        lw_text_clean(m->text, strlen(m->text), clean, sizeof clean);
        give_up(c, p, clean);
        return false;
    } else if (m->word == GOODBYE) {
        c->peer[p].parted = 1;
    }
    return true;
}

/* Another beat is over. */
static bool count_silence(struct lw_comm *c)
{
    char how[100];

    for (int p = c->rank ? 0 : 1; p < peers_of(c); p++) {
        if (c->peer[p].parted || ++c->peer[p].silent * LW_BEAT_S < LW_COMM_SILENCE)
            continue;
        snprintf(how, sizeof how,
                 "has given no sign of life for %d s: it hangs, or its machine does",
                 LW_COMM_SILENCE);
        lost_peer(c, p, how);
        return false;
    }
    return true;
}

/* On rank 0: is there one that the others wait for? False: it hangs, and all were told. */
static bool look_for_late(struct lw_comm *c, struct lw_late_judge *j,
                          const struct lw_late_sign *own)
{
    struct lw_late_sign *sign = malloc((size_t)c->size * sizeof *sign);
    char how[200], host[64], text[300];
    enum lw_late found = LW_LATE_NOT;
    int rank = 0;

    pthread_mutex_lock(&c->lock);
    j->ago = c->slowest;
    for (int r = 0; sign && r < c->size; r++)
        sign[r] = r ? c->peer[r].sign : *own;
    pthread_mutex_unlock(&c->lock);
    if (sign)
        found = lw_late_judge(j, sign, c->size, &rank, how, sizeof how);
    free(sign);
    if (found == LW_LATE_NOT)
        return true;
    lw_join_host_name(host);
    snprintf(text, sizeof text, "rank %d on %s %s", rank, rank ? c->peer[rank].host : host, how);
    if (found == LW_LATE_HANGS)
        give_up(c, -1, text); /* its own watch lives, and ends it */
    else if (c->late)
        c->late(c->late_user, text);
    return found == LW_LATE_TELL;
}

/* What is to be done twice a second. False: this is the end of watching. */
static bool each_beat(struct lw_comm *c, struct lw_late_look *look, struct lw_late_judge *judge)
{
    struct lw_late_sign own = lw_late_look(look, &c->thread);

    beat(c, &own);
    if (!count_silence(c))
        return false;
    if (getppid() != c->parent) {
        give_up(c, -1, "the process that started this rank is gone");
        return false;
    }
    return c->rank || !own.watched || look_for_late(c, judge, &own);
}

static void *watch(void *argument)
{
    struct lw_comm *c = argument;
    struct pollfd *p = calloc((size_t)peers_of(c) + 1, sizeof *p);
    struct inbox *in = calloc((size_t)peers_of(c), sizeof *in);
    struct lw_late_judge judge = {0};
    struct lw_late_look look = {0};
    double due = lw_clock_now();
    bool on = p && in;

    while (on) {
        double now = lw_clock_now();

        if (now >= due) {
            due = now + LW_BEAT_S;
            on = each_beat(c, &look, &judge);
        }
        for (int i = 0; i < peers_of(c); i++)
            p[i] = (struct pollfd){.fd = c->peer[i].parted ? -1 : c->peer[i].line[LW_LINE_LIFE],
                                   .events = POLLIN};
        p[peers_of(c)] = (struct pollfd){.fd = c->wake[0], .events = POLLIN};
        if (!on || poll(p, (nfds_t)peers_of(c) + 1, (int)((due - now) * 1000) + 1) <= 0)
            continue;
        if (p[peers_of(c)].revents)
            break;
        for (int i = 0; on && i < peers_of(c); i++)
            if (p[i].revents)
                on = hear(c, i, &in[i]);
    }
    free(in);
    free(p);
    return NULL;
}

int lw_life_start(struct lw_comm *c, struct lw_error *err)
{
    sigset_t all, before;
    int rc;

    if (pipe2(c->wake, O_CLOEXEC) < 0)
        return lw_fail_errno(err, "cannot make a pipe");
    for (int p = c->rank ? 0 : 1; p < peers_of(c); p++)
        lw_net_patience(c->peer[p].line[LW_LINE_LIFE], LW_COMM_SILENCE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&c->life, NULL, watch, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!rc)
        return 0;
    close(c->wake[0]);
    close(c->wake[1]);
    return lw_fail(err, LW_EMEM, "cannot start a thread: %s", strerror(rc));
}

void lw_life_stop(struct lw_comm *c)
{
    struct message m = {.word = GOODBYE, .rank = c->rank};

    if (!c->failed)
        post_all(c, &m, -1);
    (void)!write(c->wake[1], "", 1);
    pthread_join(c->life, NULL);
    close(c->wake[0]);
    close(c->wake[1]);
}

void lw_comm_fail(struct lw_comm *c, const struct lw_error *why)
{
    struct message m = {.word = FAULT, .rank = c->rank};
    char host[64];

    if (c->failed)
        return;
    lw_join_host_name(host);
    if (why->code == LW_ENAN) /* it concerns all, and names whose it is */
        snprintf(m.text, sizeof m.text, "%.1000s", why->text);
    else
        snprintf(m.text, sizeof m.text, "rank %d on %s: %.900s", c->rank, host, why->text);
    c->failed = true;
    post_all(c, &m, -1);
    usleep(100000); /* what was sent is read before our end closes the line */
}

void lw_comm_leave(struct lw_comm *c)
{
    struct message m = {.word = GOODBYE, .rank = c->rank};

    post_all(c, &m, -1);
    c->failed = true;
}

void lw_comm_tell(struct lw_comm *c, double throughput)
{
    pthread_mutex_lock(&c->lock);
    c->throughput = throughput;
    pthread_mutex_unlock(&c->lock);
}

void lw_comm_tell_broken(struct lw_comm *c, bool broken)
{
    pthread_mutex_lock(&c->lock);
    c->broken = broken;
    pthread_mutex_unlock(&c->lock);
}

int lw_comm_broken(struct lw_comm *c, char *host)
{
    int found = -1;

    lw_join_host_name(host);
    pthread_mutex_lock(&c->lock);
    if (c->broken)
        found = c->rank;
    for (int r = 1; !c->rank && found < 0 && r < c->size; r++)
        if (c->peer[r].broken) {
            found = r;
            snprintf(host, 64, "%s", c->peer[r].host);
        }
    pthread_mutex_unlock(&c->lock);
    return found;
}

void lw_comm_watch(struct lw_comm *c, void (*late)(void *user, const char *text), void *user)
{
    struct lw_late_thread *t = &c->thread;

    c->late = late;
    c->late_user = user;
    t->watched = pthread_getcpuclockid(pthread_self(), &t->clock) == 0;
}

void lw_comm_at(struct lw_comm *c, enum lw_at place, uint64_t step)
{
    if (!c)
        return;
    c->thread.place = place;
    c->thread.step = step;
    c->thread.moves++;
}

void lw_comm_waits(struct lw_comm *c, bool waits)
{
    if (!c)
        return;
    c->thread.waits += waits ? 1 : -1;
    c->thread.moves++;
}

/* The slowest one is forgotten little by little, so that a first step, which plans and compiles,
 * is not the measure of all that come. */
void lw_comm_took(struct lw_comm *c, double seconds)
{
    pthread_mutex_lock(&c->lock);
    c->slowest *= 0.97;
    if (seconds > c->slowest)
        c->slowest = seconds;
    pthread_mutex_unlock(&c->lock);
}

double lw_comm_told(struct lw_comm *c, int rank)
{
    double x;

    pthread_mutex_lock(&c->lock);
    x = rank == c->rank                          ? c->throughput
        : !c->rank && rank > 0 && rank < c->size ? c->peer[rank].throughput
                                                 : 0;
    pthread_mutex_unlock(&c->lock);
    return x;
}
