/* SPDX-License-Identifier: MIT */
#include "engine/dist/comm_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/dist/net.h"

#define JOIN_S 60.0

static double join_time(const struct lw_comm_options *o)
{
    const char *text = getenv("LEEWAY_JOIN_SECONDS");
    double s = o->join_s > 0 ? o->join_s : text ? strtod(text, NULL) : 0;

    return s > 0 && s < 1e6 ? s : JOIN_S;
}

/* Where rank 0 listens when MPI brought us together: the others hear it through MPI. */
struct address {
    int code, port;
    char host[64];
    char text[256];
};

static int listen_for_mpi(struct lw_comm *c, bool one_host, struct address *a, struct lw_error *err)
{
    if (one_host)
        snprintf(a->host, sizeof a->host, "127.0.0.1");
    else
        lw_join_host_name(a->host);
    c->listener = lw_net_listen(a->host, &a->port, err);
    a->code = c->listener < 0 ? c->listener : 0;
    if (a->code)
        snprintf(a->text, sizeof a->text, "%.250s", err->text);
    return 0;
}

static int open_mpi(struct lw_comm *c, struct lw_launch *l, struct lw_error *err)
{
    struct address a = {0};
    int rc = lw_mpi_open(&c->mpi, l, err);

    if (rc)
        return rc;
    if (!l->rank)
        rc = listen_for_mpi(c, l->local_size == l->size, &a, err);
    if (!rc)
        rc = c->mpi->broadcast(&a, sizeof a, err);
    if (!rc && a.code)
        rc = lw_fail(err, a.code, "%s", a.text);
    snprintf(l->host, sizeof l->host, "%s", a.host);
    l->port = a.port;
    return rc;
}

/* Ranks of this host, where the launcher did not say. */
static int count_neighbours(struct lw_comm *c, struct lw_error *err)
{
    char mine[64], *all;
    int rc;

    lw_join_host_name(mine);
    all = malloc((size_t)c->size * sizeof mine);
    if (!all)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_comm_gather(c, mine, sizeof mine, all, err);
    c->local_rank = c->local_size = 0;
    for (int r = 0; !rc && r < c->size; r++)
        if (!memcmp(all + (size_t)r * sizeof mine, mine, sizeof mine)) {
            c->local_rank += r < c->rank;
            c->local_size++;
        }
    free(all);
    return rc;
}

static int meet(struct lw_comm *c, struct lw_launch *l, double deadline, struct lw_error *err)
{
    int rc = 0;

    if (l->launcher == LW_LAUNCHER_MPI)
        rc = open_mpi(c, l, err);
    else if (!l->rank)
        c->listener = lw_net_listen(l->host, &l->port, err);
    if (!rc && !l->rank && c->listener < 0)
        rc = c->listener;
    if (rc)
        return rc;
    if (l->rank)
        rc = lw_join_guest(c->peer, l->rank, l->size, l->host, l->port, deadline, err);
    else
        rc = lw_join_host(c->peer, l->size, c->listener, deadline, err);
    if (c->listener >= 0)
        close(c->listener);
    c->listener = -1;
    return rc ? rc : count_neighbours(c, err);
}

static void dispose(struct lw_comm *c)
{
    for (int p = 0; c->peer && p < (c->rank ? 1 : c->size); p++)
        for (int i = 0; i < LW_LINES; i++)
            if (c->peer[p].line[i] >= 0)
                close(c->peer[p].line[i]);
    if (c->listener >= 0)
        close(c->listener);
    pthread_mutex_destroy(&c->lock);
    free(c->peer);
    free(c);
}

int lw_comm_open(struct lw_comm **out, const struct lw_comm_options *o, struct lw_error *err)
{
    struct lw_launch l = *o->launch;
    struct lw_comm *c = calloc(1, sizeof *c);
    int peers = l.rank ? 1 : l.size, rc;

    *out = NULL;
    if (!c)
        return lw_fail(err, LW_EMEM, "out of memory");
    pthread_mutex_init(&c->lock, NULL);
    c->parent = getppid();
    c->listener = -1;
    c->rank = l.rank;
    c->size = l.size;
    c->lost = o->lost;
    c->user = o->user;
    c->peer = calloc((size_t)peers, sizeof *c->peer);
    for (int p = 0; c->peer && p < peers; p++)
        for (int i = 0; i < LW_LINES; i++)
            c->peer[p].line[i] = -1;
    rc = c->peer ? meet(c, &l, lw_clock_now() + join_time(o), err)
                 : lw_fail(err, LW_EMEM, "out of memory");
    if (!rc)
        rc = lw_life_start(c, err);
    if (!rc && (rc = lw_sums_start(c, err)))
        lw_life_stop(c);
    if (rc) {
        dispose(c);
        return rc;
    }
    *out = c;
    return 0;
}

void lw_comm_close(struct lw_comm *c)
{
    struct lw_error ignored;

    if (!c)
        return;
    if (!c->failed)
        (void)!lw_comm_barrier(c, &ignored);
    lw_sums_stop(c);
    lw_life_stop(c);
    if (c->mpi && !c->failed)
        c->mpi->close();
    dispose(c);
}

int lw_comm_rank(const struct lw_comm *c)
{
    return c->rank;
}

int lw_comm_size(const struct lw_comm *c)
{
    return c->size;
}

int lw_comm_local_rank(const struct lw_comm *c)
{
    return c->local_rank;
}

int lw_comm_local_size(const struct lw_comm *c)
{
    return c->local_size;
}

const char *lw_comm_plane(const struct lw_comm *c)
{
    return c->mpi ? "MPI" : "TCP";
}

double lw_comm_waited(const struct lw_comm *c)
{
    return c->waited;
}

/* A connection that broke is seen by the thread that watches over lives as well; it knows more and
 * ends this process. Give it the time. */
static int broken(struct lw_comm *c, int rc, double start, struct lw_error *err)
{
    c->waited += lw_clock_now() - start;
    if (rc == LW_EPEER && c->lost)
        sleep(LW_COMM_SILENCE + 2);
    lw_comm_waits(c, false);
    return rc ? lw_fail(err, rc, "%s", err->text) : 0;
}

int lw_comm_broadcast(struct lw_comm *c, void *data, size_t bytes, struct lw_error *err)
{
    double start = lw_clock_now();
    int rc = 0;

    c->thread.calls++;
    lw_comm_waits(c, true);
    if (c->rank)
        rc = lw_net_receive(c->peer->line[LW_LINE_RECORDS], data, bytes, err);
    for (int r = 1; !rc && !c->rank && r < c->size; r++)
        rc = lw_net_send(c->peer[r].line[LW_LINE_RECORDS], data, bytes, err);
    return broken(c, rc, start, err);
}

int lw_comm_gather(struct lw_comm *c, const void *mine, size_t bytes, void *all,
                   struct lw_error *err)
{
    double start = lw_clock_now();
    size_t whole = bytes * (size_t)c->size;
    int fd = c->peer->line[LW_LINE_RECORDS], rc = 0;

    c->thread.calls++;
    lw_comm_waits(c, true);
    if (c->rank) {
        rc = lw_net_send(fd, mine, bytes, err);
        if (!rc)
            rc = lw_net_receive(fd, all, whole, err);
        return broken(c, rc, start, err);
    }
    memmove(all, mine, bytes);
    for (int r = 1; !rc && r < c->size; r++)
        rc = lw_net_receive(c->peer[r].line[LW_LINE_RECORDS], (char *)all + (size_t)r * bytes,
                            bytes, err);
    for (int r = 1; !rc && r < c->size; r++)
        rc = lw_net_send(c->peer[r].line[LW_LINE_RECORDS], all, whole, err);
    return broken(c, rc, start, err);
}

int lw_comm_sum(struct lw_comm *c, double *x, int count, struct lw_error *err)
{
    size_t n = (size_t)count;
    double *all = malloc((size_t)c->size * n * sizeof *all);
    int rc = all ? lw_comm_gather(c, x, n * sizeof *x, all, err)
                 : lw_fail(err, LW_EMEM, "out of memory");

    for (size_t i = 0; !rc && i < n; i++) {
        x[i] = all[i];
        for (size_t r = 1; r < (size_t)c->size; r++)
            x[i] += all[r * n + i];
    }
    free(all);
    return rc;
}

int lw_comm_barrier(struct lw_comm *c, struct lw_error *err)
{
    char mine = 0, *all = malloc((size_t)c->size);
    int rc = all ? lw_comm_gather(c, &mine, 1, all, err) : lw_fail(err, LW_EMEM, "out of memory");

    free(all);
    return rc;
}
