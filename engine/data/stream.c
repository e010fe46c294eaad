/* SPDX-License-Identifier: MIT */
#include "engine/data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct lw_store *lw_store_new(struct lw_error *err)
{
    struct lw_store *s = calloc(1, sizeof *s);

    if (!s) {
        lw_fail(err, LW_EMEM, "out of memory opening data");
        return NULL;
    }
    atomic_init(&s->users, 1);
    pthread_mutex_init(&s->lock, NULL);
    s->chunk_index = -1;
    s->width = 2;
    s->info.max_id = -1;
    return s;
}

void lw_store_release(struct lw_store *s)
{
    if (!s || atomic_fetch_sub(&s->users, 1) > 1)
        return;
    for (size_t i = 0; i < s->segments; i++) {
        if (s->segment[i].fd >= 0)
            close(s->segment[i].fd);
        free(s->segment[i].path);
    }
    free(s->segment);
    free(s->memory);
    if (s->map)
        munmap(s->map, s->map_size);
    lw_encoder_close(s->encoder);
    free(s->chunk);
    free(s->path);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int lw_store_add(struct lw_store *s, int64_t count, const void *data, int fd, int64_t offset,
                 const char *path, struct lw_error *err)
{
    struct lw_segment *grown = realloc(s->segment, (s->segments + 1) * sizeof *grown);
    char *copy = path ? strdup(path) : NULL;

    if (grown)
        s->segment = grown;
    if (!grown || (path && !copy)) {
        free(copy);
        if (fd >= 0)
            close(fd);
        return lw_fail(err, LW_EMEM, "out of memory opening data");
    }
    grown[s->segments++] = (struct lw_segment){s->info.tokens, count, data, offset, fd, copy};
    s->info.tokens += count;
    return 0;
}

static int read_fully(int fd, void *out, size_t n, off_t at)
{
    for (char *p = out; n;) {
        ssize_t got = pread(fd, p, n, at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            errno = 0;
            return -1;
        }
        p += got;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

static int read_file_ids(const struct lw_segment *g, int width, int64_t first, int64_t count,
                         void *out, struct lw_error *err)
{
    int fd = g->fd >= 0 ? g->fd : open(g->path, O_RDONLY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return lw_fail_errno(err, "cannot open %s", g->path);
    if (read_fully(fd, out, (size_t)(count * width), (off_t)(g->offset + first * width)) < 0)
        rc = errno ? lw_fail_errno(err, "cannot read %s", g->path)
                   : lw_fail(err, LW_EDATA, "%s ends early: it was cut while we read it", g->path);
    if (g->fd < 0)
        close(fd);
    return rc;
}

static int too_large(const struct lw_segment *g, int64_t at, uint32_t id, int64_t limit,
                     struct lw_error *err)
{
    return lw_fail(err, LW_EDATA,
                   "token %lld of %s is id %u, beyond the vocabulary of %lld: use tokenizer=FOLDER "
                   "with the vocab.json and merges.txt that the model was made with, or the data "
                   "that belongs to it",
                   (long long)at, g->path ? g->path : "the data", id, (long long)limit);
}

/* Widen count ids at from (which may lie at the end of out, in place) and check them. */
static int widen(const struct lw_segment *g, int width, const void *from, int64_t first,
                 int64_t count, int64_t limit, int32_t *out, struct lw_error *err)
{
    uint32_t top = limit > 0 && limit < INT32_MAX ? (uint32_t)limit : INT32_MAX, most = 0;

    for (int64_t i = 0; i < count; i++) {
        uint32_t id;

        if (width == 2) {
            uint16_t narrow;

            memcpy(&narrow, (const char *)from + 2 * i, sizeof narrow);
            id = narrow;
        } else {
            memcpy(&id, (const char *)from + 4 * i, sizeof id);
        }
        out[i] = (int32_t)id;
        most = id > most ? id : most;
    }
    if (most < top)
        return 0;
    for (int64_t i = 0; i < count; i++)
        if ((uint32_t)out[i] >= top)
            return too_large(g, first + i, (uint32_t)out[i], top, err);
    return 0;
}

static int read_segment(const struct lw_segment *g, int width, int64_t first, int64_t count,
                        int64_t limit, int32_t *out, struct lw_error *err)
{
    const void *from;
    int rc;

    if (g->data) {
        from = (const char *)g->data + first * width;
    } else { /* into the end of out, from where it is widened towards the front */
        void *end = (char *)out + count * (int64_t)(sizeof *out - (size_t)width);

        rc = read_file_ids(g, width, first, count, end, err);
        if (rc)
            return rc;
        from = end;
    }
    return widen(g, width, from, first, count, limit, out, err);
}

static int read_generated(struct lw_store *s, int64_t start, int64_t count, int32_t *out,
                          struct lw_error *err)
{
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    while (!rc && count) {
        int64_t chunk = start / LW_GENERATE_CHUNK, first = start % LW_GENERATE_CHUNK;
        int64_t take = LW_GENERATE_CHUNK - first < count ? LW_GENERATE_CHUNK - first : count;

        if (chunk != s->chunk_index) {
            s->chunk_index = -1;
            rc = lw_generate_chunk(&s->generate, chunk, s->encoder, s->info.separator, s->chunk,
                                   err);
            if (!rc)
                s->chunk_index = chunk;
        }
        if (!rc)
            memcpy(out, s->chunk + first, (size_t)take * sizeof *out);
        start += take;
        count -= take;
        out += take;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int lw_store_read(struct lw_store *s, int64_t start, int64_t count, int64_t limit, int32_t *out,
                  struct lw_error *err)
{
    size_t low = 0, high = s->segments;
    int rc = 0;

    if (s->info.endless)
        return read_generated(s, start, count, out, err);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (s->segment[middle].at <= start)
            low = middle;
        else
            high = middle;
    }
    for (; !rc && count; low++) {
        const struct lw_segment *g = &s->segment[low];
        int64_t first = start - g->at, take = g->count - first < count ? g->count - first : count;

        rc = read_segment(g, s->width, first, take, limit, out, err);
        start += take;
        count -= take;
        out += take;
    }
    return rc;
}
