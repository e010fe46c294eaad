/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/export/safetensors.h"
#include "tests/support.h"

/* A file in memory: this header, then `data` zero bytes. The caller frees it. */
static char *make(const char *header, size_t data, size_t *size)
{
    const size_t length = strlen(header);
    char *file = calloc(1, 8 + length + data);

    for (int i = 0; i < 8; i++)
        file[i] = (char)(length >> 8 * i & 0xff);
    memcpy(file + 8, header, length);
    *size = 8 + length + data;
    return file;
}

static int parse(const char *header, size_t data, struct lw_safetensors *s, char **file,
                 struct lw_error *err)
{
    size_t size;

    *file = make(header, data, &size);
    return lw_safetensors_parse(s, "x.safetensors", *file, size, err);
}

#define T(offsets) "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" offsets "]}"

Test(safetensors, reads_what_is_there)
{
    struct lw_safetensors s;
    struct lw_error err = {0};
    const struct lw_tensor *t;
    char *file;

    /* in the order of the data, whatever the order of the header; escapes in names */
    cr_assert_eq(parse("{}", 0, &s, &file, &err), 0, "%s", err.text);
    cr_expect_eq(s.tensors, 0);
    cr_expect_null(lw_safetensors_find(&s, "a"));
    lw_safetensors_close(&s);
    free(file);
    cr_assert_eq(
        parse("{\"b\\u00e9\\n\": {\"shape\": [1, 2, 3], \"dtype\": \"BF16\", "
              "\"data_offsets\": [8, 20]}, \"__metadata__\": {\"format\": \"pt\", "
              "\"\\ud83d\\ude00\": \"\"}, \"a\":" T(
                  "0,8") ", \"none\": {\"dtype\": "
                         "\"I64\", \"shape\": [0, 9], \"data_offsets\": [8, 8]}, \"odd\": "
                         "{\"dtype\": \"F8_E4M3\", \"shape\": [], \"data_offsets\": [20, 21]}}  ",
              21, &s, &file, &err),
        0, "%s", err.text);
    cr_assert_eq(s.tensors, 4);
    cr_expect_str_eq(s.list[0].name, "a");
    cr_expect_str_eq(s.list[1].name, "none");
    cr_expect_str_eq(s.list[2].name, "b\xc3\xa9\n");
    cr_expect_str_eq(s.list[3].name, "odd");
    t = lw_safetensors_find(&s, "b\xc3\xa9\n");
    cr_assert(t);
    cr_expect(t->type == LW_BF16 && t->rank == 3 && t->count == 6 && t->bytes == 12);
    cr_expect(t->shape[0] == 1 && t->shape[1] == 2 && t->shape[2] == 3);
    cr_expect_eq((const char *)t->data - file, (long)(strlen(file + 8) + 8 + 8));
    cr_expect_eq(lw_safetensors_find(&s, "none")->count, 0);
    cr_expect_eq(lw_safetensors_find(&s, "odd")->type, -1);
    cr_expect_str_eq(lw_safetensors_find(&s, "odd")->type_name, "F8_E4M3");
    cr_expect_str_eq(lw_safetensors_note(&s, "format"), "pt");
    cr_expect_str_eq(lw_safetensors_note(&s, "\xf0\x9f\x98\x80"), "");
    cr_expect_null(lw_safetensors_note(&s, "a"));
    lw_safetensors_close(&s);
    free(file);
}

/* Each kind of damage, and what the one line says of it. */
static const struct {
    const char *header;
    size_t data;
    const char *says;
} damaged[] = {
    {"", 0, "does not begin with '{'"},
    {"[]", 0, "does not begin with '{'"},
    {"{", 0, "a string was expected"},
    {"{}x", 0, "something follows"},
    {"{\"a\"}", 0, "':' was expected"},
    {"{\"a\":1}", 0, "'{' was expected"},
    {"{\"a\":{}}", 0, "a string was expected"},
    {"{\"a\":" T("0,8"), 8, "'}' was expected"},
    {"{\"a\":" T("0,8") ",}", 8, "a string was expected"},
    {"{\"a:" T("0,8") "}", 8, "':' was expected"},
    {"{\"a", 0, "has no end"},
    {"{\"\\x\":" T("0,8") "}", 8, "bad escape"},
    {"{\"\\u0000\":" T("0,8") "}", 8, "bad escape"},
    {"{\"\\ud800\":" T("0,8") "}", 8, "bad escape"},
    {"{\"\\udc00x\":" T("0,8") "}", 8, "bad escape"},
    {"{\"\xff\":" T("0,8") "}", 8, "not UTF-8"},
    {"{\"a\":" T("0,8") ",\"b\":" T("4,12") "}", 12, "tensor b overlaps another"},
    {"{\"a\":" T("0,8") ",\"b\":" T("0,8") "}", 8, "overlaps another"},
    {"{\"a\":" T("0,8") ",\"b\":" T("12,20") "}", 20, "tensor b leaves a gap"},
    {"{\"a\":" T("4,12") "}", 12, "tensor a leaves a gap"},
    {"{\"a\":" T("0,8") "}", 7, "cut short"},
    {"{\"a\":" T("0,8") "}", 9, "1 bytes of data belong to no tensor"},
    {"{}", 3, "3 bytes of data belong to no tensor"},
    {"{\"a\":" T("0,8") ",\"a\":" T("8,16") "}", 16, "tensor a is there twice"},
    {"{\"a\":" T("8,0") "}", 8, "end before they begin"},
    {"{\"a\":" T("0,4") "}", 4, "don't take the bytes"},
    {"{\"a\":" T("0") "}", 8, "must be two numbers"},
    {"{\"a\":" T("0,8,8") "}", 8, "too many numbers"},
    {"{\"a\":" T("-8,0") "}", 8, "not negative"},
    {"{\"a\":" T("0,8.0") "}", 8, "whole number"},
    {"{\"a\":" T("0,8e0") "}", 8, "whole number"},
    {"{\"a\":" T("0,08") "}", 8, "whole number"},
    {"{\"a\":" T("0,18446744073709551624") "}", 8, "too large"},
    {"{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype"},
    {"{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "a string was expected"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "not negative"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "list of numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,\"data_offsets\":[0,8]}}", 8, "whole number"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8,
     "too many numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
     "too large to count"},
    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
     "too large to count"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
     "there twice"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
     "unknown field"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "a string was expected"},
    {"{\"__metadata__\":{\"a\":\"b\"},\"__metadata__\":{\"a\":\"b\"}}", 0, "there twice"},
};

Test(safetensors, says_what_is_damaged)
{
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct lw_safetensors s;
        struct lw_error err = {0};
        char *file;

        cr_expect_eq(parse(damaged[i].header, damaged[i].data, &s, &file, &err), LW_EDATA, "%s",
                     damaged[i].header);
        cr_expect(strstr(err.text, damaged[i].says), "%s: %s", damaged[i].header, err.text);
        cr_expect_eq(strncmp(err.text, "x.safetensors: ", 15), 0, "%s", err.text);
        cr_expect_null(strchr(err.text, '\n'));
        free(file);
    }
}

Test(safetensors, refuses_impossible_header_lengths)
{
    const struct {
        unsigned char bytes[12];
        size_t size;
        const char *says;
    } cases[] = {
        {{0}, 0, "not a safetensors file: only 0 bytes"},
        {{2, 0, 0, 0, 0, 0, 0}, 7, "only 7 bytes"},
        {{9, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, 10, "the file ends before"},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, "beyond the limit of 100000000"},
        {{'P', 'K', 3, 4, 0, 0, 8, 8, 0, 0}, 10, "not a safetensors file"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lw_safetensors s;
        struct lw_error err = {0};

        cr_expect_eq(lw_safetensors_parse(&s, "x", cases[i].bytes, cases[i].size, &err), LW_EDATA);
        cr_expect(strstr(err.text, cases[i].says), "%s", err.text);
    }
}

/* No byte of a hostile name may reach a terminal. */
Test(safetensors, messages_are_clean)
{
    struct lw_safetensors s;
    struct lw_error err = {0};
    char *file;

    cr_assert_eq(parse("{\"\\u001b]0;x\\u0007\":{\"dtype\":\"F32\"}}", 0, &s, &file, &err),
                 LW_EDATA);
    cr_expect_str_eq(err.text,
                     "x.safetensors: tensor ?]0;x?: dtype, shape or data_offsets is missing");
    free(file);
}

static void open_writer(struct lw_safetensors_writer **w, const char *path)
{
    struct lw_error err = {0};

    cr_assert_eq(lw_safetensors_writer_new(w, path, &err), 0, "%s", err.text);
}

Test(safetensors, writes_what_it_reads)
{
    const char *folder = test_folder(), *path = test_path(folder, "m.safetensors");
    const int64_t shape[] = {2, 3}, empty[] = {0};
    const float values[] = {1, 2, 3, 4, 5, 6};
    const uint16_t half = 0x3c00;
    struct lw_safetensors_writer *w;
    struct lw_safetensors s;
    struct lw_error err = {0};
    const struct lw_tensor *t;

    open_writer(&w, path);
    cr_assert_eq(lw_safetensors_declare(w, "w\"\\\n", LW_F32, 2, shape, &err), 0);
    cr_assert_eq(lw_safetensors_declare(w, "none", LW_F32, 1, empty, &err), 0);
    cr_assert_eq(lw_safetensors_declare(w, "one", LW_F16, 0, NULL, &err), 0);
    cr_assert_eq(lw_safetensors_set_note(w, "who", "\"me\"", &err), 0);
    cr_assert_eq(lw_safetensors_begin(w, &err), 0, "%s", err.text);
    cr_assert_eq(lw_safetensors_write(w, values, 8, &err), 0);
    cr_assert_eq(lw_safetensors_write(w, values + 2, 16, &err), 0);
    cr_assert_neq(access(path, F_OK), 0, "a file that isn't finished has its name already");
    cr_assert_eq(lw_safetensors_write(w, &half, 2, &err), 0);
    cr_assert_eq(lw_safetensors_finish(w, &err), 0, "%s", err.text);
    lw_safetensors_writer_free(w);

    cr_assert_eq(lw_safetensors_open(&s, path, &err), 0, "%s", err.text);
    cr_expect_eq(s.tensors, 3);
    t = lw_safetensors_find(&s, "w\"\\\n");
    cr_assert(t && t->rank == 2 && t->shape[1] == 3);
    cr_expect_arr_eq(t->data, values, sizeof values);
    cr_expect_eq((const char *)t->data - (const char *)s.map, (long)(s.map_bytes - 26));
    cr_expect_eq((s.map_bytes - 26) % 8, 0, "the data is not aligned");
    cr_expect_str_eq(lw_safetensors_note(&s, "format"), "pt");
    cr_expect_str_eq(lw_safetensors_note(&s, "who"), "\"me\"");
    lw_safetensors_close(&s);
}

Test(safetensors, an_unfinished_writer_leaves_nothing)
{
    const char *folder = test_folder(), *path = test_path(folder, "m.safetensors");
    const int64_t shape[] = {4};
    const float values[] = {1, 2, 3, 4};
    struct lw_safetensors_writer *w;
    struct lw_error err = {0};

    test_write(path, "old");
    open_writer(&w, path);
    cr_assert_eq(lw_safetensors_declare(w, "w", LW_F32, 1, shape, &err), 0);
    cr_assert_eq(lw_safetensors_begin(w, &err), 0);
    cr_assert_eq(lw_safetensors_write(w, values, 12, &err), 0);
    cr_expect_eq(lw_safetensors_write(w, values, 8, &err), LW_EDATA);
    cr_expect(strstr(err.text, "more data than was declared"), "%s", err.text);
    cr_expect_eq(lw_safetensors_finish(w, &err), LW_EDATA);
    cr_expect(strstr(err.text, "less data than was declared"), "%s", err.text);
    lw_safetensors_writer_free(w);
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(rmdir(folder), 0, "something was left in the folder");
}

Test(safetensors, says_when_it_cannot_write)
{
    const char *path = test_path(test_folder(), "missing/m.safetensors");
    struct lw_safetensors_writer *w;
    struct lw_error err = {0};

    open_writer(&w, path);
    cr_expect_eq(lw_safetensors_begin(w, &err), LW_EIO);
    cr_expect(strstr(err.text, "missing/m.safetensors: No such file"), "%s", err.text);
    lw_safetensors_writer_free(w);
}

Test(safetensors, says_what_cannot_be_opened)
{
    const char *folder = test_folder();
    struct lw_safetensors s;
    struct lw_error err = {0};

    cr_expect_eq(lw_safetensors_open(&s, test_path(folder, "no"), &err), LW_EIO);
    cr_expect(strstr(err.text, "/no: No such file"), "%s", err.text);
    cr_expect_eq(lw_safetensors_open(&s, folder, &err), LW_EDATA);
    cr_expect(strstr(err.text, "is not a file"), "%s", err.text);
    test_write(test_path(folder, "empty"), "");
    cr_expect_eq(lw_safetensors_open(&s, test_path(folder, "empty"), &err), LW_EDATA);
    cr_expect(strstr(err.text, "empty: not a safetensors file"), "%s", err.text);
    lw_safetensors_close(&s);
}

/* A file of one tensor of that name. */
static void write_one(const char *path, const char *name)
{
    const int64_t shape[] = {1};
    const float value = 1;
    struct lw_safetensors_writer *w;
    struct lw_error err = {0};

    open_writer(&w, path);
    cr_assert_eq(lw_safetensors_declare(w, name, LW_F32, 1, shape, &err), 0);
    cr_assert_eq(lw_safetensors_begin(w, &err), 0);
    cr_assert_eq(lw_safetensors_write(w, &value, 4, &err), 0);
    cr_assert_eq(lw_safetensors_finish(w, &err), 0);
    lw_safetensors_writer_free(w);
}

Test(safetensors, shards)
{
    const char *folder = test_folder(), *index = test_path(folder, "model.safetensors.index.json");
    const struct {
        const char *map, *says;
    } cases[] = {
        {"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"2.safetensors\"}}", NULL},
        {"{\"weight_map\": {\"a\": \"2.safetensors\"}}", "tensor a is not in the file"},
        {"{\"weight_map\": {\"a\": \"3.safetensors\"}}", "3.safetensors: No such file"},
        {"{\"weight_map\": {\"a\": \"../1.safetensors\"}}", "not a file of that folder"},
        {"{\"weight_map\": {\"a\": \"/etc/passwd\"}}", "not a file of that folder"},
        {"{\"weight_map\": {\"a\": \"\"}}", "not a file of that folder"},
        {"{\"weight_map\": {\"a\": 1}}", "is not a name"},
        {"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"twice.safetensors\"}}",
         "is not in the file"},
        {"{\"weight_map\": {\"b\": \"2.safetensors\", \"c\": \"1.safetensors\"}}",
         "is not in the file"},
        {"{\"weight_map\": {}}", "has no weight_map"},
        {"[]", "has no weight_map"},
        {"{\"weight_map\":\n {\"a\" 1}}", "line 2"},
    };
    struct lw_tensor_set s;
    struct lw_error err = {0};

    write_one(test_path(folder, "1.safetensors"), "a");
    write_one(test_path(folder, "2.safetensors"), "b");
    write_one(test_path(folder, "twice.safetensors"), "a");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_write(index, cases[i].map);
        if (cases[i].says) {
            cr_expect_eq(lw_tensor_set_open(&s, folder, &err),
                         strstr(cases[i].says, "No such") ? LW_EIO : LW_EDATA, "%s", cases[i].map);
            cr_expect(strstr(err.text, cases[i].says), "%s: %s", cases[i].map, err.text);
            continue;
        }
        cr_assert_eq(lw_tensor_set_open(&s, folder, &err), 0, "%s", err.text);
        cr_expect(lw_tensor_set_find(&s, "a") && lw_tensor_set_find(&s, "b"));
        cr_expect_null(lw_tensor_set_find(&s, "c"));
        cr_expect_eq(s.file_count, 2);
        lw_tensor_set_close(&s);
    }
    /* one file wins over an index */
    write_one(test_path(folder, "model.safetensors"), "whole");
    cr_assert_eq(lw_tensor_set_open(&s, folder, &err), 0, "%s", err.text);
    cr_expect_eq(s.file_count, 1);
    cr_expect(lw_tensor_set_find(&s, "whole"));
    lw_tensor_set_close(&s);
}

Test(safetensors, shards_that_share_a_name)
{
    const char *folder = test_folder();
    const int64_t shape[] = {1};
    const float value = 1;
    struct lw_safetensors_writer *w;
    struct lw_tensor_set s;
    struct lw_error err = {0};

    write_one(test_path(folder, "1.safetensors"), "a");
    open_writer(&w, test_path(folder, "2.safetensors"));
    cr_assert_eq(lw_safetensors_declare(w, "a", LW_F32, 1, shape, &err), 0);
    cr_assert_eq(lw_safetensors_declare(w, "b", LW_F32, 1, shape, &err), 0);
    cr_assert_eq(lw_safetensors_begin(w, &err), 0);
    cr_assert_eq(lw_safetensors_write(w, &value, 4, &err), 0);
    cr_assert_eq(lw_safetensors_write(w, &value, 4, &err), 0);
    cr_assert_eq(lw_safetensors_finish(w, &err), 0);
    lw_safetensors_writer_free(w);
    test_write(test_path(folder, "model.safetensors.index.json"),
               "{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"2.safetensors\"}}");
    cr_expect_eq(lw_tensor_set_open(&s, folder, &err), LW_EDATA);
    cr_expect(strstr(err.text, "tensor a is in both "), "%s", err.text);
}

Test(safetensors, a_folder_without_weights)
{
    const char *folder = test_folder();
    struct lw_tensor_set s;
    struct lw_error err = {0};

    cr_expect_eq(lw_tensor_set_open(&s, folder, &err), LW_EDATA);
    cr_expect(strstr(err.text, "neither model.safetensors nor"), "%s", err.text);
    test_write(test_path(folder, "pytorch_model.bin"), "x");
    cr_expect_eq(lw_tensor_set_open(&s, folder, &err), LW_EDATA);
    cr_expect(strstr(err.text, "is a pickle and not read"), "%s", err.text);
}
