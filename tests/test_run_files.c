/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/append.h"
#include "engine/run/cell.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"
#include "engine/run/metrics.h"
#include "engine/run/status.h"
#include "tests/support.h"

static const char header[] =
    "step,epoch,time,train/loss,train/perplexity,train/accuracy,val/loss,val/perplexity,"
    "val/accuracy,learning_rate,gradients/pre_clip_norm,gradients/post_clip_norm,epoch_duration,"
    "tokens,tokens_per_second,mfu,system/gpu_memory_mb,system/gpu_utilization,"
    "system/gpu_power_w,system/gpu_temperature_c,system/gpu_clock_mhz,val/bits_per_byte,"
    "val/top5_accuracy,train/top5_accuracy\n";

static struct lw_error err;
static const char *dir;
static struct lw_metrics_writer *writer;

static void init(void)
{
    dir = test_folder();
}

TestSuite(files, .init = init, .timeout = 30);

/* A file of the run folder, freed by the caller. */
static char *content(const char *name)
{
    char *text;
    size_t size;

    cr_assert_eq(lw_read_file(test_path(dir, name), 0, &text, &size, &err), 0, "%s", err.text);
    return text;
}

static void expect_metrics(const char *rows)
{
    char *text = content("metrics.csv");

    cr_assert(!strncmp(text, header, strlen(header)), "header: %.60s", text);
    cr_assert_str_eq(text + strlen(header), rows);
    free(text);
}

static int add_step(int step)
{
    struct lw_metrics_row row;

    lw_metrics_clear(&row);
    lw_metrics_put(&row, LW_METRIC_STEP, step);
    lw_metrics_put(&row, LW_METRIC_TRAIN_LOSS, 2.5);
    return lw_metrics_append(writer, &row, &err);
}

static int open_metrics(int64_t keep, int64_t *cut)
{
    return lw_metrics_open(&writer, dir, keep, cut, &err);
}

Test(files, columns_and_unknown_cells)
{
    struct lw_metrics_row row;

    cr_assert_eq(open_metrics(0, NULL), 0, "%s", err.text);
    lw_metrics_clear(&row);
    lw_metrics_put(&row, LW_METRIC_STEP, 1);
    lw_metrics_put(&row, LW_METRIC_EPOCH, 0.25);
    lw_metrics_put(&row, LW_METRIC_TRAIN_LOSS, NAN);
    lw_metrics_put(&row, LW_METRIC_LEARNING_RATE, 6e-4);
    lw_metrics_put(&row, LW_METRIC_PRE_CLIP_NORM, INFINITY);
    lw_metrics_put(&row, LW_METRIC_TOKENS, 123456789012.0);
    cr_assert_eq(lw_metrics_append(writer, &row, &err), 0);
    lw_metrics_clear(&row);
    lw_metrics_put(&row, LW_METRIC_STEP, 1);
    lw_metrics_put(&row, LW_METRIC_VAL_BITS_PER_BYTE, 0);
    cr_assert_eq(lw_metrics_append(writer, &row, &err), 0);
    cr_assert_eq(lw_metrics_close(writer, &err), 0);
    expect_metrics("1,0.25,,nan,,,,,,0.0006,inf,,,123456789012,,,,,,,,,,\n"
                   "1,,,,,,,,,,,,,,,,,,,,,0,,\n");
}

Test(files, a_file_of_an_earlier_version_keeps_its_columns)
{
    char text[sizeof(header) + 40];
    char *now;

    snprintf(text, sizeof(text), "%.*s\n1,,,2.5,,,,,,,,,,,,,,,,,,\n",
             (int)(strstr(header, ",val/top5") - header), header);
    test_write(test_path(dir, "metrics.csv"), text);
    cr_assert_eq(open_metrics(-1, NULL), 0, "%s", err.text);
    cr_assert_eq(add_step(2), 0);
    cr_assert_eq(lw_metrics_close(writer, &err), 0);
    now = content("metrics.csv");
    cr_assert(!strncmp(now, text, strlen(text)), "%s", now);
    cr_assert_str_eq(now + strlen(text), "2,,,2.5,,,,,,,,,,,,,,,,,,\n");
    free(now);
    test_write(test_path(dir, "metrics.csv"), "step,epoch,loss\n");
    cr_assert_eq(open_metrics(-1, NULL), LW_EDATA);
}

Test(files, numbers_keep_a_float)
{
    static const struct {
        double value;
        const char *text;
    } known[] = {{0, "0"},
                 {-0.0, "0"},
                 {1e15, "1000000000000000"},
                 {0.1, "0.1"},
                 {3.14159265358979, "3.1415927"},
                 {(double)1.17549435e-38f, "1.1754944e-38"},
                 {-2.5e-10, "-2.5e-10"},
                 {16777217, "16777217"}};
    char text[40];

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        text[lw_cell_number(known[i].value, text)] = '\0';
        cr_assert_str_eq(text, known[i].text);
    }
    for (uint32_t bits = 1; bits < 0x7f000000; bits += 0x10fed3) {
        float f;

        memcpy(&f, &bits, sizeof(f));
        text[lw_cell_number(f, text)] = '\0';
        cr_assert_eq(strtof(text, NULL), f, "%s", text);
    }
}

Test(files, resume_keeps_whole_lines)
{
    int64_t cut;

    cr_assert_eq(open_metrics(0, NULL), 0);
    cr_assert_eq(add_step(1), 0);
    cr_assert_eq(lw_metrics_close(writer, &err), 0);
    cr_assert_eq(truncate(test_path(dir, "metrics.csv"), (off_t)strlen(header) + 30), 0);
    cr_assert_eq(open_metrics(0, NULL), 0);
    cr_assert_eq(add_step(1), 0);
    cr_assert_eq(lw_metrics_close(writer, &err), 0);
    {
        FILE *f = fopen(test_path(dir, "metrics.csv"), "a");

        fputs("2,0.1,,2.", f); /* the process was killed here */
        fclose(f);
    }
    cr_assert_eq(open_metrics(-1, &cut), 0, "%s", err.text);
    cr_assert_eq(cut, 9);
    cr_assert_eq(add_step(2), 0);
    cr_assert_eq(lw_metrics_close(writer, &err), 0);
    expect_metrics("1,,,2.5,,,,,,,,,,,,,,,,,,,,\n2,,,2.5,,,,,,,,,,,,,,,,,,,,\n");
}

Test(files, resume_cuts_behind_the_checkpoint)
{
    int64_t offset, cut;

    cr_assert_eq(open_metrics(0, NULL), 0);
    cr_assert_eq(add_step(1), 0);
    cr_assert_eq(lw_metrics_sync(writer, &offset, &err), 0);
    cr_assert_eq(add_step(2), 0);
    cr_assert_eq(add_step(3), 0);
    cr_assert_eq(lw_metrics_close(writer, &err), 0);
    cr_assert_eq(open_metrics(offset + 1, NULL), LW_EDATA);
    cr_assert(strstr(err.text, "inside a line"), "%s", err.text);
    cr_assert_eq(open_metrics(1 << 20, NULL), LW_EDATA);
    cr_assert(strstr(err.text, "not this run's"), "%s", err.text);
    cr_assert_eq(open_metrics(offset, &cut), 0);
    cr_assert_eq(cut, 2 * 28);
    cr_assert_eq(add_step(2), 0);
    cr_assert_eq(lw_metrics_close(writer, &err), 0);
    expect_metrics("1,,,2.5,,,,,,,,,,,,,,,,,,,,\n2,,,2.5,,,,,,,,,,,,,,,,,,,,\n");
}

Test(files, other_columns_are_refused)
{
    test_write(test_path(dir, "metrics.csv"), "step,loss\n1,2\n");
    cr_assert_eq(open_metrics(-1, NULL), LW_EDATA);
    cr_assert(strstr(err.text, "other columns"), "%s", err.text);
}

Test(files, metrics_in_a_missing_folder)
{
    dir = "/nowhere";
    cr_assert_eq(open_metrics(0, NULL), LW_EIO);
    cr_assert(strstr(err.text, "/nowhere/metrics.csv"));
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The limit falls in the middle of the third row, as a full disk does. */
Test(files, a_full_disk_in_the_middle_of_a_row)
{
    int64_t offset;

    cr_assert_eq(open_metrics(0, NULL), 0);
    limit_files(strlen(header) + 2 * 28 + 10);
    cr_assert_eq(add_step(1), 0);
    cr_assert_eq(add_step(2), 0);
    cr_assert_eq(add_step(3), LW_EIO, "it must be told once");
    cr_assert(strstr(err.text, "rows wait in memory"), "%s", err.text);
    expect_metrics("1,,,2.5,,,,,,,,,,,,,,,,,,,,\n2,,,2.5,,,,,,,,,,,,,,,,,,,,\n");
    cr_assert_eq(add_step(4), 0, "and once only");
    cr_assert_eq(lw_metrics_recovered(writer), 0);
    cr_assert_eq(lw_metrics_sync(writer, &offset, &err), LW_EIO,
                 "a checkpoint must not point past rows that wait");
    limit_files(1 << 20);
    cr_assert_eq(add_step(5), 0);
    cr_assert_eq(lw_metrics_recovered(writer), 2);
    cr_assert_eq(lw_metrics_recovered(writer), 0);
    cr_assert_eq(lw_metrics_sync(writer, &offset, &err), 0);
    cr_assert_eq(offset, (int64_t)strlen(header) + 5 * 28);
    expect_metrics("1,,,2.5,,,,,,,,,,,,,,,,,,,,\n2,,,2.5,,,,,,,,,,,,,,,,,,,,\n"
                   "3,,,2.5,,,,,,,,,,,,,,,,,,,,\n4,,,2.5,,,,,,,,,,,,,,,,,,,,\n"
                   "5,,,2.5,,,,,,,,,,,,,,,,,,,,\n");
    limit_files(0);
    cr_assert_eq(add_step(6), LW_EIO, "a second failure is told again");
    cr_assert_eq(lw_metrics_close(writer, &err), LW_EIO);
    cr_assert(strstr(err.text, "1 rows"), "%s", err.text);
}

Test(files, what_waits_is_bounded)
{
    struct lw_append a;
    char line[100];

    memset(line, 'x', sizeof(line));
    line[99] = '\n';
    cr_assert_eq(lw_append_open(&a, dir, "log", &err), 0);
    limit_files(0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(lw_append_line(&a, line, sizeof(line), 1000), -1);
    cr_assert_leq(a.waiting_size, 4096);
    cr_assert_eq(a.lines_waiting + a.lines_lost, 100);
    cr_assert_eq(lw_append_close(&a), 100);
}

/* events */

static struct lw_event seen[64];
static int seen_count;

static void see(void *user, const struct lw_event *event)
{
    (void)user;
    if (seen_count < 64)
        seen[seen_count++] = *event;
}

Test(files, events_there_and_back)
{
    struct lw_event_tail *tail;
    struct lw_events *e;
    FILE *f;

    cr_assert_eq(lw_event_tail_open(&tail, dir, &err), 0);
    cr_assert_eq(lw_event_tail_poll(tail, see, NULL, &err), 0, "no file yet is no error");
    cr_assert_eq(lw_events_open(&e, dir, &err), 0);
    lw_events_add(e, LW_EVENT_INFO, "started %d", 1);
    lw_events_add(e, LW_EVENT_ALERT, "two\nlines\n and \033[31m");
    lw_events_close(e);
    cr_assert_eq(lw_event_tail_poll(tail, see, NULL, &err), 0);
    cr_assert_eq(seen_count, 2);
    cr_assert_str_eq(seen[0].text, "started 1");
    cr_assert_eq(seen[0].time[10], 'T');
    cr_assert_eq(seen[1].level, LW_EVENT_ALERT);
    cr_assert_str_eq(seen[1].text, "two | lines |  and ?[31m");

    f = fopen(test_path(dir, "events.log"), "a");
    fputs("2026-11-22T16:30:05+01:00 warn half", f);
    fflush(f);
    cr_assert_eq(lw_event_tail_poll(tail, see, NULL, &err), 0);
    cr_assert_eq(seen_count, 2, "half a line waits");
    fputs(" a line\nfree words\n\n", f);
    for (int i = 0; i < 10000; i++)
        fputc('y', f);
    fputs("\n2026-11-22T16:30:05+01:00 error \033]52;c;x\007\n", f);
    fclose(f);
    cr_assert_eq(lw_event_tail_poll(tail, see, NULL, &err), 0);
    cr_assert_eq(seen_count, 6);
    cr_assert_str_eq(seen[2].text, "half a line");
    cr_assert_eq(seen[2].level, LW_EVENT_WARN);
    cr_assert_str_eq(seen[3].text, "free words");
    cr_assert_eq(seen[4].text[100], 'y');
    cr_assert_str_eq(seen[5].text, "?]52;c;x?");

    test_write(test_path(dir, "events.log"), "x\n");
    cr_assert_eq(lw_event_tail_poll(tail, see, NULL, &err), 0);
    cr_assert_eq(seen_count, 7, "another file is read from its start");
    lw_event_tail_close(tail);
}

Test(files, the_last_events_only)
{
    struct lw_event_tail *tail;
    struct lw_events *e;

    cr_assert_eq(lw_events_open(&e, dir, &err), 0);
    for (int i = 0; i < 1000; i++)
        lw_events_add(e, LW_EVENT_INFO, "event %d", i);
    lw_events_close(e);
    cr_assert_eq(lw_event_tail_open(&tail, dir, &err), 0);
    lw_event_tail_last(tail, 5);
    cr_assert_eq(lw_event_tail_poll(tail, see, NULL, &err), 0);
    cr_assert_eq(seen_count, 5);
    cr_assert_str_eq(seen[0].text, "event 995");
    lw_event_tail_close(tail);
}

Test(files, events_outlive_a_full_disk)
{
    struct lw_events *e;
    char *text;

    cr_assert_eq(lw_events_open(&e, dir, &err), 0);
    lw_events_add(e, LW_EVENT_INFO, "one");
    limit_files(50);
    lw_events_add(e, LW_EVENT_INFO, "two");
    limit_files(1 << 20);
    lw_events_add(e, LW_EVENT_INFO, "three");
    lw_events_close(e);
    text = content("events.log");
    cr_assert(strstr(text, "one\n") && strstr(text, "two\n") && strstr(text, "three\n"), "%s",
              text);
    free(text);
}

/* status */

Test(files, status_there_and_back)
{
    struct lw_status s, r;
    char *text;

    lw_status_init(&s);
    s.state = LW_STATE_PAUSED;
    s.pid = 4711;
    s.step = 120;
    s.of = 2000;
    s.eta = 61.5;
    s.val_loss = 2.25;
    s.ranks = 2;
    s.rank_throughput[1] = 1000;
    s.rank_throughput[0] = NAN;
    s.slowest = 1;
    snprintf(s.device, sizeof(s.device), "CPU \"x\"");
    snprintf(s.last_error, sizeof(s.last_error), "one\ntwo\377");
    cr_assert_eq(lw_status_write(dir, &s, &err), 0, "%s", err.text);
    text = content("status.json");
    cr_assert(strstr(text, "\"state\": \"paused\""));
    cr_assert(strstr(text, "\"epoch\": null"));
    free(text);
    cr_assert_eq(lw_status_read(dir, &r, &err), 0, "%s", err.text);
    cr_assert_eq(r.state, LW_STATE_PAUSED);
    cr_assert_eq(r.step, 120);
    cr_assert_eq(r.eta, 61.5);
    cr_assert(isnan(r.epoch));
    cr_assert_eq(r.ranks, 2);
    cr_assert(isnan(r.rank_throughput[0]));
    cr_assert_eq(r.rank_throughput[1], 1000);
    cr_assert_eq(r.slowest, 1);
    cr_assert_eq(r.exit_code, -1);
    cr_assert_str_eq(r.last_error, "one | two?");
}

Test(files, only_a_run_that_should_be_at_work_is_silent)
{
    double now = lw_clock_wall(), silent = lw_state_silent(LW_STATE_RUNNING, true, now - 95);

    cr_assert(silent == 90 || silent == 100 || silent == 110, "%g", silent);
    cr_assert_gt(lw_state_silent(LW_STATE_STARTING, true, now - 95), 0);
    cr_assert_gt(lw_state_silent(LW_STATE_STOPPING, true, now - 95), 0);
    cr_assert_eq(lw_state_silent(LW_STATE_RUNNING, true, now), 0);
    cr_assert_eq(lw_state_silent(LW_STATE_RUNNING, true, now + 95), 0, "another clock");
    cr_assert_eq(lw_state_silent(LW_STATE_RUNNING, true, NAN), 0);
    cr_assert_eq(lw_state_silent(LW_STATE_RUNNING, false, now - 95), 0, "that is lost");
    cr_assert_eq(lw_state_silent(LW_STATE_PAUSED, true, now - 95), 0);
    cr_assert_eq(lw_state_silent(LW_STATE_FINISHED, true, now - 95), 0);
}

Test(files, a_damaged_status_is_one_clear_line)
{
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{\"state\": \"dancing\"}",
        "{\"state\": 3}",
        "\xff\xfe",
        "{\"state\": \"running\", \"state\": \"failed\"}",
    };
    struct lw_status s;

    cr_assert_eq(lw_status_read(dir, &s, &err), LW_EIO);
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        test_write(test_path(dir, "status.json"), damaged[i]);
        cr_assert_eq(lw_status_read(dir, &s, &err), LW_EDATA, "%s", damaged[i]);
        cr_assert(strstr(err.text, "status.json is damaged"), "%s", err.text);
        cr_assert_null(strchr(err.text, '\n'));
    }
    test_write(
        test_path(dir, "status.json"),
        "{\"state\": \"running\", \"step\": \"many\", \"host\": \"\\u001b[2J\", \"eta\": []}");
    cr_assert_eq(lw_status_read(dir, &s, &err), 0);
    cr_assert_eq(s.step, 0);
    cr_assert_str_eq(s.host, "?[2J");
}
