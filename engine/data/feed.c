/* SPDX-License-Identifier: MIT */
#include "engine/data/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/text.h"
#include "engine/data/tokenizer.h"

#define BATCH          ((size_t)8 << 20)
#define PIECE          ((size_t)256 << 10)
#define ROOM           ((size_t)4 << 20)  /* of the window on a file */
#define LINE_MAX_BYTES ((size_t)64 << 20) /* of a JSONL record */

struct lw_feed {
    const struct lw_token_source *source;
    const char *separator;
    size_t separator_n;
    size_t file; /* that is being read */
    int fd;      /* -1: not opened yet */
    int64_t line;
    int in_document; /* pieces of the document have been given out */
    char *window;
    size_t start, end, room;
    int eof;
};

int lw_feed_open(struct lw_feed **out, const struct lw_token_source *source, const char *separator,
                 struct lw_error *err)
{
    struct lw_feed *f = calloc(1, sizeof *f);

    if (!f || !(f->window = malloc(ROOM))) {
        free(f);
        return lw_fail(err, LW_EMEM, "out of memory reading text");
    }
    f->source = source;
    f->separator = separator ? separator : "";
    f->separator_n = strlen(f->separator);
    f->room = ROOM;
    f->fd = -1;
    *out = f;
    return 0;
}

void lw_feed_close(struct lw_feed *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    free(f->window);
    free(f);
}

void lw_text_batch_free(struct lw_text_batch *b)
{
    free(b->bytes);
    free(b->piece);
}

static int append(struct lw_text_batch *b, const char *bytes, size_t n, int first,
                  struct lw_error *err)
{
    if (b->capacity - b->n < n) {
        size_t wanted = b->capacity ? b->capacity : BATCH + ROOM;
        char *grown;

        while (wanted - b->n < n)
            wanted *= 2;
        grown = realloc(b->bytes, wanted);
        if (!grown)
            return lw_fail(err, LW_EMEM, "out of memory reading text");
        b->bytes = grown;
        b->capacity = wanted;
    }
    if (b->pieces == b->pieces_capacity) {
        size_t wanted = b->pieces_capacity ? 2 * b->pieces_capacity : 1024;
        struct lw_piece *grown = realloc(b->piece, wanted * sizeof *grown);

        if (!grown)
            return lw_fail(err, LW_EMEM, "out of memory reading text");
        b->piece = grown;
        b->pieces_capacity = wanted;
    }
    memcpy(b->bytes + b->n, bytes, n);
    b->piece[b->pieces++] = (struct lw_piece){b->n, n, first, 0};
    b->n += n;
    return 0;
}

/* Have at least `want` bytes in the window, or all that is left of the file. */
static int look(struct lw_feed *f, size_t want, struct lw_error *err)
{
    const char *path = f->source->path[f->file];

    if (f->end - f->start >= want || f->eof)
        return 0;
    memmove(f->window, f->window + f->start, f->end - f->start);
    f->end -= f->start;
    f->start = 0;
    if (want > f->room) {
        char *grown = realloc(f->window, want);

        if (!grown)
            return lw_fail(err, LW_EMEM, "out of memory reading %s", path);
        f->window = grown;
        f->room = want;
    }
    while (f->end < f->room && !f->eof) {
        ssize_t n = read(f->fd, f->window + f->end, f->room - f->end);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lw_fail_errno(err, "cannot read %s", path);
        f->eof = n == 0;
        f->end += (size_t)n;
    }
    return 0;
}

static int open_file(struct lw_feed *f, struct lw_error *err)
{
    const char *path = f->source->path[f->file];

    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    f->start = f->end = 0;
    f->eof = f->in_document = 0;
    f->line = 0;
    return 0;
}

static void next_file(struct lw_feed *f)
{
    close(f->fd);
    f->fd = -1;
    f->file++;
}

/* One piece of a text file. Every separator that starts in a piece's reach is in the window, so
 * where pieces end does not depend on how much of the file the window shows. */
static int feed_text(struct lw_feed *f, struct lw_text_batch *b, struct lw_error *err)
{
    size_t left, n, cut;
    const char *p, *mark = NULL;
    int rc = look(f, PIECE + LW_CUT_SLACK + f->separator_n + 1, err);

    if (rc)
        return rc;
    p = f->window + f->start;
    n = left = f->end - f->start;
    if (!left) {
        next_file(f);
        return 0;
    }
    if (f->separator_n)
        mark = memmem(p, left, f->separator, f->separator_n);
    if (mark)
        n = (size_t)(mark - p);
    cut = lw_text_cut(p, n, PIECE);
    if (cut) {
        rc = append(b, p, cut, !f->in_document, err);
        f->in_document = 1;
    }
    f->start += cut;
    if (mark && cut == n) {
        f->start += f->separator_n;
        f->in_document = 0;
    }
    return rc;
}

int lw_jsonl_record(const char *record, size_t n, const char *path, int64_t line,
                    struct lw_text_batch *b, struct lw_error *err)
{
    json_error_t where;
    json_t *root = json_loadb(record, n, JSON_ALLOW_NUL, &where);
    const json_t *text = json_object_get(root, "text");
    char said[160];
    size_t length, first;
    int rc = 0;

    if (!root) {
        lw_text_clean(where.text, strlen(where.text), said, sizeof said);
        return lw_fail(err, LW_EDATA, "%s: line %lld is not JSON in UTF-8: %s", path,
                       (long long)line, said);
    }
    if (!json_is_string(text)) {
        rc = lw_fail(err, LW_EDATA, "%s: line %lld %s", path, (long long)line,
                     !json_is_object(root) ? "is not a JSON object"
                     : text                ? "has a field \"text\" that is not a string"
                                           : "has no field \"text\"");
        json_decref(root);
        return rc;
    }
    length = json_string_length(text);
    for (size_t at = 0; !rc && at < length; at += first) {
        first = lw_text_cut(json_string_value(text) + at, length - at, PIECE);
        rc = append(b, json_string_value(text) + at, first, at == 0, err);
    }
    json_decref(root);
    return rc;
}

/* The length of the line at the window's start, without its end. */
static int find_line(struct lw_feed *f, size_t *n, struct lw_error *err)
{
    size_t want = 1 << 16, seen = 0;

    for (;;) {
        const char *end;
        int rc = look(f, want, err);

        if (rc)
            return rc;
        end = memchr(f->window + f->start + seen, '\n', f->end - f->start - seen);
        seen = f->end - f->start;
        if (end || f->eof) {
            *n = end ? (size_t)(end - f->window) - f->start : seen;
            return 0;
        }
        if (seen >= LINE_MAX_BYTES)
            return lw_fail(err, LW_EDATA, "%s: line %lld is longer than %zu MiB",
                           f->source->path[f->file], (long long)f->line, LINE_MAX_BYTES >> 20);
        want = 2 * seen;
    }
}

static int feed_record(struct lw_feed *f, struct lw_text_batch *b, struct lw_error *err)
{
    const char *p;
    size_t n = 0, blank = 0;
    int rc;

    f->line++;
    rc = find_line(f, &n, err);
    if (rc)
        return rc;
    p = f->window + f->start;
    if (f->line == 1)
        blank = lw_utf8_mark(p, n);
    while (blank < n && strchr(" \t\r", p[blank]) && p[blank])
        blank++;
    if (blank < n)
        rc = lw_jsonl_record(p + blank, n - blank, f->source->path[f->file], f->line, b, err);
    f->start += n;
    if (f->start < f->end)
        f->start++;
    else
        next_file(f);
    return rc;
}

int lw_feed_fill(struct lw_feed *f, struct lw_text_batch *b, struct lw_error *err)
{
    int rc = 0;

    b->n = b->pieces = 0;
    while (!rc && f->file < f->source->count && b->n < BATCH) {
        if (f->fd < 0)
            rc = open_file(f, err);
        else if (f->source->format[f->file] == LW_FORMAT_JSONL)
            rc = feed_record(f, b, err);
        else
            rc = feed_text(f, b, err);
    }
    return rc;
}
