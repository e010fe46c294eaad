/* SPDX-License-Identifier: MIT */
#include "tui/panels.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NO_DATA  "no data yet"
#define NO_DRIFT "no drift data yet"

const struct lw_panel_row lw_run_panels[] = {
    {.title = "Loss",
     .nothing = NO_DATA,
     .lines = 2,
     .line = {{"train/loss", "train", LW_INK_BLUE, LW_SERIES_LINE, LW_BEST_NONE, false},
              {"val/loss", "val", LW_INK_ORANGE, LW_SERIES_LINE, LW_BEST_LOW, true}}},
    {.title = "Perplexity",
     .nothing = NO_DATA,
     .log = true,
     .lines = 2,
     .line = {{"train/perplexity", "train", LW_INK_GREEN, LW_SERIES_LINE, LW_BEST_NONE, false},
              {"val/perplexity", "val", LW_INK_ORANGE, LW_SERIES_LINE, LW_BEST_LOW, true}}},
    {.title = "Throughput",
     .nothing = NO_DATA,
     .spare = true,
     .zero = true,
     .lines = 1,
     .line = {{"tokens_per_second", "per second", LW_INK_GREEN, LW_SERIES_LINE, LW_BEST_NONE,
               false}}},
    {.title = "Accuracy",
     .nothing = NO_DATA,
     .number = LW_NUMBER_PERCENT,
     .lines = 2,
     .line = {{"train/accuracy", "train", LW_INK_BLUE, LW_SERIES_LINE, LW_BEST_NONE, false},
              {"val/accuracy", "val", LW_INK_ORANGE, LW_SERIES_LINE, LW_BEST_HIGH, true}}},
    {.title = "Learning rate",
     .nothing = NO_DATA,
     .zero = true,
     .lines = 1,
     .line = {{"learning_rate", "lr", LW_INK_RED, LW_SERIES_LINE, LW_BEST_NONE, true}}},
    {.title = "Gradient norm",
     .nothing = NO_DATA,
     .log = true,
     .lines = 2,
     .line = {{"gradients/pre_clip_norm", "pre", LW_INK_OLIVE, LW_SERIES_LINE, LW_BEST_NONE, false},
              {"gradients/post_clip_norm", "post", LW_INK_CYAN, LW_SERIES_LINE, LW_BEST_NONE,
               false}}},
    {.title = "Time per epoch",
     .nothing = "no epoch is through yet",
     .number = LW_NUMBER_DURATION,
     .zero = true,
     .mean = true,
     .lines = 1,
     .line = {{"epoch_duration", "time", LW_INK_PURPLE, LW_SERIES_BAR, LW_BEST_NONE, true}}},
    {.title = "Drift distributions", .nothing = NO_DRIFT, .drift = LW_DRIFT_BARS},
    {.title = "Drift over time", .nothing = NO_DRIFT, .drift = LW_DRIFT_TIME},
    {.title = "Drift heatmap", .nothing = NO_DRIFT, .drift = LW_DRIFT_HEAT},
    {.title = "Drift summary", .nothing = NO_DRIFT, .drift = LW_DRIFT_TABLE},
    {.title = "MFU",
     .nothing = NO_DATA,
     .optional = true,
     .number = LW_NUMBER_PERCENT,
     .zero = true,
     .lines = 1,
     .line = {{"mfu", "mfu", LW_INK_GREEN, LW_SERIES_LINE, LW_BEST_NONE, false}}},
    {.title = "GPU",
     .nothing = NO_DATA,
     .optional = true,
     .zero = true,
     .lines = 2,
     .line = {{"system/gpu_utilization", "busy %", LW_INK_BLUE, LW_SERIES_LINE, LW_BEST_NONE, true},
              {"system/gpu_temperature_c", "C", LW_INK_RED, LW_SERIES_LINE, LW_BEST_NONE, true}}},
    {.title = "GPU power",
     .nothing = NO_DATA,
     .optional = true,
     .zero = true,
     .lines = 1,
     .line = {{"system/gpu_power_w", "W", LW_INK_PURPLE, LW_SERIES_LINE, LW_BEST_NONE, true}}},
};

const int lw_run_panel_count = sizeof lw_run_panels / sizeof lw_run_panels[0];

/* Cut from text a word that says which split or moment a metric belongs to, with the character
 * that joins it. Returns whether it was there. */
static bool cut_prefix(const char **text, const char *word)
{
    size_t n = strlen(word);

    if (strncasecmp(*text, word, n) || !(*text)[n] || !strchr("_/-. ", (*text)[n]))
        return false;
    *text += n + 1;
    return true;
}

static void cut_suffix(char *text, const char *word)
{
    size_t n = strlen(word), size = strlen(text);

    if (size > n + 1 && !strcasecmp(text + size - n, word) && strchr("_/-. ", text[size - n - 1]))
        text[size - n - 1] = '\0';
}

/* What a column measures, without the words for split and moment: "val_loss_epoch" is "loss". */
static bool stem_of(const char *column, char *stem, size_t size)
{
    static const char *const splits[] = {"train", "training", "tr"};
    static const char *const others[] = {"val", "valid", "validation", "eval", "test"};
    bool held_out = false;

    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++)
        if (cut_prefix(&column, splits[i]))
            break;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (cut_prefix(&column, others[i])) {
            held_out = true;
            break;
        }
    snprintf(stem, size, "%s", column);
    cut_suffix(stem, "step");
    cut_suffix(stem, "epoch");
    return held_out;
}

static bool has_word(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

/* What its name tells about a metric: which way is good, how its numbers are written. */
static void guess(struct lw_panel_row *row, const char *stem)
{
    if (has_word(stem, "duration") || has_word(stem, "seconds"))
        row->number = LW_NUMBER_DURATION;
    if (!strcasecmp(stem, "lr") || has_word(stem, "learning_rate"))
        row->zero = true;
    if (has_word(stem, "perplexity"))
        row->log = true;
}

static enum lw_best guess_best(const char *stem)
{
    if (has_word(stem, "loss") || has_word(stem, "perplexity") || has_word(stem, "error"))
        return LW_BEST_LOW;
    if (has_word(stem, "acc") || has_word(stem, "f1") || has_word(stem, "auc"))
        return LW_BEST_HIGH;
    return LW_BEST_NONE;
}

static void add_line(struct lw_panel_row *row, const char *column, const char *stem, bool held_out)
{
    static const enum lw_ink inks[LW_PANEL_LINES] = {LW_INK_BLUE,   LW_INK_CYAN, LW_INK_GREEN,
                                                     LW_INK_PURPLE, LW_INK_PINK, LW_INK_OLIVE};
    struct lw_line *line = &row->line[row->lines];

    snprintf(line->column, sizeof line->column, "%s", column);
    snprintf(line->name, sizeof line->name, "%.*s", (int)sizeof line->name - 1, column);
    line->ink = held_out ? LW_INK_ORANGE : inks[row->lines];
    line->best = held_out ? guess_best(stem) : LW_BEST_NONE;
    line->sparse = held_out;
    row->lines++;
}

int lw_panels_from(const struct lw_source *s, struct lw_panel_row *rows, int max)
{
    int n = 0, k;

    for (int i = 0; i < s->tracks; i++) {
        const struct lw_track *t = &s->track[i];
        char stem[96];
        bool held_out;

        if (i == s->by[LW_BY_STEP] || i == s->by[LW_BY_EPOCH] || i == s->by[LW_BY_TIME] || t->text)
            continue;
        held_out = stem_of(t->name, stem, sizeof stem);
        for (k = 0; k < n; k++)
            if (!strcasecmp(rows[k].title, stem) && rows[k].lines < LW_PANEL_LINES)
                break;
        if (k == max)
            continue;
        if (k == n) {
            memset(&rows[n], 0, sizeof rows[n]);
            snprintf(rows[n].title, sizeof rows[n].title, "%.*s", (int)sizeof rows[n].title - 1,
                     stem);
            rows[n].nothing = NO_DATA;
            guess(&rows[n], stem);
            n++;
        }
        add_line(&rows[k], t->name, stem, held_out);
    }
    return n;
}

bool lw_text_matches(const char *text, const char *filter)
{
    if (filter[0] == '!')
        return !filter[1] || !strcasestr(text, filter + 1);
    return !filter[0] || strcasestr(text, filter);
}

bool lw_panel_matches(const struct lw_panel_row *row, const char *filter)
{
    bool inverse = filter[0] == '!';
    const char *plain = filter + inverse;
    bool found = lw_text_matches(row->title, plain);

    if (!*plain)
        return true;
    for (int i = 0; i < row->lines && !found; i++)
        found = lw_text_matches(row->line[i].column, plain);
    return found != inverse;
}
