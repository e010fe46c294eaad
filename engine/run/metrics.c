/* SPDX-License-Identifier: MIT */
#include "engine/run/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/run/append.h"
#include "engine/run/cell.h"
#include "engine/run/folder.h"

enum { WAITING = 4 << 20, HEADER = 1024, LINE = LW_METRIC_COUNT * 33 };

static const char *const names[LW_METRIC_COUNT] = {
    "step",
    "epoch",
    "time",
    "train/loss",
    "train/perplexity",
    "train/accuracy",
    "val/loss",
    "val/perplexity",
    "val/accuracy",
    "learning_rate",
    "gradients/pre_clip_norm",
    "gradients/post_clip_norm",
    "epoch_duration",
    "tokens",
    "tokens_per_second",
    "mfu",
    "system/gpu_memory_mb",
    "system/gpu_utilization",
    "system/gpu_power_w",
    "system/gpu_temperature_c",
    "system/gpu_clock_mhz",
    "val/bits_per_byte",
    "val/top5_accuracy",
    "train/top5_accuracy",
};

struct lw_metrics_writer {
    struct lw_append file;
    int columns; /* that the file has: one of an earlier version may have fewer */
    bool told;   /* that rows wait */
};

const char *lw_metric_name(int metric)
{
    return metric >= 0 && metric < LW_METRIC_COUNT ? names[metric] : NULL;
}

void lw_metrics_clear(struct lw_metrics_row *row)
{
    row->known = 0;
}

void lw_metrics_put(struct lw_metrics_row *row, enum lw_metric metric, double value)
{
    row->value[metric] = value;
    row->known |= UINT32_C(1) << metric;
}

static size_t header_line(int columns, char *out)
{
    size_t n = 0;

    for (int i = 0; i < columns; i++) {
        size_t len = strlen(names[i]);

        memcpy(out + n, names[i], len);
        n += len;
        out[n++] = i + 1 < columns ? ',' : '\n';
    }
    return n;
}

/* Cut the file at keep, or behind its last whole line; *left is what stays. */
static int cut_file(struct lw_metrics_writer *w, int64_t keep, int64_t *left, int64_t *cut,
                    struct lw_error *err)
{
    const char *path = w->file.path;
    char before = '\n';
    struct stat st;

    if (fstat(w->file.fd, &st) < 0)
        return lw_fail_errno(err, "cannot read %s", path);
    if (keep > st.st_size)
        return lw_fail(err, LW_EDATA,
                       "%s has %lld bytes, the checkpoint was made at %lld: it is not this run's",
                       path, (long long)st.st_size, (long long)keep);
    if (keep < 0) {
        keep = lw_append_whole(w->file.fd);
        if (keep < 0)
            return lw_fail_errno(err, "cannot read %s", path);
    } else if (keep && pread(w->file.fd, &before, 1, keep - 1) != 1) {
        return lw_fail_errno(err, "cannot read %s", path);
    }
    if (before != '\n')
        return lw_fail(err, LW_EDATA,
                       "%s: the checkpoint's place (byte %lld) is inside a line: it is not this "
                       "run's",
                       path, (long long)keep);
    if (keep < st.st_size && ftruncate(w->file.fd, keep) < 0)
        return lw_fail_errno(err, "cannot cut %s", path);
    if (cut)
        *cut = st.st_size - keep;
    *left = keep;
    return 0;
}

/* The columns must be ours, or the first ones of ours; an empty file gets them. */
static int check_header(struct lw_metrics_writer *w, int64_t size, struct lw_error *err)
{
    char ours[HEADER], theirs[HEADER];
    size_t n = header_line(LW_METRIC_COUNT, ours);
    ssize_t there;

    w->columns = LW_METRIC_COUNT;
    if (size == 0) {
        if (lw_append_line(&w->file, ours, n, WAITING) < 0 && errno != ENOSPC && errno != EDQUOT)
            return lw_fail_errno(err, "cannot write %s", w->file.path);
        return 0;
    }
    there = pread(w->file.fd, theirs, n, 0);
    for (; w->columns > 1; w->columns--) {
        n = header_line(w->columns, ours);
        if (there >= (ssize_t)n && !memcmp(ours, theirs, n))
            return 0;
    }
    return lw_fail(err, LW_EDATA,
                   "%s has other columns than this version writes: move it away to go on",
                   w->file.path);
}

int lw_metrics_open(struct lw_metrics_writer **out, const char *dir, int64_t keep, int64_t *cut,
                    struct lw_error *err)
{
    struct lw_metrics_writer *w = calloc(1, sizeof(*w));
    int64_t left = 0;
    int rc;

    *out = NULL;
    if (!w)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_append_open(&w->file, dir, LW_RUN_METRICS, err);
    if (rc == 0)
        rc = cut_file(w, keep, &left, cut, err);
    if (rc == 0)
        rc = check_header(w, left, err);
    if (rc < 0) {
        lw_append_close(&w->file);
        free(w);
        return rc;
    }
    *out = w;
    return 0;
}

int lw_metrics_append(struct lw_metrics_writer *w, const struct lw_metrics_row *row,
                      struct lw_error *err)
{
    char line[LINE + 1];
    size_t n = 0;

    for (int i = 0; i < w->columns; i++) {
        if (row->known >> i & 1)
            n += lw_cell_number(row->value[i], line + n);
        line[n++] = i + 1 < w->columns ? ',' : '\n';
    }
    if (lw_append_line(&w->file, line, n, WAITING) == 0) {
        w->told = false;
        return 0;
    }
    if (w->told)
        return 0;
    w->told = true;
    return lw_fail_errno(err, "cannot write %s, rows wait in memory until it works again",
                         w->file.path);
}

int64_t lw_metrics_recovered(struct lw_metrics_writer *w)
{
    int64_t n = w->file.failing ? 0 : w->file.recovered;

    if (n)
        w->file.recovered = 0;
    return n;
}

int lw_metrics_sync(struct lw_metrics_writer *w, int64_t *offset, struct lw_error *err)
{
    return lw_append_sync(&w->file, offset, err);
}

int lw_metrics_close(struct lw_metrics_writer *w, struct lw_error *err)
{
    int64_t lost;
    int rc = 0;

    if (!w)
        return 0;
    lost = lw_append_close(&w->file);
    if (lost)
        rc = lw_fail(err, LW_EIO, "%lld rows of %s could not be written", (long long)lost,
                     LW_RUN_METRICS);
    free(w);
    return rc;
}
