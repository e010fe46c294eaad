/* SPDX-License-Identifier: MIT */
#include "engine/gpu/watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/gpu/throttle.h"

struct lw_gpu_watch {
    struct lw_nvml *nvml;
    void *card;
    double seconds;
    lw_gpu_tell *tell;
    void *context;
    struct lw_throttle throttle; /* the thread's */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct lw_gpu_sample sample;
    bool sampled, ending;
};

static void look(struct lw_gpu_watch *w)
{
    struct lw_gpu_sample s;
    char text[160];
    bool warn;

    lw_nvml_sample(w->nvml, w->card, &s);
    pthread_mutex_lock(&w->lock);
    w->sample = s;
    w->sampled = true;
    pthread_mutex_unlock(&w->lock);
    while (lw_throttle_step(&w->throttle, s.throttle, lw_clock_now(), text, sizeof text, &warn))
        w->tell(w->context, warn, text);
}

static void *run(void *arg)
{
    struct lw_gpu_watch *w = arg;
    struct timespec until;
    bool ending = false;

    while (!ending) {
        look(w);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)(w->seconds * 1e9) % 1000000000L;
        until.tv_sec += (time_t)w->seconds + until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&w->lock);
        while (!w->ending && pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
            ;
        ending = w->ending;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static int start_thread(struct lw_gpu_watch *w, struct lw_error *err)
{
    pthread_condattr_t monotonic;
    sigset_t all, before;
    int rc;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all); /* signals are for the thread that trains */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!errno)
        return 0;
    rc = lw_fail_errno(err, "cannot start the thread that watches the GPU");
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    return rc;
}

int lw_gpu_watch_start(struct lw_gpu_watch **out, const char *pci, double seconds,
                       lw_gpu_tell *tell, void *context, struct lw_error *err)
{
    struct lw_gpu_watch *w = calloc(1, sizeof *w);
    int rc;

    *out = NULL;
    if (!w)
        return lw_fail(err, LW_EMEM, "out of memory");
    w->seconds = seconds;
    w->tell = tell;
    w->context = context;
    rc = lw_nvml_open(&w->nvml, err);
    if (!rc && !(w->card = lw_nvml_card(w->nvml, pci)))
        rc = lw_fail(err, LW_EMISSING, "no GPU telemetry: NVML knows no card at %s", pci);
    if (!rc)
        rc = start_thread(w, err);
    if (rc) {
        lw_nvml_close(w->nvml);
        free(w);
        return rc;
    }
    *out = w;
    return 0;
}

bool lw_gpu_watch_read(struct lw_gpu_watch *w, struct lw_gpu_sample *out)
{
    bool sampled;

    if (!w)
        return false;
    pthread_mutex_lock(&w->lock);
    sampled = w->sampled;
    *out = w->sample;
    pthread_mutex_unlock(&w->lock);
    return sampled;
}

void lw_gpu_watch_stop(struct lw_gpu_watch *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    lw_nvml_close(w->nvml);
    free(w);
}
