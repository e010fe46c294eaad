/* SPDX-License-Identifier: MIT
 *
 * A thread that writes rows to metrics.csv, so that the training loop never waits for a disk.
 */
#ifndef LW_TRAIN_RECORDER_H
#define LW_TRAIN_RECORDER_H

#include <stdint.h>

#include "engine/base/error.h"
#include "engine/run/events.h"
#include "engine/run/metrics.h"

struct lw_recorder;

/* keep as in lw_metrics_open. What goes wrong later is told to events, which must live longer. */
LW_NODISCARD int lw_recorder_open(struct lw_recorder **out, const char *run_dir, int64_t keep,
                                  struct lw_events *events, struct lw_error *err);

/* Hand over a row (copied). Waits only when thousands of rows are behind. */
void lw_recorder_put(struct lw_recorder *r, const struct lw_metrics_row *row);

/* Wait until every row is on disk; *offset is then the size of the file. LW_EIO when rows cannot
 * be written just now: a checkpoint must not point past them. */
LW_NODISCARD int lw_recorder_sync(struct lw_recorder *r, int64_t *offset, struct lw_error *err);

/* Write what is left and end the thread; NULL is fine. LW_EIO when rows were lost. */
int lw_recorder_close(struct lw_recorder *r, struct lw_error *err);

#endif
