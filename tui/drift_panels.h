/* SPDX-License-Identifier: MIT
 *
 * The panels of drift as descriptions: what is drawn, in cells or in a picture, is the same.
 */
#ifndef LW_TUI_DRIFT_PANELS_H
#define LW_TUI_DRIFT_PANELS_H

#include <stdbool.h>

#include "tui/drift.h"
#include "tui/source.h"
#include "widgets/bars.h"
#include "widgets/chart.h"
#include "widgets/heatmap.h"
#include "widgets/panel.h"
#include "widgets/table.h"

enum lw_drift_panel {
    LW_DRIFT_NOT = 0, /* a panel of something else */
    LW_DRIFT_BARS,    /* distributions of reference and current */
    LW_DRIFT_TIME,    /* one score over time */
    LW_DRIFT_HEAT,    /* verdicts of all scores, now and at the checks before */
    LW_DRIFT_TABLE,   /* all figures of the newest check */
    LW_DRIFT_WHY,     /* what is behind one score */
};

enum { LW_DRIFT_HEAT_CHECKS = 128 };

struct lw_drift_want {
    enum lw_drift_panel what;
    enum lw_against against;
    int score; /* of LW_DRIFT_TIME and LW_DRIFT_WHY; -1: the one that stands for all */
    enum lw_by by;
    struct lw_domain x; /* of LW_DRIFT_TIME; not valid: fitted */
    int cols;           /* cells that the panel is wide; 0: a picture, with all titles and labels */
    int checks;         /* columns of LW_DRIFT_HEAT at most, the newest among them */
    int selected, top;  /* LW_DRIFT_TABLE: selected row, -1 none; first row shown */
};

/* What a panel's description borrows; one a panel that is painted later, else one for all. */
struct lw_drift_art {
    union {
        struct lw_bars bars;
        struct lw_chart chart;
        struct lw_heatmap heatmap;
        struct lw_table table;
    } model;
    struct lw_bar_series bar[2];
    struct lw_series series[2];
    struct lw_level level[2];
    struct lw_zone zone[3];
    struct lw_mark mark[LW_DRIFT_CHANGES];
    struct lw_point line[LW_DRIFT_CHECKS + 1], bounds[LW_DRIFT_CHECKS + 1];
    const char *row_name[LW_SCORES + 1], *col_name[LW_DRIFT_HEAT_CHECKS];
    char col_text[LW_DRIFT_HEAT_CHECKS][LW_NUMBER_SIZE];
    struct lw_heat_cell cell[(LW_SCORES + 1) * LW_DRIFT_HEAT_CHECKS];
    int score[LW_SCORES + 1]; /* of each row of the table */
    const struct lw_drift *drift;
    struct lw_drift_want want;
    struct lw_column column[6];
    char level_text[2][40], title[96], message[160];
};

/* Describe a panel. It borrows from d and art until either changes. Where there is nothing to show
 * the description is a line that says so. */
void lw_drift_panel(struct lw_drift_art *art, const struct lw_drift *d,
                    const struct lw_drift_want *want, struct lw_panel *panel);

/* The scores that a summary lists, overall first: LW_SCORE_OVERALL and others into score
 * [LW_SCORES + 1]. Returns how many. */
int lw_drift_rows(const struct lw_drift *d, enum lw_against against, int *score);

/* How many of them a heat map shows: those with verdicts. */
int lw_drift_heat_rows(const struct lw_drift *d, enum lw_against against);

/* What a verdict is drawn as. */
enum lw_light lw_drift_light(enum lw_state state);

/* --- for the files that make up these panels --- */

void lw_drift_describe_table(struct lw_drift_art *art, struct lw_panel *panel);
void lw_drift_describe_why(struct lw_drift_art *art, struct lw_panel *panel);

#endif
