/* SPDX-License-Identifier: MIT
 *
 * Profiles in files: nothing is lost, and nothing wrong is believed. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/drift/compare.h"
#include "engine/drift/profile.h"
#include "tests/drift_support.h"
#include "tests/support.h"

static struct lw_error err;

static void add_documents(struct lw_profile *p, int count)
{
    struct lw_random r;
    int32_t ids[200];

    lw_random_init(&r, 5, 5);
    for (int d = 0; d < count; d++) {
        for (int i = 0; i < 200; i++)
            ids[i] = (int32_t)lw_random_below(&r, 3000);
        cr_assert_eq(lw_profile_document(p, ids, (size_t)(10 + 4 * d), &err), 0);
    }
}

static void grey_images(struct lw_profile *p, size_t count)
{
    static const uint8_t pixels[3 * 20] = {7, 1, 9, 30, 200};
    struct lw_images m = {
        .pixels = pixels, .count = count, .channels = 1, .height = 4, .width = 5, .bytes = 1};

    cr_assert_eq(lw_profile_images(p, &m, &err), 0, "%s", err.text);
}

Test(drift_files, files_keep_everything)
{
    static const int32_t classes[] = {4, 2, 2};
    const char *path = test_path(test_folder(), "p.json");
    struct lw_profile p, q;

    test_profile(&p, LW_TEXT);
    add_documents(&p, 40);
    cr_assert_eq(lw_profile_outputs(&p, LW_OUTPUT_PREDICTIONS, classes, 3, &err), 0);
    cr_assert_eq(lw_profile_save(&p, path, NULL, NULL, &err), 0);
    cr_assert_eq(lw_profile_load(&q, path, &err), 0, "%s", err.text);
    test_same_profile(&p, &q);
    cr_expect_eq(q.outputs.units, 1);
    cr_assert_eq(lw_profile_merge(&q, &p, &err), 0);
    lw_profile_fini(&p);
    lw_profile_fini(&q);

    test_profile(&p, LW_VISION);
    grey_images(&p, 3);
    cr_assert_eq(lw_profile_save(&p, path, NULL, NULL, &err), 0);
    cr_assert_eq(lw_profile_load(&q, path, &err), 0, "%s", err.text);
    test_same_profile(&p, &q);
    lw_profile_fini(&p);
    lw_profile_fini(&q);
}

static const char *word(void *user, uint32_t id, char out[28])
{
    (void)user;
    strcpy(out, id == 1 ? "one\x1b[31m" : "other");
    return out;
}

Test(drift_files, words)
{
    static const int32_t ids[] = {1, 1, 2};
    const char *path = test_path(test_folder(), "p.json");
    struct lw_profile p, q;

    test_profile(&p, LW_TEXT);
    cr_assert_eq(lw_profile_document(&p, ids, 3, &err), 0);
    cr_assert_eq(lw_profile_save(&p, path, word, NULL, &err), 0);
    cr_assert_eq(lw_profile_load(&q, path, &err), 0, "%s", err.text);
    cr_expect_str_eq(lw_profile_name(&q, 1), "one?[31m");
    cr_expect_null(lw_profile_name(&q, 3));
    test_same_profile(&q, &q);
    lw_profile_fini(&p);
    lw_profile_fini(&q);
}

#define TEXT_HEAD "{\"format_version\":1,\"modality\":\"text\",\"items\":3,"

Test(drift_files, damaged_files)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "JSON"},
        {"{\"a\":1", "JSON"},
        {"[1]", "not a profile"},
        {"{\"loss\":1}", "not a profile"},
        {"{\"format_version\":2,\"modality\":\"text\"}", "format_version"},
        {"{\"format_version\":1,\"modality\":\"sound\"}", "modality"},
        {"{\"format_version\":1,\"modality\":\"text\"}", "items"},
        {"{\"format_version\":1,\"modality\":\"text\",\"items\":-3}", "items has a negative"},
        {"{\"format_version\":1,\"modality\":\"text\",\"items\":NaN}", "JSON"},
        {"{\"format_version\":1,\"modality\":\"text\",\"items\":1.5}", "items must be a whole"},
        {TEXT_HEAD "\"seq_length_hist\":[1,2]}", "must have 10 elements, not 2"},
        {TEXT_HEAD "\"seq_length_hist\":[1,1,1,-1,0,0,0,0,0,0]}", "negative"},
        {TEXT_HEAD "\"seq_length_hist\":[9223372036854775807,1,1,1,0,0,0,0,0,0]}", "2^60"},
        {TEXT_HEAD "\"seq_length_bins\":[0,1,5]}", "evenly"},
        {TEXT_HEAD "\"seq_length_bins\":[0]}", "edges"},
        {TEXT_HEAD "\"token_counts\":{\"ids\":[2,1],\"counts\":[1,1]}}", "rise"},
        {TEXT_HEAD "\"token_counts\":{\"ids\":[2],\"counts\":[1,1]}}", "elements"},
        {TEXT_HEAD "\"token_counts\":{\"ids\":[1048576],\"counts\":[1]}}", "below 1048576"},
        {TEXT_HEAD "\"token_counts\":{\"ids\":[1],\"counts\":[\"1x\"]}}", "whole number"},
        {TEXT_HEAD "\"token_counts\":{\"ids\":[1],\"counts\":[2],\"squares\":[1]}}", "squares"},
        {TEXT_HEAD "\"token_counts\":[1]}", "must be an object"},
        {TEXT_HEAD "\"items\":3}", "JSON"},
        {TEXT_HEAD "\"output_classes\":[1],\"output_hist\":[1]}", "predictions or labels"},
        {"{\"format_version\":1,\"modality\":\"vision\",\"items\":1,\"pixels\":4}", "white"},
        {"{\"format_version\":1,\"modality\":\"vision\",\"items\":1,"
         "\"features\":{\"edge\":[[4096,1]]}}",
         "edge"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lw_profile p;

        cr_expect_eq(lw_profile_read(&p, bad[i].text, strlen(bad[i].text), "x.json", &err),
                     LW_EDATA, "%s", bad[i].text);
        cr_expect(strstr(err.text, bad[i].says), "%s: %s", bad[i].text, err.text);
        cr_expect(strstr(err.text, "x.json"), "%s", err.text);
    }
}

Test(drift_files, missing_file)
{
    struct lw_profile p;

    cr_expect_eq(lw_profile_load(&p, "/no/such/profile.json", &err), LW_EIO);
    cr_expect(strstr(err.text, "/no/such/profile.json"));
}

/* What another program wrote: only the histograms, none of the sums. */
Test(drift_files, foreign_profile)
{
    static const char a[] = TEXT_HEAD "\"seq_length_hist\":[100,0,0,0,0,0,0,0,0,0]}";
    static const char b[] = TEXT_HEAD "\"seq_length_hist\":[0,0,0,100,0,0,0,0,0,0]}";
    struct lw_drift_settings s;
    struct lw_comparison c;
    struct lw_profile p, q;

    cr_assert_eq(lw_profile_read(&p, a, strlen(a), "a", &err), 0, "%s", err.text);
    cr_assert_eq(lw_profile_read(&q, b, strlen(b), "b", &err), 0, "%s", err.text);
    lw_drift_settings_init(&s, true, 0.1, 0.2);
    cr_assert_eq(lw_drift_compare(&c, &p, &q, &s, NULL, &err), 0);
    cr_expect_float_eq(c.score[LW_SCORE_LENGTH_JS].value, 0.832554611157, 1e-11);
    cr_expect_eq(c.score[LW_SCORE_TOKEN_JS].verdict.state, LW_DRIFT_NO_DATA);
    cr_expect_eq(c.overall, LW_DRIFT_ALERT);
    lw_profile_fini(&p);
    lw_profile_fini(&q);
}
