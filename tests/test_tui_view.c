/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/run/events.h"
#include "engine/run/metrics.h"
#include "engine/run/status.h"
#include "tests/support.h"
#include "tests/view_support.h"
#include "widgets/surface_curses.h"

static struct lw_error err;
static struct lw_surface *surface;
static const char *folder;
static char *dir;
static bool on_gpu; /* rows as a GPU gives them, its power unknown */

/* Rows as training writes them, from step from to step to. */
static void add_rows(int from, int to)
{
    struct lw_metrics_writer *w;
    struct lw_metrics_row row;

    cr_assert_eq(lw_metrics_open(&w, dir, from > 1 ? -1 : 0, NULL, &err), 0, "%s", err.text);
    for (int i = from; i <= to; i++) {
        double noise = fmod(fabs(sin(i * 12.9898)) * 43758.5453, 1.0) - 0.5;
        double loss = 1.8 + 3.7 * exp(-i / 900.0) + 0.2 * noise;

        lw_metrics_clear(&row);
        lw_metrics_put(&row, LW_METRIC_STEP, i);
        lw_metrics_put(&row, LW_METRIC_EPOCH, i / 500.0);
        lw_metrics_put(&row, LW_METRIC_TIME, i * 0.1);
        lw_metrics_put(&row, LW_METRIC_TRAIN_LOSS, loss);
        lw_metrics_put(&row, LW_METRIC_TRAIN_PERPLEXITY, exp(loss));
        lw_metrics_put(&row, LW_METRIC_TRAIN_ACCURACY, 0.7 - 0.1 * loss);
        lw_metrics_put(&row, LW_METRIC_LEARNING_RATE, 6e-4 * (1.0 - i / 1e5));
        lw_metrics_put(&row, LW_METRIC_PRE_CLIP_NORM, 0.9 + noise);
        lw_metrics_put(&row, LW_METRIC_POST_CLIP_NORM, fmin(1.0, 0.9 + noise));
        if (on_gpu) {
            lw_metrics_put(&row, LW_METRIC_MFU, 0.5 + 0.01 * noise);
            lw_metrics_put(&row, LW_METRIC_GPU_UTILIZATION, 97);
            lw_metrics_put(&row, LW_METRIC_GPU_TEMPERATURE_C, 64);
        }
        if (i % 500 == 0) {
            lw_metrics_put(&row, LW_METRIC_VAL_LOSS, loss + 0.1);
            lw_metrics_put(&row, LW_METRIC_EPOCH_DURATION, 50.0 + noise);
        }
        cr_assert_eq(lw_metrics_append(w, &row, &err), 0, "%s", err.text);
    }
    cr_assert_eq(lw_metrics_close(w, &err), 0);
}

static void init(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    folder = test_folder();
    dir = strdup(test_path(folder, "runs/2026-11-22-1630-demo"));
    cr_assert_eq(lw_make_folders(dir, &err), 0, "%s", err.text);
}

static void fini(void)
{
    close_view();
    lw_surface_free(surface);
    free(dir);
}

TestSuite(tui_view, .init = init, .fini = fini);

Test(tui_view, dashboard_has_ten_panels)
{
    static const char *const titles[] = {
        "Loss",           "Perplexity",      "Accuracy",       "Learning rate", "Gradient norm",
        "Time per epoch", "Drift distribut", "Drift over tim", "Drift heatmap", "Drift summary"};

    add_rows(1, 2000);
    open_view(dir);
    for (int i = 0; i < 10; i++)
        shows(titles[i]);
    shows("no drift data yet");
    shows("2026-11-22-1630-demo");
    cr_assert_eq(v.layout.panel[0].row, v.layout.panel[3].row);
    cr_assert_eq(v.layout.panel[4].row, v.layout.panel[7].row);
    cr_assert_eq(v.layout.panel[8].row, v.layout.panel[9].row);
}

Test(tui_view, a_gpu_has_panels_of_what_it_tells)
{
    struct lw_status s;
    int fd;

    on_gpu = true;
    add_rows(1, 100);
    lw_status_init(&s);
    s.state = LW_STATE_RUNNING;
    s.mfu = 0.5123;
    s.gpu.utilization = 97;
    s.gpu.memory_mb = 71234;
    s.gpu.memory_total_mb = 80000;
    s.gpu.temperature_c = 64;
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    cr_assert_eq(lw_run_lock(dir, &fd, &err), 0, "%s", err.text);
    open_view(dir);
    shows("MFU 51.2 %");
    cr_assert_eq(v.shown_count, 12, "no panel of its power");
    shows("GPU 97 %, 71.2 of 80.0 GB, 64 C");
    keys("/MFU\n");
    shows("> MFU -");
    cr_assert_eq(v.shown_count, 1);
    v.filter[0] = 0;
    keys("/GPU\n");
    cr_assert_eq(v.shown_count, 1);
    shows("busy %");
    close(fd);
}

Test(tui_view, every_size_draws)
{
    add_rows(1, 600);
    open_view(dir);
    draws_at_every_size("1234?c+");
    keys("1");
    cr_assert_str_eq(page(1, 3), "600\n");
}

Test(tui_view, before_the_first_row_and_without_any_column)
{
    test_write(test_path(dir, "config.yaml"), "task: lm_tiny\n");
    open_view(dir);
    shows("no data yet");
    keys("c+-0xysSgGhjklo ");
    shows("no data yet");
    add_rows(1, 1);
    lw_view_poll(&v, 0);
    hides("no data yet");
}

Test(tui_view, panels_open_and_close)
{
    add_rows(1, 2000);
    open_view(dir);
    page(40, 120);
    keys("lll\r");
    cr_assert_eq(v.page, LW_PAGE_PANEL);
    shows("Learning rate");
    hides("Accuracy");
    keys("h");
    lw_view_key(&v, KEY_DOWN);
    shows("Gradient norm");
    keys("\033");
    cr_assert_eq(v.page, LW_PAGE_DASHBOARD);
    cr_assert_eq(v.focus, 4);
}

Test(tui_view, focus_moves_over_the_grid)
{
    add_rows(1, 100);
    open_view(dir);
    page(40, 120);
    keys("j");
    cr_assert_eq(v.focus, 4);
    keys("l");
    cr_assert_eq(v.focus, 5);
    keys("k");
    cr_assert_eq(v.focus, 1);
    keys("\t");
    cr_assert_eq(v.focus, 2);
    lw_view_key(&v, KEY_BTAB);
    cr_assert_eq(v.focus, 1);
    for (int i = 0; i < 40; i++)
        keys("j");
    cr_assert(v.focus >= 0 && v.focus < v.shown_count);
}

Test(tui_view, cursor_reads_values)
{
    add_rows(1, 2000);
    open_view(dir);
    page(40, 120);
    keys("c");
    shows("step 2,000");
    keys("h");
    cr_assert_lt(v.cursor_x, 2000.0);
    keys("\033");
    cr_assert_not(v.cursor);
}

Test(tui_view, zoom_follows_the_newest_step_until_it_is_moved)
{
    struct lw_domain d;

    add_rows(1, 2000);
    open_view(dir);
    page(40, 120);
    keys("2++");
    d = lw_view_domain(&v);
    cr_assert_float_eq(d.high - d.low, 500.0, 1.0);
    cr_assert_geq(d.high, 2000.0);
    shows("ZOOM, following");
    add_rows(2001, 2600);
    lw_view_poll(&v, 0);
    d = lw_view_domain(&v);
    cr_assert(d.low > 1500.0 && d.high >= 2600.0, "it moved on: %g to %g", d.low, d.high);
    keys("hhh");
    d = lw_view_domain(&v);
    add_rows(2601, 3000);
    lw_view_poll(&v, 0);
    cr_assert_eq(lw_view_domain(&v).low, d.low, "once moved, it stays");
    keys("0");
    hides("ZOOM");
}

Test(tui_view, x_axis_by_step_epoch_and_time)
{
    add_rows(1, 2000);
    open_view(dir);
    keys("x");
    shows("by epoch");
    cr_assert_float_eq(lw_view_domain(&v).high, 4.0, 1e-3);
    keys("x");
    shows("by time");
    cr_assert_float_eq(lw_view_domain(&v).high, 200.0, 0.1);
    keys("x");
    hides("by ");
}

Test(tui_view, filter_is_typed)
{
    add_rows(1, 200);
    open_view(dir);
    keys("/driftq");
    shows("filter: driftq");
    lw_view_key(&v, KEY_BACKSPACE);
    keys("\r");
    cr_assert_eq(v.shown_count, 4);
    hides("Perplexity");
    keys("\033");
    cr_assert_eq(v.shown_count, 10);
    keys("/!drift\r");
    cr_assert_eq(v.shown_count, 6);
    keys("/zebra\033");
    cr_assert_str_eq(v.filter, "!drift", "Esc keeps what was");
}

Test(tui_view, runs_are_listed_laid_over_and_opened)
{
    add_rows(1, 300);
    open_view(dir);
    free(dir);
    dir = strdup(test_path(folder, "runs/2026-11-22-1700-other"));
    cr_assert_eq(lw_make_folders(dir, &err), 0);
    add_rows(1, 400);
    keys("4");
    shows("2026-11-22-1630-demo");
    shows("2026-11-22-1700-other");
    v.selected = strstr(v.runs.line[0].name, "other") ? 0 : 1;
    keys("o");
    cr_assert_eq(v.sources, 2);
    lw_view_poll(&v, 0);
    keys("1");
    shows("+1");
    cr_assert_float_eq(lw_view_extent(&v).high, 400.0, 1e-9);
    keys("o");
    cr_assert_float_eq(lw_view_extent(&v).high, 300.0, 1e-9);
    keys("4");
    v.selected = strstr(v.runs.line[0].name, "other") ? 0 : 1;
    keys("\r");
    cr_assert_eq(v.sources, 1);
    shows("2026-11-22-1700-other");
    cr_assert_eq(v.page, LW_PAGE_DASHBOARD);
}

Test(tui_view, a_run_that_is_not_running_cannot_be_stopped)
{
    add_rows(1, 300);
    open_view(dir);
    keys("X");
    cr_assert_eq(v.asking, LW_ASK_NOTHING);
    shows("this run is not running");
    keys("q");
    cr_assert_eq(lw_view_key(&v, 'q'), LW_VIEW_QUIT);
}

Test(tui_view, help_lists_every_key)
{
    add_rows(1, 3);
    open_view(dir);
    keys("?");
    for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE; k++)
        shows(k->help);
    keys("?");
    cr_assert_eq(v.page, LW_PAGE_DASHBOARD);
}

Test(tui_view, commands_are_typed_behind_a_colon)
{
    add_rows(1, 200);
    open_view(dir);
    keys(":run");
    shows(":run");
    keys("s\r");
    cr_assert_eq(v.page, LW_PAGE_RUNS);
    keys(":dash\r");
    cr_assert_eq(v.page, LW_PAGE_DASHBOARD);
    keys(":filter loss\r");
    cr_assert_str_eq(v.filter, "loss");
    keys("\033:drfit\r");
    shows("there is no command drfit, did you mean drift");
    keys(":s\r");
    shows("s may mean");
    keys(":quit now\r");
    shows("quit takes nothing behind it");
    keys(":150\r");
    cr_assert(v.cursor);
    cr_assert_eq(v.cursor_x, 150.0);
    keys(":1e9\r");
    cr_assert_eq(v.cursor_x, 200.0, "no further than there is data");
    keys(":runs\r:cursor\r");
    cr_assert_eq(v.page, LW_PAGE_DASHBOARD, "where the command works");
    keys(":\033:\r:  \r");
    cr_assert_eq(v.asking, LW_ASK_NOTHING);
    keys(":qui");
    cr_assert_eq(lw_view_key(&v, '\r'), LW_VIEW_QUIT);
}

Test(tui_view, every_word_is_one_command)
{
    for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE; k++)
        for (const struct lw_key *other = lw_keys; k->word && other < k; other++)
            cr_assert(!other->word || strcmp(k->word, other->word), "%s", k->word);
}

Test(tui_view, n_goes_to_the_next_match)
{
    add_rows(1, 200);
    open_view(dir);
    keys("n");
    shows("nothing to look for");
    keys("/drift\rn");
    cr_assert_eq(v.focus, 1);
    keys("NN");
    cr_assert_eq(v.focus, 3);
    keys("?n");
    cr_assert_geq(v.match, 0);
    cr_assert(strcasestr(lw_keys[v.match].help, "drift"));
    keys("?\033/zebra\r?n");
    shows("no line contains zebra");
}

Test(tui_view, an_alert_stays_until_it_is_acknowledged)
{
    struct lw_events *events;

    add_rows(1, 200);
    cr_assert_eq(lw_events_open(&events, dir, &err), 0);
    lw_events_add(events, LW_EVENT_ALERT, "the data has drifted");
    lw_events_add(events, LW_EVENT_INFO, "checkpoint at step 200");
    open_view(dir);
    shows("the data has drifted");
    shows("a acknowledge");
    keys("a");
    hides("the data has drifted");
    hides("a acknowledge");
    shows("checkpoint at step 200");
    keys("a");
    shows("there is no alert to acknowledge");
    lw_events_add(events, LW_EVENT_ALERT, "and again");
    lw_events_close(events);
    lw_view_poll(&v, 0);
    keys("1");
    shows("and again");
}

Test(tui_view, what_the_guard_said_stays_in_the_header_until_it_is_acknowledged)
{
    struct lw_events *events;

    cr_assert_eq(lw_events_open(&events, dir, &err), 0);
    lw_events_add(events, LW_EVENT_INFO, "guard: elsewhere; terminal: ssh");
    lw_events_add(events, LW_EVENT_WARN, "guard: this SSH session has no tmux or screen");
    lw_events_add(events, LW_EVENT_WARN, "guard: and one thing more");
    for (int i = 0; i < 2 * LW_SOURCE_EVENTS; i++) /* a run that goes on for long */
        lw_events_add(events, LW_EVENT_INFO, "checkpoint %d", i);
    add_rows(1, 200);
    open_view(dir);
    shows("! this SSH session has no tmux or screen (+1)");
    shows("a acknowledge");
    keys("5");
    shows("! this SSH session has no tmux or screen (+1)");
    keys("1a");
    hides("this SSH session");
    hides("one thing more");
    hides("a acknowledge");
    lw_events_add(events, LW_EVENT_WARN, "guard: resumed in a notebook");
    lw_events_close(events);
    lw_view_poll(&v, 0);
    keys("1");
    shows("! resumed in a notebook");
}

/* --- what goes over the line: bytes written to a terminal of 120x40 cells --- */

static struct lw_screen *screen;
static FILE *out;

static void open_screen(bool ascii)
{
    struct lw_screen_options options = {.term = "xterm-256color", .ascii = ascii};

    setenv("LINES", "40", 1);
    setenv("COLUMNS", "120", 1);
    unsetenv("NO_COLOR");
    options.out = out = tmpfile();
    options.in = fopen("/dev/null", "r");
    options.color = ascii ? LW_COLOR_16 : LW_COLOR_256;
    cr_assert_eq(lw_screen_open(&options, &screen, &err), 0, "%s", err.text);
    surface = lw_surface_new(40, 120, ascii ? LW_CHARSET_ASCII : LW_CHARSET_BRAILLE, LW_DEPTH_256);
}

static long frame_bytes(void)
{
    long before = (long)lseek(fileno(out), 0, SEEK_END);

    lw_view_draw(&v, surface);
    lw_screen_show(screen, surface);
    fflush(out);
    return (long)lseek(fileno(out), 0, SEEK_END) - before;
}

/* Mean bytes of frames that have rows more data each, after some to settle. */
static double steady_bytes(int rows, int frames)
{
    long total = 0;
    int at = 3000;

    for (int i = 0; i < frames + 5; i++) {
        long bytes;

        add_rows(at + 1, at + rows);
        at += rows;
        lw_view_poll(&v, 0);
        bytes = frame_bytes();
        if (i >= 5)
            total += bytes;
    }
    return (double)total / frames;
}

static void become_live(void)
{
    lw_view_poll(&v, 0);
    v.source[0]->standing.active = true; /* as status.json would say: the axis leaves room */
}

Test(tui_view, first_paint_and_unchanged_frame)
{
    add_rows(1, 3000);
    open_view(dir);
    become_live();
    open_screen(false);
    cr_assert_leq(frame_bytes(), 20000);
    cr_assert_eq(frame_bytes(), 0);
    lw_view_poll(&v, 0);
    cr_assert_eq(frame_bytes(), 0);
    lw_screen_close(screen);
}

Test(tui_view, steady_frames_are_small)
{
    double bytes;

    add_rows(1, 3000);
    open_view(dir);
    become_live();
    open_screen(false);
    frame_bytes();
    bytes = steady_bytes(10, 40);
    lw_screen_close(screen);
    cr_assert_leq(bytes, 1000.0, "%.0f bytes a second", bytes);
}

Test(tui_view, low_bandwidth_frames_are_smaller)
{
    double bytes;

    add_rows(1, 3000);
    open_view(dir);
    become_live();
    v.quiet = v.slow = true;
    open_screen(true);
    frame_bytes();
    bytes = steady_bytes(50, 20) / 5.0; /* a frame in 5 s */
    lw_screen_close(screen);
    cr_assert_leq(bytes, 100.0, "%.0f bytes a second", bytes);
}

Test(tui_view, ranks_and_the_slowest_of_them)
{
    struct lw_status s;

    add_rows(1, 100);
    lw_status_init(&s);
    s.state = LW_STATE_FINISHED;
    s.step = s.of = 100;
    s.throughput = 41000;
    s.ranks = 2;
    s.rank_throughput[0] = 20600;
    s.rank_throughput[1] = 20100;
    s.slowest = 1;
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    open_view(dir);
    shows("41.0k tok/s");
    shows("2 ranks, slowest 1 (20.1k)");
    shows_at(40, 160, "2 ranks: 20.6k, 20.1k, slowest 1");
    s.ranks = 8;
    for (int i = 0; i < 8; i++)
        s.rank_throughput[i] = 20000 - 100 * i;
    s.slowest = 7;
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    usleep(20000);
    lw_view_poll(&v, 0);
    shows_at(40, 160, "8 ranks, slowest 7 (19.3k)");
}
