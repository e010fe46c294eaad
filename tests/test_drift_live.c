/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/random.h"
#include "engine/ops/ops.h"
#include "engine/run/folder.h"
#include "engine/train/drift_internal.h"
#include "tests/support.h"
#include "tests/train_support.h"

/* A watch over drawn documents, batch by batch. */
struct bed {
    const char *dir;
    struct lw_drift_watch *watch;
    struct lw_events *events;
    void *note;
    uint64_t step;
};

static struct lw_drift_options options(struct bed *b)
{
    struct lw_drift_options o = {.dir = b->dir,
                                 .events = b->events,
                                 .profile = {.length_max = 64, .block = 64},
                                 .false_alarm_every = 500,
                                 .partial = true};

    lw_drift_settings_init(&o.settings, false, 0.1, 0.2);
    return o;
}

static struct bed open_bed(const struct lw_drift_options *how)
{
    struct bed b = {.dir = test_folder()};
    struct lw_drift_options o;
    struct lw_error err;

    cr_assert_eq(lw_events_open(&b.events, b.dir, &err), 0, "%s", err.text);
    o = how ? *how : options(&b);
    o.dir = b.dir;
    o.events = b.events;
    cr_assert_eq(lw_drift_watch_open(&b.watch, &o, 0, &err), 0, "%s", err.text);
    cr_assert_eq(lw_drift_note_make(b.watch, &b.note, &err), 0, "%s", err.text);
    return b;
}

static void close_bed(struct bed *b)
{
    lw_drift_note_drop(b->note);
    lw_drift_watch_close(b->watch);
    lw_events_close(b->events);
}

/* One step: n documents of about `usual` tokens. */
static void train_step(struct bed *b, int n, int usual)
{
    struct lw_profile *note = b->note;
    struct lw_random r;
    struct lw_error err;
    int32_t ids[256];

    lw_profile_clear(note);
    lw_random_init(&r, ++b->step, 7);
    for (int i = 0; i < n; i++) {
        size_t length = 1 + lw_random_below(&r, 2 * (uint32_t)usual);

        for (size_t k = 0; k < length; k++)
            ids[k] = (int32_t)lw_random_below(&r, 20);
        cr_assert_eq(lw_profile_document(note, ids, length, &err), 0);
    }
    cr_assert_eq(lw_drift_trained(b->watch, note, &err), 0, "%s", err.text);
    cr_assert_eq(lw_drift_step(b->watch, false, &err), 0, "%s", err.text);
}

static void check(struct bed *b)
{
    struct lw_drift_place place = {b->step, (double)b->step / 100, (double)b->step};
    struct lw_error err;
    int64_t offset;

    cr_assert_eq(lw_drift_check(b->watch, &place, &err), 0, "%s", err.text);
    cr_assert_eq(lw_drift_sync(b->watch, &offset, &err), 0, "%s", err.text);
}

static char *content(const char *dir, const char *name)
{
    size_t n;

    return train_file(dir, name, &n);
}

static bool said(const char *dir, const char *file, const char *what)
{
    char *text = content(dir, file);
    bool found = text && strstr(text, what);

    free(text);
    return found;
}

/* How many units a batch of these windows of four tokens is noted as, of documents of five. */
static uint64_t units_of(struct bed *b, const int64_t *position)
{
    struct lw_loader_notes notes = lw_drift_text_notes(b->watch);
    const struct lw_profile *note = b->note;
    struct lw_batch batch = {.rows = 6, .length = 4, .position = (int64_t *)position};
    struct lw_dataset *data;
    struct lw_error err;
    uint32_t ids[24];
    int32_t tokens[24];

    for (uint32_t i = 0; i < 24; i++)
        ids[i] = i % 6 == 5 ? 256 : i / 6;
    for (int i = 0; i < 24; i++)
        tokens[i] = (int32_t)ids[position[i / 4] + i % 4];
    batch.tokens = tokens;
    cr_assert_eq(lw_dataset_from_ids(&data, ids, 24, 256, 257, &err), 0, "%s", err.text);
    cr_assert_eq(notes.fill(notes.user, b->note, &batch, data, &err), 0, "%s", err.text);
    lw_dataset_close(data);
    cr_expect_eq(note->text.tokens.total, 20);
    return note->text.tokens.units;
}

/* What a batch holds of one document depends on itself, in however many windows it came. */
Test(watch, a_document_in_consecutive_windows_is_one_unit)
{
    struct bed b = open_bed(NULL);

    cr_expect_eq(units_of(&b, (int64_t[]){0, 4, 8, 12, 16, 20}), 4);
    cr_expect_eq(units_of(&b, (int64_t[]){20, 12, 4, 0, 16, 8}), 8);
    close_bed(&b);
}

/* Generated text goes on from batch to batch: each document is one unit of one of them. */
Test(watch, a_generated_document_is_noted_once_and_whole)
{
    enum { T = 16, ROWS = 4, BATCHES = 60, ALL = T * ROWS * BATCHES, BEHIND = 4096 };
    struct bed b = open_bed(NULL);
    struct lw_loader_notes notes = lw_drift_text_notes(b.watch);
    const struct lw_profile *note = b.note;
    static int32_t ids[ALL + BEHIND];
    uint64_t units = 0, tokens = 0, documents = 1, length = 0;
    struct lw_tokenizer *t;
    struct lw_dataset *data;
    struct lw_error err;

    cr_assert_eq(lw_tokenizer_open(&t, "bytes", &err), 0, "%s", err.text);
    cr_assert_eq(lw_dataset_generate(&data, t, &(struct lw_generate_options){.seed = 3}, ALL, &err),
                 0, "%s", err.text);
    cr_assert_eq(lw_dataset_read(data, 0, ALL + BEHIND, ids, &err), 0, "%s", err.text);
    for (int64_t at = 0; at < ALL; at += T * ROWS) {
        int64_t position[ROWS] = {at, at + T, at + 2 * T, at + 3 * T};
        struct lw_batch batch = {
            .rows = ROWS, .length = T, .tokens = ids + at, .position = position};

        cr_assert_eq(notes.fill(notes.user, b.note, &batch, data, &err), 0, "%s", err.text);
        units += note->text.tokens.units;
        tokens += note->text.tokens.total;
    }
    for (int i = 0; i < ALL + BEHIND && (i < ALL || ids[i - 1] != 256); i++) {
        documents += ids[i] == 256 && i + 1 < ALL;
        length += ids[i] != 256;
    }
    cr_expect_gt(documents, 10);
    cr_expect_eq(units, documents, "%d documents", (int)documents);
    cr_expect_eq(tokens, length);
    lw_dataset_close(data);
    lw_tokenizer_close(t);
    close_bed(&b);
}

Test(watch, goes_from_ok_to_an_alarm_and_an_alert)
{
    struct bed b = open_bed(NULL);

    for (int i = 0; i < 330; i++) {
        train_step(&b, 40, i < 150 ? 20 : 20 + (i - 150) / 9);
        if (b.step % 10 == 0)
            check(&b);
        if (b.step == 150) {
            cr_expect(!said(b.dir, LW_RUN_EVENTS, "alarm"));
            cr_expect(!said(b.dir, LW_RUN_DRIFT, "warn"));
            cr_expect(said(b.dir, LW_RUN_DRIFT, "150,1.5,150,reference,overall,"));
        }
    }
    cr_expect(said(b.dir, LW_RUN_EVENTS, "run alarm at step"));
    cr_expect(said(b.dir, LW_RUN_EVENTS, "training data against the reference is alert"));
    cr_expect(said(b.dir, LW_RUN_DRIFT, ",alert,"));
    cr_expect(said(b.dir, LW_RUN_DRIFT, ",previous,seq_length_js,"));
    cr_expect(!said(b.dir, LW_RUN_DRIFT, ",validation,"));
    close_bed(&b);
}

Test(watch, a_stored_profile_is_the_reference_and_must_fit)
{
    char other[4200], vision[4200], missing[4200];
    struct bed first = open_bed(NULL), b;
    struct lw_drift_options o;
    struct lw_drift_watch *w;
    struct lw_error err;

    for (int i = 0; i < 20; i++)
        train_step(&first, 50, 20);
    check(&first);
    snprintf(other, sizeof other, "%s", test_path(first.dir, LW_RUN_CURRENT));
    snprintf(vision, sizeof vision, "%s", test_path(first.dir, "vision.json"));
    snprintf(missing, sizeof missing, "%s", test_path(first.dir, "missing.json"));
    test_write(vision, "{\"format_version\":1,\"modality\":\"vision\",\"items\":0}");
    o = options(&first);
    o.reference = other;
    b = open_bed(&o);
    for (int i = 0; i < 20; i++)
        train_step(&b, 50, 20);
    check(&b); /* the first check has a reference already */
    cr_expect(said(b.dir, LW_RUN_DRIFT, ",reference,overall,0,,,,1000,ok"));
    cr_expect(train_same_file(first.dir, b.dir, LW_RUN_CURRENT));
    o.reference = vision;
    cr_expect_eq(lw_drift_watch_open(&w, &o, 0, &err), LW_EDATA);
    cr_expect(strstr(err.text, "vision.json") && strstr(err.text, "text"), "%s", err.text);
    o.reference = missing;
    cr_expect_lt(lw_drift_watch_open(&w, &o, 0, &err), 0);
    cr_expect(strstr(err.text, "missing.json"), "%s", err.text);
    close_bed(&b);
    close_bed(&first);
}

Test(watch, a_window_holds_the_newest_items)
{
    struct bed b = open_bed(NULL);
    struct lw_drift_options o = options(&b);
    struct lw_profile p;
    struct lw_error err;

    close_bed(&b);
    o.window = 400;
    b = open_bed(&o);
    for (int i = 0; i < 100; i++)
        train_step(&b, 10, 20);
    check(&b);
    cr_assert_eq(lw_profile_load(&p, test_path(b.dir, LW_RUN_CURRENT), &err), 0);
    cr_expect(p.items >= 400 && p.items <= 500, "%d", (int)p.items);
    lw_profile_fini(&p);
    close_bed(&b);
}

Test(watch, what_the_model_says_is_compared_with_the_check_before)
{
    struct bed b = open_bed(NULL);
    uint64_t table[4 * LW_TALLY_COLUMNS] = {0};
    struct lw_error err;

    for (int c = 0; c < 4; c++) {
        for (uint64_t i = 0; i < 300; i++) {
            uint64_t *row = table + (c < 3 ? i % 3 : i % 2) * LW_TALLY_COLUMNS;

            for (int k = 0; k < 3; k++) {
                row[k]++;
                table[3 * LW_TALLY_COLUMNS + k]++;
            }
        }
        train_step(&b, 100, 20);
        cr_assert_eq(lw_drift_said(b.watch, table, 3, &err), 0, "%s", err.text);
        check(&b);
    }
    cr_expect(said(b.dir, LW_RUN_DRIFT, "2,0.02,2,previous,output_js,0,"));
    cr_expect(said(b.dir, LW_RUN_DRIFT, "3,0.03,3,previous,output_js,0,"));
    cr_expect(!said(b.dir, LW_RUN_DRIFT, "4,0.04,4,previous,output_js,0,"));
    cr_expect(said(b.dir, LW_RUN_DRIFT, "4,0.04,4,previous,output_js,0."));
    cr_expect(!said(b.dir, LW_RUN_DRIFT, ",reference,output_js"));
    cr_expect(said(b.dir, LW_RUN_CURRENT, "\"source\": \"predictions\""));
    close_bed(&b);
}

Test(watch, goes_on_from_its_state)
{
    struct bed whole = open_bed(NULL), first = open_bed(NULL), second;
    struct lw_error err;
    char state[4200], *a, *b, *tail;

    snprintf(state, sizeof state, "%s", test_path(first.dir, "state.json"));
    for (int i = 0; i < 160; i++) {
        train_step(&whole, 30, 20 + i / 40);
        if (whole.step % 8 == 0)
            check(&whole);
    }
    for (int i = 0; i < 101; i++) {
        train_step(&first, 30, 20 + i / 40);
        if (first.step % 8 == 0)
            check(&first);
    }
    cr_assert_eq(lw_drift_save(first.watch, state, &err), 0, "%s", err.text);
    second = open_bed(NULL);
    second.step = first.step;
    cr_assert_eq(lw_drift_load(second.watch, state, &err), 0, "%s", err.text);
    for (int i = 101; i < 160; i++) {
        train_step(&second, 30, 20 + i / 40);
        if (second.step % 8 == 0)
            check(&second);
    }
    a = content(whole.dir, LW_RUN_DRIFT);
    b = content(second.dir, LW_RUN_DRIFT);
    tail = strstr(a, "\n104,");
    cr_assert(tail && strchr(b, '\n'));
    cr_expect_str_eq(tail, strchr(b, '\n'));
    cr_expect(train_same_file(whole.dir, second.dir, LW_RUN_CURRENT));
    cr_expect(train_same_file(whole.dir, second.dir, LW_RUN_REFERENCE));
    test_write(state, "{\"watch\": {\"version\": 1}}");
    cr_expect_eq(lw_drift_load(second.watch, state, &err), LW_EDATA);
    free(a);
    free(b);
    close_bed(&whole);
    close_bed(&first);
    close_bed(&second);
}

/* Ranks that share the work: what gather() adds up is what one rank alone would see. */
static int gather(void *user, struct lw_profile *p, struct lw_error *err)
{
    struct lw_profile *const *other = user;

    return p->outputs.total || !other[0] ? 0 : lw_profile_merge(p, other[0], err);
}

Test(watch, ranks_add_up)
{
    struct bed one = open_bed(NULL), two;
    struct lw_drift_options o = options(&one);
    struct lw_profile theirs = (struct lw_profile){0}, *other = &theirs;
    struct lw_profile_options shape = o.profile;
    struct lw_error err;

    cr_assert_eq(lw_profile_init(&theirs, &shape, &err), 0);
    o.gather = gather;
    o.gather_user = &other;
    two = open_bed(&o);
    for (int i = 0; i < 20; i++) {
        train_step(&one, 30, 20);
        if (i % 2 == 0) {
            two.step = one.step - 1;
            train_step(&two, 30, 20);
        } else {
            cr_assert_eq(lw_profile_merge(&theirs, one.note, &err), 0);
        }
    }
    two.step = one.step;
    check(&one);
    check(&two);
    cr_expect(train_same_file(one.dir, two.dir, LW_RUN_CURRENT));
    lw_profile_fini(&theirs);
    close_bed(&one);
    close_bed(&two);
}

/* A checkpoint between the end of the first epoch and the check that makes it the reference. */
Test(watch, ranks_add_up_the_first_epoch_in_a_checkpoint)
{
    struct bed made = {.dir = test_folder()}, one, two, later;
    struct lw_drift_options o = options(&made);
    struct lw_profile theirs = (struct lw_profile){0}, *other = &theirs;
    const char *state = test_path(made.dir, "state.json");
    struct lw_error err;

    o.partial = false;
    one = open_bed(&o);
    later = open_bed(&o);
    cr_assert_eq(lw_profile_init(&theirs, &o.profile, &err), 0);
    o.gather = gather;
    o.gather_user = &other;
    two = open_bed(&o);
    train_step(&one, 30, 20);
    train_step(&two, 30, 20);
    train_step(&one, 30, 20);
    cr_assert_eq(lw_profile_merge(&theirs, one.note, &err), 0);
    cr_assert_eq(lw_drift_step(one.watch, true, &err), 0);
    cr_assert_eq(lw_drift_step(two.watch, true, &err), 0);
    cr_assert_eq(lw_drift_pool(two.watch, &err), 0);
    cr_assert_eq(lw_drift_save(two.watch, state, &err), 0, "%s", err.text);
    cr_assert_eq(lw_drift_load(later.watch, state, &err), 0, "%s", err.text);
    later.step = one.step;
    check(&one);
    check(&later);
    cr_expect(train_same_file(one.dir, later.dir, LW_RUN_CURRENT));
    cr_expect(train_same_file(one.dir, later.dir, LW_RUN_REFERENCE));
    lw_profile_fini(&theirs);
    close_bed(&one);
    close_bed(&two);
    close_bed(&later);
}

/* Through the engine: a text of 300 documents, three epochs. */
static void write_text(const char *path)
{
    FILE *f = fopen(path, "w");
    struct lw_random r;

    cr_assert_not_null(f);
    lw_random_init(&r, 11, 1);
    for (int d = 0; d < 300; d++) {
        for (int n = 5 + (int)lw_random_below(&r, 60); n > 0; n--)
            fputc('a' + (int)lw_random_below(&r, 20), f);
        fputs("\n\n", f);
    }
    fclose(f);
}

#define MODEL                                                                                      \
    "d_model=8", "num_layers=1", "num_heads=1", "max_seq_len=32", "threads=1", "sample_every=off"

Test(engine, profiles_every_batch_of_an_epoch, .timeout = 120)
{
    const char *dir = test_folder();
    char text[4200], data[4400], run[4200];
    struct lw_profile p;
    struct lw_error err;
    char *rows;

    snprintf(text, sizeof text, "%s/text", dir);
    snprintf(data, sizeof data, "data=%s", text);
    snprintf(run, sizeof run, "%s/run", dir);
    write_text(text);
    train_config(run,
                 (const char *const[]){MODEL, "task=lm", data, "document_separator=\\n\\n",
                                       "epochs=3", "validation_split=0.2", "batch_size=1", NULL});
    train_to_end(run);
    cr_assert_eq(lw_profile_load(&p, test_path(run, LW_RUN_CURRENT), &err), 0);
    cr_expect(p.items > 200 && p.items <= 240, "%d documents", (int)p.items);
    cr_expect(p.text.length_sum <= p.text.tokens.total + 128 &&
              p.text.length_sum + 128 >= p.text.tokens.total);
    rows = content(run, LW_RUN_DRIFT);
    cr_expect(strstr(rows, ",reference,seq_length_js,0,"), "epochs hold the same: %s", rows);
    cr_expect(strstr(rows, ",validation,token_js,"));
    cr_expect(strstr(rows, ",previous,output_js,"));
    cr_expect(train_logged(run, "reference too small for a run alarm"));
    free(rows);
    lw_profile_fini(&p);
}

Test(engine, goes_on_after_kill_with_the_same_rows, .timeout = 120)
{
    static const char *const how[] = {MODEL,
                                      "max_steps=120",
                                      "drift_every=7",
                                      "drift_window=50",
                                      "shift=vocabulary",
                                      "shift_at=60",
                                      "evaluate_every=9",
                                      "epochs=1000",
                                      "gradient_accumulation_steps=2",
                                      "batch_size=4",
                                      "checkpoint_every=10",
                                      "keep_checkpoints=100",
                                      NULL};
    const char *dir = test_folder();
    char whole[4200], broken[4200];
    struct train_end end;

    snprintf(whole, sizeof whole, "%s/whole", dir);
    snprintf(broken, sizeof broken, "%s/broken", dir);
    train_config(whole, how);
    train_to_end(whole);
    end = train_until(broken, how, "checkpoints/step-000040", SIGKILL);
    cr_assert_eq(end.code, -1000, "%s", end.text);
    train_to_end(broken);
    cr_assert(train_logged(broken, "resumed from step-0000"));
    train_same_drift(whole, broken);
    cr_expect(train_same_file(whole, broken, LW_RUN_CURRENT));
    cr_expect(train_same_file(whole, broken, LW_RUN_REFERENCE));
}

Test(engine, watches_nothing_when_told_so, .timeout = 60)
{
    const char *dir = test_folder();
    char run[4200];
    struct stat st;

    snprintf(run, sizeof run, "%s/run", dir);
    train_config(
        run, (const char *const[]){MODEL, "max_steps=5", "batch_size=4", "drift_every=off", NULL});
    train_to_end(run);
    cr_expect_lt(stat(test_path(run, LW_RUN_DRIFT), &st), 0);
    cr_expect_lt(stat(test_path(run, LW_RUN_CURRENT), &st), 0);
}

/* A step of documents of ten tokens each. Of 20 tokens all are as likely at any place; topics: a
 * document has those of one half alone, by lot. */
static void topic_step(struct bed *b, bool topics)
{
    struct lw_profile *note = b->note;
    struct lw_random r;
    struct lw_error err;
    int32_t ids[10];

    lw_profile_clear(note);
    lw_random_init(&r, ++b->step, 11);
    for (int i = 0; i < 8; i++) {
        uint32_t half = lw_random_below(&r, 2);

        for (int k = 0; k < 10; k++)
            ids[k] =
                (int32_t)(topics ? half * 10 + lw_random_below(&r, 10) : lw_random_below(&r, 20));
        cr_assert_eq(lw_profile_document(note, ids, 10, &err), 0);
    }
    cr_assert_eq(lw_drift_trained(b->watch, note, &err), 0, "%s", err.text);
    cr_assert_eq(lw_drift_step(b->watch, false, &err), 0, "%s", err.text);
}

/* Independent tokens: all eigenvalues are 1. Topics: one of them, which half it is, is 10, and the
 * 18 within a half are 1, so that it is 19 (100 + 18) / (10 + 18)^2. */
Test(drift_live, chance_that_falls_unevenly_is_measured)
{
    static const double wanted[] = {1, 19.0 * 118 / 784};

    for (int topics = 0; topics < 2; topics++) {
        struct bed b = open_bed(NULL);

        for (int i = 0; i < 150; i++)
            topic_step(&b, topics);
        cr_assert_eq(lw_drift_spread(b.watch), 1, "nothing is known yet");
        for (int i = 0; i < 2000; i++)
            topic_step(&b, topics);
        cr_assert_float_eq(lw_drift_spread(b.watch), wanted[topics], 0.12 * wanted[topics], "%g",
                           lw_drift_spread(b.watch));
        close_bed(&b);
    }
}

/* What was measured goes on where a checkpoint was. */
Test(drift_live, uneven_chance_is_in_a_checkpoint)
{
    struct bed a = open_bed(NULL), b = open_bed(NULL);
    const char *path = test_path(a.dir, "state.json");
    struct lw_error err;

    for (int i = 0; i < 350; i++)
        topic_step(&a, true);
    cr_assert_eq(lw_drift_save(a.watch, path, &err), 0, "%s", err.text);
    cr_assert_eq(lw_drift_load(b.watch, path, &err), 0, "%s", err.text);
    b.step = a.step;
    cr_assert_gt(lw_drift_spread(a.watch), 1.5);
    cr_assert_eq(lw_drift_spread(b.watch), lw_drift_spread(a.watch));
    for (int i = 0; i < 50; i++) {
        topic_step(&a, true);
        topic_step(&b, true);
    }
    cr_assert_eq(lw_drift_spread(b.watch), lw_drift_spread(a.watch));
    close_bed(&a);
    close_bed(&b);
}
