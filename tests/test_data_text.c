/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/random.h"
#include "engine/data/dataset.h"
#include "tests/support.h"

static struct lw_tokenizer *tokenizer(const char *spec)
{
    struct lw_tokenizer *t = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_tokenizer_open(&t, spec, &err), 0, "%s", err.text);
    return t;
}

static struct lw_dataset *open_with(const char *path, const char *spec, struct lw_dataset_options o)
{
    struct lw_tokenizer *t = tokenizer(spec);
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_open(&d, path, t, &o, &err), 0, "%s", err.text);
    lw_tokenizer_close(t);
    return d;
}

static struct lw_dataset *open_data(const char *path)
{
    return open_with(path, "bytes", (struct lw_dataset_options){0});
}

static void refused(const char *path, int code, const char *says)
{
    struct lw_tokenizer *t = tokenizer("bytes");
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_open(&d, path, t, NULL, &err), code, "%s: %s", path, err.text);
    cr_assert(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    cr_assert(strstr(err.text, path), "\"%s\" does not name %s", err.text, path);
    cr_assert_null(strchr(err.text, '\n'));
    lw_tokenizer_close(t);
}

static void write_bytes(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");

    cr_assert_not_null(f, "%s", path);
    cr_assert_eq(fwrite(data, 1, n, f), n);
    fclose(f);
}

/* Byte data as text, separators as '|'. */
static const char *as_text(const struct lw_dataset *d)
{
    static char out[4096];
    int32_t ids[4096];
    int64_t n = lw_dataset_info(d)->tokens;
    struct lw_error err = {0};

    cr_assert_lt(n, 4096);
    cr_assert_eq(lw_dataset_read(d, 0, n, ids, &err), 0, "%s", err.text);
    for (int64_t i = 0; i < n; i++)
        out[i] = ids[i] == 256 ? '|' : (char)ids[i];
    out[n] = '\0';
    return out;
}

static void expect(struct lw_dataset *d, const char *text, int64_t documents)
{
    cr_assert_str_eq(as_text(d), text);
    cr_assert_eq(lw_dataset_info(d)->documents, documents, "%lld documents",
                 (long long)lw_dataset_info(d)->documents);
    for (int64_t i = 0; i < documents; i++) {
        int64_t start = lw_dataset_document(d, i);

        cr_assert(start == 0 || text[start - 1] == '|', "document %lld starts at %lld",
                  (long long)i, (long long)start);
        cr_assert(i == 0 || start > lw_dataset_document(d, i - 1));
    }
    cr_assert_eq(lw_dataset_document(d, documents), (int64_t)strlen(text));
    cr_assert_eq(lw_dataset_document(d, documents + 1), -1);
    lw_dataset_close(d);
}

Test(text, a_file_is_one_document)
{
    const char *path = test_path(test_folder(), "a.txt");
    struct lw_dataset *d;

    test_write(path, "one\n\ntwo\n");
    d = open_data(path);
    cr_assert_str_eq(lw_dataset_info(d)->format, "text");
    cr_assert_eq(lw_dataset_info(d)->bytes, 9);
    cr_assert_eq(lw_dataset_info(d)->vocab_size, 257);
    cr_assert_eq(lw_dataset_info(d)->separator, 256);
    cr_assert_eq(lw_dataset_info(d)->max_id, 'w');
    cr_assert_eq(strlen(lw_dataset_info(d)->hash), 32);
    expect(d, "one\n\ntwo\n", 1);
}

Test(text, a_separator_parts_documents)
{
    const char *path = test_path(test_folder(), "a.txt");
    struct lw_dataset_options o = {.document_separator = "\n\n"};

    test_write(path, "\n\none\ntwo\n\nthree\n\n\n\n\n\nfour\n\n");
    expect(open_with(path, "bytes", o), "one\ntwo|three|four", 3);
    o.document_separator = "";
    test_write(path, "a\n\nb");
    expect(open_with(path, "bytes", o), "a\n\nb", 1);
}

Test(text, a_folder_holds_a_document_a_file)
{
    const char *folder = test_folder(), *inner = test_path(folder, "c");

    cr_assert_eq(mkdir(inner, 0777), 0);
    test_write(test_path(folder, "b.txt"), "second");
    test_write(test_path(folder, "a.txt"), "first");
    test_write(test_path(inner, "x.md"), "third");
    test_write(test_path(folder, "d.txt"), "");
    test_write(test_path(folder, "z.jsonl"), "{\"text\":\"fourth\"}\n{\"text\":\"fifth\"}\n");
    test_write(test_path(folder, ".hidden"), "no");
    expect(open_data(folder), "first|second|third|fourth|fifth", 5);
}

Test(text, invalid_utf8_is_accepted_and_counted)
{
    const char *path = test_path(test_folder(), "a.txt");
    struct lw_dataset *d;

    /* a stray continuation, an overlong form, a surrogate, a cut sequence at the end */
    test_write(path, "ok \xc3\xa9 \x80 \xc0\xaf \xed\xa0\x80 \xe2\x82");
    d = open_data(path);
    cr_assert_eq(lw_dataset_info(d)->invalid_bytes, 1 + 2 + 3 + 2);
    cr_assert_eq(lw_dataset_info(d)->tokens, 17);
    lw_dataset_close(d);
}

Test(jsonl, records_are_documents)
{
    const char *path = test_path(test_folder(), "data.txt"); /* known by content */
    struct lw_dataset *d;

    test_write(path, "{\"id\": 1, \"text\": \"one\\ntwo\"}\r\n\n{\"text\":\"\"}\n"
                     "{\"text\": \"\\u0041\\u0000b\", \"text2\": 4}");
    d = open_data(path);
    cr_assert_str_eq(lw_dataset_info(d)->format, "JSONL");
    cr_assert_eq(lw_dataset_info(d)->documents, 2);
    cr_assert_eq(lw_dataset_info(d)->tokens, 7 + 1 + 3);
    lw_dataset_close(d);
}

Test(jsonl, a_byte_order_mark_is_skipped)
{
    const char *path = test_path(test_folder(), "data.jsonl");

    test_write(path, "\xef\xbb\xbf{\"text\":\"x\"}\n{\"text\":\"y\"}");
    expect(open_data(path), "x|y", 2);
}

Test(jsonl, bad_records_are_named_by_line)
{
    const char *path = test_path(test_folder(), "data.jsonl");

    test_write(path, "{\"text\":\"x\"}\n{\"text\":\"caf\xe9\"}\n");
    refused(path, LW_EDATA, "line 2");
    test_write(path, "{\"text\":\"x\"}\n\n{\"txet\":\"y\"}\n");
    refused(path, LW_EDATA, "line 3 has no field \"text\"");
    test_write(path, "{\"text\":\"x\"}\n{\"text\":7}\n");
    refused(path, LW_EDATA, "line 2 has a field \"text\" that is not a string");
    test_write(path, "{\"text\":\"x\"}\n[1]\n");
    refused(path, LW_EDATA, "line 2 is not a JSON object");
    test_write(path, "{\"text\":\"x\"}\n{\"text\":\"half");
    refused(path, LW_EDATA, "line 2 is not JSON");
    test_write(path, "\n\n");
    refused(path, LW_EDATA, "no text");
}

Test(jsonl, a_json_document_is_text)
{
    const char *path = test_path(test_folder(), "a.json");

    test_write(path, "{\n \"text\": 1\n}\n");
    expect(open_data(path), "{\n \"text\": 1\n}\n", 1);
}

Test(missing, data_is_named)
{
    const char *folder = test_folder(), *path = test_path(folder, "gone.txt");

    refused(path, LW_EIO, "there is no file or folder");
    refused(folder, LW_EDATA, "holds no files");
    test_write(path, "");
    refused(path, LW_EDATA, "empty");
    refused("/dev/null", LW_EDATA, "neither a file nor a folder");
}

Test(missing, unreadable_data_is_named)
{
    const char *path = test_path(test_folder(), "secret.txt");

    test_write(path, "x");
    cr_assert_eq(chmod(path, 0), 0);
    if (access(path, R_OK) == 0)
        cr_skip_test("this user may read everything");
    refused(path, LW_EIO, "Permission denied");
}

/* Text of n bytes with words, blank lines and some characters of several bytes. */
static char *prose(size_t n)
{
    char *text = malloc(n);
    struct lw_random r;
    size_t at = 0;

    lw_random_init(&r, 11, 1);
    while (at + 8 < n)
        at += (size_t)sprintf(text + at, "%s",
                              (const char *[]){"word ", "x", "\n\n", "\xc3\xa9", ", ", "42 ", "\n",
                                               "The "}[lw_random_below(&r, 8)]);
    memset(text + at, '.', n - at);
    return text;
}

Test(tokenised, large_text_equals_text_encoded_whole)
{
    const char *path = test_path(test_folder(), "a.txt");
    size_t n = 9u << 20; /* more than a batch */
    char *text = prose(n);
    struct lw_tokenizer *t = tokenizer(test_source("tests/data/gpt2-bpe"));
    struct lw_dataset *one, *three;
    struct lw_encoder *e = NULL;
    struct lw_error err = {0};
    struct lw_ids ids = {0};
    int32_t *got;

    write_bytes(path, text, n);
    cr_assert_eq(lw_encoder_open(&e, t, &err), 0);
    cr_assert_eq(lw_encode(e, text, n, &ids, &err), 0);
    got = malloc(ids.count * sizeof *got);
    cr_assert_eq(lw_dataset_open(&one, path, t, &(struct lw_dataset_options){.threads = 1}, &err),
                 0);
    cr_assert_eq(lw_dataset_open(&three, path, t, &(struct lw_dataset_options){.threads = 3}, &err),
                 0);
    for (int k = 0; k < 2; k++) {
        struct lw_dataset *d = k ? three : one;

        cr_assert_eq(lw_dataset_info(d)->tokens, (int64_t)ids.count);
        cr_assert_eq(lw_dataset_info(d)->invalid_bytes, 0);
        cr_assert_eq(lw_dataset_read(d, 0, (int64_t)ids.count, got, &err), 0);
        cr_assert_arr_eq(got, ids.id, ids.count * sizeof *got);
        lw_dataset_close(d);
    }
    free(got);
    free(text);
    lw_ids_free(&ids);
    lw_encoder_close(e);
    lw_tokenizer_close(t);
}

Test(tokenised, large_text_is_parted_at_every_separator)
{
    const char *path = test_path(test_folder(), "a.txt");
    size_t n = 9u << 20;
    char *text = prose(n);
    int64_t documents = 0;
    struct lw_dataset *d;

    for (size_t at = 0; at < n;) { /* documents that are not empty */
        char *end = memmem(text + at, n - at, "\n\n", 2);
        size_t length = end ? (size_t)(end - text) - at : n - at;

        documents += length > 0;
        at += length + 2;
    }
    write_bytes(path, text, n);
    d = open_with(path, "bytes", (struct lw_dataset_options){.document_separator = "\n\n"});
    cr_assert_eq(lw_dataset_info(d)->documents, documents);
    for (int64_t i = 1; i < documents; i++) {
        struct lw_error err = {0};
        int32_t id;

        cr_assert_eq(lw_dataset_read(d, lw_dataset_document(d, i) - 1, 1, &id, &err), 0);
        cr_assert_eq(id, 256);
    }
    lw_dataset_close(d);
    free(text);
}

Test(cache, a_second_start_finds_the_tokens)
{
    const char *folder = test_folder(), *path = test_path(folder, "a.txt");
    struct lw_dataset_options o = {.cache_dir = test_path(folder, "runs/.cache")};
    struct lw_dataset *d;

    test_write(path, "one|two");
    d = open_with(path, "bytes", o);
    cr_assert_eq(lw_dataset_info(d)->from_cache, 0);
    expect(d, "one|two", 1);
    d = open_with(path, "bytes", o);
    cr_assert_eq(lw_dataset_info(d)->from_cache, 1);
    expect(d, "one|two", 1);
    o.document_separator = "|"; /* other documents: another entry */
    d = open_with(path, "bytes", o);
    cr_assert_eq(lw_dataset_info(d)->from_cache, 0);
    expect(d, "one|two", 2);
    test_write(path, "one|twO"); /* other content */
    d = open_with(path, "bytes", o);
    cr_assert_eq(lw_dataset_info(d)->from_cache, 0);
    expect(d, "one|twO", 2);
}

/* The only file of tokens in a cache. */
static const char *cached_file(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    const char *found = NULL;

    while ((entry = readdir(d)))
        if (strstr(entry->d_name, ".tokens"))
            found = test_path(dir, entry->d_name);
        else
            cr_assert_eq(entry->d_name[0], '.', "%s is left over", entry->d_name);
    closedir(d);
    cr_assert_not_null(found);
    return found;
}

Test(cache, damage_is_noticed_and_mended)
{
    const char *folder = test_folder(), *path = test_path(folder, "a.txt");
    struct lw_dataset_options o = {.cache_dir = test_path(folder, "cache")};
    struct lw_dataset *d;
    const char *file;
    FILE *f;

    test_write(path, "some text");
    lw_dataset_close(open_with(path, "bytes", o));
    file = cached_file(o.cache_dir);
    cr_assert_eq(truncate(file, 70), 0);
    d = open_with(path, "bytes", o);
    cr_assert_eq(lw_dataset_info(d)->from_cache, 0);
    expect(d, "some text", 1);
    f = fopen(file, "r+b"); /* a header that lies about its tokens */
    fseek(f, 24, SEEK_SET);
    fputc(200, f);
    fclose(f);
    d = open_with(path, "bytes", o);
    cr_assert_eq(lw_dataset_info(d)->from_cache, 0);
    expect(d, "some text", 1);
    d = open_with(path, "bytes", o);
    cr_assert_eq(lw_dataset_info(d)->from_cache, 1);
    lw_dataset_close(d);
}

Test(cache, that_cannot_be_written_is_done_without)
{
    const char *folder = test_folder(), *path = test_path(folder, "a.txt");
    struct lw_dataset_options o = {.cache_dir = test_path(folder, "file/cache")};
    struct lw_dataset *d;

    test_write(path, "some text");
    test_write(test_path(folder, "file"), "in the way");
    d = open_with(path, "bytes", o);
    cr_assert(strstr(lw_dataset_info(d)->note, "not cached"), "%s", lw_dataset_info(d)->note);
    cr_assert(strstr(lw_dataset_info(d)->note, "file"), "%s", lw_dataset_info(d)->note);
    expect(d, "some text", 1);
    cr_assert_eq(setenv("TMPDIR", "/nowhere", 1), 0); /* not even a temporary file */
    expect(open_with(path, "bytes", o), "some text", 1);
}

Test(cache, nowhere_left_to_write_is_one_line)
{
    const char *folder = test_folder(), *path = test_path(folder, "a.txt");
    struct lw_dataset_options o = {.cache_dir = test_path(folder, "cache")};
    struct lw_tokenizer *t = tokenizer("bytes");
    struct rlimit small = {4096, 4096};
    struct lw_error err = {0};
    struct lw_dataset *d = NULL;
    char *text = prose(1u << 20);

    write_bytes(path, text, 1u << 20);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    cr_assert_eq(lw_dataset_open(&d, path, t, &o, &err), LW_EIO);
    cr_assert(strstr(err.text, "cannot write tokens in"), "%s", err.text);
    cr_assert_null(d);
    cr_assert_eq(unlink(test_path(o.cache_dir, ".lock")), 0);
    cr_assert_eq(rmdir(o.cache_dir), 0, "nothing half written stays");
    free(text);
    lw_tokenizer_close(t);
}

Test(cache, is_not_blamed_for_bad_data)
{
    const char *folder = test_folder(), *path = test_path(folder, "a.txt");
    struct lw_dataset_options o = {.cache_dir = test_path(folder, "cache")};
    struct lw_tokenizer *t = tokenizer("bytes");
    struct lw_error err = {0};
    struct lw_dataset *d = NULL;

    test_write(path, "{\"text\":\"fine\"}\n{\"text\":3}\n");
    cr_assert_eq(lw_dataset_open(&d, path, t, &o, &err), LW_EDATA);
    cr_assert(strstr(err.text, "line 2"), "%s", err.text);
    cr_assert_eq(rmdir(o.cache_dir), -1, "the lock stays");
    cr_assert_eq(unlink(test_path(o.cache_dir, ".lock")), 0);
    cr_assert_eq(rmdir(o.cache_dir), 0, "and nothing else");
    lw_tokenizer_close(t);
}

Test(cache, several_processes_may_fill_it_at_once)
{
    const char *folder = test_folder(), *path = test_path(folder, "a.txt");
    struct lw_dataset_options o = {.cache_dir = test_path(folder, "cache"), .threads = 1};
    size_t n = 1u << 20;
    char *text = prose(n);
    pid_t child[4];

    write_bytes(path, text, n);
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct lw_tokenizer *t = tokenizer("bytes");
            struct lw_dataset *d = NULL;
            struct lw_error err = {0};
            int32_t last = 0;
            int ok = lw_dataset_open(&d, path, t, &o, &err) == 0 &&
                     lw_dataset_info(d)->tokens == (int64_t)n &&
                     lw_dataset_read(d, (int64_t)n - 1, 1, &last, &err) == 0 && last == '.';

            lw_dataset_close(d);
            lw_tokenizer_close(t);
            free(text);
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status;

        cr_assert_eq(waitpid(child[i], &status, 0), child[i]);
        cr_assert_eq(status, 0);
    }
    cached_file(o.cache_dir);
    free(text);
}
