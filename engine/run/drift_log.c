/* SPDX-License-Identifier: MIT */
#include "engine/run/drift_log.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/run/append.h"
#include "engine/run/cell.h"
#include "engine/run/folder.h"

#define LINE    512
#define WAITING ((size_t)1 << 20)

struct lw_drift_log {
    struct lw_append file;
    bool told;
};

static int begin(struct lw_drift_log *l, int64_t keep, struct lw_error *err)
{
    static const char header[] = LW_DRIFT_COLUMNS "\n";
    struct stat st;

    if (fstat(l->file.fd, &st) < 0)
        return lw_fail_errno(err, "cannot read %s", l->file.path);
    if (keep > st.st_size)
        keep = lw_append_whole(l->file.fd);
    if (keep < 0 || ftruncate(l->file.fd, keep) < 0)
        return lw_fail_errno(err, "cannot cut %s", l->file.path);
    if (!keep) /* on a full disk it waits with the rows */
        lw_append_line(&l->file, header, sizeof header - 1, WAITING);
    return 0;
}

int lw_drift_log_open(struct lw_drift_log **out, const char *dir, int64_t keep,
                      struct lw_error *err)
{
    struct lw_drift_log *l = calloc(1, sizeof *l);
    int rc;

    *out = NULL;
    if (!l)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_append_open(&l->file, dir, LW_RUN_DRIFT, err);
    if (!rc && (rc = begin(l, keep, err)))
        lw_append_close(&l->file);
    if (rc) {
        free(l);
        return rc;
    }
    *out = l;
    return 0;
}

static size_t put_number(char *line, double x)
{
    size_t n = isnan(x) ? 0 : lw_cell_number(x, line);

    line[n] = ',';
    return n + 1;
}

static size_t put_word(char *line, const char *word)
{
    return (size_t)sprintf(line, "%.40s,", word);
}

int lw_drift_log_add(struct lw_drift_log *l, const struct lw_drift_row *row, struct lw_error *err)
{
    char line[LINE];
    size_t n = (size_t)sprintf(line, "%" PRIu64 ",", row->step);

    n += put_number(line + n, row->epoch);
    n += put_number(line + n, row->time);
    n += put_word(line + n, row->comparison);
    n += put_word(line + n, row->score);
    n += put_number(line + n, row->value);
    n += put_number(line + n, row->low);
    n += put_number(line + n, row->high);
    n += put_number(line + n, row->floor);
    n += (size_t)sprintf(line + n, "%" PRIu64 ",", row->items);
    n += put_word(line + n, row->status);
    n += row->needed ? (size_t)sprintf(line + n, "%" PRId64 ",", row->needed)
                     : put_word(line + n, "");
    if (row->change_step)
        n += (size_t)sprintf(line + n, "%" PRIu64, row->change_step);
    line[n++] = '\n';
    if (lw_append_line(&l->file, line, n, WAITING) == 0) {
        l->told = false;
        return 0;
    }
    if (l->told)
        return 0;
    l->told = true;
    return lw_fail_errno(err, "cannot write %s, rows wait in memory until it works again",
                         l->file.path);
}

int lw_drift_log_sync(struct lw_drift_log *l, int64_t *offset, struct lw_error *err)
{
    return lw_append_sync(&l->file, offset, err);
}

int lw_drift_log_close(struct lw_drift_log *l, struct lw_error *err)
{
    int64_t lost;

    if (!l)
        return 0;
    lost = lw_append_close(&l->file);
    free(l);
    return lost ? lw_fail(err, LW_EIO, "%" PRId64 " rows of %s could not be written", lost,
                          LW_RUN_DRIFT)
                : 0;
}
