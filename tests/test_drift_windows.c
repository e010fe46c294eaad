/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/drift/documents.h"
#include "engine/drift/windows.h"
#include "engine/ops/ops.h"

enum { SEPARATOR = 50, VOCABULARY = 51 };

/* Documents of 1 to 3 * usual tokens, with a separator behind each. */
static int64_t draw_stream(uint32_t *ids, int64_t n, int usual, uint32_t most, uint64_t seed)
{
    struct lw_random r;
    int64_t at = 0;

    lw_random_init(&r, seed, 1);
    while (at < n) {
        int64_t length = 1 + lw_random_below(&r, 3 * (uint32_t)usual);

        for (int64_t i = 0; i < length && at < n - 1; i++)
            ids[at++] = lw_random_below(&r, most) * lw_random_below(&r, 2);
        ids[at++] = SEPARATOR;
    }
    return at;
}

static struct lw_dataset *dataset(int64_t n, int usual, uint64_t seed)
{
    uint32_t *ids = malloc((size_t)n * sizeof *ids);
    struct lw_dataset *d;
    struct lw_error err;

    draw_stream(ids, n, usual, 50, seed);
    cr_assert_eq(lw_dataset_from_ids(&d, ids, n, SEPARATOR, VOCABULARY, &err), 0, "%s", err.text);
    free(ids);
    return d;
}

static struct lw_profile empty(bool sparse)
{
    struct lw_profile_options o = {.length_max = 64, .block = 16, .sparse = sparse};
    struct lw_profile p;
    struct lw_error err;

    cr_assert_eq(lw_profile_init(&p, &o, &err), 0, "%s", err.text);
    return p;
}

static char *text_of(const struct lw_profile *p)
{
    struct lw_error err;
    size_t size;
    char *text;

    cr_assert_eq(lw_profile_write(p, NULL, NULL, &text, &size, &err), 0, "%s", err.text);
    return text;
}

Test(windows, rows_in_any_order_give_the_streams_lengths_and_counts)
{
    enum { T = 16, ROWS = 200 };
    struct lw_dataset *d = dataset(T * ROWS, 12, 1);
    struct lw_profile whole = empty(false), forth = empty(false), back = empty(false);
    struct lw_documents documents;
    struct lw_error err;
    int32_t ids[T * ROWS];
    char *a, *b;

    cr_assert_eq(lw_dataset_read(d, 0, T * ROWS, ids, &err), 0);
    cr_assert_eq(lw_documents_init(&documents, &whole, SEPARATOR, &err), 0);
    cr_assert_eq(lw_documents_add(&documents, ids, T * ROWS, &err), 0);
    cr_assert_eq(lw_documents_end(&documents, &err), 0);
    for (int i = 0; i < ROWS; i++) {
        cr_assert_eq(lw_profile_window(&forth, d, i * T, ids + i * T, T, &err), 0);
        cr_assert_eq(
            lw_profile_window(&back, d, (ROWS - 1 - i) * T, ids + (ROWS - 1 - i) * T, T, &err), 0);
    }
    a = text_of(&forth);
    b = text_of(&back);
    cr_expect_str_eq(a, b);
    cr_expect_eq(forth.items, whole.items);
    cr_expect(forth.text.length_sum == whole.text.length_sum);
    cr_expect(forth.text.length_squares == whole.text.length_squares);
    cr_expect_arr_eq(forth.text.length_hist, whole.text.length_hist,
                     10 * sizeof *whole.text.length_hist);
    cr_expect_eq(forth.text.tokens.total, whole.text.tokens.total);
    for (uint32_t id = 0; id < VOCABULARY; id++)
        cr_expect_eq(lw_tally_count(&forth.text.tokens, id),
                     lw_tally_count(&whole.text.tokens, id));
    free(a);
    free(b);
    lw_documents_fini(&documents);
    lw_profile_fini(&whole);
    lw_profile_fini(&forth);
    lw_profile_fini(&back);
    lw_dataset_close(d);
}

Test(windows, finds_the_end_of_a_long_document)
{
    enum { N = 5000 };
    uint32_t ids[N];
    struct lw_profile p = empty(false);
    struct lw_dataset *d;
    struct lw_error err;
    int32_t row[8];

    for (int i = 0; i < N; i++)
        ids[i] = i == 4000 ? SEPARATOR : 1;
    cr_assert_eq(lw_dataset_from_ids(&d, ids, N, SEPARATOR, VOCABULARY, &err), 0);
    for (int64_t start = 0; start < N; start += 8) {
        cr_assert_eq(lw_dataset_read(d, start, 8, row, &err), 0);
        cr_assert_eq(lw_profile_window(&p, d, start, row, 8, &err), 0);
    }
    cr_expect_eq(p.items, 2);
    cr_expect(p.text.length_sum == N - 1);
    cr_expect(p.text.length_squares == 4000 * 4000 + 999 * 999);
    lw_profile_fini(&p);
    lw_dataset_close(d);
}

Test(windows, sparse_parts_add_up_to_the_same)
{
    enum { T = 16, ROWS = 300, BATCH = 7 };
    struct lw_dataset *d = dataset(T * ROWS, 6, 2);
    struct lw_profile plain = empty(false), sum = empty(false), part = empty(true);
    struct lw_profile step = empty(true);
    struct lw_error err;
    int32_t row[T];
    char *a, *b;

    for (int i = 0; i < ROWS; i++) {
        cr_assert_eq(lw_dataset_read(d, i * T, T, row, &err), 0);
        cr_assert_eq(lw_profile_window(&plain, d, i * T, row, T, &err), 0);
        cr_assert_eq(lw_profile_window(&part, d, i * T, row, T, &err), 0);
        if (i % BATCH < BATCH - 1 && i < ROWS - 1)
            continue;
        cr_assert_eq(lw_profile_merge(&step, &part, &err), 0);
        lw_profile_clear(&part);
        if (i % 2 == 0 || i == ROWS - 1) {
            cr_assert_eq(lw_profile_merge(&sum, &step, &err), 0);
            lw_profile_clear(&step);
        }
    }
    a = text_of(&plain);
    b = text_of(&sum);
    cr_expect_str_eq(a, b);
    free(a);
    free(b);
    lw_profile_fini(&plain);
    lw_profile_fini(&sum);
    lw_profile_fini(&part);
    lw_profile_fini(&step);
    lw_dataset_close(d);
}

Test(ops, tally_is_what_a_profile_counts)
{
    enum { UNITS = 5, LENGTH = 40, CLASSES = 9, SIZE = (CLASSES + 1) * LW_TALLY_COLUMNS };
    const struct lw_backend *cpu = &lw_backend_cpu;
    struct lw_device_options o = {.threads = 2, .precision = LW_F32};
    int32_t ids[UNITS * LENGTH], targets[UNITS * LENGTH], kept[LENGTH];
    uint64_t table[SIZE] = {0}, all[SIZE] = {0}, zero[SIZE] = {0};
    struct lw_tally t = {0};
    struct lw_device *dev;
    struct lw_random r;
    struct lw_error err;

    cr_assert_eq(cpu->open(&dev, &o, &err), 0, "%s", err.text);
    lw_random_init(&r, 3, 1);
    for (int u = 0; u < UNITS; u++) {
        int n = 0;

        for (int i = u * LENGTH; i < (u + 1) * LENGTH; i++) {
            ids[i] = (int32_t)lw_random_below(&r, CLASSES);
            targets[i] = !i || u == 2 || lw_random_below(&r, 4) == 0 ? LW_IGNORED : 1;
            if (targets[i] != LW_IGNORED)
                kept[n++] = ids[i];
        }
        cr_assert_eq(lw_tally_add(&t, kept, (size_t)n, &err), 0);
    }
    ids[0] = CLASSES + 7; /* no class: what a NaN leaves */
    targets[0] = 1;
    cpu->tally(dev, UNITS, LENGTH, CLASSES, table, ids, targets);
    cpu->tally_move(dev, all, table, SIZE);
    cr_expect_arr_eq(table, zero, sizeof table);
    for (int i = 0; i < CLASSES; i++) {
        cr_expect_eq(all[i * LW_TALLY_COLUMNS], t.row[i].count);
        cr_expect_eq(all[i * LW_TALLY_COLUMNS + 1], t.row[i].square);
        cr_expect_eq(all[i * LW_TALLY_COLUMNS + 2], t.row[i].cross);
    }
    cr_expect_eq(all[CLASSES * LW_TALLY_COLUMNS], t.total);
    cr_expect_eq(all[CLASSES * LW_TALLY_COLUMNS + 1], t.units);
    cr_expect_eq(all[CLASSES * LW_TALLY_COLUMNS + 2], t.unit_squares);
    lw_tally_fini(&t);
    cpu->close(dev);
}

Test(windows, tokens_are_named_so_that_they_can_be_told_apart)
{
    static const struct {
        uint32_t id;
        const char *name;
    } known[] = {{'a', "a"}, {'\n', "\\n"}, {0xe2, "\\xe2"}, {0x94, "\\x94"}, {0x1b, "\\x1b"}};
    struct lw_tokenizer *t;
    struct lw_error err;
    char out[28];

    cr_assert_eq(lw_tokenizer_open(&t, NULL, &err), 0, "%s", err.text);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        cr_expect_str_eq(lw_token_text(t, known[i].id, out), known[i].name);
    cr_expect_null(lw_token_text(t, 256, out), "the separator has no bytes");
    lw_tokenizer_close(t);
}
