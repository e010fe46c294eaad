/* SPDX-License-Identifier: MIT
 *
 * Texts and their classes out of a CSV file (RFC 4180) with the columns "text" and "label",
 * tokenised when it is opened. */
#include "engine/data/texts.h"

#include <ctype.h>
#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/data/hash.h"
#include "engine/data/stream.h"

#define FIELD_MAX  ((size_t)16 << 20) /* bytes of one cell: what is longer is no text of a table */
#define LABELS_MAX 65536
#define PLACES     (2 * LABELS_MAX)

/* The texts, one after another. */
struct texts {
    int32_t *id;
    size_t ids, capacity;
    size_t *start; /* [items + 1] */
    int separator;
};

/* A file that is being read. */
struct reading {
    struct texts *t;
    struct lw_encoder *encoder;
    struct lw_ids ids; /* of one text */
    const char *path;
    int length;                 /* tokens that are kept of a text */
    int64_t line, breaks, rows; /* the record's first line; line breaks in its cells */
    bool in_header;
    int column, text_column, label_column; /* of the cell; of the header */
    bool has_text, has_label;
    char **name; /* of labels, as they are met */
    int names;
    int32_t *place; /* [PLACES] number of the name that hashes here, from 1; 0: none yet */
    int32_t *label;
    size_t label_capacity;
    struct lw_error *err;
    int rc;
};

static const char too_long[] = "a cell of more than 16 MiB: is there a quote that nothing closes?";

static int read_texts(const struct lw_items_store *s, int64_t i, void *row, int32_t *label,
                      struct lw_error *err)
{
    const struct texts *t = s->own;
    const size_t n = t->start[i + 1] - t->start[i];
    int32_t *out = row;

    (void)label;
    (void)err;
    if (n) /* where all texts are empty there are no ids at all */
        memcpy(out, t->id + t->start[i], n * sizeof *out);
    for (size_t k = n; k < (size_t)s->info.length; k++)
        out[k] = t->separator;
    return 0;
}

static void close_texts(void *own)
{
    struct texts *t = own;

    if (t) {
        free(t->id);
        free(t->start);
    }
    free(t);
}

static const struct lw_items_kind kind = {.read = read_texts, .close = close_texts};

static void stop(struct reading *r, int code, const char *what)
{
    if (!r->rc)
        r->rc = lw_fail(r->err, code, "%s: line %lld: %s", r->path, (long long)r->line, what);
}

/* Where a label's number is, or is to be. */
static int32_t *place_of(const struct reading *r, const char *text, size_t n)
{
    for (uint64_t at = lw_hash(text, n, 0);; at++) {
        int32_t *place = &r->place[at % PLACES];
        const char *name = *place ? r->name[*place - 1] : NULL;

        if (!name || (strlen(name) == n && !memcmp(name, text, n)))
            return place;
    }
}

static int add_label(struct reading *r, const char *text, size_t n)
{
    char *copy;

    if (r->names == LABELS_MAX)
        return stop(r, LW_EDATA, "more than 65536 different labels: is this the column of labels?"),
               0;
    if (!(r->names & (r->names - 1))) {
        char **grown = realloc(r->name, (r->names ? 2 * (size_t)r->names : 1) * sizeof *grown);

        if (!grown)
            return stop(r, LW_EMEM, "out of memory"), 0;
        r->name = grown;
    }
    if (!(copy = strndup(text, n)))
        return stop(r, LW_EMEM, "out of memory"), 0;
    r->name[r->names] = copy;
    return ++r->names;
}

static int find_label(struct reading *r, const char *text, size_t n)
{
    int32_t *place;

    if (!r->place && !(r->place = calloc(PLACES, sizeof *r->place)))
        return stop(r, LW_EMEM, "out of memory"), 0;
    place = place_of(r, text, n);
    if (!*place)
        *place = add_label(r, text, n);
    return *place - 1;
}

static void take_label(struct reading *r, const char *text, size_t n)
{
    if (!n)
        return stop(r, LW_EDATA, "the label is empty");
    if (n > 200 || memchr(text, '\0', n))
        return stop(r, LW_EDATA, "the label is no short text");
    if ((size_t)r->rows == r->label_capacity) {
        size_t capacity = r->label_capacity ? 2 * r->label_capacity : 1024;
        int32_t *label = realloc(r->label, capacity * sizeof *label);
        size_t *start = realloc(r->t->start, (capacity + 1) * sizeof *start);

        if (label)
            r->label = label;
        if (start)
            r->t->start = start;
        if (!label || !start)
            return stop(r, LW_EMEM, "out of memory");
        r->label_capacity = capacity;
    }
    r->label[r->rows] = find_label(r, text, n);
    r->has_label = true;
}

static void take_text(struct reading *r, const char *text, size_t n)
{
    struct lw_error why;

    r->ids.count = 0;
    if (lw_encode(r->encoder, text, n, &r->ids, &why))
        return stop(r, why.code, why.text);
    if (r->ids.count > (size_t)r->length)
        r->ids.count = (size_t)r->length;
    r->has_text = true;
}

static void take_header(struct reading *r, const char *text, size_t n)
{
    if (n == 4 && !strncasecmp(text, "text", 4))
        r->text_column = r->column;
    else if (n == 5 && !strncasecmp(text, "label", 5))
        r->label_column = r->column;
}

static void cell(void *data, size_t n, void *user)
{
    struct reading *r = user;

    if (r->rc)
        return;
    if (n > FIELD_MAX)
        return stop(r, LW_EDATA, too_long);
    for (const char *p = data, *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        r->breaks++;
    if (r->in_header)
        take_header(r, data, n);
    else if (r->column == r->text_column)
        take_text(r, data, n);
    else if (r->column == r->label_column)
        take_label(r, data, n);
    r->column++;
}

static void keep_text(struct reading *r)
{
    struct texts *t = r->t;

    if (t->capacity - t->ids < r->ids.count) {
        size_t capacity = 2 * (t->capacity + r->ids.count) + 4096;
        int32_t *id = realloc(t->id, capacity * sizeof *id);

        if (!id)
            return stop(r, LW_EMEM, "out of memory");
        t->id = id;
        t->capacity = capacity;
    }
    t->start[r->rows++] = t->ids;
    for (size_t i = 0; i < r->ids.count; i++)
        t->id[t->ids++] = (int32_t)r->ids.id[i];
    t->start[r->rows] = t->ids;
}

static void end_of_row(int separator, void *user)
{
    struct reading *r = user;

    (void)separator;
    if (r->rc)
        return;
    if (r->in_header && (r->text_column < 0 || r->label_column < 0))
        return stop(r, LW_EDATA,
                    "the first line of a CSV file must name the columns \"text\" and \"label\", "
                    "with commas between its columns");
    if (!r->in_header && !(r->has_text && r->has_label))
        return stop(r, LW_EDATA, r->has_text ? "the label is missing" : "the text is missing");
    if (!r->in_header)
        keep_text(r);
    r->line += 1 + r->breaks;
    r->breaks = 0;
    r->in_header = false;
    r->column = 0;
    r->has_text = r->has_label = false;
}

/* A byte order mark in front of a quoted name would make it one that isn't quoted. */
static void pass_mark(FILE *f)
{
    char mark[3];

    if (!lw_utf8_mark(mark, fread(mark, 1, sizeof mark, f)))
        rewind(f);
}

static int read_csv(struct reading *r, struct lw_error *err)
{
    struct csv_parser parser;
    FILE *f = fopen(r->path, "re");
    char *block = malloc(65536);
    size_t got;

    if (!f || !block || csv_init(&parser, CSV_APPEND_NULL)) {
        int rc = !f ? lw_fail_errno(err, "cannot open %s", r->path)
                    : lw_fail(err, LW_EMEM, "out of memory reading %s", r->path);

        free(block);
        if (f)
            fclose(f);
        return rc;
    }
    pass_mark(f);
    while (!r->rc && (got = fread(block, 1, 65536, f))) {
        if (csv_parse(&parser, block, got, cell, end_of_row, r) != got && !r->rc)
            stop(r, csv_error(&parser) == CSV_ENOMEM ? LW_EMEM : LW_EDATA,
                 csv_strerror(csv_error(&parser)));
        if (csv_get_buffer_size(&parser) > 2 * FIELD_MAX) /* of a cell that goes on and on */
            stop(r, LW_EDATA, too_long);
    }
    if (!r->rc && ferror(f))
        r->rc = lw_fail_errno(err, "cannot read %s", r->path);
    if (!r->rc)
        csv_fini(&parser, cell, end_of_row, r);
    csv_free(&parser);
    free(block);
    fclose(f);
    return r->rc;
}

static bool is_number(const char *text)
{
    return *text && strlen(text) < 10 && text[strspn(text, "0123456789")] == '\0';
}

/* Numbers by their size, words by their letters, numbers first. */
static int by_label(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    bool n = is_number(x), m = is_number(y);

    if (n && m && atoi(x) != atoi(y))
        return atoi(x) < atoi(y) ? -1 : 1;
    return n != m ? m - n : strcmp(x, y);
}

/* Classes in order, whatever order they were met in. */
static int sort_labels(struct lw_items_store *s, struct reading *r, struct lw_error *err)
{
    char **sorted = malloc(((size_t)r->names + 1) * sizeof *sorted);
    int *place = malloc(((size_t)r->names + 1) * sizeof *place);

    if (!sorted || !place) {
        free(sorted);
        free(place);
        return lw_fail(err, LW_EMEM, "out of memory reading %s", r->path);
    }
    memcpy(sorted, r->name, (size_t)r->names * sizeof *sorted);
    qsort(sorted, (size_t)r->names, sizeof *sorted, by_label);
    for (int i = 0; i < r->names; i++)
        place[i] = (int)((char **)bsearch(&r->name[i], sorted, (size_t)r->names, sizeof *sorted,
                                          by_label) -
                         sorted);
    for (int64_t i = 0; i < r->rows; i++)
        r->label[i] = place[r->label[i]];
    free(place);
    lw_items_name(s, sorted, r->names);
    r->names = 0; /* the store's now */
    s->label = r->label;
    r->label = NULL;
    return 0;
}

static int finish(struct lw_items **out, struct lw_items_store *s, struct reading *r,
                  const struct lw_items_options *o, struct lw_error *err)
{
    char *path = s->path;
    uint64_t key;
    int rc;

    if (!r->rows)
        return lw_fail(err, LW_EDATA, "%s holds no texts", path);
    if ((rc = sort_labels(s, r, err)) || (rc = lw_items_widen(s, o->classes, err)))
        return rc;
    if (s->info.classes < 2)
        return lw_fail(err, LW_EDATA, "%s: all labels are the same: at least two are told apart",
                       path);
    s->info.items = r->rows;
    rc = lw_content_hash(&path, 1, s->info.hash, &key, &s->info.bytes, err);
    return rc ? rc : lw_items_view(out, s, NULL, r->rows, err);
}

static int open_file(struct lw_items **out, const char *path, const struct lw_items_options *o,
                     const struct lw_tokenizer *t, struct lw_error *err)
{
    struct reading r = {.path = path,
                        .length = o->length,
                        .line = 1,
                        .in_header = true,
                        .text_column = -1,
                        .label_column = -1,
                        .err = err};
    struct lw_items_store *s = lw_items_store_new(&kind, err);
    int rc;

    if (!s)
        return LW_EMEM;
    s->own = r.t = calloc(1, sizeof *r.t);
    s->path = strdup(path);
    s->info.format = "CSV";
    s->info.length = o->length;
    s->info.threads = 1;
    s->info.vocab_size = lw_tokenizer_vocab_size(t);
    s->info.padding = lw_tokenizer_separator(t);
    if (!r.t || !s->path)
        rc = lw_fail(err, LW_EMEM, "out of memory reading %s", path);
    else if (!(r.t->separator = lw_tokenizer_separator(t),
               rc = lw_encoder_open(&r.encoder, t, err)) &&
             !(rc = read_csv(&r, err)))
        rc = finish(out, s, &r, o, err);
    for (int i = 0; i < r.names; i++)
        free(r.name[i]);
    free(r.name);
    free(r.place);
    free(r.label);
    lw_ids_free(&r.ids);
    lw_encoder_close(r.encoder);
    lw_items_store_release(s);
    return rc;
}

/* In a folder, by these names. */
static char *file_in(const char *folder, enum lw_items_part part)
{
    static const char *const names[] = {"train.csv", "validation.csv", "val.csv", "test.csv"};

    for (size_t i = part == LW_ITEMS_VALIDATION; i < sizeof names / sizeof *names; i++) {
        char *path = lw_path_join(folder, names[i]);

        if (path && access(path, R_OK) == 0)
            return path;
        free(path);
        if (part == LW_ITEMS_TRAIN)
            break;
    }
    return NULL;
}

static int open_part(struct lw_items **out, const char *path, enum lw_items_part part,
                     const struct lw_items_options *o, const void *user, struct lw_error *err)
{
    struct stat st;
    char *inside;
    int rc;

    *out = NULL;
    if (stat(path, &st) < 0)
        return errno == ENOENT
                   ? lw_fail(err, LW_EIO, "there is no file or folder %s: check data", path)
                   : lw_fail_errno(err, "cannot open %s", path);
    if (!S_ISDIR(st.st_mode))
        return part == LW_ITEMS_WHOLE ? open_file(out, path, o, user, err) : 0;
    inside = file_in(path, part);
    if (!inside)
        return part != LW_ITEMS_WHOLE
                   ? 0
                   : lw_fail(err, LW_EDATA,
                             "%s holds no train.csv: give a CSV file with the columns text and "
                             "label",
                             path);
    rc = open_file(out, inside, o, user, err);
    free(inside);
    return rc;
}

int lw_texts_open(const struct lw_items_options *o, const struct lw_tokenizer *t,
                  struct lw_items **train, struct lw_items **validation, struct lw_error *err)
{
    int rc;

    if (o->data)
        return lw_items_open_both(o, open_part, t, train, validation, err);
    rc = lw_texts_generate(train, o, t, false, err);
    return rc ? rc : lw_texts_generate(validation, o, t, true, err);
}
