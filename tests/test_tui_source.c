/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support.h"
#include "tui/panels.h"
#include "tui/refine.h"
#include "tui/source.h"

static struct lw_source *s;
static struct lw_error err;
static const char *file;

static void init(void)
{
    file = test_path(test_folder(), "metrics.csv");
}

static void fini(void)
{
    lw_source_close(s);
    s = NULL;
}

TestSuite(tui_source, .init = init, .fini = fini);

static void append(const char *text)
{
    FILE *f = fopen(file, "a");

    cr_assert(f && fputs(text, f) >= 0 && !fclose(f));
}

static void open_source(const char *path)
{
    cr_assert_eq(lw_source_open(&s, path, 1, &err), 0, "%s", err.text);
    lw_source_poll(s, 0);
}

static double last(const char *column)
{
    struct lw_track *t = lw_source_track(s, column);

    cr_assert_not_null(t, "no column %s", column);
    return t->data.last;
}

Test(tui_source, follows_a_file_that_grows)
{
    test_write(file, "step,loss\n1,3.5\n2,3.25\n");
    open_source(file);
    cr_assert_eq(s->rows, 2);
    cr_assert_eq(last("loss"), 3.25);
    cr_assert_eq(lw_source_poll(s, 0), 0, "nothing is new");
    append("3,3.125\n");
    cr_assert_eq(lw_source_poll(s, 0), LW_CHANGED_DATA);
    cr_assert_eq(s->rows, 3);
    cr_assert_eq(s->base, 3.0);
    cr_assert_eq(last("loss"), 3.125);
}

Test(tui_source, half_a_line_waits_for_the_rest)
{
    test_write(file, "step,loss\n1,3.5\n2,3.");
    open_source(file);
    cr_assert_eq(s->rows, 1);
    append("25");
    lw_source_poll(s, 0);
    cr_assert_eq(s->rows, 1);
    append("\n");
    lw_source_poll(s, 0);
    cr_assert_eq(s->rows, 2);
    cr_assert_eq(last("loss"), 3.25);
}

Test(tui_source, a_file_that_was_cut_is_read_anew)
{
    test_write(file, "step,loss\n1,3.5\n2,3.25\n3,9\n");
    open_source(file);
    cr_assert_eq(truncate(file, 16), 0); /* as resuming does */
    lw_source_poll(s, 0);
    append("2,1.5\n");
    lw_source_poll(s, 0);
    cr_assert_eq(s->rows, 2);
    cr_assert_eq(last("loss"), 1.5);
    cr_assert_eq(lw_source_track(s, "loss")->data.high, 3.5f);
}

Test(tui_source, a_file_with_another_header_is_another_table)
{
    int generation;

    test_write(file, "step,loss\n1,3.5\n");
    open_source(file);
    generation = s->generation;
    cr_assert_eq(unlink(file), 0);
    test_write(file, "epoch,accuracy\n1,0.5\n2,0.75\n");
    cr_assert(lw_source_poll(s, 0) & LW_CHANGED_COLUMNS);
    cr_assert_gt(s->generation, generation);
    cr_assert_null(lw_source_track(s, "loss"));
    cr_assert_eq(last("accuracy"), 0.75);
    cr_assert_eq(s->rows, 2);
    cr_assert_eq(s->by[LW_BY_STEP], -1);
    cr_assert_str_eq(lw_source_by_name(s, LW_BY_STEP), "epoch");
}

Test(tui_source, nothing_of_a_hostile_header_reaches_a_screen)
{
    test_write(file,
               "step,\033]52;c;ZXZpbA==\007,a\u202eb,\xc3(,\"quo\"\"ted, name\"\n1,2,3,4,5\n");
    open_source(file);
    cr_assert_eq(s->tracks, 5);
    for (int i = 0; i < s->tracks; i++)
        for (const unsigned char *p = (const unsigned char *)s->track[i].name; *p; p++)
            cr_assert(*p >= 0x20 && *p != 0x7f, "byte %02x in a name", *p);
    cr_assert_null(strstr(s->track[2].name, "\u202e"));
    cr_assert_eq(last("quo\"ted, name"), 5.0);
}

Test(tui_source, what_is_not_known_is_no_sample_and_what_is_not_finite_is_counted)
{
    test_write(file, "step,loss\n1,\n2,nan\n3,inf\n4,2\n");
    open_source(file);
    cr_assert_eq(lw_source_track(s, "loss")->data.samples, 1);
    cr_assert_eq(lw_source_track(s, "loss")->data.odd, 2);
}

Test(tui_source, lightning_shares_a_panel_between_training_and_validation)
{
    struct lw_panel_row rows[8];

    test_write(file, "epoch,lr-AdamW,step,train_loss_epoch,train_loss_step,val_loss,note\n"
                     "0,0.001,0,,2.5,,x\n0,,49,,2.1,,\n0,,99,,,2.3,\n0,,99,2.4,,,\n");
    open_source(file);
    cr_assert_eq(lw_panels_from(s, rows, 8), 2);
    cr_assert_str_eq(rows[0].title, "lr-AdamW");
    cr_assert_str_eq(rows[1].title, "loss");
    cr_assert_eq(rows[1].lines, 3);
    cr_assert_str_eq(rows[1].line[2].column, "val_loss");
    cr_assert_eq(rows[1].line[2].best, LW_BEST_LOW);
    cr_assert_eq(s->base, 99.0);
    cr_assert(lw_source_has(s, LW_BY_EPOCH));
    cr_assert_not(lw_source_has(s, LW_BY_TIME));
}

Test(tui_source, keras_goes_by_epoch)
{
    struct lw_panel_row rows[8];

    test_write(file, "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.5,0.4,1.75\n"
                     "1,0.75,1.0,0.5,1.5\n");
    open_source(file);
    cr_assert_eq(lw_panels_from(s, rows, 8), 2);
    cr_assert_str_eq(rows[0].title, "accuracy");
    cr_assert_eq(rows[0].line[1].best, LW_BEST_HIGH);
    cr_assert_eq(lw_source_track(s, "loss")->data.bucket[1].x1, 1.0);
    cr_assert_eq(lw_panels_from(s, rows, 1), 1, "no more than fit");
}

Test(tui_source, epochs_and_times_are_found_between_samples)
{
    struct lw_walk walk;

    test_write(file, "step,epoch,time\n10,1,100\n20,2,300\n40,3,400\n");
    open_source(file);
    lw_walk_init(&walk, s, LW_BY_TIME);
    cr_assert_eq(lw_walk(&walk, 10.0), 100.0);
    cr_assert_eq(lw_walk(&walk, 15.0), 200.0);
    cr_assert_eq(lw_walk(&walk, 40.0), 400.0);
    cr_assert_eq(lw_walk(&walk, 90.0), 400.0);
    lw_walk_init(&walk, s, LW_BY_STEP);
    cr_assert_eq(lw_walk(&walk, 15.0), 15.0);
}

Test(tui_source, many_columns_share_the_memory)
{
    FILE *f = fopen(file, "w");
    size_t bytes = 0;

    for (int i = 0; i < 300; i++)
        fprintf(f, "%sc%d", i ? "," : "", i);
    for (int r = 0; r < 3000; r++)
        for (int i = 0; i < 300; i++)
            fprintf(f, "%s%d", i ? "," : "\n", r + i);
    fprintf(f, "\n");
    fclose(f);
    open_source(file);
    cr_assert_eq(s->rows, 3000);
    for (int i = 0; i < s->tracks; i++)
        bytes += s->track[i].data.room * sizeof(struct lw_bucket);
    cr_assert_leq(bytes, LW_SOURCE_MEMORY);
}

Test(tui_source, a_closer_look_keeps_every_sample_of_its_part)
{
    const char *columns[] = {"loss"};
    const struct lw_pyramid *p;
    struct lw_refined *r;
    FILE *f = fopen(file, "w");

    fputs("step,loss,other\n", f);
    for (int i = 1; i <= 20000; i++)
        fprintf(f, "%d,%d,1\n", i, i % 7);
    fclose(f);
    open_source(file);
    cr_assert_gt(lw_source_track(s, "loss")->data.width, 1);
    r = lw_refined_new(s, columns, 1, 5000.0, 5999.0);
    cr_assert_null(lw_refined_pyramid(r, "loss"), "not before it is complete");
    while (lw_refined_busy(r))
        lw_refined_poll(r, 4096);
    p = lw_refined_pyramid(r, "loss");
    cr_assert_not_null(p);
    cr_assert_eq(p->count, 1000);
    cr_assert_eq(p->width, 1);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(p->bucket[i].last, (float)((5000 + i) % 7));
    cr_assert_float_eq(p->bucket[0].smooth[3], 3.0, 0.2, "smoothed over all before it, too");
    cr_assert(lw_refined_covers(r, 5100.0, 5200.0));
    cr_assert_not(lw_refined_covers(r, 5100.0, 6200.0));
    cr_assert_null(lw_refined_pyramid(r, "other"));
    lw_refined_free(r);
}

Test(tui_source, says_what_it_cannot_open)
{
    cr_assert_eq(lw_source_open(&s, test_path(test_folder(), "missing"), 1, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "missing"), "%s", err.text);
    s = NULL;
    cr_assert_eq(lw_source_open(&s, test_folder(), 1, &err), LW_EUSAGE);
    cr_assert(strstr(err.text, "no run's"), "%s", err.text);
    s = NULL;
}

Test(tui_source, filters)
{
    struct lw_panel_row row = {.title = "Loss", .lines = 1, .line = {{.column = "train/loss"}}};

    cr_assert(lw_panel_matches(&row, ""));
    cr_assert(lw_panel_matches(&row, "LOSS"));
    cr_assert(lw_panel_matches(&row, "train/"));
    cr_assert_not(lw_panel_matches(&row, "val"));
    cr_assert(lw_panel_matches(&row, "!val"));
    cr_assert_not(lw_panel_matches(&row, "!train"));
    cr_assert(lw_panel_matches(&row, "!"));
}
