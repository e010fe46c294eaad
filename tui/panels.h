/* SPDX-License-Identifier: MIT
 *
 * Which panels there are and what each draws. A run has one table of them; for any other CSV they
 * are made from its columns, so that train_loss and val_loss share one.
 */
#ifndef LW_TUI_PANELS_H
#define LW_TUI_PANELS_H

#include <stdbool.h>

#include "tui/drift_panels.h"
#include "tui/source.h"
#include "widgets/chart.h"

enum { LW_PANEL_LINES = 6 };

enum lw_best { LW_BEST_NONE, LW_BEST_LOW, LW_BEST_HIGH };

struct lw_line {
    char column[96]; /* of the file */
    char name[48];   /* in the legend */
    enum lw_ink ink;
    enum lw_series_kind kind;
    enum lw_best best; /* its best value gets a star */
    bool sparse;       /* few points, or no noise: drawn as they are whatever the smoothing */
};

struct lw_panel_row {
    char title[48];
    const char *nothing; /* shown while no line has data */
    enum lw_number number;
    bool log;      /* at first; a key changes it */
    bool zero;     /* the axis begins at 0 */
    bool mean;     /* a level at the mean of the first line */
    bool optional; /* not there at all while no line has data */
    bool spare;    /* in the place of the one before, where that has no data; or by the filter */
    enum lw_drift_panel drift; /* what of drift it shows; LW_DRIFT_NOT: lines */
    int lines;
    struct lw_line line[LW_PANEL_LINES];
};

/* The panels of a run: the six of training, those of drift, and those of a GPU. */
extern const struct lw_panel_row lw_run_panels[];
extern const int lw_run_panel_count;
#define LW_RUN_TRAINING_PANELS 6

/* Panels made from the columns of a source, at most max of them into rows; returns how many. */
int lw_panels_from(const struct lw_source *s, struct lw_panel_row *rows, int max);

/* Does the title or a column of the panel match a filter? An empty one matches everything, "!x"
 * what does not contain x; letter case does not count. */
bool lw_panel_matches(const struct lw_panel_row *row, const char *filter);
bool lw_text_matches(const char *text, const char *filter);

#endif
