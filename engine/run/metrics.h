/* SPDX-License-Identifier: MIT
 *
 * metrics.csv, the engine's side: fixed columns, one row appended per optimizer step.
 */
#ifndef LW_RUN_METRICS_H
#define LW_RUN_METRICS_H

#include <stdint.h>

#include "engine/base/error.h"

/* In the order of the file. New ones only ever at the end. */
enum lw_metric {
    LW_METRIC_STEP,  /* from 1 */
    LW_METRIC_EPOCH, /* fractional */
    LW_METRIC_TIME,  /* seconds of run time, continued on resume */
    LW_METRIC_TRAIN_LOSS,
    LW_METRIC_TRAIN_PERPLEXITY,
    LW_METRIC_TRAIN_ACCURACY,
    LW_METRIC_VAL_LOSS,
    LW_METRIC_VAL_PERPLEXITY,
    LW_METRIC_VAL_ACCURACY,
    LW_METRIC_LEARNING_RATE,
    LW_METRIC_PRE_CLIP_NORM,
    LW_METRIC_POST_CLIP_NORM,
    LW_METRIC_EPOCH_DURATION, /* seconds, in the last row of an epoch */
    LW_METRIC_TOKENS,         /* cumulative */
    LW_METRIC_TOKENS_PER_SECOND,
    LW_METRIC_MFU,
    LW_METRIC_GPU_MEMORY_MB,
    LW_METRIC_GPU_UTILIZATION,
    LW_METRIC_GPU_POWER_W,
    LW_METRIC_GPU_TEMPERATURE_C,
    LW_METRIC_GPU_CLOCK_MHZ,
    LW_METRIC_VAL_BITS_PER_BYTE,
    LW_METRIC_VAL_TOP5_ACCURACY, /* of more than five classes */
    LW_METRIC_TRAIN_TOP5_ACCURACY,
    LW_METRIC_COUNT
};

/* "train/loss"; NULL out of range. */
const char *lw_metric_name(int metric);

struct lw_metrics_row {
    double value[LW_METRIC_COUNT];
    uint32_t known; /* bit m: value[m] is known; the others are empty cells, never 0 */
};

void lw_metrics_clear(struct lw_metrics_row *row);

/* A value that is not finite is still known (a loss that blew up) and written as nan or inf. */
void lw_metrics_put(struct lw_metrics_row *row, enum lw_metric metric, double value);

struct lw_metrics_writer;

/* Open (or begin, with its header) DIR/metrics.csv for appending. keep is the offset to cut the
 * file at, as recorded in the checkpoint that is resumed from; 0: begin anew, -1: keep every whole
 * line. A half-written last line is always cut. keep beyond the end of the file, or inside a
 * line, is LW_EDATA, and so is a file with other columns. *cut (may be NULL) is the number of
 * bytes that were cut away. */
LW_NODISCARD int lw_metrics_open(struct lw_metrics_writer **out, const char *dir, int64_t keep,
                                 int64_t *cut, struct lw_error *err);

/* Append one row with one write(2). When that fails (a full disk) the file is put back to whole
 * rows, the row is kept in memory and goes out with a later one: LW_EIO with a line for events.log
 * the first time, 0 while it goes on failing. lw_metrics_recovered tells when it is over. */
int lw_metrics_append(struct lw_metrics_writer *w, const struct lw_metrics_row *row,
                      struct lw_error *err);

/* Rows written late because of an earlier failure, once, after it is over; else 0. */
int64_t lw_metrics_recovered(struct lw_metrics_writer *w);

/* Bytes of whole rows on file: what a checkpoint records (call lw_metrics_sync before). Rows that
 * are still waiting in memory make it LW_EIO: a checkpoint must not point past them. */
LW_NODISCARD int lw_metrics_sync(struct lw_metrics_writer *w, int64_t *offset,
                                 struct lw_error *err);

/* A last attempt to write what waits; LW_EIO when rows were lost. Frees w (NULL is fine). */
int lw_metrics_close(struct lw_metrics_writer *w, struct lw_error *err);

#endif
