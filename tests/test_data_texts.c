/* SPDX-License-Identifier: MIT
 *
 * Texts of classes, out of CSV files.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/dataset.h"
#include "engine/data/texts.h"
#include "tests/items_support.h"
#include "tests/support.h"

static struct lw_error err;

TestSuite(texts, .timeout = 60);

static int open_csv(const char *text, int length)
{
    char *path = strdup(test_path(test_folder(), "x.csv"));
    struct lw_items_options o = {.data = path, .length = length};
    struct lw_tokenizer *t;
    int rc;

    test_write(path, text);
    cr_assert_eq(lw_tokenizer_open(&t, NULL, &err), 0);
    rc = lw_texts_open(&o, t, &train, &held, &err);
    lw_tokenizer_close(t);
    free(path);
    return rc;
}

Test(texts, from_csv)
{
    int32_t row[6], label;

    cr_assert_eq(open_csv("\xef\xbb\xbf\"id\",Label,text\r\n1,10,\"a \"\"b\"\"\nc\"\r\n"
                          "2,9,longer than six\n",
                          6),
                 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->items, 2);
    cr_expect_str_eq(lw_items_info(train)->labels[0], "9"); /* numbers by their size */
    cr_assert_eq(lw_items_read(train, 0, row, &label, &err), 0);
    cr_expect_eq(label, 1);
    cr_expect_arr_eq(row, ((int32_t[]){'a', ' ', '"', 'b', '"', '\n'}), sizeof row);
    cr_assert_eq(lw_items_read(train, 1, row, &label, &err), 0);
    cr_expect_arr_eq(row, ((int32_t[]){'l', 'o', 'n', 'g', 'e', 'r'}), sizeof row);
    done();
    cr_assert_eq(open_csv("text,label\nab,x\nc,y\n", 4), 0);
    cr_assert_eq(lw_items_read(train, 0, row, &label, &err), 0);
    cr_expect_arr_eq(row, ((int32_t[]){'a', 'b', 256, 256}), 4 * sizeof *row);
    done();
}

/* Nothing but padding, and still a label each. */
Test(texts, that_are_all_empty)
{
    int32_t row[3], label;

    cr_assert_eq(open_csv("text,label\n,x\n\"\",y\n", 3), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->items, 2);
    cr_assert_eq(lw_items_read(train, 1, row, &label, &err), 0);
    cr_expect_eq(label, 1);
    cr_expect_arr_eq(row, ((int32_t[]){256, 256, 256}), sizeof row);
    done();
}

/* As many labels as texts, in no order. */
Test(texts, of_many_classes)
{
    enum { MANY = 3000 };
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    int32_t row[4], label;

    fputs("text,label\n", f);
    for (int i = 0; i < MANY; i++)
        fprintf(f, "t,%d\n", i * 7 % MANY);
    fclose(f);
    cr_assert_eq(open_csv(text, 4), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->classes, MANY);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(lw_items_read(train, i, row, &label, &err), 0);
        cr_expect_eq(label, i * 7 % MANY);
    }
    free(text);
    done();
}

Test(texts, csv_that_is_none)
{
    static const char *const wrong[][2] = {
        {"a,b\n1,2\n", "must name the columns"},
        {"text,label\n", "holds no texts"},
        {"text,label\nx\n", "line 2: the label"},
        {"text,label\nx,\n", "line 2: the label is empty"},
        {"text,label\n\"x\ny\nz\",1\nx,\n", "line 5: the label is empty"},
        {"text,label\nx,1\ny,1\n", "labels are the same"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(open_csv(wrong[i][0], 8), LW_EDATA, "%s", wrong[i][0]);
        cr_expect(strstr(err.text, wrong[i][1]), "%s, not %s", err.text, wrong[i][1]);
    }
}

/* What the run is told of data= that a language model is to learn; "" for nothing. */
static void told(const char *name, const char *content, const char *says)
{
    const char *path = test_path(test_folder(), name);
    struct lw_tokenizer *t;
    struct lw_dataset *d;

    test_write(path, content);
    cr_assert_eq(lw_tokenizer_open(&t, NULL, &err), 0);
    cr_assert_eq(lw_dataset_open(&d, path, t, NULL, &err), 0, "%s: %s", content, err.text);
    if (*says)
        cr_expect(strstr(lw_dataset_info(d)->note, says), "%s: \"%s\" does not say \"%s\"", content,
                  lw_dataset_info(d)->note, says);
    else
        cr_expect_str_eq(lw_dataset_info(d)->note, "", "%s", content);
    lw_dataset_close(d);
    lw_tokenizer_close(t);
}

Test(texts, a_language_model_is_told_of_tables)
{
    static const char classes[] = "use task=text_classification";

    told("a.csv", "text,label\nab,x\n", classes);
    told("a.csv", "text,label\nab,x\n", "a.csv is a table (columns text, label), and");
    told("a.txt", "\xef\xbb\xbf\"label\",id,Text\nx,1,ab\n", classes);
    told("a.CSV", "id,title,body,stars\n1,a,b,5\n", "(columns id, title, body, ...)");
    told("a.csv", "id,title\n1,a\n", "name two of its columns text and label");
    told("a.tsv", "text\tlabel\nab\tx\n", "write it with commas");
    told("a.csv", "text;label\nab;x\n", "write it with commas");
    told("a.jsonl", "{\"text\": \"ab\", \"label\": 1}\n", "write a CSV file with the columns");
    told("a.csv", "just a line\n", "");
    told("a.txt", "Peter, Paul and Mary\nwent out, and came back.\n", "");
    told("a.txt", "text\n", "");
    told("a.jsonl", "{\"text\": \"ab\"}\n", "");
    told("a\x1b[31m.csv", "a\x1b[31m,b\n1,2\n", "a?[31m.csv is a table (columns a?[31m, b)");
}
