/* SPDX-License-Identifier: MIT */
#include "tui/refine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/run/csv.h"
#include "engine/run/folder.h"

struct lw_refined {
    struct lw_csv *csv;
    double x0, x1, base;
    bool done; /* at the end of the part, or of the file as it is */
    bool past; /* beyond the part: nothing more will come */
    bool failed;
    int64_t rows;
    int base_column, count;
    struct {
        char name[96];
        int column; /* in the file; -1: not there */
        struct lw_pyramid data;
    } track[LW_REFINED_COLUMNS];
    char base_name[96];
};

static void on_columns(void *user, int count, const char *const *names)
{
    struct lw_refined *r = user;

    r->base_column = -1;
    r->base = 0.0;
    for (int k = 0; k < r->count; k++) {
        r->track[k].column = -1;
        lw_pyramid_fini(&r->track[k].data);
        lw_pyramid_init(&r->track[k].data, LW_REFINED_BUCKETS);
    }
    for (int i = 0; i < count; i++) {
        if (r->base_name[0] && !strcmp(names[i], r->base_name))
            r->base_column = i;
        for (int k = 0; k < r->count; k++)
            if (!strcmp(names[i], r->track[k].name))
                r->track[k].column = i;
    }
}

static void on_row(void *user, const struct lw_csv_row *row)
{
    struct lw_refined *r = user;

    if (r->base_column < 0)
        r->base = (double)row->index + 1.0;
    else if (isfinite(row->value[r->base_column]))
        r->base = row->value[r->base_column];
    if (r->base > r->x1) {
        r->past = true;
        return;
    }
    r->rows++;
    for (int k = 0; k < r->count; k++) {
        int c = r->track[k].column;

        if (c < 0 || (row->cell[c] != LW_CSV_NUMBER && row->cell[c] != LW_CSV_BAD))
            continue;
        if (r->base >= r->x0) {
            if (lw_pyramid_add(&r->track[k].data, r->base, row->value[c]))
                r->failed = true;
        } else if (isfinite(row->value[c])) {
            lw_smoother_add(&r->track[k].data.smoother, r->base, row->value[c]);
        }
    }
}

struct lw_refined *lw_refined_new(const struct lw_source *s, const char *const *columns, int count,
                                  double x0, double x1)
{
    const char *wanted[LW_REFINED_COLUMNS + 1];
    struct lw_refined *r = calloc(1, sizeof *r);
    struct lw_csv_reader reader = {on_columns, on_row, r};
    int by = s->by[LW_BY_STEP] >= 0 ? s->by[LW_BY_STEP] : s->by[LW_BY_EPOCH], n = 0;
    struct lw_error err;
    char *file = NULL;

    if (!r)
        return NULL;
    r->x0 = x0;
    r->x1 = x1;
    r->base_column = -1;
    if (by >= 0) {
        memcpy(r->base_name, s->track[by].name, sizeof r->base_name);
        wanted[n++] = r->base_name;
    }
    for (int i = 0; i < count && r->count < LW_REFINED_COLUMNS; i++) {
        snprintf(r->track[r->count].name, sizeof r->track[0].name, "%s", columns[i]);
        r->track[r->count].column = -1;
        lw_pyramid_init(&r->track[r->count].data, LW_REFINED_BUCKETS);
        wanted[n++] = r->track[r->count++].name;
    }
    file = s->run ? lw_path_join(s->path, LW_RUN_METRICS) : strdup(s->path);
    if (!file || lw_csv_open(&r->csv, file, &reader, &err) ||
        lw_csv_want(r->csv, wanted, n, &err)) {
        free(file);
        lw_refined_free(r);
        return NULL;
    }
    free(file);
    return r;
}

void lw_refined_free(struct lw_refined *r)
{
    if (!r)
        return;
    if (r->csv)
        lw_csv_close(r->csv);
    for (int k = 0; k < r->count; k++)
        lw_pyramid_fini(&r->track[k].data);
    free(r);
}

bool lw_refined_poll(struct lw_refined *r, size_t max_bytes)
{
    struct lw_error err;
    int64_t rows = r->rows;
    bool was_done = r->done;
    int rc;

    if (r->past || r->failed)
        return false;
    rc = lw_csv_poll(r->csv, max_bytes, &err);
    if (rc < 0)
        r->failed = true;
    else if (rc == 0 || r->past)
        r->done = true;
    return r->done && (!was_done || rows != r->rows);
}

bool lw_refined_busy(const struct lw_refined *r)
{
    return r && !r->done && !r->failed;
}

bool lw_refined_covers(const struct lw_refined *r, double x0, double x1)
{
    return r && r->x0 <= x0 && r->x1 >= x1;
}

const struct lw_pyramid *lw_refined_pyramid(const struct lw_refined *r, const char *column)
{
    if (!r || !r->done)
        return NULL;
    for (int k = 0; k < r->count; k++)
        if (!strcmp(r->track[k].name, column))
            return &r->track[k].data;
    return NULL;
}

bool lw_refined_too_wide(const struct lw_refined *r, double width)
{
    for (int k = 0; r && k < r->count; k++)
        if (r->track[k].data.width > 1 &&
            width < (r->track[k].data.x_max - r->track[k].data.x_min) / 4)
            return true;
    return false;
}
