/* SPDX-License-Identifier: MIT
 *
 * Profiles: what is counted, that parts add up, and whole comparisons. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/drift/compare.h"
#include "engine/drift/profile.h"
#include "tests/drift_support.h"
#include "tests/support.h"

static struct lw_error err;

static void add_documents(struct lw_profile *p, int from, int to)
{
    struct lw_random r;
    int32_t ids[900];

    for (int d = from; d < to; d++) {
        size_t n;

        lw_random_init(&r, 5, (uint64_t)d);
        n = lw_random_below(&r, 900);
        for (size_t i = 0; i < n; i++)
            ids[i] = (int32_t)lw_random_below(&r, 1 + lw_random_below(&r, 3000));
        cr_assert_eq(lw_profile_document(p, ids, n, &err), 0);
    }
}

Test(drift_profile, documents_add_up)
{
    static const int cuts[] = {1, 30, 63, 64, 65, 150};
    struct lw_profile whole;

    test_profile(&whole, LW_TEXT);
    add_documents(&whole, 0, 160);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct lw_profile a, b;

        test_profile(&a, LW_TEXT);
        test_profile(&b, LW_TEXT);
        add_documents(&a, 0, cuts[i]);
        add_documents(&b, cuts[i], 160);
        cr_assert_eq(lw_profile_merge(&b, &a, &err), 0); /* the later part first */
        test_same_profile(&b, &whole);
        lw_profile_fini(&a);
        lw_profile_fini(&b);
    }
    lw_profile_fini(&whole);
}

Test(drift_profile, few_documents_add_up)
{
    struct lw_profile whole, a, b;

    test_profile(&whole, LW_TEXT);
    test_profile(&a, LW_TEXT);
    test_profile(&b, LW_TEXT);
    add_documents(&whole, 0, 20);
    add_documents(&a, 0, 7);
    add_documents(&b, 7, 20);
    cr_assert_gt(whole.text.blocks.units, whole.text.tokens.units);
    cr_assert_eq(lw_profile_merge(&a, &b, &err), 0);
    test_same_profile(&a, &whole);
    lw_profile_fini(&a);
    lw_profile_fini(&b);
    lw_profile_fini(&whole);
}

Test(drift_profile, lengths)
{
    struct lw_profile p, q;
    int32_t *many = malloc(20000 * sizeof *many);
    struct lw_random r;

    test_profile(&p, LW_TEXT);
    test_profile(&q, LW_TEXT);
    lw_random_init(&r, 9, 9);
    for (int i = 0; i < 20000; i++)
        many[i] = (int32_t)lw_random_below(&r, 700);
    cr_assert_eq(lw_profile_lengths(&p, many, 20000, &err), 0);
    for (int i = 0; i < 20000; i++)
        cr_assert_eq(lw_profile_lengths(&q, many + i, 1, &err), 0);
    test_same_profile(&p, &q);
    cr_expect_gt(p.text.over, 4000);
    lw_profile_clear(&p);
    cr_expect_eq(p.items, 0);
    cr_expect(isnan(lw_profile_length_mean(&p)));
    many[0] = 10;
    many[1] = 2000000000;
    cr_assert_eq(lw_profile_lengths(&p, many, 2, &err), 0);
    cr_expect_eq(p.text.length_hist[0], 1);
    cr_expect_eq(p.text.length_hist[9], 1);
    cr_expect_float_eq(lw_profile_length_mean(&p), 1000000005.0, 1e-3);
    cr_expect_float_eq(lw_profile_length_std(&p), 999999995.0, 1e-3);
    many[0] = -1;
    cr_expect_eq(lw_profile_lengths(&p, many, 1, &err), LW_EDATA);
    cr_expect(strstr(err.text, "-1"));
    lw_profile_fini(&p);
    lw_profile_fini(&q);
    free(many);
}

Test(drift_profile, ignored_ids_do_not_count)
{
    static const int32_t ids[] = {3, -100, 3, 5, -1};
    struct lw_profile p;

    test_profile(&p, LW_TEXT);
    cr_assert_eq(lw_profile_document(&p, ids, 5, &err), 0);
    cr_expect_eq(p.text.tokens.total, 3);
    cr_expect_eq(lw_tally_count(&p.text.tokens, 3), 2);
    cr_expect_eq(lw_tally_distinct(&p.text.tokens), 2);
    cr_expect_float_eq(lw_profile_length_mean(&p), 3, 0);
    lw_profile_fini(&p);
}

Test(drift_profile, large_id_is_refused)
{
    static const int32_t ids[] = {1, 1 << 20};
    struct lw_profile p;

    test_profile(&p, LW_TEXT);
    cr_expect_eq(lw_profile_document(&p, ids, 2, &err), LW_EDATA);
    cr_expect(strstr(err.text, "1048576"), "%s", err.text);
    cr_expect_eq(p.items, 0);
    cr_expect_eq(p.text.tokens.total, 0);
    lw_profile_fini(&p);
}

Test(drift_profile, sixteen_bit_ids)
{
    uint16_t ids[10000];
    int32_t wide[10000];
    struct lw_tally a = {0}, b = {0};
    struct lw_random r;

    lw_random_init(&r, 3, 3);
    for (int i = 0; i < 10000; i++)
        wide[i] = ids[i] = (uint16_t)lw_random_below(&r, 65536 >> lw_random_below(&r, 16));
    cr_assert_eq(lw_tally_add_u16(&a, ids, 10000, &err), 0);
    cr_assert_eq(lw_tally_add_single(&b, wide, 10000, &err), 0);
    cr_expect_eq(a.total, b.total);
    for (uint32_t id = 0; id < 65536; id++)
        cr_assert_eq(lw_tally_count(&a, id), lw_tally_count(&b, id), "id %u", id);
    lw_tally_fini(&a);
    lw_tally_fini(&b);
}

/* Tokens that come in runs of eight count an eighth: their design effect is eight. */
Test(drift_profile, design_effect)
{
    struct lw_tally alone = {0}, runs = {0};
    struct lw_random r;
    int32_t ids[64];

    lw_random_init(&r, 17, 17);
    for (int d = 0; d < 4000; d++) {
        for (int i = 0; i < 64; i++)
            ids[i] = (int32_t)lw_random_below(&r, 10);
        cr_assert_eq(lw_tally_add(&alone, ids, 64, &err), 0);
        for (int i = 0; i < 64; i++)
            ids[i] = i % 8 ? ids[i - 1] : (int32_t)lw_random_below(&r, 10);
        cr_assert_eq(lw_tally_add(&runs, ids, 64, &err), 0);
    }
    for (uint32_t id = 0; id < 10; id++) {
        cr_expect_float_eq(lw_tally_effect(&alone, id), 1, 0.12);
        cr_expect_float_eq(lw_tally_effect(&runs, id), 8, 0.9);
    }
    cr_expect(isnan(lw_tally_effect(&alone, 77)));
    lw_tally_fini(&alone);
    lw_tally_fini(&runs);
}

static void constant(struct lw_profile *p, uint8_t value, int count)
{
    uint8_t pixels[5 * 4 * 3];
    struct lw_images m = {.pixels = pixels,
                          .count = 1,
                          .channels = 3,
                          .height = 4,
                          .width = 5,
                          .bytes = 1,
                          .white = 10};

    memset(pixels, value, sizeof pixels);
    for (int i = 0; i < count; i++)
        cr_assert_eq(lw_profile_images(p, &m, &err), 0, "%s", err.text);
}

Test(drift_profile, constant_images)
{
    struct lw_drift_settings s;
    struct lw_comparison c;
    struct lw_profile a, b;

    test_profile(&a, LW_VISION);
    test_profile(&b, LW_VISION);
    constant(&a, 5, 40);
    constant(&b, 8, 40);
    lw_drift_settings_init(&s, true, 0.1, 0.2);
    cr_assert_eq(lw_drift_compare(&c, &a, &b, &s, NULL, &err), 0);
    cr_expect_float_eq(c.score[LW_SCORE_CHANNEL_DISTANCE].value, 0.519615242271, 1e-11);
    cr_expect_float_eq(c.score[LW_SCORE_BRIGHTNESS_JS].value, 0.832554611157, 1e-11);
    cr_expect_eq(c.overall, LW_DRIFT_ALERT);
    cr_expect_float_eq(c.max_drift, 0.832554611157, 1e-11);
    cr_expect_float_eq(lw_profile_pixel_std(&a, 1), 0, 1e-12);
    cr_expect_eq(a.vision.feature_hist[LW_FEATURE_EDGE][0], 40);
    lw_profile_fini(&a);
    lw_profile_fini(&b);
}

Test(drift_profile, channel_distance)
{
    /* (.485, .456, .406) and (.490, .460, .410) as 16-bit pixels of a white of 1000 */
    uint16_t a[] = {485, 456, 406}, b[] = {490, 460, 410};
    struct lw_images m = {
        .count = 1, .channels = 3, .height = 1, .width = 1, .bytes = 2, .white = 1000};
    struct lw_drift_settings s;
    struct lw_comparison c;
    struct lw_profile p, q;

    test_profile(&p, LW_VISION);
    test_profile(&q, LW_VISION);
    m.pixels = a;
    cr_assert_eq(lw_profile_images(&p, &m, &err), 0);
    m.pixels = b;
    cr_assert_eq(lw_profile_images(&q, &m, &err), 0);
    lw_drift_settings_init(&s, true, 0.1, 0.2);
    cr_assert_eq(lw_drift_compare(&c, &p, &q, &s, NULL, &err), 0);
    cr_expect_float_eq(c.score[LW_SCORE_CHANNEL_DISTANCE].value, 0.00754983443527, 1e-11);
    lw_profile_fini(&p);
    lw_profile_fini(&q);
}

static void draw(uint8_t *pixels, size_t n, uint64_t seed)
{
    struct lw_random r;

    lw_random_init(&r, seed, 4);
    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(lw_random_u32(&r) >> (24 + (i / 1000) % 3));
}

/* Layouts and sizes of samples are only ways to write the same images. */
Test(drift_profile, layouts_agree)
{
    enum { N = 7, H = 13, W = 11 };
    static uint8_t mixed[N * H * W * 3], planar[N * H * W * 3];
    static uint16_t wide[N * H * W * 3];
    struct lw_images m = {
        .pixels = mixed, .count = N, .channels = 3, .height = H, .width = W, .bytes = 1};
    struct lw_profile p[4], half;

    draw(mixed, sizeof mixed, 21);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < H * W; k++)
            for (int c = 0; c < 3; c++)
                planar[(i * 3 + c) * H * W + k] = mixed[(i * H * W + k) * 3 + c];
    for (size_t i = 0; i < sizeof mixed; i++)
        wide[i] = mixed[i];
    for (int i = 0; i < 4; i++)
        test_profile(&p[i], LW_VISION);
    test_profile(&half, LW_VISION);
    cr_assert_eq(lw_profile_images(&p[0], &m, &err), 0);
    m.planar = true;
    m.pixels = planar;
    cr_assert_eq(lw_profile_images(&p[1], &m, &err), 0);
    m = (struct lw_images){.pixels = wide,
                           .count = N,
                           .channels = 3,
                           .height = H,
                           .width = W,
                           .bytes = 2,
                           .white = 255};
    cr_assert_eq(lw_profile_images(&p[2], &m, &err), 0);
    m = (struct lw_images){
        .pixels = mixed, .count = 3, .channels = 3, .height = H, .width = W, .bytes = 1};
    cr_assert_eq(lw_profile_images(&half, &m, &err), 0);
    m.pixels = mixed + 3 * H * W * 3;
    m.count = N - 3;
    cr_assert_eq(lw_profile_images(&p[3], &m, &err), 0);
    cr_assert_eq(lw_profile_merge(&p[3], &half, &err), 0);
    for (int i = 1; i < 4; i++) {
        test_same_profile(&p[0], &p[i]);
        lw_profile_fini(&p[i]);
    }
    lw_profile_fini(&p[0]);
    lw_profile_fini(&half);
}

/* Parts that cost what they hold, as batches on their way through a step. */
Test(drift_profile, sparse_parts_of_images)
{
    enum { N = 12, SIDE = 9 };
    static uint8_t pixels[N * SIDE * SIDE];
    struct lw_profile_options o = {.modality = LW_VISION, .block = 16, .sparse = true};
    struct lw_images m = {
        .pixels = pixels, .count = N, .channels = 1, .height = SIDE, .width = SIDE, .bytes = 1};
    struct lw_profile whole, sum, note, step;

    draw(pixels, sizeof pixels, 22);
    memset(pixels, 0, 2 * SIDE * SIDE); /* two that are alike */
    test_profile(&whole, LW_VISION);
    test_profile(&sum, LW_VISION);
    cr_assert_eq(lw_profile_init(&note, &o, &err), 0);
    cr_assert_eq(lw_profile_init(&step, &o, &err), 0);
    cr_assert_eq(lw_profile_images(&whole, &m, &err), 0);
    m.count = 2;
    for (int i = 0; i < N; i += 2) {
        lw_profile_clear(&note);
        m.pixels = pixels + i * SIDE * SIDE;
        cr_assert_eq(lw_profile_images(&note, &m, &err), 0);
        cr_assert_eq(lw_profile_merge(&step, &note, &err), 0);
        if (i % 4 == 0)
            continue;
        cr_assert_eq(lw_profile_merge(&sum, &step, &err), 0);
        lw_profile_clear(&step);
    }
    test_same_profile(&sum, &whole);
    cr_assert_eq(lw_profile_merge(&step, &whole, &err), 0); /* a dense one into a sparse one */
    test_same_profile(&step, &whole);
    lw_profile_clear(&step);
    lw_profile_clear(&whole);
    test_same_profile(&step, &whole);
    lw_profile_fini(&whole);
    lw_profile_fini(&sum);
    lw_profile_fini(&note);
    lw_profile_fini(&step);
}

/* Every feature of one small image, by hand. */
Test(drift_profile, features)
{
    static const uint8_t pixels[] = {0, 0, 0, 0, 255, 0, 0, 0, 0};
    struct lw_images m = {
        .pixels = pixels, .count = 1, .channels = 1, .height = 3, .width = 3, .bytes = 1};
    const double want[LW_FEATURES] = {1 / 9.0, sqrt(8) / 9, 4 / 6.0, 4, 8 / 9.0, 1 / 9.0};
    struct lw_profile p;

    test_profile(&p, LW_VISION);
    cr_assert_eq(lw_profile_images(&p, &m, &err), 0);
    for (int f = 0; f < LW_FEATURES; f++) {
        int bin = lw_bin_of(want[f], LW_FEATURE_BINS, lw_feature_max((enum lw_feature)f));

        cr_expect_eq(p.vision.feature_hist[f][bin], 1, "%s", lw_feature_name((enum lw_feature)f));
    }
    cr_expect_float_eq(lw_profile_channel_mean(&p, 2), 1 / 9.0, 1e-11);
    cr_expect_float_eq(lw_profile_pixel_std(&p, 2), sqrt(8) / 9, 1e-12);
    lw_profile_fini(&p);
}

Test(drift_profile, image_errors)
{
    static const uint8_t pixels[] = {9, 0, 0, 0};
    struct lw_images m = {
        .pixels = pixels, .count = 1, .channels = 2, .height = 1, .width = 1, .bytes = 1};
    struct lw_profile p;

    test_profile(&p, LW_VISION);
    cr_expect_eq(lw_profile_images(&p, &m, &err), LW_EDATA);
    cr_expect(strstr(err.text, "2 channels"));
    m.channels = 1;
    m.width = 0;
    cr_expect_eq(lw_profile_images(&p, &m, &err), LW_EDATA);
    m.width = 1;
    m.white = 8;
    cr_expect_eq(lw_profile_images(&p, &m, &err), LW_EDATA);
    cr_expect(strstr(err.text, "white is 8"), "%s", err.text);
    m.white = 9;
    cr_expect_eq(lw_profile_images(&p, &m, &err), LW_EDATA);
    cr_expect(strstr(err.text, "was 8 before"), "%s", err.text);
    lw_profile_fini(&p);
}

Test(drift_profile, unequal_profiles)
{
    struct lw_profile_options o = {.modality = LW_TEXT, .length_bins = 20, .block = 16};
    struct lw_drift_settings s;
    struct lw_comparison c;
    struct lw_profile a, b, v;

    test_profile(&a, LW_TEXT);
    test_profile(&v, LW_VISION);
    cr_assert_eq(lw_profile_init(&b, &o, &err), 0);
    lw_drift_settings_init(&s, false, 0.1, 0.2);
    cr_expect_eq(lw_profile_merge(&a, &b, &err), LW_EDATA);
    cr_expect(strstr(err.text, "10") && strstr(err.text, "20"), "%s", err.text);
    cr_expect_eq(lw_drift_compare(&c, &a, &b, &s, NULL, &err), LW_EDATA);
    cr_expect(strstr(err.text, "10 bins") && strstr(err.text, "20 up"), "%s", err.text);
    cr_expect_eq(lw_drift_compare(&c, &a, &v, &s, NULL, &err), LW_EDATA);
    cr_expect(strstr(err.text, "text") && strstr(err.text, "vision"), "%s", err.text);
    cr_expect_eq(lw_profile_merge(&v, &a, &err), LW_EDATA);
    lw_profile_fini(&a);
    lw_profile_fini(&b);
    lw_profile_fini(&v);
}

Test(drift_profile, outputs_are_like_with_like)
{
    static const int32_t classes[] = {0, 1, -100, 1};
    struct lw_drift_settings s;
    struct lw_comparison c;
    struct lw_profile a, b;

    test_profile(&a, LW_VISION);
    test_profile(&b, LW_VISION);
    constant(&a, 5, 4);
    constant(&b, 5, 4);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(lw_profile_outputs(&a, LW_OUTPUT_LABELS, classes + i, 1, &err), 0);
        cr_assert_eq(lw_profile_outputs(&b, LW_OUTPUT_PREDICTIONS, classes + i, 1, &err), 0);
    }
    cr_expect_eq(a.outputs.total, 3);
    cr_expect_eq(lw_profile_outputs(&a, LW_OUTPUT_PREDICTIONS, classes, 1, &err), LW_EUSAGE);
    lw_drift_settings_init(&s, false, 0.1, 0.2);
    cr_assert_eq(lw_drift_compare(&c, &a, &b, &s, NULL, &err), 0);
    cr_expect_not(c.score[LW_SCORE_OUTPUT_JS].present);
    cr_expect_str_eq(c.score[LW_SCORE_OUTPUT_JS].absent,
                     "predictions are not compared with labels");
    lw_profile_fini(&a);
    lw_profile_fini(&b);
}

static void zipf(struct lw_profile *p, uint64_t seed, int documents, int shift, int length)
{
    struct lw_random r;
    int32_t ids[1024];

    lw_random_init(&r, seed, 77);
    for (int d = 0; d < documents; d++) {
        size_t n = (size_t)(length / 2) + lw_random_below(&r, (uint32_t)length);

        for (size_t i = 0; i < n; i++)
            ids[i] = (int32_t)(pow(2000, lw_random_unit(&r)) + shift);
        cr_assert_eq(lw_profile_document(p, ids, n, &err), 0);
    }
}

Test(drift_profile, text_without_and_with_drift)
{
    struct lw_overlap_null cache = {0};
    struct lw_drift_settings s;
    struct lw_comparison c;
    struct lw_profile a, b, d, few;

    test_profile(&a, LW_TEXT);
    test_profile(&b, LW_TEXT);
    test_profile(&d, LW_TEXT);
    test_profile(&few, LW_TEXT);
    zipf(&a, 1, 2000, 0, 100);
    zipf(&b, 2, 2000, 0, 100);
    zipf(&d, 3, 2000, 40, 300);
    zipf(&few, 4, 20, 0, 100);
    lw_drift_settings_init(&s, false, 0.1, 0.2);
    cr_assert_eq(lw_drift_compare(&c, &a, &b, &s, &cache, &err), 0);
    cr_expect_eq(c.overall, LW_DRIFT_OK, "%s", lw_drift_state_name(c.overall));
    cr_expect_eq(c.score[LW_SCORE_TOKEN_OVERLAP].verdict.state, LW_DRIFT_OK);
    cr_expect_lt(c.score[LW_SCORE_TOKEN_JS].value, 0.1);
    cr_assert_eq(lw_drift_compare(&c, &a, &d, &s, &cache, &err), 0);
    cr_expect_eq(c.overall, LW_DRIFT_ALERT);
    cr_expect_eq(c.score[LW_SCORE_LENGTH_JS].verdict.state, LW_DRIFT_ALERT);
    cr_expect_eq(c.score[LW_SCORE_TOKEN_JS].verdict.state, LW_DRIFT_ALERT);
    cr_expect_gt(c.score[LW_SCORE_TOKEN_OOV].value, 0);
    cr_expect_float_eq(c.score[LW_SCORE_LENGTH_W1].value, 200, 25);
    cr_assert_eq(c.score[LW_SCORE_TOKEN_JS].whys, LW_WHYS);
    cr_expect_str_eq(c.score[LW_SCORE_TOKEN_JS].why[0].what, "token 1");
    cr_expect_lt(c.score[LW_SCORE_TOKEN_JS].why[0].share, 0);
    cr_assert_eq(lw_drift_compare(&c, &a, &few, &s, &cache, &err), 0);
    cr_expect_eq(c.score[LW_SCORE_LENGTH_JS].verdict.state, LW_DRIFT_NO_DATA);
    cr_expect_leq(c.overall, LW_DRIFT_UNSURE, "%s", lw_drift_state_name(c.overall));
    lw_profile_clear(&few);
    cr_assert_eq(lw_drift_compare(&c, &a, &few, &s, &cache, &err), 0);
    cr_expect_eq(c.overall, LW_DRIFT_NO_DATA);
    cr_expect(isnan(c.max_drift));
    lw_profile_fini(&a);
    lw_profile_fini(&b);
    lw_profile_fini(&d);
    lw_profile_fini(&few);
}

Test(drift_profile, limit)
{
    struct lw_profile_options o = {.modality = LW_TEXT, .limit = 10};
    struct lw_profile p;

    cr_assert_eq(lw_profile_init(&p, &o, &err), 0);
    add_documents(&p, 0, 30);
    cr_expect_eq(p.items, 10);
    lw_profile_fini(&p);
}
