/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/dataset.h"
#include "tests/support.h"

#define SEPARATOR 9999

/* Documents of 1 to 7 tokens; document i is made of the id i. */
static struct lw_dataset *documents(int count)
{
    uint32_t *ids = malloc((size_t)count * 8 * sizeof *ids);
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};
    int64_t n = 0;

    for (int i = 0; i < count; i++) {
        for (int k = 0; k <= i % 7; k++)
            ids[n++] = (uint32_t)i;
        if (i + 1 < count)
            ids[n++] = SEPARATOR;
    }
    cr_assert_eq(lw_dataset_from_ids(&d, ids, n, SEPARATOR, SEPARATOR + 1, &err), 0);
    cr_assert_eq(lw_dataset_info(d)->documents, count);
    free(ids);
    return d;
}

/* Check one half token by token; mark its documents. */
static void examine(const struct lw_dataset *d, int *seen)
{
    int64_t n = lw_dataset_info(d)->tokens, count = lw_dataset_info(d)->documents;
    int32_t *ids = malloc((size_t)n * sizeof *ids), one;
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_read(d, 0, n, ids, &err), 0, "%s", err.text);
    for (int64_t i = 0; i < count; i++) {
        int64_t start = lw_dataset_document(d, i), end = lw_dataset_document(d, i + 1);

        cr_assert(start >= 0 && end > start && end <= n);
        cr_assert(start == 0 || ids[start - 1] == SEPARATOR);
        seen[ids[start]]++;
        for (int64_t k = start; k < end && ids[k] != SEPARATOR; k++)
            cr_assert_eq(ids[k], ids[start]);
    }
    for (int64_t i = 0; i < n; i += 5) { /* single reads find the same */
        cr_assert_eq(lw_dataset_read(d, i, 1, &one, &err), 0);
        cr_assert_eq(one, ids[i]);
    }
    free(ids);
}

Test(split, draws_whole_documents)
{
    struct lw_dataset *d = documents(500), *train, *validation;
    int in_train[SEPARATOR] = {0}, in_validation[SEPARATOR] = {0}, in_order = 1;
    struct lw_error err = {0};
    int64_t tokens = lw_dataset_info(d)->tokens;

    cr_assert_eq(lw_dataset_split(d, 0.1, 42, 16, &train, &validation, &err), 0, "%s", err.text);
    lw_dataset_close(d);
    cr_assert_eq(lw_dataset_info(validation)->documents, 50);
    cr_assert_eq(lw_dataset_info(train)->documents, 450);
    cr_assert_eq(lw_dataset_info(train)->tokens + lw_dataset_info(validation)->tokens, tokens);
    examine(train, in_train);
    examine(validation, in_validation);
    for (int i = 0; i < 500; i++) {
        cr_assert_eq(in_train[i] + in_validation[i], 1, "document %d", i);
        in_order &= in_validation[i] == (i >= 450);
    }
    cr_assert_not(in_order, "they are drawn, not the last ones");
    lw_dataset_close(train);
    lw_dataset_close(validation);
}

Test(split, depends_on_the_seed_alone)
{
    int64_t tokens[3];

    for (int k = 0; k < 3; k++) {
        struct lw_dataset *d = documents(400), *train, *validation;
        struct lw_error err = {0};
        int32_t first[8];

        cr_assert_eq(lw_dataset_split(d, 0.2, k < 2 ? 1 : 2, 4, &train, &validation, &err), 0);
        cr_assert_eq(lw_dataset_read(validation, 0, 8, first, &err), 0);
        tokens[k] = lw_dataset_info(validation)->tokens * 1000 + first[0];
        lw_dataset_close(d);
        lw_dataset_close(train);
        lw_dataset_close(validation);
    }
    cr_assert_eq(tokens[0], tokens[1]);
    cr_assert_neq(tokens[0], tokens[2]);
}

Test(split, of_few_documents_is_by_tokens)
{
    struct lw_dataset *d = documents(LW_SPLIT_DOCUMENTS - 1), *train, *validation;
    struct lw_error err = {0};
    int64_t tokens = lw_dataset_info(d)->tokens;
    int32_t whole[200], half[200];

    cr_assert_eq(lw_dataset_read(d, 0, tokens, whole, &err), 0);
    cr_assert_eq(lw_dataset_split(d, 0.1, 42, 4, &train, &validation, &err), 0, "%s", err.text);
    cr_assert_eq(lw_dataset_info(validation)->tokens, (tokens + 5) / 10);
    cr_assert_eq(lw_dataset_read(train, 0, lw_dataset_info(train)->tokens, half, &err), 0);
    cr_assert_eq(lw_dataset_read(validation, 0, lw_dataset_info(validation)->tokens,
                                 half + lw_dataset_info(train)->tokens, &err),
                 0);
    cr_assert_arr_eq(half, whole, (size_t)tokens * sizeof *whole);
    cr_assert_eq(lw_dataset_document(validation, 0), 0);
    cr_assert_geq(lw_dataset_info(train)->documents + lw_dataset_info(validation)->documents,
                  LW_SPLIT_DOCUMENTS - 1);
    lw_dataset_close(d);
    lw_dataset_close(train);
    lw_dataset_close(validation);
}

Test(split, of_many_documents_draws_runs_of_them)
{
    struct lw_dataset *d = documents(SEPARATOR - 1), *train, *validation;
    static int seen[2][SEPARATOR];
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_split(d, 0.5, 3, 4, &train, &validation, &err), 0);
    examine(train, seen[0]);
    examine(validation, seen[1]);
    for (int i = 0; i < SEPARATOR - 1; i++)
        cr_assert_eq(seen[0][i] + seen[1][i], 1);
    lw_dataset_close(d);
    lw_dataset_close(train);
    lw_dataset_close(validation);
}

Test(split, too_short_a_half_is_said_with_its_lengths)
{
    struct lw_dataset *d = documents(10), *train = NULL, *validation = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_split(d, 0.1, 42, 16, &train, &validation, &err), LW_EDATA);
    cr_assert(strstr(err.text, "and 4 tokens") && strstr(err.text, "takes 17"), "%s", err.text);
    cr_assert_null(train);
    cr_assert_eq(lw_dataset_split(d, 1.0, 42, 16, &train, &validation, &err), LW_EUSAGE);
    cr_assert_eq(lw_dataset_split(d, 0.0, 42, 16, &train, &validation, &err), LW_EUSAGE);
    lw_dataset_close(d);
}

static struct lw_tokenizer *bytes_tokenizer(void)
{
    struct lw_tokenizer *t = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_tokenizer_open(&t, "bytes", &err), 0);
    return t;
}

Test(opening, one_text_keeps_its_last_tenth)
{
    const char *path = test_path(test_folder(), "a.txt");
    struct lw_tokenizer *t = bytes_tokenizer();
    struct lw_data_options o = {.data = path, .validation_split = 0.1, .length = 8};
    struct lw_dataset *train, *validation;
    struct lw_error err = {0};
    char text[1001];

    for (int i = 0; i < 1000; i++)
        text[i] = i < 900 ? 'a' : 'b';
    text[1000] = '\0';
    test_write(path, text);
    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), 0, "%s", err.text);
    cr_assert_eq(lw_dataset_info(train)->tokens, 900);
    cr_assert_eq(lw_dataset_info(validation)->tokens, 100);
    cr_assert_eq(lw_dataset_info(validation)->documents, 1);
    for (int i = 0; i < 100; i++) {
        int32_t id;

        cr_assert_eq(lw_dataset_read(validation, i, 1, &id, &err), 0);
        cr_assert_eq(id, 'b');
    }
    lw_dataset_close(train);
    lw_dataset_close(validation);
    o.validation_split = 0;
    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), 0);
    cr_assert_eq(lw_dataset_info(train)->tokens, 1000);
    cr_assert_null(validation);
    lw_dataset_close(train);
    lw_tokenizer_close(t);
}

Test(opening, validation_data_stands_for_itself)
{
    const char *folder = test_folder(), *a = test_path(folder, "a.txt");
    const char *b = test_path(folder, "b.txt");
    struct lw_tokenizer *t = bytes_tokenizer();
    struct lw_data_options o = {
        .data = a, .validation_data = b, .validation_split = 0.1, .length = 8};
    struct lw_dataset *train, *validation;
    struct lw_error err = {0};

    test_write(a, "what is trained on");
    test_write(b, "what validates");
    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), 0, "%s", err.text);
    cr_assert_eq(lw_dataset_info(train)->tokens, 18);
    cr_assert_eq(lw_dataset_info(validation)->tokens, 14);
    lw_dataset_close(train);
    lw_dataset_close(validation);
    o.length = 14;
    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), LW_EDATA);
    cr_assert(strstr(err.text, b) && strstr(err.text, "14 tokens") && strstr(err.text, "takes 15"),
              "%s", err.text);
    cr_assert(train == NULL && validation == NULL);
    o.length = 18;
    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), LW_EDATA);
    cr_assert(strstr(err.text, a) && strstr(err.text, "takes 19"), "%s", err.text);
    lw_tokenizer_close(t);
}

Test(opening, without_data_it_is_generated)
{
    struct lw_tokenizer *t = bytes_tokenizer();
    struct lw_data_options o = {.validation_split = 0.1, .length = 64, .seed = 42};
    struct lw_dataset *train, *validation;
    struct lw_error err = {0};
    int32_t a[64], b[64];

    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), 0, "%s", err.text);
    cr_assert(lw_dataset_info(train)->endless && lw_dataset_info(validation)->endless);
    cr_assert_eq(lw_dataset_info(train)->tokens, 1 << 20);
    cr_assert_eq(lw_dataset_read(train, 0, 64, a, &err), 0);
    cr_assert_eq(lw_dataset_read(validation, 0, 64, b, &err), 0);
    cr_assert(memcmp(a, b, sizeof a) != 0);
    cr_assert_eq(lw_dataset_check_ids(train, 257, &err), 0);
    cr_assert_eq(lw_dataset_check_ids(train, 256, &err), LW_EDATA);
    lw_dataset_close(train);
    lw_dataset_close(validation);
    lw_tokenizer_close(t);
}
