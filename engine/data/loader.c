/* SPDX-License-Identifier: MIT */
#include "engine/data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
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
    const struct lw_dataset *data; /* windows of it, or */
    const struct lw_items *items;
    bool endless;
    struct lw_loader_options o;
    struct lw_loader_notes notes; /* where o.notes is not NULL */
    int64_t windows;              /* of the stream, or of an epoch of generated data */
    int64_t visited; /* windows of a whole pass, with padding, without what training drops */
    struct slot *slot;
    int slots;
    int32_t *window; /* [length + 1], the thread's */
    size_t row;      /* bytes of an item */
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

/* Where window number index of an epoch's order starts in the stream, or which item it is. */
static int64_t window_start(const struct lw_loader *l, int64_t epoch, int64_t index)
{
    const int64_t step = l->items ? 1 : l->o.length;

    if (l->endless && !l->o.evaluation)
        return (epoch * l->windows + index) * step;
    if (l->o.shuffle && !l->o.evaluation)
        index = (int64_t)lw_permute((uint64_t)index, (uint64_t)l->windows, l->o.seed,
                                    LW_STREAM_SHUFFLE | (uint64_t)epoch << 8);
    return index * step;
}

/* Bytes of a row of a batch's input. */
static unsigned char *item_row(const struct lw_loader *l, const struct lw_batch *b, int row)
{
    return (b->pixels ? (unsigned char *)b->raw : (unsigned char *)b->tokens) +
           (size_t)row * l->row;
}

static void pad_row(const struct lw_loader *l, struct lw_batch *b, int row)
{
    int32_t *targets = b->targets + (int64_t)row * l->o.length;

    if (l->items) {
        memset(item_row(l, b, row), 0, l->row);
        if (b->pixels != b->raw)
            memset(b->pixels + (size_t)row * l->row, 0, l->row);
        b->targets[row] = LW_IGNORE;
        b->position[row] = -1;
        return;
    }
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

static int fill_item(const struct lw_loader *l, struct lw_batch *b, int row, int64_t epoch,
                     int64_t item, struct lw_error *err)
{
    int rc = lw_items_read(l->items, item, item_row(l, b, row), &b->targets[row], err);

    if (!rc && b->pixels != b->raw)
        lw_image_augment(b->pixels + (size_t)row * l->row, b->raw + (size_t)row * l->row,
                         lw_items_info(l->items)->image_size, l->o.augment, l->o.seed,
                         LW_STREAM_AUGMENT | (uint64_t)epoch << 8, (uint64_t)item);
    b->position[row] = item;
    return rc;
}

/* Rows of items: some are files to be decoded, which is worth several threads. */
static int fill_items(const struct lw_loader *l, struct lw_batch *b, struct lw_loader_state at,
                      struct lw_error *err)
{
    const int threads = lw_items_info(l->items)->threads;
    int failed = 0, counted = 0;

    (void)threads; /* not looked at without OpenMP */
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1) reduction(+ : counted)
    for (int row = 0; row < l->o.rows; row++) {
        int64_t index = at.index + (int64_t)l->o.rank * l->o.rows + row;
        struct lw_error why = {0};

        if (index >= l->windows) {
            pad_row(l, b, row);
            continue;
        }
        counted++;
        if (!fill_item(l, b, row, at.epoch, window_start(l, at.epoch, index), &why))
            continue;
#pragma omp critical(lw_loader)
        if (!failed) {
            failed = why.code;
            *err = why;
        }
    }
    b->target_count = counted;
    return failed;
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
    if (l->items)
        rc = fill_items(l, b, at, &s->err);
    for (int row = 0; !l->items && !rc && row < l->o.rows; row++) {
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
    const char *path = l->items ? lw_items_info(l->items)->path : lw_dataset_info(l->data)->path;

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

static int measure_items(struct lw_loader *l, struct lw_error *err)
{
    const struct lw_items_info *info = lw_items_info(l->items);

    l->windows = info->items;
    l->endless = info->endless;
    l->row = lw_items_row(l->items);
    l->visited = l->o.evaluation ? (l->windows + group(l) - 1) / group(l) * group(l)
                                 : l->windows / group(l) * group(l);
    if (!l->visited)
        return lw_fail(
            err, LW_EDATA,
            "%s holds %lld items, fewer than one batch of %d on %d rank%s: give more data "
            "or a smaller batch_size",
            name(l), (long long)l->windows, l->o.rows, l->o.ranks, l->o.ranks > 1 ? "s" : "");
    return 0;
}

static int measure(struct lw_loader *l, struct lw_error *err)
{
    const struct lw_dataset_info *info = l->data ? lw_dataset_info(l->data) : NULL;
    const struct lw_loader_options *o = &l->o;

    if (o->rows < 1 || o->length < 1 || o->ranks < 1 || o->rank < 0 || o->rank >= o->ranks)
        return lw_fail(err, LW_EUSAGE, "a loader of %d rows of %d tokens for rank %d of %d",
                       o->rows, o->length, o->rank, o->ranks);
    if (l->items)
        return measure_items(l, err);
    l->endless = info->endless;
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

/* Room for tokens, or for pixels and what they were. 0, or nonzero where there is none. */
static int make_input(const struct lw_loader *l, struct lw_batch *b, size_t rows, size_t cells)
{
    if (!l->items || !lw_items_info(l->items)->image_size) {
        b->tokens = malloc(l->items ? rows * l->row : cells * sizeof *b->tokens);
        return !b->tokens;
    }
    b->raw = b->pixels = malloc(rows * l->row);
    if (b->pixels && l->o.augment && !l->o.evaluation)
        b->raw = malloc(rows * l->row);
    return !b->pixels || !b->raw;
}

static int make_room(struct lw_loader *l, struct lw_error *err)
{
    size_t rows = (size_t)l->o.rows, cells = rows * (size_t)l->o.length;
    int rc;

    l->slots = (l->o.ahead > 0 ? l->o.ahead : AHEAD) + 1; /* one is with the caller */
    l->slot = calloc((size_t)l->slots, sizeof *l->slot);
    l->window = malloc(((size_t)l->o.length + 1) * sizeof *l->window);
    if (l->items)
        cells = rows;
    for (int i = 0; l->slot && i < l->slots; i++) {
        struct lw_batch *b = &l->slot[i].batch;

        b->rows = l->o.rows;
        b->length = l->o.length;
        b->side = l->items ? lw_items_info(l->items)->image_size : 0;
        b->padding = l->items && !b->side ? lw_items_info(l->items)->padding : -1;
        b->targets = malloc(cells * sizeof *b->targets);
        b->position = malloc(rows * sizeof *b->position);
        if (!b->targets || !b->position || make_input(l, b, rows, cells))
            return lw_fail(err, LW_EMEM, "out of memory for batches");
        if (l->o.notes && (rc = l->notes.make(l->notes.user, &b->note, err)))
            return rc;
    }
    if (!l->slot || !l->window)
        return lw_fail(err, LW_EMEM, "out of memory for batches");
    return 0;
}

static int open_loader(struct lw_loader **out, const struct lw_dataset *d,
                       const struct lw_items *items, const struct lw_loader_options *options,
                       const struct lw_loader_state *start, struct lw_error *err)
{
    struct lw_loader *l = calloc(1, sizeof *l);
    int rc;

    if (!l)
        return lw_fail(err, LW_EMEM, "out of memory for batches");
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->filled, NULL);
    pthread_cond_init(&l->freed, NULL);
    l->data = d;
    l->items = items;
    l->o = *options;
    if (items)
        l->o.length = lw_items_info(items)->image_size ? 1 : lw_items_info(items)->length;
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

int lw_loader_open(struct lw_loader **out, const struct lw_dataset *d,
                   const struct lw_loader_options *options, const struct lw_loader_state *start,
                   struct lw_error *err)
{
    return open_loader(out, d, NULL, options, start, err);
}

int lw_loader_open_items(struct lw_loader **out, const struct lw_items *d,
                         const struct lw_loader_options *options,
                         const struct lw_loader_state *start, struct lw_error *err)
{
    return open_loader(out, NULL, d, options, start, err);
}

void lw_loader_close(struct lw_loader *l)
{
    if (!l)
        return;
    stop_thread(l);
    for (int i = 0; l->slot && i < l->slots; i++) {
        if (l->slot[i].batch.raw != l->slot[i].batch.pixels)
            free((void *)l->slot[i].batch.raw);
        free(l->slot[i].batch.pixels);
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

int64_t lw_loader_left(const struct lw_loader *l, const struct lw_loader_state *at)
{
    return at->index < l->windows ? (l->windows - at->index) / group(l) : 0;
}
