/* SPDX-License-Identifier: MIT
 *
 * TensorBoard's event files: framing by known answers, content read back by the same schema.
 * TensorBoard's own reader is asked where it is installed (tests/interop.sh).
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/drift/profile.h"
#include "engine/export/events.pb-c.h"
#include "engine/export/record.h"
#include "engine/export/tensorboard.h"
#include "tests/support.h"

/* RFC 3720, appendix B.4, and the check value of the CRC catalogues. */
Test(export_events, crc_known_answers)
{
    unsigned char bytes[32];

    cr_expect_eq(lw_crc32c("123456789", 9), 0xe3069283u);
    memset(bytes, 0, sizeof bytes);
    cr_expect_eq(lw_crc32c(bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    cr_expect_eq(lw_crc32c(bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    cr_expect_eq(lw_crc32c(bytes, 32), 0x46dd794eu);
    cr_expect_eq(lw_crc32c("", 0), 0);
    cr_expect_eq(lw_crc32c_masked("", 0), 0xa282ead8u);
}

static uint64_t little(const unsigned char *at, int bytes)
{
    uint64_t x = 0;

    while (bytes--)
        x = x << 8 | at[bytes];
    return x;
}

struct events {
    unsigned char *data;
    size_t size, at;
};

/* The next event, its framing checked; NULL at the end. */
static Lw__Events__Event *next(struct events *e)
{
    Lw__Events__Event *event;
    uint64_t length;

    if (e->at == e->size)
        return NULL;
    cr_assert(e->size - e->at >= 16);
    length = little(e->data + e->at, 8);
    cr_assert_eq(little(e->data + e->at + 8, 4), lw_crc32c_masked(e->data + e->at, 8));
    cr_assert(length <= e->size - e->at - 16);
    cr_assert_eq(little(e->data + e->at + 12 + length, 4),
                 lw_crc32c_masked(e->data + e->at + 12, length));
    event = lw__events__event__unpack(NULL, length, e->data + e->at + 12);
    cr_assert(event);
    e->at += 16 + length;
    return event;
}

static char folder[300], run[300];

static void make_run(void)
{
    struct lw_error err = {0};

    snprintf(folder, sizeof folder, "%s/tb", test_folder());
    snprintf(run, sizeof run, "%s/runs/one", test_folder());
    cr_assert_eq(lw_make_folders(run, &err), 0, "%s", err.text);
    test_write(test_path(run, "events.log"),
               "2026-11-22T01:00:00+01:00 info started\n2026-11-22T02:00:00+01:00 info later\n");
    test_write(test_path(run, "metrics.csv"),
               "step,epoch,time,train/loss,val/loss\n1,0.5,0.25,nan,\n2,1,0.5,0,3.5\n2,,,,4.5\n"
               "3,1.5,0.75,half a li");
}

/* 2026-11-22T00:00:00Z; the file's name has it, too. */
#define START 1795305600.0

static void open_events(struct events *e)
{
    struct lw_error err = {0};
    char path[400], *data;

    snprintf(path, sizeof path, "%s/one/events.out.tfevents.%.0f.leeway", folder, START);
    cr_assert_eq(lw_read_file(path, 0, &data, &e->size, &err), 0, "%s", err.text);
    e->data = (unsigned char *)data;
    e->at = 0;
}

static void expect_scalars(Lw__Events__Event *event, double time, int64_t step, int count,
                           const char *const *tag, const float *value)
{
    cr_assert(event && event->summary);
    cr_expect_float_eq(event->wall_time, START + time, 1e-6);
    cr_expect_eq(event->step, step);
    cr_assert_eq(event->summary->n_value, (size_t)count);
    for (int i = 0; i < count; i++) {
        const Lw__Events__Value *v = event->summary->value[i];

        cr_expect_str_eq(v->tag, tag[i]);
        cr_expect(v->has_simple_value, "a zero is written");
        cr_expect(v->simple_value == value[i] || (isnan(v->simple_value) && isnan(value[i])));
    }
    lw__events__event__free_unpacked(event, NULL);
}

Test(export_events, metrics_become_scalars)
{
    static const char *const names[] = {"epoch", "train/loss", "val/loss"};
    struct lw_tensorboard_counts counts;
    struct lw_error err = {0};
    Lw__Events__Event *first;
    struct events e;

    make_run();
    for (int again = 0; again < 2; again++) /* the second replaces the first */
        cr_assert_eq(lw_tensorboard_write(folder, run, &counts, &err), 0, "%s", err.text);
    cr_expect_eq(counts.scalars, 6);
    cr_expect_eq(counts.histograms, 0);
    open_events(&e);
    first = next(&e);
    cr_expect_str_eq(first->file_version, "brain.Event:2");
    lw__events__event__free_unpacked(first, NULL);
    expect_scalars(next(&e), 0.25, 1, 2, names, (float[]){0.5f, NAN});
    expect_scalars(next(&e), 0.5, 2, 3, names, (float[]){1, 0, 3.5f});
    expect_scalars(next(&e), 0.5, 2, 1, names + 2, (float[]){4.5f});
    cr_expect_null(next(&e), "half a line is left out");
    free(e.data);
}

Test(export_events, drift_becomes_scalars_and_histograms)
{
    static const char *const names[] = {"drift/reference/seq_length_js", "drift/previous/overall"};
    static const int32_t ids[30] = {1, 2, 3};
    struct lw_profile_options options = {
        .modality = LW_TEXT, .length_bins = 4, .length_max = 40};
    struct lw_tensorboard_counts counts;
    const Lw__Events__Histogram *h;
    struct lw_error err = {0};
    Lw__Events__Event *event;
    struct lw_profile p;
    struct events e;

    make_run();
    test_write(test_path(run, "metrics.csv"), "step,time,train/loss\n");
    test_write(test_path(run, "drift.csv"),
               "step,epoch,time,comparison,score,value,low,high,floor,items,status,needed,"
               "change_step\n5,1,2,reference,seq_length_js,0.25,0,1,,9,ok,,\n"
               "5,1,2,reference,label_js,,,,,9,no data,,\n5,1,2,previous,overall,0.5,,,,9,ok,,\n");
    cr_assert_eq(lw_profile_init(&p, &options, &err), 0, "%s", err.text);
    cr_assert_eq(lw_profile_document(&p, ids, 5, &err), 0);
    cr_assert_eq(lw_profile_document(&p, ids, 30, &err), 0);
    cr_assert_eq(lw_profile_document(&p, ids, 30, &err), 0);
    cr_assert_eq(lw_profile_save(&p, test_path(run, "profile-current.json"), NULL, NULL, &err), 0);
    lw_profile_fini(&p);

    cr_assert_eq(lw_tensorboard_write(folder, run, &counts, &err), 0, "%s", err.text);
    cr_expect_eq(counts.scalars, 2);
    cr_expect_eq(counts.histograms, 1);
    open_events(&e);
    lw__events__event__free_unpacked(next(&e), NULL);
    expect_scalars(next(&e), 2, 5, 1, names, (float[]){0.25f});
    expect_scalars(next(&e), 2, 5, 1, names + 1, (float[]){0.5f});
    event = next(&e);
    cr_assert(event);
    cr_expect_eq(event->step, 5);
    cr_expect_str_eq(event->summary->value[0]->tag, "drift/length/current");
    h = event->summary->value[0]->histo;
    cr_assert(h);
    cr_expect(h->min == 0 && h->max == 40 && h->num == 3);
    cr_expect_float_eq(h->sum, 65, 1e-9);
    cr_expect_float_eq(h->sum_squares, 25 + 900 + 900, 1e-6);
    cr_assert_eq(h->n_bucket, 4);
    cr_assert_eq(h->n_bucket_limit, 4);
    cr_expect(h->bucket[0] == 1 && h->bucket[1] == 0 && h->bucket[3] == 2);
    cr_expect(h->bucket_limit[0] == 10 && h->bucket_limit[3] == 40);
    lw__events__event__free_unpacked(event, NULL);
    cr_expect_null(next(&e));
    free(e.data);
}

Test(export_events, damage_is_told)
{
    struct lw_tensorboard_counts counts;
    struct lw_error err = {0};

    make_run();
    test_write(test_path(run, "profile-current.json"), "{}");
    cr_expect_eq(lw_tensorboard_write(folder, run, &counts, &err), LW_EDATA);
    cr_expect(strstr(err.text, "profile-current.json"), "%s", err.text);
    cr_expect_eq(access(test_path(folder, "one/events.out.tfevents.1795305600.leeway"), F_OK), -1);
}
