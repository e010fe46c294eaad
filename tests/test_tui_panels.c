/* SPDX-License-Identifier: MIT
 *
 * What a stranger looks for first: what a run counts, and a header that leaves out the right
 * things.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/run/metrics.h"
#include "engine/run/status.h"
#include "tests/support.h"
#include "tests/view_support.h"

static struct lw_error err;
static const char *folder;
static char *dir;

static void init(void)
{
    folder = test_folder();
    dir = strdup(test_path(folder, "runs/2026-11-22-1630-demo"));
    cr_assert_eq(lw_make_folders(dir, &err), 0, "%s", err.text);
}

static void fini(void)
{
    close_view();
    free(dir);
}

TestSuite(tui_panels, .init = init, .fini = fini);

/* Twenty rows with a loss, and what else is known: 0 is not. */
static void add_rows(double perplexity, double throughput)
{
    struct lw_metrics_writer *w;
    struct lw_metrics_row row;

    cr_assert_eq(lw_metrics_open(&w, dir, 0, NULL, &err), 0, "%s", err.text);
    for (int i = 1; i <= 20; i++) {
        lw_metrics_clear(&row);
        lw_metrics_put(&row, LW_METRIC_STEP, i);
        lw_metrics_put(&row, LW_METRIC_TRAIN_LOSS, 2.3);
        if (perplexity > 0)
            lw_metrics_put(&row, LW_METRIC_TRAIN_PERPLEXITY, perplexity);
        lw_metrics_put(&row, LW_METRIC_TOKENS_PER_SECOND, throughput);
        cr_assert_eq(lw_metrics_append(w, &row, &err), 0, "%s", err.text);
    }
    cr_assert_eq(lw_metrics_close(w, &err), 0);
}

/* Images have no perplexity: what stands there instead is how fast they go by, in images. */
Test(tui_panels, throughput_takes_the_place_of_what_a_run_has_not)
{
    struct lw_status s;

    test_write(test_path(dir, LW_RUN_CONFIG), "task: vision_tiny\n");
    add_rows(0, 1220);
    lw_status_init(&s);
    s.state = LW_STATE_FINISHED;
    s.step = s.of = 20;
    s.throughput = 1220;
    s.epoch = 0.5;
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    open_view(dir);
    shows("Throughput");
    shows("img/s 1.22k");
    shows("1.22k img/s");
    shows("no epoch was through");
    hides("Perplexity");
    keys("/perp\r");
    shows("Perplexity");
}

/* Where there is a perplexity, throughput is one filter away. */
Test(tui_panels, throughput_is_found_by_the_filter)
{
    add_rows(9.9, 7000);
    open_view(dir);
    shows("Perplexity");
    hides("Throughput");
    keys("/through\r");
    shows("tok/s 7.00k");
}

/* A name that leaves no room for what changes is told without its date; a device by whole parts. */
Test(tui_panels, the_header_keeps_what_changes)
{
    struct lw_status s;

    add_rows(9.9, 7000);
    lw_status_init(&s);
    s.state = LW_STATE_PAUSED;
    s.step = 20;
    s.of = 600;
    s.eta = 49;
    s.throughput = 9200;
    s.updated = lw_clock_wall();
    snprintf(s.device, sizeof s.device, "AMD EPYC, 2 threads, AVX-512");
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    open_view(dir);
    v.source[0]->standing.active = true;
    shows_at(24, 80, " 1630-demo ");
    shows_at(24, 80, "ETA 49s  9.20k tok/s");
    hides_at(24, 80, "EPYC, ");
    shows_at(40, 120, " 2026-11-22-1630-demo ");
    shows_at(40, 120, "AMD EPYC");
}

/* A loss that is no number is not told by the last one that was. */
Test(tui_panels, a_smoothed_line_ends_where_the_numbers_end)
{
    const char *file = test_path(folder, "nan.csv");
    char rows[4096];
    size_t n;

    n = (size_t)snprintf(rows, sizeof rows, "step,loss\n");
    for (int i = 1; i <= 200; i++)
        n += (size_t)snprintf(rows + n, sizeof rows - n, i > 150 ? "%d,nan\n" : "%d,2.5\n", i);
    test_write(file, rows);
    open_view(file);
    cr_assert_gt(v.smoothing, 0);
    shows("loss --");
    hides("2.500");
}

/* A page of keys that does not fit says so, and which key goes on. */
Test(tui_panels, help_says_that_there_is_more)
{
    add_rows(9.9, 7000);
    open_view(dir);
    keys("?");
    shows_at(24, 80, "more below");
    keys("G");
    shows_at(24, 80, "more above");
    hides_at(60, 200, "more above");
}

/* An engine that lives and says nothing: in the header, and in the list of runs. */
Test(tui_panels, a_silent_run_is_told_by_the_header_and_the_list)
{
    struct lw_status s;
    int lock;

    lw_status_init(&s);
    s.state = LW_STATE_RUNNING;
    s.updated = lw_clock_wall() - 7265;
    add_rows(9.9, 7000);
    cr_assert_eq(lw_run_lock(dir, &lock, &err), 0, "%s", err.text);
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    open_view(dir);
    shows("silent for 2h");
    keys("4");
    shows("demo  silent  ");
    s.updated = lw_clock_wall() + 3600;
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    lw_view_poll(&v, 0);
    cr_assert(lw_view_read_runs(&v), "that it speaks again is news");
    hides("silent");
    close(lock);
}
