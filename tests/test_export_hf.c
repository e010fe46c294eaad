/* SPDX-License-Identifier: MIT
 *
 * Folders in Hugging Face's layout: what is written, and that it comes back as it was.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/tokenizer.h"
#include "engine/export/hf_folder.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/store.h"
#include "tests/model_support.h"
#include "tests/support.h"

static const struct lw_model_plan plan = {
    .batch = 1, .length = 8, .eval_batch = 1, .eval_length = 8, .attention = LW_ATTENTION_AUTO};

static void same_files(const char *a, const char *b)
{
    struct lw_error err = {0};
    char *x, *y;
    size_t n, m;

    cr_assert_eq(lw_read_file(a, 0, &x, &n, &err), 0, "%s", err.text);
    cr_assert_eq(lw_read_file(b, 0, &y, &m, &err), 0, "%s", err.text);
    cr_expect(n == m && !memcmp(x, y, n), "%s and %s differ", a, b);
    free(x);
    free(y);
}

static json_t *read_json(const char *folder, const char *name)
{
    json_error_t why;
    json_t *root = json_load_file(test_path(folder, name), 0, &why);

    cr_assert(root, "%s: line %d: %s", name, why.line, why.text);
    return root;
}

static char from[300], to[300];   /* two folders of a test */
static struct lw_model_spec spec; /* of the model in the first */

/* A checkpoint in `from` with a model of that many tokens, weights drawn at a seed. */
static void make_checkpoint(int vocabulary, int separator, struct test_model *t)
{
    const char *folder = test_folder();
    struct lw_error err = {0};

    snprintf(from, sizeof from, "%s/from", folder);
    snprintf(to, sizeof to, "%s/to/folder", folder);

    spec = test_spec();
    spec.vocabulary = vocabulary;
    test_model_open(t, &spec, &plan);
    cr_assert_eq(lw_model_init(t->gpt, 7, &err), 0, "%s", err.text);
    cr_assert_eq(lw_hf_gpt2_save(from, t->gpt, LW_F32, separator, &err), 0, "%s", err.text);
}

Test(export_hf, comes_back_bit_for_bit)
{
    struct test_model made, again;
    struct lw_error err = {0};
    float *x, *y;

    make_checkpoint(257, 256, &made);
    cr_assert_eq(lw_hf_folder_write(to, from, &spec, LW_IDS_BYTES, &err), 0, "%s", err.text);
    cr_assert_eq(lw_hf_gpt2_spec(to, &spec, &err), 0, "%s", err.text);
    test_model_open(&again, &spec, &plan);
    cr_assert_eq(lw_hf_gpt2_load(to, again.gpt, NULL, 0, &err), 0, "%s", err.text);
    x = test_read_all(&made, LW_WEIGHTS);
    y = test_read_all(&again, LW_WEIGHTS);
    cr_expect(!memcmp(x, y, made.params->exist * sizeof *x));
    free(x);
    free(y);
    same_files(test_path(from, "model.safetensors"), test_path(to, "model.safetensors"));
    same_files(test_path(from, "config.json"), test_path(to, "config.json"));
    test_model_close(&made);
    test_model_close(&again);

    /* again over itself, as a second export does */
    cr_assert_eq(lw_hf_folder_write(to, to, &spec, LW_IDS_BYTES, &err), 0, "%s", err.text);
    same_files(test_path(from, "model.safetensors"), test_path(to, "model.safetensors"));
}

/* The tokenizer of bytes as files gives the ids that "bytes" gives, for every byte there is. */
Test(export_hf, bytes_as_a_tokenizer_of_others)
{
    struct lw_tokenizer *ours = NULL, *theirs = NULL;
    struct lw_encoder *e = NULL;
    struct lw_ids ids = {0};
    struct lw_error err = {0};
    struct test_model t;
    char text[512];
    json_t *root;

    make_checkpoint(257, 256, &t);
    test_model_close(&t);
    cr_assert_eq(lw_hf_folder_write(to, from, &spec, LW_IDS_BYTES, &err), 0, "%s", err.text);
    cr_assert_eq(lw_tokenizer_open(&ours, "bytes", &err), 0, "%s", err.text);
    cr_assert_eq(lw_tokenizer_open(&theirs, to, &err), 0, "%s", err.text);
    cr_expect_eq(lw_tokenizer_vocab_size(theirs), lw_tokenizer_vocab_size(ours));
    cr_expect_eq(lw_tokenizer_separator(theirs), lw_tokenizer_separator(ours));
    for (int i = 0; i < 512; i++)
        text[i] = (char)(i * 7 + i / 256);
    cr_assert_eq(lw_encoder_open(&e, theirs, &err), 0, "%s", err.text);
    cr_assert_eq(lw_encode(e, text, sizeof text, &ids, &err), 0, "%s", err.text);
    cr_assert_eq(ids.count, sizeof text);
    for (int i = 0; i < 512; i++)
        cr_expect_eq(ids.id[i], (unsigned char)text[i]);
    lw_ids_free(&ids);
    lw_encoder_close(e);
    lw_tokenizer_close(ours);
    lw_tokenizer_close(theirs);

    root = read_json(to, "tokenizer_config.json");
    cr_expect_str_eq(json_string_value(json_object_get(root, "eos_token")), "<|endoftext|>");
    cr_expect_eq(json_integer_value(json_object_get(root, "model_max_length")), 24);
    json_decref(root);
    root = read_json(to, "generation_config.json");
    cr_expect_eq(json_integer_value(json_object_get(root, "eos_token_id")), 256);
    json_decref(root);
}

Test(export_hf, carries_the_run_s_own_tokenizer)
{
    struct lw_error err = {0};
    struct test_model t;

    make_checkpoint(50257, 50256, &t);
    test_model_close(&t);
    for (int i = 0; i < 2; i++) {
        static const char *const name[] = {"vocab.json", "merges.txt"};
        char source[64];

        snprintf(source, sizeof source, "tests/data/gpt2-bpe/%s", name[i]);
        cr_assert_eq(lw_copy_file(test_source(source), test_path(from, name[i]), &err), 0, "%s",
                     err.text);
    }
    cr_assert_eq(lw_hf_folder_write(to, from, &spec, LW_IDS_FILES, &err), 0, "%s", err.text);
    same_files(test_source("tests/data/gpt2-bpe/vocab.json"), test_path(to, "vocab.json"));
    same_files(test_source("tests/data/gpt2-bpe/merges.txt"), test_path(to, "merges.txt"));
    cr_expect_eq(access(test_path(to, "tokenizer.json"), F_OK), -1);
}

/* Ids out of token shards: nobody knows what 256 means there. */
Test(export_hf, an_unknown_tokenizer_is_not_made_up)
{
    struct lw_error err = {0};
    struct test_model t;
    json_t *root;

    make_checkpoint(300, 256, &t);
    test_model_close(&t);
    cr_assert_eq(lw_hf_folder_write(to, from, &spec, LW_IDS_UNKNOWN, &err), 0, "%s", err.text);
    cr_expect_eq(access(test_path(to, "vocab.json"), F_OK), -1);
    cr_expect_eq(access(test_path(to, "tokenizer_config.json"), F_OK), -1);
    root = read_json(to, "config.json");
    cr_expect(json_is_null(json_object_get(root, "eos_token_id")));
    cr_expect_eq(json_integer_value(json_object_get(root, "vocab_size")), 300);
    json_decref(root);
}

Test(export_hf, says_what_is_in_the_way)
{
    struct lw_error err = {0};
    struct test_model t;

    make_checkpoint(61, -1, &t);
    test_model_close(&t);
    cr_assert_eq(lw_make_folders(to, &err), 0);
    test_write(test_path(to, "file"), "");
    cr_expect_eq(lw_hf_folder_write(test_path(to, "file"), from, &spec, LW_IDS_UNKNOWN, &err),
                 LW_EIO);
    cr_expect(strstr(err.text, "file: Not a directory"), "%s", err.text);
    cr_assert_eq(unlink(test_path(from, "model.safetensors")), 0);
    cr_expect_eq(lw_hf_folder_write(test_path(to, "b"), from, &spec, LW_IDS_UNKNOWN, &err), LW_EIO);
    cr_expect(strstr(err.text, "model.safetensors: No such file"), "%s", err.text);
}
