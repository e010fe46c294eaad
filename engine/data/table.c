/* SPDX-License-Identifier: MIT */
#include "engine/data/table.h"

#include <csv.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/io.h"
#include "engine/base/text.h"

#define SHOWN 3 /* names of columns in a note */

/* The first line of a table. */
struct header {
    int columns;
    bool whole, has_text, has_label;
    char names[120]; /* of the first few columns: "id, title, body" */
};

static bool is_named(const char *cell, size_t n, const char *name)
{
    return n == strlen(name) && !strncasecmp(cell, name, n);
}

static void take_cell(void *data, size_t n, void *user)
{
    struct header *h = user;
    const char *cell = data;
    size_t used = strlen(h->names);
    char clean[32];

    if (h->whole)
        return;
    h->has_text |= is_named(cell, n, "text");
    h->has_label |= is_named(cell, n, "label");
    if (h->columns < SHOWN) {
        lw_text_clean(cell, n, clean, sizeof clean);
        snprintf(h->names + used, sizeof h->names - used, "%s%s", h->columns ? ", " : "", clean);
    }
    h->columns++;
}

static void take_row(int separator, void *user)
{
    struct header *h = user;

    (void)separator;
    h->whole = true;
}

/* What parts the cells of a line: whichever of these it has most of. */
static char delimiter_of(const char *line, size_t n)
{
    static const char candidates[] = ",\t;";
    size_t count[3] = {0};
    int most = 0;

    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            count[k] += line[i] == candidates[k];
    for (int k = 1; k < 3; k++)
        most = count[k] > count[most] ? k : most;
    return candidates[most];
}

static void read_header(struct header *h, const char *head, size_t n, char delimiter)
{
    struct csv_parser parser;

    memset(h, 0, sizeof *h);
    if (csv_init(&parser, 0))
        return;
    csv_set_delim(&parser, (unsigned char)delimiter);
    csv_parse(&parser, head, n, take_cell, take_row, h);
    if (!h->whole)
        csv_fini(&parser, take_cell, take_row, h);
    csv_free(&parser);
}

static bool note_csv(const char *path, const char *name, const char *head, size_t n, char *note,
                     size_t size)
{
    const char *end = memchr(head, '\n', n);
    size_t line = end ? (size_t)(end - head) : n;
    char delimiter = delimiter_of(head, line), shown[200];
    struct header h;

    read_header(&h, head, n, delimiter);
    if (h.columns < 2 || (!(h.has_text && h.has_label) && !lw_path_ends(path, ".csv") &&
                          !lw_path_ends(path, ".tsv")))
        return false;
    snprintf(shown, sizeof shown, "%s%s", h.names, h.columns > SHOWN ? ", ..." : "");
    snprintf(note, size,
             "%s is a table (columns %s), and a language model learns its lines as they stand; "
             "to learn classes, %s",
             name, shown,
             !(h.has_text && h.has_label)
                 ? "name two of its columns text and label and use task=text_classification"
             : delimiter == ',' ? "use task=text_classification"
                                : "write it with commas and use task=text_classification");
    return true;
}

static bool note_jsonl(const char *name, const char *head, size_t n, char *note, size_t size)
{
    const char *end = memchr(head, '\n', n);
    json_t *record = json_loadb(head, end ? (size_t)(end - head) : n, JSON_ALLOW_NUL, NULL);
    bool labelled = json_object_get(record, "label") != NULL;

    json_decref(record);
    if (labelled)
        snprintf(note, size,
                 "the records of %s have a label, which a language model does not look at; to "
                 "learn classes, write a CSV file with the columns text and label and use "
                 "task=text_classification",
                 name);
    return labelled;
}

bool lw_table_note(const char *path, const char *head, size_t n, bool jsonl, char *note,
                   size_t size)
{
    const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
    const size_t mark = lw_utf8_mark(head, n);
    char name[100];

    head += mark;
    n -= mark;
    lw_text_clean(last, strlen(last), name, sizeof name);
    return jsonl ? note_jsonl(name, head, n, note, size)
                 : note_csv(path, name, head, n, note, size);
}
