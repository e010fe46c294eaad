/* SPDX-License-Identifier: MIT */
#include "engine/train/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 4096

struct lw_recorder {
    struct lw_metrics_writer *metrics; /* the thread's while it is busy, else under the lock */
    struct lw_events *events;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, less; /* rows came; rows went, or the thread is idle */
    struct lw_metrics_row row[ROWS];
    uint64_t put, taken; /* counts since the start; the ring holds [taken, put) */
    bool busy, ending;
};

static void write_row(struct lw_recorder *r, const struct lw_metrics_row *row)
{
    struct lw_error err;
    int64_t late;

    if (lw_metrics_append(r->metrics, row, &err))
        lw_events_add(r->events, LW_EVENT_ERROR, "%s", err.text);
    late = lw_metrics_recovered(r->metrics);
    if (late)
        lw_events_add(r->events, LW_EVENT_INFO,
                      "metrics.csv can be written again; %" PRId64 " late rows are in it", late);
}

static void *run(void *arg)
{
    struct lw_recorder *r = arg;
    struct lw_metrics_row row;

    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (r->put == r->taken && !r->ending)
            pthread_cond_wait(&r->more, &r->lock);
        if (r->put == r->taken)
            break;
        row = r->row[r->taken++ % ROWS];
        r->busy = true;
        pthread_mutex_unlock(&r->lock);
        write_row(r, &row);
        pthread_mutex_lock(&r->lock);
        r->busy = false;
        pthread_cond_broadcast(&r->less);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

int lw_recorder_open(struct lw_recorder **out, const char *run_dir, int64_t keep,
                     struct lw_events *events, struct lw_error *err)
{
    struct lw_recorder *r = calloc(1, sizeof *r);
    struct lw_error ignored;
    int rc;

    *out = NULL;
    if (!r)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_metrics_open(&r->metrics, run_dir, keep, NULL, err);
    if (rc) {
        free(r);
        return rc;
    }
    r->events = events;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, NULL);
    pthread_cond_init(&r->less, NULL);
    errno = pthread_create(&r->thread, NULL, run, r);
    if (errno) {
        rc = lw_fail_errno(err, "cannot start the writer thread");
        lw_metrics_close(r->metrics, &ignored);
        free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void lw_recorder_put(struct lw_recorder *r, const struct lw_metrics_row *row)
{
    pthread_mutex_lock(&r->lock);
    while (r->put - r->taken == ROWS)
        pthread_cond_wait(&r->less, &r->lock);
    r->row[r->put++ % ROWS] = *row;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
}

int lw_recorder_sync(struct lw_recorder *r, int64_t *offset, struct lw_error *err)
{
    int rc;

    pthread_mutex_lock(&r->lock);
    while (r->put != r->taken || r->busy)
        pthread_cond_wait(&r->less, &r->lock);
    rc = lw_metrics_sync(r->metrics, offset, err);
    pthread_mutex_unlock(&r->lock);
    return rc;
}

int lw_recorder_close(struct lw_recorder *r, struct lw_error *err)
{
    int rc;

    if (!r)
        return 0;
    pthread_mutex_lock(&r->lock);
    r->ending = true;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    rc = lw_metrics_close(r->metrics, err);
    pthread_cond_destroy(&r->more);
    pthread_cond_destroy(&r->less);
    pthread_mutex_destroy(&r->lock);
    free(r);
    return rc;
}
