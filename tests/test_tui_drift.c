/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "tests/fake_drift.h"
#include "tests/support.h"
#include "tests/view_support.h"

#define HEADER                                                                                     \
    "step,epoch,time,comparison,score,value,low,high,floor,items,status,needed,change_step\n"

static struct lw_error err;
static char *dir;
static FILE *csv;

static void init(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    dir = strdup(test_path(test_folder(), "runs/2026-11-22-1630-drift"));
    cr_assert_eq(lw_make_folders(dir, &err), 0, "%s", err.text);
    test_write(test_path(dir, "metrics.csv"), "step,train/loss\n1,5\n100,2\n");
}

static void fini(void)
{
    if (csv)
        fclose(csv);
    close_view();
    free(dir);
}

TestSuite(tui_drift, .init = init, .fini = fini);

/* Add to drift.csv. */
static void LW_PRINTF(1, 2) put(const char *fmt, ...)
{
    va_list ap;

    if (!csv)
        csv = fopen(test_path(dir, "drift.csv"), "a");
    cr_assert_not_null(csv);
    va_start(ap, fmt);
    vfprintf(csv, fmt, ap);
    va_end(ap);
    fflush(csv);
}

static void check(enum lw_modality modality, int64_t step, int items, double shift)
{
    struct fake_check made = {.modality = modality,
                              .step = step,
                              .epoch = (double)step / 50,
                              .time = (double)step,
                              .items = items,
                              .shift = shift,
                              .change_step = shift > 0 ? 50 : 0};

    cr_assert_eq(fake_drift_check(dir, &made, &err), 0, "%s", err.text);
}

static const struct lw_checks *history(void)
{
    return &v.source[0]->drift->log.checks[LW_AGAINST_REFERENCE];
}

Test(tui_drift, without_data_every_panel_says_so)
{
    open_view(dir);
    shows("Drift heatmap");
    shows("no drift data yet");
    keys("d");
    shows("no drift data yet");
    put(HEADER);
    lw_view_poll(&v, 0);
    shows("no drift data yet");
    keys("jjkl\rGg");
    shows("no drift data yet");
}

Test(tui_drift, text_that_drifts_is_shown_by_all_four_panels)
{
    check(LW_TEXT, 50, 300, 0);
    check(LW_TEXT, 100, 300, 0.9);
    open_view(dir);
    for (const char *const *what =
             (const char *const[]){"Lengths", "# ref", ": cur", "Drift over time", "change",
                                   "Drift heatmap", "seq_length_js", "now", "ALERT",
                                   "Drift summary", "overall", "token_overlap", NULL};
         *what; what++)
        shows(*what);
    cr_assert_eq(lw_drift_overall(lw_view_drift(&v)), LW_DRIFT_ALERT);
    hides("no drift data yet");
}

Test(tui_drift, images_have_their_own)
{
    check(LW_VISION, 50, 200, 0);
    check(LW_VISION, 100, 200, 0.5);
    open_view(dir);
    shows("Brightness");
    shows("channel_mean_distance");
    shows("contrast_js");
    hides("seq_length_js");
    cr_assert_eq(lw_drift_primary(lw_view_drift(&v), LW_AGAINST_REFERENCE), LW_SCORE_BRIGHTNESS_JS);
}

Test(tui_drift, a_score_opens_with_its_reasons)
{
    check(LW_TEXT, 50, 300, 0);
    check(LW_TEXT, 100, 300, 0.8);
    open_view(dir);
    keys("5");
    cr_assert_eq(v.page, LW_PAGE_DRIFT);
    shows("Why: ");
    keys("j");
    shows("Why: seq_length_js");
    shows("more");
    keys("\r");
    cr_assert(v.opened);
    hides("Drift summary");
    shows("Why: seq_length_js");
    keys("\033");
    cr_assert_not(v.opened);
    keys("jjj");
    shows("Why: token_js");
    shows("'"); /* a token, decoded */
    keys("\033");
    cr_assert_eq(v.page, LW_PAGE_DASHBOARD);
}

/* The longest run of lines with nothing on them, of a page of this size. */
static int blank_lines(int rows, int cols)
{
    int longest = 0, here = 0;

    for (const char *line = page(rows, cols); *line; line += strcspn(line, "\n") + 1) {
        here = strspn(line, " ") == strcspn(line, "\n") ? here + 1 : 0;
        longest = here > longest ? here : longest;
    }
    return longest;
}

Test(tui_drift, a_large_screen_is_used)
{
    check(LW_TEXT, 50, 300, 0);
    check(LW_TEXT, 100, 300, 0.9);
    open_view(dir);
    shows_at(60, 200, "Why: seq_length_js");
    hides_at(40, 120, "Why: ");
    cr_assert_leq(blank_lines(60, 200), 2, "%s", page(60, 200));
    keys("d");
    cr_assert_leq(blank_lines(60, 200), 2, "%s", page(60, 200));
    cr_assert_leq(blank_lines(40, 120), 2, "%s", page(40, 120));
    cr_assert_leq(blank_lines(24, 80), 2, "%s", page(24, 80));
}

Test(tui_drift, comparisons_are_chosen)
{
    check(LW_TEXT, 50, 300, 0.2);
    open_view(dir);
    keys("d");
    shows("vs reference");
    keys("l");
    shows("vs validation");
    shows("known of the comparison with the reference only");
    keys("l");
    shows("vs previous");
    keys("lh");
    shows("vs previous");
}

Test(tui_drift, what_is_unsure_says_what_it_needs)
{
    put(HEADER "10,1,1,reference,seq_length_js,0.3,0.01,0.5,0.25,16,unsure,1200,\n"
               "10,1,1,reference,token_js,0.3,0.01,0.5,0.25,16,unsure,-1,\n"
               "10,1,1,reference,overall,0.3,,,,16,unsure,,\n");
    open_view(dir);
    shows("1,200 more items");
    shows("reference too small");
    shows("UNSURE");
    shows_at(60, 200, "needs about 1,200 more items");
    shows_at(60, 200, "the reference is too small");
    shows_at(60, 200, "0.010 to 0.500");
}

/* What the line shows is the distance less what chance adds, and where nothing is known a gap. */
Test(tui_drift, the_line_is_debiased_and_has_gaps)
{
    static struct lw_drift_art art;
    struct lw_drift_want want = {.what = LW_DRIFT_TIME, .score = -1, .cols = 40, .checks = 40};
    struct lw_panel panel = {0};

    put(HEADER "10,1,1,reference,seq_length_js,0.5,0.3,0.45,0.3,16,alert,,\n"
               "20,2,2,reference,seq_length_js,,,,,0,no_data,,\n"
               "30,3,3,reference,seq_length_js,0.2,0.1,0.4,0.3,16,unsure,7,\n"
               "40,4,4,reference,seq_length_js,0.25,,,,16,warn,,30\n");
    open_view(dir);
    lw_drift_panel(&art, lw_view_drift(&v), &want, &panel);
    cr_assert_eq(panel.widget, LW_WIDGET_CHART);
    cr_assert_eq(art.series[0].count, 4);
    cr_assert_float_eq(art.line[0].y, 0.4, 1e-6);
    cr_assert(isnan(art.line[1].y), "no data is a gap, not a zero");
    cr_assert_eq(art.line[2].y, 0, "never below zero");
    cr_assert_float_eq(art.line[3].y, 0.25, 1e-6, "without a floor the value as it is");
    cr_assert_eq(art.series[1].count, 2, "bounds only where they are known");
    cr_assert_eq(art.model.chart.mark_count, 1);
    cr_assert_eq(art.mark[0].x, 30);
    cr_assert_float_eq(art.model.chart.y.domain.high, 0.5, 1e-9);
    cr_assert_eq(art.model.chart.level_count, 2);
    want.by = LW_BY_EPOCH;
    lw_drift_panel(&art, lw_view_drift(&v), &want, &panel);
    cr_assert_float_eq(art.mark[0].x, 3, 1e-6, "the change lies where its step lies");
}

Test(tui_drift, a_score_of_too_little_data_stands_for_nothing)
{
    static struct lw_drift_art art;
    struct lw_drift_want want = {.what = LW_DRIFT_TIME, .score = -1, .cols = 40};
    struct lw_panel panel = {0};

    put(HEADER "10,1,1,reference,seq_length_js,0.4,,,,16,no_data,,\n"
               "10,1,1,reference,token_js,0.05,0,0.06,0.04,16,ok,,\n"
               "10,1,1,reference,overall,0.05,,,,16,ok,,\n");
    open_view(dir);
    cr_assert_eq(lw_drift_primary(lw_view_drift(&v), LW_AGAINST_REFERENCE), LW_SCORE_OVERALL);
    want.score = LW_SCORE_LENGTH_JS;
    lw_drift_panel(&art, lw_view_drift(&v), &want, &panel);
    cr_assert(isnan(art.line[0].y));
}

Test(tui_drift, thresholds_are_the_runs_own)
{
    static struct lw_drift_art art;
    struct lw_drift_want want = {.what = LW_DRIFT_TIME, .score = -1, .cols = 40};
    struct lw_panel panel = {0};

    test_write(test_path(dir, "config.yaml"),
               "task: lm_tiny\ndrift_warn: 0.05\ndrift_thresholds: {seq_length_js: [0.3, 0.4]}\n");
    put(HEADER "10,1,1,reference,seq_length_js,0.1,,,,16,ok,,\n"
               "10,1,1,reference,token_js,0.1,,,,16,warn,,\n");
    open_view(dir);
    lw_drift_panel(&art, lw_view_drift(&v), &want, &panel);
    cr_assert_float_eq(art.level[0].y, 0.3, 1e-9);
    cr_assert_float_eq(art.level[1].y, 0.4, 1e-9);
    want.score = LW_SCORE_TOKEN_JS;
    lw_drift_panel(&art, lw_view_drift(&v), &want, &panel);
    cr_assert_float_eq(art.level[0].y, 0.05, 1e-9);
}

Test(tui_drift, half_lines_wait_and_a_cut_file_is_read_anew)
{
    put(HEADER "10,1,1,reference,overall,0.3,,,,16,al");
    open_view(dir);
    cr_assert_eq(lw_checks_count(history()), 0);
    put("ert,,\n20,2,2,reference,overall,0.1,,,,16,ok,,\n");
    cr_assert(lw_view_poll(&v, 0) & LW_CHANGED_DRIFT);
    cr_assert_eq(lw_checks_count(history()), 2);
    cr_assert_eq(lw_checks_at(history(), 0)->score[LW_SCORE_OVERALL].state, LW_DRIFT_ALERT);
    cr_assert_eq(lw_view_poll(&v, 0) & LW_CHANGED_DRIFT, 0);
    test_write(test_path(dir, "drift.csv"), HEADER "10,1,1,reference,overall,0.3,,,,16,warn,,\n");
    lw_view_poll(&v, 0);
    cr_assert_eq(lw_checks_count(history()), 1, "as a resumed run leaves it");
    cr_assert_eq(history()->newest.score[LW_SCORE_OVERALL].state, LW_DRIFT_WARN);
}

Test(tui_drift, foreign_rows_and_columns_do_no_harm)
{
    put("comparison,score,step,value,status,more\n"
        "reference,a_score_to_come,10,0.1,ok,1\n"
        "somebody,overall,10,0.1,ok,1\n"
        "reference,overall,,0.1,ok,1\n"
        "reference,overall,10,nan,unknown,1\n"
        "reference,token_js,10,0.2,a_word,1\n"
        "reference,seq_length_js,10,inf,alert,1\n");
    open_view(dir);
    cr_assert_eq(lw_checks_count(history()), 1);
    cr_assert_eq(history()->newest.score[LW_SCORE_TOKEN_JS].state, LW_DRIFT_UNKNOWN);
    keys("d");
    shows("UNKNOWN");
    for (int rows = 1; rows < 50; rows += 3)
        for (int cols = 1; cols < 160; cols += 7)
            cr_assert_not_null(page(rows, cols));
}

Test(tui_drift, a_file_without_its_columns_is_told)
{
    put("a,b\n1,2\n");
    open_view(dir);
    keys("d");
    shows("drift.csv has no column step, comparison or score");
}

Test(tui_drift, a_damaged_profile_is_told_and_the_rest_is_shown)
{
    check(LW_TEXT, 50, 300, 0);
    test_write(test_path(dir, "profile-current.json"), "{\"format_version\": 1}");
    open_view(dir);
    keys("d");
    shows_at(60, 300, "profile-current.json");
    shows("seq_length_js");
    check(LW_TEXT, 60, 300, 0);
    lw_view_poll(&v, 0);
    hides_at(60, 300, "profile-current.json");
    shows("Length distribution");
}

/* A run that checks at every step for a long time: memory stays, alerts do too. */
Test(tui_drift, a_long_history_is_thinned_and_keeps_the_worst)
{
    int alerts = 0, kept;

    put(HEADER);
    for (int i = 1; i <= 10000; i++)
        put("%d,%g,%d,reference,overall,%g,,,,16,%s,,\n", i, i / 100.0, i, i == 3333 ? 0.5 : 0.01,
            i == 3333 ? "alert" : "ok");
    open_view(dir);
    kept = lw_checks_count(history());
    cr_assert(kept > LW_DRIFT_CHECKS / 2 && kept <= LW_DRIFT_CHECKS + 1, "%d", kept);
    for (int i = 0; i < kept; i++) {
        alerts += lw_checks_at(history(), i)->score[LW_SCORE_OVERALL].state == LW_DRIFT_ALERT;
        cr_assert(!i || lw_checks_at(history(), i)->step > lw_checks_at(history(), i - 1)->step);
    }
    cr_assert_eq(alerts, 1);
    cr_assert_eq(history()->newest.step, 10000);
    cr_assert_eq(history()->seen, 10000);
    keys("d");
    shows("now");
}

Test(tui_drift, every_size_draws)
{
    check(LW_TEXT, 50, 80, 0);
    check(LW_TEXT, 100, 300, 0.5);
    open_view(dir);
    draws_at_every_size("1d\r\033jjj\r");
}
