/* SPDX-License-Identifier: MIT */
#include "engine/data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/data/permute.h"

#define AHEAD 4

struct slot {
    struct lw_batch batch;
    struct lw_error err; /* instead of the batch */
    int end;             /* an evaluation pass is over */
};

struct lw_loader {
    const struct lw_dataset *data;
    struct lw_loader_options o;
    struct lw_loader_notes notes; /* where o.notes is not NULL */
    int64_t windows;              /* of the stream, or of an epoch of generated data */
    int64_t visited; /* windows of a whole pass, with padding, without what training drops */
    struct slot *slot;
    int slots;
    int32_t *window; /* [length + 1], the thread's */
    pthread_t thread;
    int running;

    pthread_mutex_t lock; /* over all below */
    pthread_cond_t filled, freed;
    uint64_t made, used;         /* slots filled and given back; slot number is count mod slots */
    struct lw_loader_state next; /* what the thread makes next */
    int done;                    /* nothing comes after what was made: an end or an error */
    int stop;
    int holding; /* the caller has slot number `used` */
};

static int64_t group(const struct lw_loader *l)
{
    return (int64_t)l->o.rows * l->o.ranks;
}

/* Is there a batch at this place of a pass? */
static int has_batch(const struct lw_loader *l, int64_t index)
{
    return l->o.evaluation ? index < l->windows : index + group(l) <= l->windows;
}

/* Where window number index of an epoch's order starts in the stream. */
static int64_t window_start(const struct lw_loader *l, int64_t epoch, int64_t index)
{
    if (lw_dataset_info(l->data)->endless && !l->o.evaluation)
        return (epoch * l->windows + index) * l->o.length;
    if (l->o.shuffle && !l->o.evaluation)
        index = (int64_t)lw_permute((uint64_t)index, (uint64_t)l->windows, l->o.seed,
                                    LW_STREAM_SHUFFLE | (uint64_t)epoch << 8);
    return index * l->o.length;
}

static void pad_row(const struct lw_loader *l, struct lw_batch *b, int row)
{
    int32_t *targets = b->targets + (int64_t)row * l->o.length;

    memset(b->tokens + (int64_t)row * l->o.length, 0, (size_t)l->o.length * sizeof *b->tokens);
    for (int i = 0; i < l->o.length; i++)
        targets[i] = LW_IGNORE;
    b->position[row] = -1;
}

static int fill_row(struct lw_loader *l, struct lw_batch *b, int row, int64_t start,
                    struct lw_error *err)
{
    size_t length = (size_t)l->o.length;
    int rc = lw_dataset_read(l->data, start, l->o.length + 1, l->window, err);

    if (rc)
        return rc;
    memcpy(b->tokens + (size_t)row * length, l->window, length * sizeof *l->window);
    memcpy(b->targets + (size_t)row * length, l->window + 1, length * sizeof *l->window);
    b->position[row] = start;
    b->target_count += l->o.length;
    return 0;
}

/* The batch of this rank at a place; *next is the place after it. */
static void fill(struct lw_loader *l, struct slot *s, struct lw_loader_state at,
                 struct lw_loader_state *next)
{
    struct lw_batch *b = &s->batch;
    int rc = 0;

    s->err.code = 0;
    s->end = !has_batch(l, at.index);
    if (s->end)
        return;
    b->target_count = 0;
    for (int row = 0; !rc && row < l->o.rows; row++) {
        int64_t index = at.index + (int64_t)l->o.rank * l->o.rows + row;

        if (index < l->windows)
            rc = fill_row(l, b, row, window_start(l, at.epoch, index), &s->err);
        else
            pad_row(l, b, row);
    }
    next->epoch = at.epoch;
    next->index = at.index + group(l);
    b->last = !has_batch(l, next->index);
    b->epoch = (double)at.epoch + (b->last ? 1.0 : (double)next->index / (double)l->visited);
    if (b->last && !l->o.evaluation)
        *next = (struct lw_loader_state){at.epoch + 1, 0};
    b->after = *next;
    if (!rc && b->note)
        rc = l->notes.fill(l->notes.user, b->note, b, l->data, &s->err);
}

static void *work(void *argument)
{
    struct lw_loader *l = argument;

    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        struct lw_loader_state at = l->next, next = at;
        struct slot *s = &l->slot[l->made % (unsigned)l->slots];

        if (l->done || l->made - l->used == (unsigned)l->slots) {
            pthread_cond_wait(&l->freed, &l->lock);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        fill(l, s, at, &next);
        pthread_mutex_lock(&l->lock);
        l->next = next;
        l->done = s->end || s->err.code;
        l->made++;
        pthread_cond_signal(&l->filled);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Signals are for the threads that know what to do with them. */
static int start_thread(struct lw_loader *l, struct lw_error *err)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->stop = 0;
    rc = pthread_create(&l->thread, NULL, work, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->running = rc == 0;
    return rc ? lw_fail(err, LW_EMEM, "cannot start the loader's thread: %s", strerror(rc)) : 0;
}

static void stop_thread(struct lw_loader *l)
{
    if (!l->running)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = 1;
    pthread_cond_signal(&l->freed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    l->running = 0;
}

static const char *name(const struct lw_loader *l)
{
    const char *path = lw_dataset_info(l->data)->path;

    return path ? path : "the data";
}

/* Go on from a place. Where another batch size made it, what is left of the epoch may be less than
 * a batch now: that is dropped too. */
static int find_place(const struct lw_loader *l, const struct lw_loader_state *to,
                      struct lw_loader_state *place, struct lw_error *err)
{
    if (to->epoch < 0 || to->index < 0 || to->index > l->windows ||
        (l->o.evaluation && (to->epoch || to->index == l->windows)))
        return lw_fail(err, LW_EDATA,
                       "epoch %lld, window %lld is no place in %s, which has %lld windows: was the "
                       "run made with other data?",
                       (long long)to->epoch, (long long)to->index, name(l), (long long)l->windows);
    *place = *to;
    if (!has_batch(l, to->index))
        *place = (struct lw_loader_state){to->epoch + 1, 0};
    return 0;
}

static int measure(struct lw_loader *l, struct lw_error *err)
{
    const struct lw_dataset_info *info = lw_dataset_info(l->data);
    const struct lw_loader_options *o = &l->o;

    if (o->rows < 1 || o->length < 1 || o->ranks < 1 || o->rank < 0 || o->rank >= o->ranks)
        return lw_fail(err, LW_EUSAGE, "a loader of %d rows of %d tokens for rank %d of %d",
                       o->rows, o->length, o->rank, o->ranks);
    l->windows = info->endless && !o->evaluation ? info->tokens / o->length
                 : info->tokens > o->length      ? (info->tokens - 1) / o->length
                                                 : 0;
    if (!l->windows)
        return lw_fail(err, LW_EDATA,
                       "%s holds %lld tokens, and one sequence takes %d (max_seq_len %d and one "
                       "more): give more data or a shorter max_seq_len",
                       name(l), (long long)info->tokens, o->length + 1, o->length);
    l->visited = o->evaluation ? (l->windows + group(l) - 1) / group(l) * group(l)
                               : l->windows / group(l) * group(l);
    if (!l->visited)
        return lw_fail(err, LW_EDATA,
                       "%s holds %lld tokens, %lld sequences of %d: fewer than one batch of %d on "
                       "%d rank%s: give more data, or a smaller batch_size or max_seq_len",
                       name(l), (long long)info->tokens, (long long)l->windows, o->length, o->rows,
                       o->ranks, o->ranks > 1 ? "s" : "");
    return 0;
}

static int make_room(struct lw_loader *l, struct lw_error *err)
{
    size_t rows = (size_t)l->o.rows, cells = rows * (size_t)l->o.length;
    int rc;

    l->slots = (l->o.ahead > 0 ? l->o.ahead : AHEAD) + 1; /* one is with the caller */
    l->slot = calloc((size_t)l->slots, sizeof *l->slot);
    l->window = malloc(((size_t)l->o.length + 1) * sizeof *l->window);
    for (int i = 0; l->slot && i < l->slots; i++) {
        struct lw_batch *b = &l->slot[i].batch;

        b->rows = l->o.rows;
        b->length = l->o.length;
        b->tokens = malloc(cells * sizeof *b->tokens);
        b->targets = malloc(cells * sizeof *b->targets);
        b->position = malloc(rows * sizeof *b->position);
        if (!b->tokens || !b->targets || !b->position)
            return lw_fail(err, LW_EMEM, "out of memory for batches");
        if (l->o.notes && (rc = l->notes.make(l->notes.user, &b->note, err)))
            return rc;
    }
    if (!l->slot || !l->window)
        return lw_fail(err, LW_EMEM, "out of memory for batches");
    return 0;
}

int lw_loader_open(struct lw_loader **out, const struct lw_dataset *d,
                   const struct lw_loader_options *options, const struct lw_loader_state *start,
                   struct lw_error *err)
{
    struct lw_loader *l = calloc(1, sizeof *l);
    int rc;

    if (!l)
        return lw_fail(err, LW_EMEM, "out of memory for batches");
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->filled, NULL);
    pthread_cond_init(&l->freed, NULL);
    l->data = d;
    l->o = *options;
    l->o.ranks = l->o.ranks ? l->o.ranks : 1;
    if (l->o.notes)
        l->notes = *l->o.notes;
    rc = measure(l, err);
    if (!rc && start)
        rc = find_place(l, start, &l->next, err);
    if (!rc)
        rc = make_room(l, err);
    if (!rc)
        rc = start_thread(l, err);
    if (rc)
        lw_loader_close(l);
    else
        *out = l;
    return rc;
}

void lw_loader_close(struct lw_loader *l)
{
    if (!l)
        return;
    stop_thread(l);
    for (int i = 0; l->slot && i < l->slots; i++) {
        free(l->slot[i].batch.tokens);
        free(l->slot[i].batch.targets);
        free(l->slot[i].batch.position);
        if (l->slot[i].batch.note)
            l->notes.drop(l->slot[i].batch.note);
    }
    free(l->slot);
    free(l->window);
    pthread_cond_destroy(&l->filled);
    pthread_cond_destroy(&l->freed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* The slot handed out at the call before is given back here, so the ring never fills it while the
 * caller reads: `used` counts slots given back, and the caller holds slot `used`. */
int lw_loader_next(struct lw_loader *l, const struct lw_batch **batch, struct lw_error *err)
{
    struct slot *s;

    *batch = NULL;
    pthread_mutex_lock(&l->lock);
    if (l->holding) {
        l->holding = 0;
        l->used++;
        pthread_cond_signal(&l->freed);
    }
    while (l->made == l->used)
        pthread_cond_wait(&l->filled, &l->lock);
    s = &l->slot[l->used % (unsigned)l->slots];
    if (!s->end && !s->err.code) { /* an end and an error stay where they are, to be met again */
        l->holding = 1;
        *batch = &s->batch;
    }
    pthread_mutex_unlock(&l->lock);
    if (!s->end && s->err.code)
        return lw_fail(err, s->err.code, "%s", s->err.text);
    return 0;
}

int lw_loader_seek(struct lw_loader *l, const struct lw_loader_state *to, struct lw_error *err)
{
    struct lw_loader_state place;
    int rc = find_place(l, to, &place, err);

    if (rc)
        return rc;
    stop_thread(l);
    l->made = l->used = 0;
    l->holding = l->done = 0;
    l->next = place;
    return start_thread(l, err);
}

int64_t lw_loader_batches(const struct lw_loader *l)
{
    return l->visited / group(l);
}
