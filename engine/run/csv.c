/* SPDX-License-Identifier: MIT */
#include "engine/run/csv.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/text.h"
#include "engine/run/cell.h"
#include "engine/run/csv_scan.h"

enum {
    BLOCK = 256 << 10, /* read at once */
    TAIL = 128,        /* bytes before our place that are compared when the file changed */
};

struct lw_csv {
    char *path;
    struct lw_csv_reader reader;
    int fd;
    dev_t dev;
    ino_t ino;
    struct timespec changed; /* modification time when last looked at */
    off_t offset, size;      /* read so far; of the file */
    bool header_known;
    bool refused;    /* no table: nothing is read until the file is another */
    char tail[TAIL]; /* the last bytes that were read */
    size_t tail_size;
    char *held; /* bytes of unfinished lines, then the block being read */
    size_t held_size, held_room;
    char **want;
    int want_count;
    struct lw_csv_scan scan;
};

int lw_csv_open(struct lw_csv **out, const char *path, const struct lw_csv_reader *reader,
                struct lw_error *err)
{
    struct lw_csv *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (!t || !(t->path = strdup(path))) {
        free(t);
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    t->reader = *reader;
    t->scan.reader = &t->reader;
    t->fd = -1;
    *out = t;
    return 0;
}

static void free_want(struct lw_csv *t)
{
    for (int i = 0; i < t->want_count; i++)
        free(t->want[i]);
    free(t->want);
    t->want = NULL;
    t->want_count = 0;
}

int lw_csv_want(struct lw_csv *t, const char *const *names, int count, struct lw_error *err)
{
    free_want(t);
    if (count <= 0)
        return 0;
    t->want = calloc((size_t)count, sizeof(*t->want));
    for (int i = 0; t->want && i < count; i++, t->want_count++)
        if (!(t->want[i] = strdup(names[i])))
            break;
    if (t->want_count < count)
        return lw_fail(err, LW_EMEM, "out of memory");
    return 0;
}

void lw_csv_rewind(struct lw_csv *t)
{
    lw_csv_scan_reset(&t->scan);
    t->offset = 0;
    t->held_size = t->tail_size = 0;
    t->header_known = t->refused = false;
}

void lw_csv_close(struct lw_csv *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    lw_csv_scan_reset(&t->scan);
    free_want(t);
    free(t->held);
    free(t->path);
    free(t);
}

void lw_csv_progress(const struct lw_csv *t, int64_t *read, int64_t *size)
{
    *read = t->offset;
    *size = t->size;
}

/* Do the bytes before our place still stand in the file? */
static bool same_tail(const struct lw_csv *t)
{
    char now[TAIL];

    return pread(t->fd, now, t->tail_size, t->offset - (off_t)t->tail_size) ==
               (ssize_t)t->tail_size &&
           !memcmp(now, t->tail, t->tail_size);
}

/* Open the file, or notice that it is another than before. 1: there is one, 0: none yet. */
static int look(struct lw_csv *t, struct lw_error *err)
{
    struct stat st;

    if (stat(t->path, &st) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        return lw_fail_errno(err, "cannot read %s", t->path);
    }
    if (!S_ISREG(st.st_mode))
        return lw_fail(err, LW_EDATA, "%s is not a file", t->path);
    if (t->fd >= 0 && (st.st_dev != t->dev || st.st_ino != t->ino)) {
        close(t->fd);
        t->fd = -1;
    }
    if (t->fd < 0) {
        t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (t->fd < 0)
            return lw_fail_errno(err, "cannot read %s", t->path);
        lw_csv_rewind(t);
    } else if (st.st_size < t->offset || ((st.st_mtim.tv_sec != t->changed.tv_sec ||
                                           st.st_mtim.tv_nsec != t->changed.tv_nsec) &&
                                          !same_tail(t))) {
        lw_csv_rewind(t);
    }
    t->dev = st.st_dev;
    t->ino = st.st_ino;
    t->changed = st.st_mtim;
    t->size = st.st_size;
    return 1;
}

/* The separator that stands most often outside quotes in the header. */
static char find_separator(const char *line, size_t n)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t most = 0;
    char best = ',';

    for (size_t c = 0; c < sizeof(candidates); c++) {
        size_t count = 0;
        bool inside = false;

        for (size_t i = 0; i < n; i++) {
            inside ^= line[i] == '"';
            count += !inside && line[i] == candidates[c];
        }
        if (count > most) {
            most = count;
            best = candidates[c];
        }
    }
    return best;
}

struct header {
    char name[LW_CSV_COLUMNS][LW_CSV_NAME];
    const char *names[LW_CSV_COLUMNS];
    int count;
    int numbers; /* names that are numbers */
    bool closed;
};

static void header_field(void *data, size_t n, void *user)
{
    struct header *h = user;
    char *name;
    double number;

    if (h->closed)
        return;
    if (h->count < LW_CSV_COLUMNS) {
        name = h->name[h->count];
        h->names[h->count] = name;
        if (!lw_text_clean(data ? data : "", n, name,
                           LW_CSV_NAME - 15)) /* 80 bytes: a number fits behind */
            snprintf(name, LW_CSV_NAME, "column %d", h->count + 1);
        if (n && lw_cell_value(data, n, &number) == LW_CSV_NUMBER)
            h->numbers++;
    }
    h->count++;
}

static void header_row(int c, void *user)
{
    (void)c;
    ((struct header *)user)->closed = true;
}

/* A name that stood before gets a number behind it. */
static void make_unique(struct header *h)
{
    for (int i = 1; i < h->count; i++) {
        char base[LW_CSV_NAME];
        int copy = 1;

        memcpy(base, h->name[i], sizeof(base));
        for (int j = 0; j < i; j++)
            if (!strcmp(h->name[i], h->name[j])) {
                snprintf(h->name[i], LW_CSV_NAME, "%.80s.%d", base, ++copy);
                j = -1;
            }
    }
}

static void choose_columns(struct lw_csv *t, const struct header *h)
{
    struct lw_csv_scan *s = &t->scan;

    s->columns = h->count;
    s->last_wanted = -1;
    for (int i = 0; i < h->count; i++) {
        s->wanted[i] = t->want_count == 0;
        for (int j = 0; j < t->want_count && !s->wanted[i]; j++)
            s->wanted[i] = !strcmp(t->want[j], h->name[i]);
        if (s->wanted[i])
            s->last_wanted = i;
    }
}

static int take_header(struct lw_csv *t, const char *line, size_t n, struct lw_error *err)
{
    struct header *h = calloc(1, sizeof(*h));
    struct csv_parser parser;
    int rc = 0;

    if (!h || csv_init(&parser, 0)) {
        free(h);
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    t->scan.separator = find_separator(line, n);
    csv_set_delim(&parser, (unsigned char)t->scan.separator);
    csv_parse(&parser, line, n, header_field, header_row, h);
    csv_fini(&parser, header_field, header_row, h);
    csv_free(&parser);
    if (memchr(line, 0, n) || !h->count)
        rc = lw_fail(err, LW_EDATA, "%s is not a CSV file", t->path);
    else if (h->count > LW_CSV_COLUMNS)
        rc = lw_fail(err, LW_EDATA, "%s has %d columns, at most %d can be read", t->path, h->count,
                     LW_CSV_COLUMNS);
    else if (h->numbers == h->count)
        rc = lw_fail(err, LW_EDATA, "%s has no header: its first line must name the columns",
                     t->path);
    if (rc == 0) {
        make_unique(h);
        choose_columns(t, h);
        t->header_known = true;
        if (t->reader.columns)
            t->reader.columns(t->reader.user, h->count, h->names);
    }
    free(h);
    return rc;
}

/* Find the header line in what is held, and take it. Returns the bytes used, 0 while it is not all
 * there. */
static int64_t find_header(struct lw_csv *t, struct lw_error *err)
{
    const char *p = t->held, *end = p + t->held_size, *start;
    bool inside = false;
    int rc;

    p += lw_utf8_mark(p, t->held_size);
    while (p < end && (*p == '\n' || *p == '\r'))
        p++;
    for (start = p; p < end && (inside || *p != '\n'); p++)
        inside ^= *p == '"';
    if (p == end)
        return 0;
    rc = take_header(t, start, (size_t)(p - start), err);
    return rc < 0 ? rc : p + 1 - t->held;
}

/* Make rows of what is held. */
static int take_held(struct lw_csv *t, struct lw_error *err)
{
    int64_t used = 0;
    int rc;

    if (!t->header_known) {
        used = find_header(t, err);
        if (used < 0)
            return (int)used;
    }
    if (t->header_known && !t->scan.quoted)
        used += (int64_t)lw_csv_scan_plain(&t->scan, t->held + used, t->held_size - (size_t)used);
    if (t->scan.quoted) {
        rc = lw_csv_scan_quoted(&t->scan, t->held + used, t->held_size - (size_t)used, err);
        if (rc < 0)
            return lw_wrap(err, "%s", t->path);
        used = (int64_t)t->held_size;
    }
    t->held_size -= (size_t)used;
    memmove(t->held, t->held + used, t->held_size);
    if (t->held_size > LW_CSV_LINE)
        return lw_fail(err, LW_EDATA, "%s has a line longer than %d MB: it is not a CSV file",
                       t->path, LW_CSV_LINE >> 20);
    return 0;
}

static void keep_tail(struct lw_csv *t, const char *block, size_t n)
{
    if (n >= TAIL) {
        memcpy(t->tail, block + n - TAIL, TAIL);
        t->tail_size = TAIL;
        return;
    }
    if (t->tail_size + n > TAIL) {
        size_t drop = t->tail_size + n - TAIL;

        memmove(t->tail, t->tail + drop, t->tail_size - drop);
        t->tail_size -= drop;
    }
    memcpy(t->tail + t->tail_size, block, n);
    t->tail_size += n;
}

/* Read one block behind what is held. Bytes read, 0 at the end, negative. */
static ssize_t read_block(struct lw_csv *t, struct lw_error *err)
{
    ssize_t n;

    if (t->held_size + BLOCK > t->held_room) {
        char *grown = realloc(t->held, t->held_size + BLOCK);

        if (!grown)
            return lw_fail(err, LW_EMEM, "out of memory");
        t->held = grown;
        t->held_room = t->held_size + BLOCK;
    }
    do
        n = pread(t->fd, t->held + t->held_size, BLOCK, t->offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return lw_fail_errno(err, "cannot read %s", t->path);
    keep_tail(t, t->held + t->held_size, (size_t)n);
    t->held_size += (size_t)n;
    t->offset += n;
    return n;
}

int lw_csv_poll(struct lw_csv *t, size_t max_bytes, struct lw_error *err)
{
    size_t total = 0;
    int rc = look(t, err);

    if (rc <= 0 || t->refused)
        return rc < 0 ? rc : 0;
    for (;;) {
        ssize_t n = read_block(t, err);

        if (n <= 0)
            return (int)n;
        rc = take_held(t, err);
        if (rc < 0) {
            t->refused = true;
            return rc;
        }
        total += (size_t)n;
        if (max_bytes && total >= max_bytes)
            return t->offset < t->size;
    }
}

int lw_csv_finish(struct lw_csv *t, struct lw_error *err)
{
    int rc = 0;

    if (t->refused || t->fd < 0)
        return 0;
    if (t->held_size) {
        char *grown = realloc(t->held, t->held_size + BLOCK);

        if (!grown)
            return lw_fail(err, LW_EMEM, "out of memory");
        t->held = grown;
        t->held_room = t->held_size + BLOCK;
        t->held[t->held_size++] = '\n';
        rc = take_held(t, err);
    }
    lw_csv_scan_end(&t->scan);
    return rc;
}
