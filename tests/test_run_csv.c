/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/run/cell.h"
#include "engine/run/csv.h"
#include "tests/support.h"

/* What came is written down as text, so that a test compares one string. */
static char said[1 << 16];
static size_t used;
static struct lw_csv *csv;
static struct lw_error err;
static const char *path;

static void say(const char *text)
{
    if (used < sizeof(said))
        used += (size_t)snprintf(said + used, sizeof(said) - used, "%s", text);
}

static void columns(void *user, int count, const char *const *names)
{
    (void)user;
    say("[");
    for (int i = 0; i < count; i++) {
        say(i ? "|" : "");
        say(names[i]);
    }
    say("]");
}

static void row(void *user, const struct lw_csv_row *r)
{
    char text[64];

    (void)user;
    snprintf(text, sizeof(text), " %d:", (int)r->index);
    say(text);
    for (int i = 0; i < r->count; i++) {
        say(i ? "|" : "");
        if (r->cell[i] == LW_CSV_TEXT) {
            say("'");
            say(r->text[i]);
        } else if (r->cell[i] == LW_CSV_NUMBER || r->cell[i] == LW_CSV_BAD) {
            snprintf(text, sizeof(text), "%.17g", r->value[i]);
            say(text);
        } else {
            cr_assert(isnan(r->value[i]));
        }
    }
}

static void init(void)
{
    static const struct lw_csv_reader reader = {columns, row, NULL};

    path = strdup(test_path(test_folder(), "x.csv"));
    cr_assert_eq(lw_csv_open(&csv, path, &reader, &err), 0);
}

static void fini(void)
{
    lw_csv_close(csv);
    free((char *)path);
}

TestSuite(csv, .init = init, .fini = fini, .timeout = 60);

/* In place, as a process that keeps its file open writes. */
static void append(const char *text)
{
    FILE *f = fopen(path, "a");

    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static void overwrite(const char *text)
{
    FILE *f = fopen(path, "w");

    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static void expect(const char *text)
{
    used = 0;
    said[0] = '\0';
    cr_assert_eq(lw_csv_poll(csv, 0, &err), 0, "%s", err.text);
    cr_assert_str_eq(said, text);
}

static void refuse(const char *text)
{
    cr_assert_eq(lw_csv_poll(csv, 0, &err), LW_EDATA);
    cr_assert(strstr(err.text, text), "%s", err.text);
    cr_assert(strstr(err.text, path), "%s", err.text);
    cr_assert_eq(lw_csv_poll(csv, 0, &err), 0, "it is told once");
}

Test(csv, grows_line_by_line)
{
    expect("");
    append("st");
    expect("");
    append("ep,loss\n1,2");
    expect("[step|loss]");
    append(".5\n2,");
    expect(" 0:1|2.5");
    append("\n\n3,4,5\n4\n");
    expect(" 1:2| 2:3|4 3:4|");
}

Test(csv, cells_of_every_kind)
{
    overwrite("a,b,c,d\n"
              "-1.5e-3,NA,nan,inf\n"
              "word, 7 ,-inf,0x10\n"
              "1e400,.5,5.,-.25\n"
              "12345678901234567890123,0.1,1e22,123456789.123456789\n"
              "+3,--1,1e,\n");
    expect("[a|b|c|d] 0:-0.0015||nan|inf 1:'word|7|-inf|'0x10 2:inf|0.5|5|-0.25"
           " 3:1.2345678901234568e+22|0.10000000000000001|1e+22|123456789.12345679"
           " 4:3|'--1|'1e|");
}

Test(csv, the_fast_way_reads_as_strtod_does)
{
    char text[64], line[128];
    double want;

    overwrite("x\n");
    expect("[x]");
    for (uint64_t i = 1, seed = 88172645463325252u; i < 3000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        snprintf(text, sizeof(text), "%s%llu.%0*llue%d", i % 2 ? "-" : "",
                 (unsigned long long)(seed % 1000000), (int)(i % 9) + 1,
                 (unsigned long long)(seed % 10), (int)(seed % 40) - 20);
        want = strtod(text, NULL);
        append(text);
        append("\n");
        snprintf(line, sizeof(line), " %d:%.17g", (int)i - 1, want);
        expect(line);
    }
}

Test(csv, quotes_go_through_libcsv_from_there_on)
{
    overwrite("step,text,loss\n1,plain,2\n2,\"a,\"\"b\"\"\nc\",3\n4,\"ope");
    expect("[step|text|loss] 0:1|'plain|2 1:2|'a,\"b\"?c|3");
    append("n\",5\n6,,\"7\"\n");
    expect(" 2:4|'open|5 3:6||7");
}

Test(csv, what_keras_writes)
{
    overwrite("epoch;accuracy;loss;lrs\r\n0;0.5;1.25;\"[1, 2]\"\r\n1;NA;1;NA\r\n");
    expect("[epoch|accuracy|loss|lrs] 0:0|0.5|1.25|'[1, 2] 1:1||1|");
}

Test(csv, tabs_and_line_ends_of_windows)
{
    overwrite("\xef\xbb\xbf"
              "a\tb c\r\n1\t2\r\n\r\n3\t\r\n");
    expect("[a|b c] 0:1|2 1:3|");
}

Test(csv, quoted_tabs)
{
    overwrite("a\tb\n\"1\"\t\n\t2\n");
    expect("[a|b] 0:1| 1:|2");
}

Test(csv, names_are_cleaned_and_unique)
{
    overwrite("x,x,\"x\",,\"a,b\",\033[2Jz\n1,2,3,4,5,6\n");
    expect("[x|x.2|x.3|column 4|a,b|?[2Jz] 0:1|2|3|4|5|6");
}

/* Cut at a whole character, and still told apart. */
Test(csv, long_names_of_one_beginning)
{
    char line[1024], name[512] = "", want[1024];

    for (int i = 0; i < 100; i++)
        strcat(name, "\xc3\xa4");
    snprintf(line, sizeof(line), "x%s,x%s\n", name, name);
    overwrite(line);
    snprintf(want, sizeof(want), "[x%.78s|x%.78s.2]", name, name);
    expect(want);
}

Test(csv, text_is_cleaned)
{
    overwrite("a\n\033]0;x\007\n");
    expect("[a] 0:'?]0;x?");
}

/* Lightning writes the whole file anew, with another header, when a metric is new. */
Test(csv, a_file_that_is_written_anew)
{
    overwrite("step,loss\n1,2\n");
    expect("[step|loss] 0:1|2");
    overwrite("step,loss,val\n1,2,\n2,3,4\n");
    expect("[step|loss|val] 0:1|2| 1:2|3|4");
    overwrite("step,loss,val\n1,2,\n2,9,4\n3,3,3\n");
    expect("[step|loss|val] 0:1|2| 1:2|9|4 2:3|3|3");
    overwrite("step\n1\n");
    expect("[step] 0:1");
}

Test(csv, a_file_that_is_renamed_over)
{
    overwrite("a\n1\n");
    expect("[a] 0:1");
    test_write(path, "a\n1\n2\n");
    expect("[a] 0:1 1:2");
    unlink(path);
    expect("");
    test_write(path, "b\n7\n");
    expect("[b] 0:7");
}

/* A resumed run is cut and goes on: the rows behind the cut are others. */
Test(csv, a_file_that_was_cut_and_grew_again)
{
    overwrite("step,time\n1,1\n2,2\n3,3\n");
    expect("[step|time] 0:1|1 1:2|2 2:3|3");
    cr_assert_eq(truncate(path, 18), 0);
    append("3,9\n4,9\n");
    expect("[step|time] 0:1|1 1:2|2 2:3|9 3:4|9");
}

Test(csv, only_wanted_columns)
{
    static const char *const want[] = {"c", "nowhere", "a"};

    cr_assert_eq(lw_csv_want(csv, want, 3, &err), 0);
    overwrite("a,b,c,d\n1,2,3,4\nx,y,z,\n5\n");
    expect("[a|b|c|d] 0:1||3| 1:'x||'z| 2:5|||");
    append("6,\"7\",8,\"9\"\n");
    expect(" 3:6||8|");
    append("6,7,8,9\n");
    expect(" 4:6||8|");
}

Test(csv, a_quote_behind_the_wanted_columns)
{
    static const char *const want[] = {"a"};

    cr_assert_eq(lw_csv_want(csv, want, 1, &err), 0);
    overwrite("a,b\n1,\"x\ny\"\n2,3\n");
    expect("[a|b] 0:1| 1:2|");
}

Test(csv, in_portions)
{
    FILE *f = fopen(path, "w");
    int64_t read, size;
    int rows = 100000;

    fputs("step,loss\n", f);
    for (int i = 0; i < rows; i++)
        fprintf(f, "%d,0.5\n", i);
    fclose(f);
    cr_assert_eq(lw_csv_poll(csv, 1000, &err), 1, "more is waiting");
    lw_csv_progress(csv, &read, &size);
    cr_assert_lt(read, size);
    while (lw_csv_poll(csv, 1000, &err) == 1)
        used = 0;
    lw_csv_progress(csv, &read, &size);
    cr_assert_eq(read, size);
    used = 0;
    lw_csv_rewind(csv);
    cr_assert_eq(lw_csv_poll(csv, 1, &err), 1);
    cr_assert(!strncmp(said, "[step|loss] 0:0|0.5", 19), "%.40s", said);
}

Test(csv, a_last_line_without_its_end)
{
    overwrite("a,b\n1,2\n3,4");
    expect("[a|b] 0:1|2");
    used = 0;
    cr_assert_eq(lw_csv_finish(csv, &err), 0);
    cr_assert_str_eq(said, " 1:3|4");
}

Test(csv, a_header_and_a_quote_without_their_ends)
{
    overwrite("a,b");
    expect("");
    cr_assert_eq(lw_csv_finish(csv, &err), 0);
    cr_assert_str_eq(said, "[a|b]");
    lw_csv_rewind(csv);
    overwrite("a,b\n1,\"2");
    expect("[a|b]");
    used = 0;
    cr_assert_eq(lw_csv_finish(csv, &err), 0);
    cr_assert_str_eq(said, " 0:1|2");
}

Test(csv, no_header)
{
    overwrite("1,2\n3,4\n");
    refuse("no header");
    overwrite("a,b\n3,4\n");
    expect("[a|b] 0:3|4");
}

Test(csv, binary_is_no_table)
{
    FILE *f = fopen(path, "w");

    fwrite("a\0b\n", 1, 4, f);
    fclose(f);
    refuse("not a CSV file");
}

Test(csv, too_many_columns)
{
    FILE *f = fopen(path, "w");

    for (int i = 0; i < 600; i++)
        fprintf(f, "c%d,", i);
    fputs("\n", f);
    fclose(f);
    refuse("601 columns");
}

Test(csv, an_endless_line)
{
    FILE *f = fopen(path, "w");

    for (int i = 0; i < 5 << 20; i++)
        fputc('a', f);
    fclose(f);
    refuse("longer than 4 MB");
}

Test(csv, an_endless_quote)
{
    FILE *f = fopen(path, "w");

    fputs("a\n\"", f);
    for (int i = 0; i < 5 << 20; i++)
        fputc(i % 80 ? 'a' : '\n', f);
    fclose(f);
    refuse("quote is not closed");
}

Test(csv, a_folder_is_no_table)
{
    cr_assert_eq(mkdir(path, 0777), 0);
    cr_assert_eq(lw_csv_poll(csv, 0, &err), LW_EDATA);
    cr_assert(strstr(err.text, "not a file"));
}

Test(csv, text_cells_are_quoted_and_no_formulas)
{
    static const struct {
        const char *in, *out;
    } known[] = {{"plain", "\"plain\""},  {"a \"b\", c", "\"a \"\"b\"\", c\""},
                 {"=1+1", "\"'=1+1\""},   {"-x", "\"'-x\""},
                 {"\033[2J", "\"?[2J\""}, {"", "\"\""}};
    char out[64];

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t n = lw_cell_text(known[i].in, strlen(known[i].in), out, sizeof(out));

        out[n] = '\0';
        cr_assert_str_eq(out, known[i].out);
    }
}
