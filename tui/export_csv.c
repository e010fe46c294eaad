/* SPDX-License-Identifier: MIT */
#include "tui/export_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/csv.h"
#include "engine/run/folder.h"
#include "tui/smooth.h"

enum { UNION_COLUMNS = 2 * LW_CSV_COLUMNS };

struct union_column {
    char name[LW_CSV_NAME];
    bool smoothed;
};

struct export
{
    FILE *out;
    int smoothing, columns;
    struct union_column *column;
    /* of the file being read */
    char run[256];
    int count, base;              /* base: the column that samples are apart by, -1: rows */
    int *to;                      /* file column to union column */
    int *from;                    /* union column to file column, -1: not in this file */
    struct lw_smoother *smoother; /* by file column */
    bool headers_only;
    bool failed;
};

/* What rows are numbered by is not smoothed. */
static bool is_metric(const char *name)
{
    static const char *const others[] = {"step",   "global_step", "epoch",    "time",
                                         "tokens", "iteration",   "timestamp"};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!strcasecmp(name, others[i]))
            return false;
    return true;
}

static void put_text(FILE *out, const char *text)
{
    putc('"', out);
    if (*text && strchr("=+-@", *text))
        putc('\'', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void put_number(FILE *out, double v)
{
    char text[40];

    if (isnan(v)) {
        fputs("nan", out);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    fputs(text, out);
}

static int union_find(struct export *x, const char *name)
{
    for (int i = 0; i < x->columns; i++)
        if (!strcmp(x->column[i].name, name))
            return i;
    if (x->columns == UNION_COLUMNS)
        return -1;
    snprintf(x->column[x->columns].name, sizeof x->column[0].name, "%s", name);
    x->column[x->columns].smoothed = is_metric(name);
    return x->columns++;
}

static void on_columns(void *user, int count, const char *const *names)
{
    struct export *x = user;

    x->count = count;
    x->base = -1;
    for (int i = 0; i < UNION_COLUMNS; i++)
        x->from[i] = -1;
    for (int i = 0; i < count; i++) {
        x->to[i] = union_find(x, names[i]);
        if (x->to[i] < 0)
            x->failed = true;
        else
            x->from[x->to[i]] = i;
        lw_smoother_init(&x->smoother[i]);
        if (x->base < 0 && (!strcasecmp(names[i], "step") || !strcasecmp(names[i], "global_step")))
            x->base = i;
    }
}

static void put_smoothed(struct export *x, const struct lw_csv_row *row, int i)
{
    double at = (double)row->index;

    if (row->cell[i] != LW_CSV_NUMBER || !isfinite(row->value[i]))
        return;
    if (x->base >= 0 && isfinite(row->value[x->base]))
        at = row->value[x->base];
    lw_smoother_add(&x->smoother[i], at, row->value[i]);
    put_number(x->out, x->smoother[i].value[x->smoothing]);
}

static void on_row(void *user, const struct lw_csv_row *row)
{
    struct export *x = user;

    if (x->headers_only)
        return;
    put_text(x->out, x->run);
    for (int k = 0; k < x->columns; k++) {
        int i = x->from[k];

        putc(',', x->out);
        if (i >= 0 && i < row->count) {
            if (row->cell[i] == LW_CSV_TEXT && row->text && row->text[i])
                put_text(x->out, row->text[i]);
            else if (row->cell[i] == LW_CSV_NUMBER || row->cell[i] == LW_CSV_BAD)
                put_number(x->out, row->value[i]);
        }
        if (x->column[k].smoothed) {
            putc(',', x->out);
            if (i >= 0 && i < row->count)
                put_smoothed(x, row, i);
        }
    }
    fputs("\r\n", x->out);
}

static int read_one(struct export *x, const char *path, struct lw_error *err)
{
    struct lw_csv_reader reader = {on_columns, on_row, x};
    struct lw_csv *csv = NULL;
    const char *slash;
    char *file, *trimmed;
    struct stat st;
    size_t n;
    int rc;

    if (stat(path, &st) < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    file = S_ISDIR(st.st_mode) ? lw_path_join(path, LW_RUN_METRICS) : strdup(path);
    trimmed = strdup(path);
    if (!file || !trimmed) {
        free(file);
        free(trimmed);
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    for (n = strlen(trimmed); n > 1 && trimmed[n - 1] == '/'; n--)
        trimmed[n - 1] = '\0';
    slash = strrchr(trimmed, '/');
    slash = slash && slash[1] ? slash + 1 : trimmed;
    lw_text_clean(slash, strlen(slash), x->run, sizeof x->run);
    x->count = 0;
    rc = lw_csv_open(&csv, file, &reader, err);
    if (!rc)
        do {
            rc = lw_csv_poll(csv, x->headers_only ? 65536 : 1 << 20, err);
        } while (rc > 0 && !(x->headers_only && x->count) && !ferror(x->out));
    if (rc > 0)
        rc = 0;
    if (!rc && !x->count)
        rc = lw_fail(err, LW_EDATA, "%s has no header line", file);
    if (!rc && x->failed)
        rc = lw_fail(err, LW_EDATA, "more than %d columns in all", UNION_COLUMNS);
    if (csv)
        lw_csv_close(csv);
    free(trimmed);
    free(file);
    return rc;
}

static void put_header(struct export *x)
{
    char name[LW_CSV_NAME + 16];

    put_text(x->out, "run");
    for (int k = 0; k < x->columns; k++) {
        putc(',', x->out);
        put_text(x->out, x->column[k].name);
        if (x->column[k].smoothed) {
            snprintf(name, sizeof name, "%s/smoothed", x->column[k].name);
            putc(',', x->out);
            put_text(x->out, name);
        }
    }
    fputs("\r\n", x->out);
}

int lw_export_csv(FILE *out, char *const *paths, int count, int smoothing, struct lw_error *err)
{
    struct export x = {.out = out, .smoothing = smoothing, .headers_only = true};
    int rc = 0;

    x.column = calloc(UNION_COLUMNS, sizeof *x.column);
    x.to = calloc(LW_CSV_COLUMNS, sizeof *x.to);
    x.from = calloc(UNION_COLUMNS, sizeof *x.from);
    x.smoother = calloc(LW_CSV_COLUMNS, sizeof *x.smoother);
    if (!x.column || !x.to || !x.from || !x.smoother)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    for (int i = 0; i < count && !rc; i++)
        rc = read_one(&x, paths[i], err);
    if (!rc)
        put_header(&x);
    x.headers_only = false;
    for (int i = 0; i < count && !rc; i++)
        rc = read_one(&x, paths[i], err);
    if (!rc && ferror(out))
        rc = lw_fail_errno(err, "cannot write the CSV");
    free(x.column);
    free(x.to);
    free(x.from);
    free(x.smoother);
    return rc;
}
