/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/data/dataset.h"
#include "tests/support.h"

static struct lw_tokenizer *bytes_tokenizer(void)
{
    struct lw_tokenizer *t = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_tokenizer_open(&t, "bytes", &err), 0);
    return t;
}

static void write_bytes(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");

    cr_assert_not_null(f, "%s", path);
    cr_assert_eq(fwrite(data, 1, n, f), n);
    fclose(f);
}

/* A token file: header (magic 0: none), then count ids first, first + 1, ... of width bytes. */
static void write_shard(const char *path, int32_t magic, int32_t version, int32_t says, int count,
                        int width, uint32_t first)
{
    char *data = calloc(1, 1024 + 4 * (size_t)count + 1);
    int32_t header[3] = {magic, version, says};
    size_t n = magic ? 1024 : 0;

    memcpy(data, header, magic ? sizeof header : 0);
    for (int i = 0; i < count; i++) {
        uint32_t id = first + (uint32_t)i;

        memcpy(data + n, &id, (size_t)width); /* little endian */
        n += (size_t)width;
    }
    write_bytes(path, data, n);
    free(data);
}

static struct lw_dataset *open_data(const char *path)
{
    struct lw_tokenizer *t = bytes_tokenizer();
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_open(&d, path, t, NULL, &err), 0, "%s", err.text);
    lw_tokenizer_close(t);
    return d;
}

static void refused(const char *path, int code, const char *says)
{
    struct lw_tokenizer *t = bytes_tokenizer();
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_open(&d, path, t, NULL, &err), code, "%s: %s", path, err.text);
    cr_assert_null(d);
    cr_assert(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    cr_assert(strstr(err.text, path), "\"%s\" does not name %s", err.text, path);
    cr_assert_null(strchr(err.text, '\n'));
    lw_tokenizer_close(t);
}

static void expect_ids(const struct lw_dataset *d, int64_t at, int count, int32_t first)
{
    int32_t *ids = malloc((size_t)count * sizeof *ids);
    struct lw_error err = {0};

    cr_assert_eq(lw_dataset_read(d, at, count, ids, &err), 0, "%s", err.text);
    for (int i = 0; i < count; i++)
        cr_assert_eq(ids[i], first + i);
    free(ids);
}

Test(shards, of_uint16_are_read)
{
    const char *path = test_path(test_folder(), "data.bin");
    struct lw_error err = {0};
    struct lw_dataset *d;
    int32_t id;

    write_shard(path, 20240520, 1, 1000, 1000, 2, 50000);
    d = open_data(path);
    cr_assert_eq(lw_dataset_info(d)->tokens, 1000);
    cr_assert_eq(lw_dataset_info(d)->documents, 2);
    cr_assert_eq(lw_dataset_info(d)->max_id, 50999);
    cr_assert_eq(lw_dataset_info(d)->vocab_size, 51000);
    cr_assert_eq(lw_dataset_info(d)->separator, 50256);
    cr_assert_eq(lw_dataset_info(d)->bytes, 3024);
    cr_assert_eq(lw_dataset_info(d)->shards, 1);
    expect_ids(d, 0, 1000, 50000);
    expect_ids(d, 37, 5, 50037);
    cr_assert_eq(lw_dataset_read(d, 999, 2, &id, &err), LW_EDATA);
    cr_assert_eq(lw_dataset_read(d, -1, 1, &id, &err), LW_EDATA);
    cr_assert_eq(lw_dataset_check_ids(d, 50257, &err), LW_EDATA);
    cr_assert(strstr(err.text, "token 257") && strstr(err.text, "id 50257"), "%s", err.text);
    cr_assert(strstr(err.text, path), "%s", err.text);
    lw_dataset_close(d);
}

Test(shards, of_uint32_are_read)
{
    const char *path = test_path(test_folder(), "data.bin");
    struct lw_dataset *d;

    write_shard(path, 20240801, 7, 300, 300, 4, 100000);
    d = open_data(path);
    cr_assert_eq(lw_dataset_info(d)->tokens, 300);
    cr_assert_eq(lw_dataset_info(d)->vocab_size, 128256);
    expect_ids(d, 0, 300, 100000);
    lw_dataset_close(d);
}

Test(shards, without_a_header_are_read_by_their_name)
{
    const char *folder = test_folder(), *path = test_path(folder, "train.bin");
    struct lw_dataset *d;

    write_shard(path, 0, 0, 0, 500, 2, 7);
    d = open_data(path);
    cr_assert_str_eq(lw_dataset_info(d)->format, "headerless uint16 tokens");
    expect_ids(d, 0, 500, 7);
    cr_assert_eq(lw_dataset_info(d)->vocab_size, 50257);
    lw_dataset_close(d);
    path = test_path(folder, "train.dat"); /* the same bytes are text under another name */
    write_shard(path, 0, 0, 0, 500, 2, 7);
    d = open_data(path);
    cr_assert_str_eq(lw_dataset_info(d)->format, "text");
    cr_assert_eq(lw_dataset_info(d)->tokens, 1000);
    lw_dataset_close(d);
}

Test(shards, of_a_folder_are_one_stream)
{
    const char *folder = test_folder();
    struct lw_dataset *d;
    char name[32];

    for (int i = 0; i < 300; i++) { /* more than are kept open */
        snprintf(name, sizeof name, "fineweb_%06d.bin", i);
        write_shard(test_path(folder, name), 20240520, 1, 100, 100, 2, (uint32_t)i * 100);
    }
    test_write(test_path(folder, "README.md"), "how these were made");
    d = open_data(folder);
    cr_assert_eq(lw_dataset_info(d)->tokens, 30000);
    expect_ids(d, 0, 30000, 0);
    for (int at = 29900; at >= 0; at -= 777)
        expect_ids(d, at, 100, at);
    cr_assert(strstr(lw_dataset_info(d)->note, "1 files"), "%s", lw_dataset_info(d)->note);
    lw_dataset_close(d);
}

Test(shards, are_parted_by_their_names)
{
    const char *folder = test_folder();
    struct lw_tokenizer *t = bytes_tokenizer();
    struct lw_data_options o = {.data = folder, .validation_split = 0.1, .length = 8};
    struct lw_dataset *train, *validation;
    struct lw_error err = {0};

    write_shard(test_path(folder, "tiny_train_0.bin"), 20240520, 1, 100, 100, 2, 0);
    write_shard(test_path(folder, "tiny_train_1.bin"), 20240520, 1, 100, 100, 2, 100);
    write_shard(test_path(folder, "tiny_val_0.bin"), 20240520, 1, 50, 50, 2, 1000);
    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), 0, "%s", err.text);
    cr_assert_eq(lw_dataset_info(train)->tokens, 200);
    expect_ids(train, 0, 200, 0);
    cr_assert_eq(lw_dataset_info(validation)->tokens, 50);
    expect_ids(validation, 0, 50, 1000);
    lw_dataset_close(train);
    lw_dataset_close(validation);
    o.validation_split = 0;
    cr_assert_eq(lw_data_open(&o, t, &train, &validation, &err), 0, "%s", err.text);
    cr_assert_eq(lw_dataset_info(train)->tokens, 200);
    cr_assert_null(validation);
    lw_dataset_close(train);
    lw_tokenizer_close(t);
}

Test(shards, that_lie_are_refused)
{
    const char *path = test_path(test_folder(), "data.bin");

    write_shard(path, 20240520, 1, 1001, 1000, 2, 0);
    refused(path, LW_EDATA, "cut short");
    write_shard(path, 20240520, 1, 999, 1000, 2, 0);
    refused(path, LW_EDATA, "header says 999 tokens");
    write_shard(path, 20240520, 1, -5, 1000, 2, 0);
    refused(path, LW_EDATA, "-5");
    write_shard(path, 20240520, 1, 0, 0, 2, 0);
    refused(path, LW_EDATA, "0 tokens");
    write_shard(path, 20240520, 1, INT32_MAX, 10, 2, 0);
    refused(path, LW_EDATA, "2147483647");
    write_shard(path, 20240520, 2, 1000, 1000, 2, 0);
    refused(path, LW_EDATA, "version 2");
    write_shard(path, 20240801, 1, 1000, 1000, 4, 0);
    refused(path, LW_EDATA, "version 1");
    write_shard(path, 20240520, 1, 1000, 1000, 2, 0);
    cr_assert_eq(truncate(path, 700), 0);
    refused(path, LW_EDATA, "header alone takes 1024");
    write_shard(path, 20240522, 1, 10, 10, 2, 0);
    refused(path, LW_EDATA, "evaluation");
    write_shard(path, 20240326, 3, 10, 10, 2, 0);
    refused(path, LW_EDATA, "model");
    write_shard(path, 0, 0, 0, 10, 2, 7);
    cr_assert_eq(truncate(path, 19), 0);
    refused(path, LW_EDATA, "19 bytes");
}

Test(shards, of_two_kinds_in_a_folder_are_refused)
{
    const char *folder = test_folder();

    write_shard(test_path(folder, "a.bin"), 20240520, 1, 10, 10, 2, 0);
    write_shard(test_path(folder, "b.bin"), 0, 0, 0, 10, 2, 7);
    refused(folder, LW_EDATA, "different kinds");
    write_shard(test_path(folder, "b.bin"), 20240520, 1, 11, 10, 2, 0);
    refused(test_path(folder, "b.bin"), LW_EDATA, "cut short");
}

Test(shards, cut_while_they_are_read_fail_without_a_crash)
{
    const char *path = test_path(test_folder(), "data.bin");
    struct lw_error err = {0};
    struct lw_dataset *d;
    int32_t ids[100];

    write_shard(path, 20240520, 1, 10000, 10000, 2, 0);
    d = open_data(path);
    cr_assert_eq(truncate(path, 5000), 0);
    cr_assert_eq(lw_dataset_read(d, 9000, 100, ids, &err), LW_EDATA);
    cr_assert(strstr(err.text, "cut while") && strstr(err.text, path), "%s", err.text);
    expect_ids(d, 0, 100, 0);
    lw_dataset_close(d);
}

Test(shards, ids_beyond_the_chosen_tokenizer_are_refused)
{
    const char *path = test_path(test_folder(), "data.bin");
    struct lw_tokenizer *t = NULL;
    struct lw_dataset *d = NULL;
    struct lw_error err = {0};

    write_shard(path, 20240520, 1, 1000, 1000, 2, 50000);
    cr_assert_eq(lw_tokenizer_open(&t, test_source("tests/data/gpt2-bpe"), &err), 0);
    cr_assert_eq(lw_dataset_open(&d, path, t, NULL, &err), LW_EDATA);
    cr_assert(strstr(err.text, "50999") && strstr(err.text, "50257"), "%s", err.text);
    lw_tokenizer_close(t);
}

Test(shards, are_parted_by_tokens)
{
    const char *path = test_path(test_folder(), "data.bin");
    struct lw_dataset *d, *train, *validation;
    struct lw_error err = {0};

    write_shard(path, 20240520, 1, 1000, 1000, 2, 0);
    d = open_data(path);
    cr_assert_eq(lw_dataset_split(d, 0.1, 1, 16, &train, &validation, &err), 0);
    lw_dataset_close(d);
    expect_ids(train, 0, 900, 0);
    expect_ids(validation, 0, 100, 900);
    cr_assert_eq(lw_dataset_info(train)->tokens, 900);
    cr_assert_eq(lw_dataset_info(train)->documents, -1);
    lw_dataset_close(train);
    lw_dataset_close(validation);
}

Test(shards, that_are_very_large_are_not_read_whole)
{
    const char *path = test_path(test_folder(), "data.bin");
    int64_t tokens = (LW_SCAN_LIMIT + (1 << 20)) / 2;
    struct lw_error err = {0};
    struct lw_dataset *d, *train, *validation;
    uint16_t last = 300;
    int32_t ids[3];
    int fd;

    write_shard(path, 0, 0, 0, 10, 2, 7);
    fd = open(path, O_WRONLY);
    cr_assert_eq(pwrite(fd, &last, 2, tokens * 2 - 2), 2); /* a hole in between */
    close(fd);
    d = open_data(path);
    cr_assert_eq(lw_dataset_info(d)->tokens, tokens);
    cr_assert_eq(lw_dataset_info(d)->documents, -1);
    cr_assert_eq(lw_dataset_info(d)->max_id, -1);
    cr_assert_eq(lw_dataset_document(d, 0), -1);
    cr_assert_eq(lw_dataset_check_ids(d, 300, &err), 0, "not known yet");
    cr_assert_eq(lw_dataset_read(d, tokens - 3, 3, ids, &err), LW_EDATA);
    cr_assert(strstr(err.text, "id 300") && strstr(err.text, "537395199"), "%s", err.text);
    cr_assert_eq(lw_dataset_check_ids(d, 301, &err), 0);
    cr_assert_eq(lw_dataset_read(d, tokens - 3, 3, ids, &err), 0);
    cr_assert(ids[0] == 0 && ids[2] == 300);
    cr_assert_eq(lw_dataset_split(d, 0.5, 1, 8, &train, &validation, &err), 0);
    cr_assert_eq(lw_dataset_info(validation)->tokens, tokens / 2);
    lw_dataset_close(train);
    lw_dataset_close(validation);
    lw_dataset_close(d);
}

Test(images, are_said_to_come_later)
{
    static const unsigned char png[] = "\x89PNG\r\n\x1a\n....";
    static const unsigned char idx[] = {0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7};
    static unsigned char cifar[20 * 3073];
    const char *folder = test_folder(), *classes = test_path(folder, "classes");
    const char *path = test_path(folder, "train-images-idx3-ubyte");

    write_bytes(path, idx, sizeof idx);
    refused(path, LW_EMISSING, "use task=vision_classification");
    path = test_path(folder, "data_batch_1.bin");
    memset(cifar, 0x77, sizeof cifar);
    for (int i = 0; i < 20; i++)
        cifar[i * 3073] = (unsigned char)(i % 10);
    write_bytes(path, cifar, sizeof cifar);
    refused(path, LW_EMISSING, "use task=vision_classification");
    cr_assert_eq(mkdir(classes, 0777), 0);
    path = test_path(classes, "1.png");
    write_bytes(path, png, sizeof png);
    refused(path, LW_EMISSING, "use task=vision_classification");
    refused(classes, LW_EMISSING, "use task=vision_classification");
}

Test(foreign, files_are_named_for_what_they_are)
{
    static const struct {
        const char *bytes, *says;
    } file[] = {
        {"\x1f\x8b\x08....", "gzip"}, {"PK\x03\x04....", "zip"},     {"PAR1....", "Parquet"},
        {"Obj\x01....", "Avro"},      {"FEA1....", "Feather"},       {"\xff\xfeh\x01i", "UTF-16"},
        {"\x93NUMPY\x01.", "NumPy"},  {"\x28\xb5\x2f\xfd.", "zstd"}, {"%PDF-1.4 ...", "PDF"},
    };
    const char *folder = test_folder();
    const char *path = test_path(folder, "corpus.txt");

    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        write_bytes(path, file[i].bytes, strlen(file[i].bytes));
        refused(path, LW_EDATA, file[i].says);
        refused(folder, LW_EDATA, file[i].says);
    }
}
