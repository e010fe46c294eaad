/* SPDX-License-Identifier: MIT */
#include "engine/run/events.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/append.h"
#include "engine/run/folder.h"
#include "engine/run/one_line.h"

enum { WAITING = 256 << 10, BLOCK = 64 << 10 };

struct lw_events {
    struct lw_append file;
    pthread_mutex_t lock;
};

static const char *const levels[LW_EVENT_COUNT] = {"info", "warn", "alert", "error"};

const char *lw_event_level_name(enum lw_event_level level)
{
    return (unsigned)level < LW_EVENT_COUNT ? levels[level] : "?";
}

int lw_events_open(struct lw_events **out, const char *dir, struct lw_error *err)
{
    struct lw_events *e = calloc(1, sizeof(*e));
    int rc;

    *out = NULL;
    if (!e)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_append_open(&e->file, dir, LW_RUN_EVENTS, err);
    if (rc < 0) {
        free(e);
        return rc;
    }
    pthread_mutex_init(&e->lock, NULL);
    *out = e;
    return 0;
}

void lw_events_add(struct lw_events *e, enum lw_event_level level, const char *fmt, ...)
{
    char text[2048], clean[2048], time[32], line[2200];
    va_list args;
    int n;

    if (!e)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    lw_one_line(text, clean, sizeof(clean));
    lw_clock_iso(time, sizeof(time));
    n = snprintf(line, sizeof(line), "%s %s %s\n", time, lw_event_level_name(level), clean);
    pthread_mutex_lock(&e->lock);
    lw_append_line(&e->file, line, (size_t)n, WAITING);
    pthread_mutex_unlock(&e->lock);
}

void lw_events_close(struct lw_events *e)
{
    if (!e)
        return;
    lw_append_close(&e->file);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

struct lw_event_tail {
    char *path;
    int fd;
    off_t offset;
    dev_t dev;
    ino_t ino;
    int last;    /* start with about so many */
    size_t held; /* bytes of an unfinished line in text */
    char text[4096];
};

int lw_event_tail_open(struct lw_event_tail **out, const char *dir, struct lw_error *err)
{
    struct lw_event_tail *t = calloc(1, sizeof(*t));

    *out = t;
    if (t)
        t->path = lw_path_join(dir, LW_RUN_EVENTS);
    if (!t || !t->path) {
        free(t);
        *out = NULL;
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    t->fd = -1;
    return 0;
}

void lw_event_tail_last(struct lw_event_tail *t, int n)
{
    t->last = n;
}

void lw_event_tail_close(struct lw_event_tail *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    free(t->path);
    free(t);
}

/* "TIME LEVEL TEXT", or any line as an info event. */
static void split(const char *line, size_t size, struct lw_event *event)
{
    const char *end = line + size, *a = memchr(line, ' ', size), *b;

    *event = (struct lw_event){.level = LW_EVENT_INFO};
    b = a ? memchr(a + 1, ' ', (size_t)(end - a - 1)) : NULL;
    for (int i = 0; b && i < LW_EVENT_COUNT; i++) {
        if ((size_t)(b - a - 1) != strlen(levels[i]) || memcmp(a + 1, levels[i], strlen(levels[i])))
            continue;
        event->level = (enum lw_event_level)i;
        lw_text_clean(line, (size_t)(a - line), event->time, sizeof(event->time));
        lw_text_clean(b + 1, (size_t)(end - b - 1), event->text, sizeof(event->text));
        return;
    }
    lw_text_clean(line, size, event->text, sizeof(event->text));
}

static void take_line(const char *line, size_t size, void (*event)(void *, const struct lw_event *),
                      void *user)
{
    struct lw_event e;

    if (size && line[size - 1] == '\r')
        size--;
    if (!size)
        return;
    split(line, size, &e);
    event(user, &e);
}

/* Give out the whole lines of n new bytes, keep what is left. */
static void take_bytes(struct lw_event_tail *t, const char *block, size_t n,
                       void (*event)(void *, const struct lw_event *), void *user)
{
    while (n) {
        const char *nl = memchr(block, '\n', n);
        size_t part = nl ? (size_t)(nl - block) : n;
        size_t fits = sizeof(t->text) - t->held;

        memcpy(t->text + t->held, block, part < fits ? part : fits);
        t->held += part < fits ? part : fits;
        if (nl) {
            take_line(t->text, t->held, event, user);
            t->held = 0;
            part++;
        }
        block += part;
        n -= part;
    }
}

/* Where to begin so that about t->last lines follow. */
static off_t last_lines(const struct lw_event_tail *t, off_t size)
{
    char block[4096];
    int lines = 0;

    for (off_t end = size; end > 0;) {
        size_t n = end < (off_t)sizeof(block) ? (size_t)end : sizeof(block);

        if (pread(t->fd, block, n, end - (off_t)n) != (ssize_t)n)
            return 0;
        for (size_t i = n; i-- > 0;)
            if (block[i] == '\n' && lines++ == t->last)
                return end - (off_t)n + (off_t)i + 1;
        end -= (off_t)n;
    }
    return 0;
}

/* Open the file, or notice that it is another or shorter one. 1: there is a file, 0: none yet. */
static int look(struct lw_event_tail *t, struct lw_error *err)
{
    struct stat st;

    if (stat(t->path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0
                                                   : lw_fail_errno(err, "cannot read %s", t->path);
    if (!S_ISREG(st.st_mode))
        return lw_fail(err, LW_EDATA, "%s is not a file", t->path);
    if (t->fd >= 0 && (st.st_dev != t->dev || st.st_ino != t->ino || st.st_size < t->offset)) {
        close(t->fd);
        t->fd = -1;
    }
    if (t->fd >= 0)
        return 1;
    t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0)
        return lw_fail_errno(err, "cannot read %s", t->path);
    t->dev = st.st_dev;
    t->ino = st.st_ino;
    t->held = 0;
    t->offset = t->last > 0 ? last_lines(t, st.st_size) : 0;
    return 1;
}

int lw_event_tail_poll(struct lw_event_tail *t,
                       void (*event)(void *user, const struct lw_event *event), void *user,
                       struct lw_error *err)
{
    char *block;
    int rc = look(t, err);

    if (rc <= 0)
        return rc;
    block = malloc(BLOCK);
    if (!block)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (rc = 0;;) {
        ssize_t n = pread(t->fd, block, BLOCK, t->offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = lw_fail_errno(err, "cannot read %s", t->path);
        if (n <= 0)
            break;
        t->offset += n;
        take_bytes(t, block, (size_t)n, event, user);
    }
    free(block);
    return rc;
}
