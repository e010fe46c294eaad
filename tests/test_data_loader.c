/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/loader.h"
#include "engine/data/permute.h"
#include "tests/support.h"

#define ROWS   3
#define LENGTH 7

/* A stream whose ids are their positions: a batch shows where it came from. */
static struct lw_dataset *counting(int64_t tokens)
{
    uint32_t *ids = malloc((size_t)tokens * sizeof *ids);
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};

    for (int64_t i = 0; i < tokens; i++)
        ids[i] = (uint32_t)i;
    cr_assert_eq(lw_dataset_from_ids(&d, ids, tokens, 1 << 30, 1 << 30, &err), 0, "%s", err.text);
    free(ids);
    return d;
}

static struct lw_loader *open_loader(const struct lw_dataset *d, struct lw_loader_options o,
                                     const struct lw_loader_state *start)
{
    struct lw_loader *l = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_loader_open(&l, d, &o, start, &err), 0, "%s", err.text);
    return l;
}

static const struct lw_batch *next(struct lw_loader *l)
{
    const struct lw_batch *b = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_loader_next(l, &b, &err), 0, "%s", err.text);
    return b;
}

static void check_rows(const struct lw_batch *b)
{
    for (int r = 0; r < b->rows; r++)
        for (int i = 0; b->position[r] >= 0 && i < b->length; i++) {
            cr_assert_eq(b->tokens[r * b->length + i], b->position[r] + i);
            cr_assert_eq(b->targets[r * b->length + i], b->position[r] + i + 1);
        }
}

Test(permutation, is_a_bijection)
{
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 10, 16, 17, 100, 1000, 4097};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            unsigned char seen[4097] = {0};

            for (uint64_t i = 0; i < sizes[k]; i++) {
                uint64_t to = lw_permute(i, sizes[k], seed, 2);

                cr_assert_lt(to, sizes[k]);
                cr_assert_not(seen[to], "%llu is hit twice", (unsigned long long)to);
                seen[to] = 1;
            }
        }
}

Test(permutation, depends_on_seed_and_stream_and_mixes)
{
    int same_seed = 0, same_stream = 0, kept = 0, neighbours = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t to = lw_permute(i, 1000, 1, 2);

        same_seed += to == lw_permute(i, 1000, 2, 2);
        same_stream += to == lw_permute(i, 1000, 1, 258);
        kept += to == i;
        neighbours += i > 0 && to == lw_permute(i - 1, 1000, 1, 2) + 1;
        cr_assert_eq(to, lw_permute(i, 1000, 1, 2));
    }
    /* each is about 1 for a random permutation */
    cr_assert(same_seed < 10 && same_stream < 10 && kept < 10 && neighbours < 10);
}

Test(permutation, reaches_far_domains)
{
    uint64_t n = UINT64_C(1) << 40;

    for (uint64_t i = 0; i < 100; i++)
        cr_assert_lt(lw_permute(n - 1 - i, n, 3, 2), n);
}

Test(loader, in_order_gives_row_after_row)
{
    struct lw_dataset *d = counting(1000);
    struct lw_loader *l = open_loader(d, (struct lw_loader_options){.rows = 4, .length = 48}, NULL);

    cr_assert_eq(lw_loader_batches(l), 20 / 4);
    for (int i = 0; i < 5; i++) {
        const struct lw_batch *b = next(l);

        check_rows(b);
        for (int r = 0; r < 4; r++)
            cr_assert_eq(b->position[r], (4 * i + r) * 48);
        cr_assert_eq(b->target_count, 4 * 48);
        cr_assert_eq(b->last, i == 4);
        cr_assert_float_eq(b->epoch, (i + 1) / 5.0, 1e-12);
        cr_assert_eq(b->after.epoch, i == 4);
        cr_assert_eq(b->after.index, i == 4 ? 0 : 4 * (i + 1));
    }
    cr_assert_eq(next(l)->position[0], 0, "the second epoch starts over");
    lw_loader_close(l);
    lw_dataset_close(d);
}

Test(loader, the_known_stream_comes_as_written)
{
    struct lw_tokenizer *t = NULL;
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};
    struct lw_loader *l;
    int32_t window[49];

    cr_assert_eq(lw_tokenizer_open(&t, "bytes", &err), 0);
    cr_assert_eq(lw_dataset_open(&d, test_source("tests/data/gpt2-tiny-stream.bin"), t, NULL, &err),
                 0, "%s", err.text);
    cr_assert_eq(lw_dataset_info(d)->tokens, 1921);
    l = open_loader(d, (struct lw_loader_options){.rows = 4, .length = 48}, NULL);
    cr_assert_eq(lw_loader_batches(l), 10);
    for (int i = 0; i < 10; i++) {
        const struct lw_batch *b = next(l);

        for (int r = 0; r < 4; r++) {
            cr_assert_eq(lw_dataset_read(d, (4 * i + r) * 48, 49, window, &err), 0);
            cr_assert_arr_eq(b->tokens + r * 48, window, 48 * sizeof *window);
            cr_assert_arr_eq(b->targets + r * 48, window + 1, 48 * sizeof *window);
        }
    }
    lw_loader_close(l);
    cr_assert_eq(lw_dataset_read(d, 0, 6, window, &err), 0);
    cr_assert(window[0] == 0xaf && window[1] == 0x79 && window[2] == 0xe2 && window[5] == 0x0c);
    lw_dataset_close(d);
    lw_tokenizer_close(t);
}

Test(loader, an_epoch_visits_each_window_once_in_a_new_order)
{
    struct lw_dataset *d = counting(60 * LENGTH + 1);
    struct lw_loader *l = open_loader(
        d, (struct lw_loader_options){.rows = ROWS, .length = LENGTH, .shuffle = 1, .seed = 5},
        NULL);
    int64_t order[2][60];

    for (int epoch = 0; epoch < 2; epoch++) {
        int seen[60] = {0};

        for (int i = 0; i < 20; i++) {
            const struct lw_batch *b = next(l);

            check_rows(b);
            for (int r = 0; r < ROWS; r++) {
                order[epoch][i * ROWS + r] = b->position[r];
                cr_assert_eq(b->position[r] % LENGTH, 0);
                seen[b->position[r] / LENGTH]++;
            }
        }
        for (int w = 0; w < 60; w++)
            cr_assert_eq(seen[w], 1);
    }
    cr_assert(memcmp(order[0], order[1], sizeof order[0]) != 0);
    lw_loader_close(l);
    lw_dataset_close(d);
}

Test(loader, resumes_after_every_batch)
{
    struct lw_dataset *d = counting(20 * LENGTH + 3);
    struct lw_loader_options o = {.rows = ROWS, .length = LENGTH, .shuffle = 1, .seed = 9};
    struct lw_loader *l = open_loader(d, o, NULL);
    struct lw_loader_state after[15];
    int64_t position[15][ROWS];
    double epoch[15];

    for (int i = 0; i < 15; i++) { /* 6 batches an epoch */
        const struct lw_batch *b = next(l);

        after[i] = b->after;
        epoch[i] = b->epoch;
        memcpy(position[i], b->position, sizeof position[i]);
    }
    lw_loader_close(l);
    for (int from = 0; from < 14; from++) {
        l = open_loader(d, o, &after[from]);
        for (int i = from + 1; i < 15; i++) {
            const struct lw_batch *b = next(l);

            cr_assert_arr_eq(b->position, position[i], sizeof position[i]);
            cr_assert_eq(b->epoch, epoch[i]);
            cr_assert(b->after.epoch == after[i].epoch && b->after.index == after[i].index);
        }
        lw_loader_close(l);
    }
    l = open_loader(d, o, NULL);
    for (int from = 13; from >= 0; from--) {
        struct lw_error err = {0};

        cr_assert_eq(lw_loader_seek(l, &after[from], &err), 0);
        cr_assert_arr_eq(next(l)->position, position[from + 1], sizeof position[0]);
    }
    lw_loader_close(l);
    lw_dataset_close(d);
}

Test(loader, ranks_together_see_what_one_rank_sees)
{
    struct lw_dataset *d = counting(40 * LENGTH + 1);
    struct lw_loader_options o = {.rows = ROWS, .length = LENGTH, .shuffle = 1, .seed = 9};
    struct lw_loader *alone = open_loader(d, o, NULL), *rank[4];

    o.ranks = 4;
    for (o.rank = 0; o.rank < 4; o.rank++) {
        rank[o.rank] = open_loader(d, o, NULL);
        cr_assert_eq(lw_loader_batches(rank[o.rank]), 3); /* 40 windows, 12 a step */
    }
    for (int step = 0; step < 3; step++)
        for (int k = 0; k < 4; k++) {
            const struct lw_batch *want = next(alone), *got = next(rank[k]);

            cr_assert_arr_eq(got->position, want->position, ROWS * sizeof *got->position);
            cr_assert_eq(got->after.index, step == 2 ? 0 : 12 * (step + 1));
            cr_assert_eq(got->last, step == 2);
        }
    for (int k = 0; k < 4; k++)
        lw_loader_close(rank[k]);
    lw_loader_close(alone);
    lw_dataset_close(d);
}

Test(loader, another_batch_size_goes_on_from_the_same_place)
{
    struct lw_dataset *d = counting(20 * LENGTH + 1);
    struct lw_loader_options o = {.rows = 4, .length = LENGTH};
    struct lw_loader *l = open_loader(d, o, &(struct lw_loader_state){1, 15});

    cr_assert_eq(next(l)->position[0], 15 * LENGTH);
    cr_assert_eq(next(l)->position[0], 0, "one window is left, fewer than a batch");
    lw_loader_close(l);
    l = open_loader(d, o, &(struct lw_loader_state){1, 18});
    cr_assert_eq(next(l)->position[0], 0);
    cr_assert_eq(next(l)->after.epoch, 2);
    lw_loader_close(l);
    lw_dataset_close(d);
}

Test(loader, evaluation_pads_its_last_batch)
{
    struct lw_dataset *d = counting(10 * LENGTH + 1);
    struct lw_loader_options o = {.rows = 4, .length = LENGTH, .evaluation = 1};
    struct lw_loader *l = open_loader(d, o, NULL);
    struct lw_error err = {0};

    cr_assert_eq(lw_loader_batches(l), 3);
    for (int pass = 0; pass < 2; pass++) {
        int64_t targets = 0;

        for (int i = 0; i < 3; i++) {
            const struct lw_batch *b = next(l);

            check_rows(b);
            targets += b->target_count;
            cr_assert_eq(b->last, i == 2);
            if (i < 2)
                continue;
            cr_assert(b->position[1] == 9 * LENGTH && b->position[2] == -1);
            for (int k = 2 * LENGTH; k < 4 * LENGTH; k++)
                cr_assert(b->targets[k] == LW_IGNORE && b->tokens[k] == 0);
        }
        cr_assert_eq(targets, 10 * LENGTH);
        cr_assert_null(next(l));
        cr_assert_null(next(l), "the end stays the end");
        cr_assert_eq(lw_loader_seek(l, &(struct lw_loader_state){0, 0}, &err), 0);
    }
    lw_loader_close(l);
    lw_dataset_close(d);
}

Test(loader, evaluating_ranks_get_as_many_batches_each)
{
    struct lw_dataset *d = counting(5 * LENGTH + 1);
    struct lw_loader_options o = {.rows = 4, .length = LENGTH, .evaluation = 1, .ranks = 3};
    int64_t targets = 0;

    for (o.rank = 0; o.rank < 3; o.rank++) {
        struct lw_loader *l = open_loader(d, o, NULL);

        targets += next(l)->target_count;
        cr_assert_null(next(l));
        lw_loader_close(l);
    }
    cr_assert_eq(targets, 5 * LENGTH);
    lw_dataset_close(d);
}

Test(loader, too_little_data_is_said_with_its_lengths)
{
    struct lw_dataset *d = counting(LENGTH);
    struct lw_loader_options o = {.rows = ROWS, .length = LENGTH};
    struct lw_loader *l = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_loader_open(&l, d, &o, NULL, &err), LW_EDATA);
    cr_assert(strstr(err.text, "7 tokens") && strstr(err.text, "takes 8"), "%s", err.text);
    lw_dataset_close(d);
    d = counting(2 * LENGTH + 1);
    cr_assert_eq(lw_loader_open(&l, d, &o, NULL, &err), LW_EDATA);
    cr_assert(strstr(err.text, "2 sequences") && strstr(err.text, "batch of 3"), "%s", err.text);
    o.rows = 2;
    cr_assert_eq(lw_loader_open(&l, d, &o, &(struct lw_loader_state){0, 3}, &err), LW_EDATA);
    cr_assert(strstr(err.text, "window 3"), "%s", err.text);
    cr_assert_eq(lw_loader_open(&l, d, &o, &(struct lw_loader_state){-1, 0}, &err), LW_EDATA);
    o.rank = 1;
    cr_assert_eq(lw_loader_open(&l, d, &o, NULL, &err), LW_EUSAGE);
    lw_dataset_close(d);
}

Test(loader, ids_beyond_the_vocabulary_are_named)
{
    struct lw_dataset *d = counting(100);
    struct lw_loader_options o = {.rows = 1, .length = 10};
    struct lw_error err = {0};
    struct lw_loader *l;
    const struct lw_batch *b;
    int rc = 0;

    cr_assert_eq(lw_dataset_check_ids(d, 100, &err), 0);
    cr_assert_eq(lw_dataset_check_ids(d, 35, &err), LW_EDATA);
    cr_assert(strstr(err.text, "token 35") && strstr(err.text, "id 35"), "%s", err.text);
    l = open_loader(d, o, NULL);
    for (int i = 0; i < 3; i++)
        next(l);
    rc = lw_loader_next(l, &b, &err);
    cr_assert_eq(rc, LW_EDATA);
    cr_assert(strstr(err.text, "vocabulary of 35"), "%s", err.text);
    cr_assert_eq(lw_loader_next(l, &b, &err), LW_EDATA, "it is met again");
    lw_loader_close(l);
    lw_dataset_close(d);
}

Test(loader, closes_while_it_is_ahead)
{
    struct lw_dataset *d = counting(1000);

    for (int i = 0; i < 50; i++) {
        struct lw_loader *l = open_loader(
            d, (struct lw_loader_options){.rows = 2, .length = 5, .ahead = 1 + i % 3}, NULL);

        for (int k = 0; k < i % 5; k++)
            next(l);
        lw_loader_close(l);
    }
    lw_dataset_close(d);
}

static struct lw_dataset *generated(const struct lw_tokenizer *t, struct lw_generate_options o)
{
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_generate(&d, t, &o, 4096, &err), 0, "%s", err.text);
    return d;
}

static struct lw_tokenizer *bytes(void)
{
    struct lw_tokenizer *t = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_tokenizer_open(&t, "bytes", &err), 0);
    return t;
}

Test(generated, any_place_can_be_read_at_any_time)
{
    enum { N = 3 * LW_GENERATE_CHUNK + 100 };
    struct lw_tokenizer *t = bytes();
    struct lw_dataset *d = generated(t, (struct lw_generate_options){.seed = 42});
    int32_t *all = malloc(N * sizeof *all), some[500];
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_read(d, 0, N, all, &err), 0);
    for (int64_t at = N - 500; at > 0; at -= 7919) {
        cr_assert_eq(lw_dataset_read(d, at, 500, some, &err), 0);
        cr_assert_arr_eq(some, all + at, sizeof some);
    }
    for (int k = 1; k <= 3; k++)
        cr_assert_eq(all[k * LW_GENERATE_CHUNK - 1], 256, "a chunk ends with a separator");
    cr_assert_eq(lw_dataset_read(d, INT64_C(1) << 40, 500, some, &err), 0, "%s", err.text);
    free(all);
    lw_dataset_close(d);
    lw_tokenizer_close(t);
}

static int differ(const struct lw_tokenizer *t, struct lw_generate_options a,
                  struct lw_generate_options b, int64_t at)
{
    struct lw_dataset *x = generated(t, a), *y = generated(t, b);
    struct lw_error err = {0};
    int32_t p[256], q[256];

    cr_assert_eq(lw_dataset_read(x, at, 256, p, &err), 0);
    cr_assert_eq(lw_dataset_read(y, at, 256, q, &err), 0);
    lw_dataset_close(x);
    lw_dataset_close(y);
    return memcmp(p, q, sizeof p) != 0;
}

Test(generated, differs_by_seed_stream_chunk_and_shift)
{
    struct lw_tokenizer *t = bytes();
    struct lw_generate_options plain = {.seed = 42}, other = {.seed = 43};
    struct lw_generate_options validation = {.seed = 42, .validation = 1};
    struct lw_generate_options shifted = {
        .seed = 42, .shift = LW_SHIFT_VOCABULARY, .shift_from = LW_GENERATE_CHUNK};

    cr_assert_not(differ(t, plain, plain, 0));
    cr_assert(differ(t, plain, other, 0));
    cr_assert(differ(t, plain, validation, 0));
    cr_assert_not(differ(t, plain, shifted, LW_GENERATE_CHUNK - 256));
    cr_assert(differ(t, plain, shifted, LW_GENERATE_CHUNK + LW_SHIFT_TOKENS));
    shifted.shift = LW_SHIFT_LENGTH;
    cr_assert(differ(t, plain, shifted, LW_GENERATE_CHUNK + LW_SHIFT_TOKENS + 8192));
    lw_tokenizer_close(t);
}

Test(generated, shifts_by_and_by)
{
    struct lw_generate_options plain = {.seed = 5}, shifted = {.seed = 5, .shift = LW_SHIFT_LENGTH};
    const int64_t whole = LW_SHIFT_TOKENS / LW_GENERATE_CHUNK;
    struct lw_generated a = {0}, b = {0};
    struct lw_error err = {0};
    int before = -1;

    shifted.shift_from = 2 * LW_GENERATE_CHUNK;
    for (int64_t chunk = 0; chunk < whole + 4; chunk += whole / 2) {
        int new = 0;

        for (int i = 0; i < 200; i++) {
            a.n = b.n = 0;
            cr_assert_eq(lw_generate_document(&plain, chunk, i, &a, &err), 0);
            cr_assert_eq(lw_generate_document(&shifted, chunk, i, &b, &err), 0);
            new += a.n != b.n || memcmp(a.text, b.text, a.n) != 0;
        }
        cr_expect(new > before, "chunk %d: %d, before %d", (int)chunk, new, before);
        before = new;
        if (!chunk)
            cr_expect_eq(new, 0);
    }
    cr_expect_float_eq(lw_shift_share(99, 100), 0, 0);
    cr_expect_float_eq(lw_shift_share(100 + LW_SHIFT_TOKENS, 100), 1, 0);
    free(a.text);
    free(b.text);
}

static int compare_lengths(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

Test(generated, documents_vary_in_length)
{
    struct lw_generate_options o = {.seed = 7}, longer = {.seed = 7, .shift = LW_SHIFT_LENGTH};
    const int64_t whole = LW_SHIFT_TOKENS / LW_GENERATE_CHUNK;
    struct lw_generated text = {0};
    struct lw_error err = {0};
    int length[1000];
    size_t grown;

    for (int i = 0; i < 1000; i++) {
        text.n = 0;
        cr_assert_eq(lw_generate_document(&o, 0, i, &text, &err), 0);
        cr_assert_gt(text.n, 10);
        cr_assert_eq(text.text[text.n - 1] == '.' || text.text[text.n - 1] == '"', 1);
        cr_assert_null(memchr(text.text, '\n', text.n));
        length[i] = (int)text.n;
    }
    qsort(length, 1000, sizeof *length, compare_lengths);
    cr_assert(length[500] > 90 && length[500] < 150, "median %d", length[500]);
    cr_assert_lt(length[100], length[500] / 2 + 10);
    cr_assert_gt(length[950], 2 * length[500]);
    text.n = 0;
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(lw_generate_document(&longer, whole, i, &text, &err), 0);
    grown = text.n / 1000;
    cr_assert_gt(grown, 250);
    free(text.text);
}

Test(generated, epochs_follow_one_another)
{
    struct lw_tokenizer *t = bytes();
    struct lw_dataset *d = generated(t, (struct lw_generate_options){.seed = 42});
    struct lw_loader_options o = {.rows = 2, .length = 64, .shuffle = 1};
    struct lw_loader *l = open_loader(d, o, NULL);

    cr_assert_eq(lw_loader_batches(l), 4096 / 64 / 2);
    for (int i = 0; i < 40; i++) {
        const struct lw_batch *b = next(l);

        cr_assert_eq(b->position[0], i * 2 * 64, "generated data is not shuffled");
        cr_assert_eq(b->after.epoch, (i + 1) / 32);
    }
    lw_loader_close(l);
    o.evaluation = 1;
    l = open_loader(d, o, NULL);
    for (int i = 0; i < 32; i++)
        cr_assert_not_null(next(l));
    cr_assert_null(next(l));
    lw_loader_close(l);
    lw_dataset_close(d);
    lw_tokenizer_close(t);
}
