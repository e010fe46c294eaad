/* SPDX-License-Identifier: MIT
 *
 * The training thread's half of the watch: adding up, and handing over to the check's thread. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "engine/train/drift_internal.h"

static void *run(void *argument)
{
    struct lw_drift_watch *w = argument;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->asked && !w->ending)
            pthread_cond_wait(&w->more, &w->lock);
        if (!w->asked)
            break;
        w->asked = false;
        w->busy = true;
        pthread_mutex_unlock(&w->lock);
        lw_drift_check_now(w);
        pthread_mutex_lock(&w->lock);
        w->busy = false;
        pthread_cond_broadcast(&w->idle);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

void lw_drift_wait(struct lw_drift_watch *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->asked || w->busy)
        pthread_cond_wait(&w->idle, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static int init_profiles(struct lw_drift_watch *w, struct lw_error *err)
{
    struct lw_profile *const all[] = {&w->open,         &w->epoch,         &w->validating,
                                      &w->current.data, &w->previous.data, &w->validation,
                                      &w->closed[0],    &w->closed[1],     &w->closed[2],
                                      &w->closed[3],    &w->step,          &w->first,
                                      &w->last};
    struct lw_profile_options o = w->o.profile;
    int n = (int)(sizeof all / sizeof *all), rc = 0;

    o.limit = 0;
    for (int i = 0; !rc && i < n; i++) {
        o.sparse = all[i] == &w->step || all[i] == &w->last;
        rc = lw_profile_init(all[i], &o, err);
    }
    o.sparse = false;
    return rc || w->stored ? rc : lw_profile_init(&w->reference, &o, err);
}

/* A stored profile must be of the same kind and bins as what is profiled here. */
static int load_reference(struct lw_drift_watch *w, struct lw_error *err)
{
    struct lw_profile_options o = w->o.profile;
    struct lw_comparison ignored;
    struct lw_profile none;
    int rc;

    if (!w->o.reference)
        return 0;
    if ((rc = lw_profile_load(&w->reference, w->o.reference, err)))
        return lw_wrap(err, "reference_profile");
    w->stored = w->settled = w->reference_new = true;
    o.limit = 0;
    rc = lw_profile_init(&none, &o, err);
    if (!rc)
        rc = lw_drift_compare(&ignored, &w->reference, &none, &w->o.settings, NULL, err);
    lw_profile_fini(&none);
    if (!rc && !w->reference.items)
        rc = lw_fail(err, LW_EDATA, "it is a profile of nothing");
    return rc ? lw_fail(err, rc, "reference_profile: %s: %.400s", w->o.reference, err->text) : 0;
}

static int start_thread(struct lw_drift_watch *w, struct lw_error *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->started = errno == 0;
    return w->started ? 0 : lw_fail_errno(err, "cannot start the thread that checks drift");
}

int lw_drift_watch_open(struct lw_drift_watch **out, const struct lw_drift_options *options,
                        int64_t keep, struct lw_error *err)
{
    struct lw_drift_watch *w = calloc(1, sizeof *w);
    int rc;

    *out = NULL;
    if (!w)
        return lw_fail(err, LW_EMEM, "out of memory");
    w->o = *options;
    w->o.settings.alarm = true;
    w->in_first_epoch = w->epoch_whole = !options->partial;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    pthread_cond_init(&w->idle, NULL);
    if ((!w->o.silent && (rc = load_reference(w, err))) || (rc = init_profiles(w, err)) ||
        (!w->o.silent && ((rc = lw_drift_log_open(&w->log, options->dir, keep, err)) ||
                          (rc = start_thread(w, err))))) {
        lw_drift_watch_close(w);
        return rc;
    }
    *out = w;
    return 0;
}

static void drop_side(struct lw_drift_side_profile *side)
{
    lw_profile_fini(&side->data);
    lw_tally_fini(&side->said);
}

void lw_drift_watch_close(struct lw_drift_watch *w)
{
    struct lw_error lost;

    if (!w)
        return;
    if (w->started) {
        pthread_mutex_lock(&w->lock);
        w->ending = true;
        pthread_cond_signal(&w->more);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    if (lw_drift_log_close(w->log, &lost))
        lw_events_add(w->o.events, LW_EVENT_ERROR, "%s", lost.text);
    lw_profile_fini(&w->step);
    lw_profile_fini(&w->first);
    lw_profile_fini(&w->last);
    lw_profile_fini(&w->open);
    for (int i = 0; i < BLOCKS; i++)
        lw_profile_fini(&w->closed[i]);
    lw_profile_fini(&w->epoch);
    lw_profile_fini(&w->validating);
    lw_profile_fini(&w->reference);
    drop_side(&w->current);
    drop_side(&w->previous);
    lw_profile_fini(&w->validation);
    lw_tally_fini(&w->said_open);
    free(w->said_before);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->more);
    pthread_cond_destroy(&w->idle);
    free(w);
}

uint64_t lw_drift_size(const struct lw_profile *p)
{
    uint64_t rows = p->modality == LW_TEXT ? p->text.tokens.total / (uint64_t)p->text.block : 0;

    return p->items > rows ? p->items : rows;
}

/* The oldest block makes room for the one that is full. */
static void close_block(struct lw_drift_watch *w)
{
    struct lw_profile full = w->open;

    if (w->blocks == BLOCKS) {
        w->open = w->closed[0];
        memmove(w->closed, w->closed + 1, (BLOCKS - 1) * sizeof *w->closed);
        w->closed[BLOCKS - 1] = full;
    } else {
        w->open = w->closed[w->blocks];
        w->closed[w->blocks++] = full;
    }
    lw_profile_clear(&w->open);
}

/* profile_items: whole batches, until there are as many. */
static bool has_room(const struct lw_drift_watch *w, const struct lw_profile *p)
{
    return !w->o.profile.limit || lw_drift_size(p) < w->o.profile.limit;
}

static int add(struct lw_drift_watch *w, const struct lw_profile *part, struct lw_error *err)
{
    int rc = 0;

    w->fresh = w->fresh || part->items || part->text.tokens.total;
    if (w->in_first_epoch && w->epoch_whole && !w->stored && has_room(w, &w->epoch))
        rc = lw_profile_merge(&w->epoch, part, err);
    if (!rc && has_room(w, &w->open))
        rc = lw_profile_merge(&w->open, part, err);
    if (!rc && w->o.window && lw_drift_size(&w->open) * BLOCKS >= w->o.window)
        close_block(w);
    return rc;
}

int lw_drift_trained(struct lw_drift_watch *w, const void *note, struct lw_error *err)
{
    return lw_profile_merge(&w->step, note, err);
}

int lw_drift_step(struct lw_drift_watch *w, bool ends_epoch, struct lw_error *err)
{
    int rc = add(w, &w->step, err);

    if (!rc)
        rc = lw_drift_spread_add(w, err);
    lw_profile_clear(&w->step);
    w->in_first_epoch = w->in_first_epoch && !ends_epoch;
    return rc;
}

/* The same for what the model said. */
static int gather_said(struct lw_drift_watch *w, struct lw_tally *said, struct lw_error *err)
{
    struct lw_profile_options o = w->o.profile;
    struct lw_profile p;
    int rc;

    if (!w->o.gather)
        return 0;
    rc = lw_profile_init(&p, &o, err);
    if (!rc) {
        p.output = LW_OUTPUT_PREDICTIONS;
        p.outputs = *said;
        rc = w->o.gather(w->o.gather_user, &p, err);
        *said = p.outputs;
        p.outputs = (struct lw_tally){0};
    }
    lw_profile_fini(&p);
    return rc;
}

void lw_drift_validating(struct lw_drift_watch *w)
{
    lw_profile_clear(&w->validating);
}

int lw_drift_validated(struct lw_drift_watch *w, const void *note, struct lw_error *err)
{
    return has_room(w, &w->validating) ? lw_profile_merge(&w->validating, note, err) : 0;
}

int lw_drift_validation_done(struct lw_drift_watch *w, struct lw_error *err)
{
    struct lw_profile done = w->validating;
    int rc = 0;

    lw_drift_wait(w);
    w->validating = w->validation;
    w->validation = done;
    if (w->o.gather)
        rc = w->o.gather(w->o.gather_user, &w->validation, err);
    w->has_validation = !rc && w->validation.items > 0;
    return rc;
}

/* What the table grew by. */
static void take_growth(struct lw_tally *t, const uint64_t *now, uint64_t *before, int classes)
{
    for (int i = 0; i <= classes; i++) {
        const uint64_t *n = now + (size_t)i * LW_TALLY_COLUMNS;
        uint64_t *b = before + (size_t)i * LW_TALLY_COLUMNS;

        if (i < classes) {
            t->row[i].count += n[0] - b[0];
            t->row[i].square += n[1] - b[1];
            t->row[i].cross += n[2] - b[2];
        } else {
            t->total += n[0] - b[0];
            t->units += n[1] - b[1];
            t->unit_squares += n[2] - b[2];
        }
        memcpy(b, n, 3 * sizeof *b);
    }
}

int lw_drift_said(struct lw_drift_watch *w, const uint64_t *table, int classes,
                  struct lw_error *err)
{
    size_t size = ((size_t)classes + 1) * LW_TALLY_COLUMNS;
    int rc = lw_tally_reserve(&w->said_open, (uint32_t)classes, err);

    if (rc)
        return rc;
    if (!w->said_before)
        w->said_before = calloc(size, sizeof *w->said_before);
    if (!w->said_before)
        return lw_fail(err, LW_EMEM, "out of memory");
    take_growth(&w->said_open, table, w->said_before, classes);
    return 0;
}

/* The check's data: what came since the last one, or the last blocks. */
static int assemble(struct lw_drift_watch *w, struct lw_error *err)
{
    struct lw_drift_side_profile last = w->previous;
    int rc = 0;

    w->previous = w->current;
    w->current = last;
    lw_profile_clear(&w->current.data);
    if (!w->o.window) {
        last.data = w->open;
        w->open = w->current.data;
        w->current.data = last.data;
    } else {
        rc = lw_profile_merge(&w->current.data, &w->open, err);
        for (int i = w->blocks; !rc && i-- > 0 && lw_drift_size(&w->current.data) < w->o.window;)
            rc = lw_profile_merge(&w->current.data, &w->closed[i], err);
    }
    last.said = w->said_open;
    w->said_open = w->current.said;
    w->current.said = last.said;
    lw_tally_clear(&w->said_open);
    if (!rc && w->o.gather)
        rc = w->o.gather(w->o.gather_user, &w->current.data, err);
    return rc ? rc : gather_said(w, &w->current.said, err);
}

int lw_drift_check(struct lw_drift_watch *w, const struct lw_drift_place *place,
                   struct lw_error *err)
{
    int rc;

    lw_drift_wait(w);
    if (!w->fresh)
        return 0;
    w->has_previous = w->checks > 0; /* in step with current and previous */
    rc = assemble(w, err);
    if (!rc && w->o.gather && !w->in_first_epoch && w->epoch_whole && !w->epoch_pooled) {
        rc = w->o.gather(w->o.gather_user, &w->epoch, err);
        w->epoch_pooled = true;
    }
    if (rc)
        return rc;
    w->fresh = false;
    w->checks++;
    if (w->o.silent)
        return 0;
    w->place = *place;
    w->uneven = lw_drift_spread(w);
    w->epoch_done = !w->in_first_epoch;
    pthread_mutex_lock(&w->lock);
    w->asked = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    return 0;
}

int lw_drift_pool(struct lw_drift_watch *w, struct lw_error *err)
{
    int rc = gather_said(w, &w->said_open, err);

    if (!w->o.gather)
        return rc;
    if (!rc)
        rc = w->o.gather(w->o.gather_user, &w->open, err);
    for (int i = 0; !rc && i < BLOCKS; i++)
        rc = w->o.gather(w->o.gather_user, &w->closed[i], err);
    if (!rc && w->epoch_whole && !w->epoch_pooled)
        rc = w->o.gather(w->o.gather_user, &w->epoch, err);
    if (w->o.silent)
        w->blocks = 0;
    return rc;
}

struct lw_drift_shared lw_drift_shared(const struct lw_drift_watch *w)
{
    return (struct lw_drift_shared){w->in_first_epoch, w->epoch_whole, w->fresh, w->checks};
}

void lw_drift_share(struct lw_drift_watch *w, const struct lw_drift_shared *shared)
{
    w->in_first_epoch = shared->in_first_epoch;
    w->epoch_whole = shared->epoch_whole;
    w->fresh = shared->fresh;
    w->checks = shared->checks;
}

int lw_drift_sync(struct lw_drift_watch *w, int64_t *offset, struct lw_error *err)
{
    lw_drift_wait(w);
    return lw_drift_log_sync(w->log, offset, err);
}
