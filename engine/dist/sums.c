/* SPDX-License-Identifier: MIT
 *
 * Sums of large buffers in host memory, on a thread of their own, one after the other in the order
 * they were started in: the same on all ranks. MPI makes them where it brought the ranks together;
 * else rank 0 adds up what the others send, in the order of ranks, and sends the sum back.
 */
#include "engine/dist/comm_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/dist/net.h"

#define PIECE 65536 /* floats: one waits in socket buffers while the next is added up */

struct lw_sums {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    struct {
        float *x;
        size_t count;
    } job[LW_SUMS];
    uint64_t put, taken, done;
    bool ending;
    int failed;
    struct lw_error err;
    float *other; /* rank 0: a piece of another rank's */
};

static int sum_piece(struct lw_comm *c, float *x, size_t n, struct lw_error *err)
{
    float *other = c->sums->other;
    int rc = 0;

    if (c->rank) {
        int fd = c->peer->line[LW_LINE_SUMS];

        rc = lw_net_send(fd, x, n * sizeof *x, err);
        return rc ? rc : lw_net_receive(fd, x, n * sizeof *x, err);
    }
    for (int r = 1; !rc && r < c->size; r++) {
        rc = lw_net_receive(c->peer[r].line[LW_LINE_SUMS], other, n * sizeof *other, err);
        for (size_t i = 0; !rc && i < n; i++)
            x[i] += other[i];
    }
    for (int r = 1; !rc && r < c->size; r++)
        rc = lw_net_send(c->peer[r].line[LW_LINE_SUMS], x, n * sizeof *x, err);
    return rc;
}

static int sum_buffer(struct lw_comm *c, float *x, size_t count, struct lw_error *err)
{
    int rc = 0;

    if (c->mpi)
        return c->mpi->sum(x, count, err);
    for (size_t at = 0; !rc && at < count; at += PIECE)
        rc = sum_piece(c, x + at, count - at < PIECE ? count - at : PIECE, err);
    return rc;
}

static void *work(void *argument)
{
    struct lw_comm *c = argument;
    struct lw_sums *s = c->sums;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        uint64_t at;
        int rc = 0;

        while (s->put == s->taken && !s->ending)
            pthread_cond_wait(&s->more, &s->lock);
        if (s->put == s->taken)
            break;
        at = s->taken++ % LW_SUMS;
        if (!s->failed) {
            pthread_mutex_unlock(&s->lock);
            rc = sum_buffer(c, s->job[at].x, s->job[at].count, &s->err);
            pthread_mutex_lock(&s->lock);
        }
        s->failed = s->failed ? s->failed : rc;
        s->done++;
        pthread_cond_broadcast(&s->less);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int lw_sums_start(struct lw_comm *c, struct lw_error *err)
{
    struct lw_sums *s = c->sums = calloc(1, sizeof *s);
    sigset_t all, before;

    if (!s || !(s->other = malloc(PIECE * sizeof *s->other))) {
        free(s);
        c->sums = NULL;
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->more, NULL);
    pthread_cond_init(&s->less, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&s->thread, NULL, work, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!errno)
        return 0;
    free(s->other);
    free(s);
    c->sums = NULL;
    return lw_fail_errno(err, "cannot start a thread");
}

void lw_sums_stop(struct lw_comm *c)
{
    struct lw_sums *s = c->sums;

    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_broadcast(&s->more);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->more);
    pthread_cond_destroy(&s->less);
    pthread_mutex_destroy(&s->lock);
    free(s->other);
    free(s);
    c->sums = NULL;
}

void lw_comm_sum_start(struct lw_comm *c, float *x, size_t count)
{
    struct lw_sums *s = c->sums;

    lw_comm_waits(c, true);
    pthread_mutex_lock(&s->lock);
    while (s->put - s->done == LW_SUMS)
        pthread_cond_wait(&s->less, &s->lock);
    lw_comm_waits(c, false);
    s->job[s->put % LW_SUMS].x = x;
    s->job[s->put % LW_SUMS].count = count;
    s->put++;
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
}

int lw_comm_sum_finish(struct lw_comm *c, struct lw_error *err)
{
    double start = lw_clock_now();
    struct lw_sums *s = c->sums;
    int rc;

    c->thread.calls++;
    lw_comm_waits(c, true);
    pthread_mutex_lock(&s->lock);
    while (s->done != s->put)
        pthread_cond_wait(&s->less, &s->lock);
    rc = s->failed;
    pthread_mutex_unlock(&s->lock);
    lw_comm_waits(c, false);
    c->waited += lw_clock_now() - start;
    return rc ? lw_fail(err, rc, "%s", s->err.text) : 0;
}
