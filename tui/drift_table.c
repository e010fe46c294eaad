/* SPDX-License-Identifier: MIT
 *
 * The summary of a check, and the reasons behind a score. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "tui/drift_panels.h"

enum { METRIC, VALUE, BOUNDS, STATUS, NEEDS, TABLE_COLUMNS };

/* Shares are percentages with one decimal, distances have three. */
static void value_text(int score, double v, char *out, size_t size)
{
    bool share = score == LW_SCORE_TOKEN_OVERLAP || score == LW_SCORE_TOKEN_OOV;

    if (!isfinite(v))
        snprintf(out, size, "--");
    else if (share)
        snprintf(out, size, "%.1f%%", 100 * v);
    else
        snprintf(out, size, score == LW_SCORE_LENGTH_W1 ? "%.1f" : "%.3f", v);
}

#define NEEDS_FULL  30 /* "needs about 1,200 more items" */
#define NEEDS_BRIEF 21

static void needs_text(int score, const struct lw_scored *s, int room, char *out, size_t size)
{
    char number[LW_NUMBER_SIZE];
    bool brief = room < NEEDS_FULL;

    out[0] = '\0';
    if (s->state != LW_DRIFT_UNSURE || score == LW_SCORE_OVERALL)
        return;
    lw_number_format(lw_number_about((double)s->needed), LW_NUMBER_INTEGER, number);
    if (s->needed > 0)
        snprintf(out, size, brief ? "%s more items" : "needs about %s more items", number);
    else if (s->needed == LW_NEED_REFERENCE)
        snprintf(out, size, brief ? "reference too small" : "the reference is too small");
    else if (s->needed == LW_NEED_THRESHOLD)
        snprintf(out, size, brief ? "at the threshold" : "it is at the threshold");
    else
        snprintf(out, size, "too little data");
}

/* Cells of the longest name among the rows. */
static int widest_name(const struct lw_drift_art *art, int rows)
{
    int widest = 0;

    for (int i = 0; i < rows; i++) {
        int n = (int)strlen(lw_scored_name(art->score[i]));

        widest = n > widest ? n : widest;
    }
    return widest;
}

static const struct lw_scored *scored_at(const struct lw_drift_art *art, int row)
{
    return &art->drift->log.checks[art->want.against].newest.score[art->score[row]];
}

static void table_cell(const void *context, int row, int column, char *out, size_t size,
                       struct lw_style *style)
{
    const struct lw_drift_art *art = context;
    const struct lw_scored *s = scored_at(art, row);
    int score = art->score[row];
    char low[32], high[32];

    out[0] = '\0';
    switch (column) {
    case METRIC:
        snprintf(out, size, "%s", lw_scored_name(score));
        if (score == LW_SCORE_OVERALL)
            style->attr |= LW_ATTR_BOLD;
        break;
    case VALUE:
        value_text(score, (double)s->value, out, size);
        break;
    case BOUNDS:
        if (!(s->high > s->low))
            break;
        value_text(score, (double)s->low, low, sizeof low);
        value_text(score, (double)s->high, high, sizeof high);
        snprintf(out, size, "%s to %s", low, high);
        break;
    case STATUS:
        if (s->state == LW_STATE_NONE)
            break;
        snprintf(out, size, "%s", lw_light_word(lw_drift_light((enum lw_state)s->state)));
        style->fg = (uint8_t)lw_light_ink(lw_drift_light((enum lw_state)s->state));
        style->attr |= LW_ATTR_BOLD;
        break;
    default:
        needs_text(score, s, art->column[NEEDS].width, out, size);
        style->fg = LW_INK_DIM;
        break;
    }
}

void lw_drift_describe_table(struct lw_drift_art *art, struct lw_panel *panel)
{
    int cols = art->want.cols, names, spare,
        rows = lw_drift_rows(art->drift, art->want.against, art->score);
    bool picture = cols == 0;

    panel->title = picture ? "Drift Metrics Summary" : "Drift summary";
    if (!rows) {
        panel->message = "no check yet";
        return;
    }
    names = widest_name(art, rows);
    spare = cols - names - 2 * 7 - 3 * 2 - 2; /* beside name, value and status, and gaps */
    art->column[METRIC] = (struct lw_column){"Metric", spare >= 0 || picture ? names : 0, false, 0};
    art->column[VALUE] = (struct lw_column){"Value", 7, true, 0};
    art->column[BOUNDS] = (struct lw_column){"99% bounds", 16, true, 1};
    art->column[STATUS] = (struct lw_column){"Status", 7, false, 0};
    art->column[NEEDS] =
        (struct lw_column){"", spare >= NEEDS_FULL || picture ? NEEDS_FULL : NEEDS_BRIEF, false, 2};
    art->model.table = (struct lw_table){
        .columns = art->column,
        .column_count = TABLE_COLUMNS,
        .row_count = rows,
        .top = art->want.top,
        .selected = art->want.selected,
        .head = true,
        .cell = table_cell,
        .context = art,
    };
    panel->widget = LW_WIDGET_TABLE;
    panel->model = &art->model;
}

enum { SHARE, SIGN, WHAT, WHY_COLUMNS };

static const struct lw_column why_columns[WHY_COLUMNS] = {
    {"Part", 5, true, 0}, {"", 4, false, 0}, {"of what", 0, false, 0}};

static void why_cell(const void *context, int row, int column, char *out, size_t size,
                     struct lw_style *style)
{
    const struct lw_drift_art *art = context;
    int score = art->want.score;
    const struct lw_why *why = &art->drift->now.score[score].why[row];
    bool overlap = score == LW_SCORE_TOKEN_OVERLAP;

    out[0] = '\0';
    if (column == SHARE && !overlap)
        snprintf(out, size, "%.0f%%", 100 * fabs(why->share));
    else if (column == SIGN)
        snprintf(out, size, "%s", overlap ? "lost" : why->share > 0 ? "more" : "less");
    else if (column == WHAT)
        lw_text_clean(why->what, strlen(why->what), out, size);
    if (column == SIGN)
        style->fg = why->share > 0 && !overlap ? LW_INK_CORAL : LW_INK_SKY;
}

void lw_drift_describe_why(struct lw_drift_art *art, struct lw_panel *panel)
{
    const struct lw_drift *d = art->drift;
    const struct lw_score *s;
    int score = art->want.score;

    if (score < 0 || score == LW_SCORE_OVERALL)
        score = d->compared ? (int)d->now.worst : lw_drift_primary(d, art->want.against);
    art->want.score = score;
    snprintf(art->title, sizeof art->title, "Why: %s", lw_scored_name(score));
    panel->title = art->title;
    if (art->want.against != LW_AGAINST_REFERENCE) {
        panel->message = "known of the comparison with the reference only";
        return;
    }
    if (!d->compared || score == LW_SCORE_OVERALL) {
        panel->message = d->problem[0] ? d->problem : "no profiles to compare yet";
        return;
    }
    s = &d->now.score[score];
    if (!s->whys) {
        snprintf(art->message, sizeof art->message, "%s",
                 s->absent                           ? s->absent
                 : s->verdict.state == LW_DRIFT_OK   ? "it is ok: nothing stands out"
                 : s->verdict.state == LW_STATE_NONE ? "it explains, and has no verdict of its own"
                                                     : "nothing stands out");
        panel->message = art->message;
        return;
    }
    art->model.table = (struct lw_table){.columns = why_columns,
                                         .column_count = WHY_COLUMNS,
                                         .row_count = s->whys,
                                         .selected = -1,
                                         .cell = why_cell,
                                         .context = art};
    panel->widget = LW_WIDGET_TABLE;
    panel->model = &art->model;
}
