/* SPDX-License-Identifier: MIT
 *
 * Items out of several files and folders: which belong together, and what must agree.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/images.h"
#include "tests/items_support.h"
#include "tests/support.h"

#define PNG                                                                                        \
    "\x89PNG\r\n\x1a\n" /* what a picture begins with; nobody reads on when it is opened           \
                         */

static struct lw_error err;
static const char *dir;

static void init(void)
{
    dir = test_folder();
}

TestSuite(items, .init = init, .fini = done, .timeout = 60);

/* A picture of a class, not more than its first bytes. */
static void picture(const char *name)
{
    char *path = strdup(test_path(dir, name));

    *strrchr(path, '/') = '\0';
    cr_assert_eq(lw_make_folders(path, &err), 0, "%s", err.text);
    free(path);
    write_bytes(test_path(dir, name), PNG, 8);
}

/* Records of one label and 3072 bytes that are all the label's number times ten. */
static void write_cifar(const char *name, int count)
{
    unsigned char *b = malloc((size_t)count * 3073);

    for (int i = 0; i < count; i++) {
        memset(b + i * 3073, 10 * (i % 7), 3073);
        b[i * 3073] = (unsigned char)(i % 7);
    }
    write_bytes(test_path(dir, name), b, (size_t)count * 3073);
    free(b);
}

static void expect_refused(struct lw_items_options o, const char *says)
{
    o.data = dir;
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), LW_EDATA, "%s", says);
    cr_expect(strstr(err.text, says), "%s, not %s", err.text, says);
    cr_expect(!train && !held);
}

Test(items, files_of_one_kind_follow_one_another)
{
    struct lw_items_options o = {.data = dir};
    uint8_t row[3 * 5 * 5];
    int32_t label;

    write_idx(dir, "a", 4, 3, 3);
    write_idx(dir, "b", 5, 5, 5);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->items, 9);
    cr_expect_eq(lw_items_info(train)->image_size, 224, "they have no size in common");
    done();
    o.image_size = 5;
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_assert_eq(lw_items_read(train, 8, row, &label, &err), 0, "%s", err.text);
    cr_expect_eq(label, 4 % 3);
    for (int i = 0; i < 25; i++)
        cr_expect_eq(row[i], 40 + i % 5 + i / 5);
    cr_assert_eq(lw_items_read(train, 3, row, &label, &err), 0, "%s", err.text);
    cr_expect_eq(label, 0);
    cr_expect_eq(row[0], 30);
}

/* A preview in the folder makes it no folder of pictures; where there is nothing else, it is one
 * that lacks its classes. */
Test(items, a_picture_beside_data_files)
{
    const struct lw_items_options none = {.classes = 0};
    struct lw_items_options o = {.data = dir};

    picture("0-preview.png");
    expect_refused(none, "0-preview.png lies in no class's folder");
    write_idx(dir, "all", 9, 4, 4);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_str_eq(lw_items_info(train)->format, "IDX");
    cr_expect_eq(lw_items_info(train)->items, 9);
    cr_expect_str_eq(lw_items_info(train)->note, "");
}

Test(items, cifar_in_parts_and_smaller)
{
    struct lw_items_options o = {.data = dir, .image_size = 16, .validation_split = 0.1};
    uint8_t row[3 * 16 * 16];
    int32_t label;

    write_cifar("data_batch_1.bin", 8);
    write_cifar("data_batch_2.bin", 3);
    write_cifar("test_batch.bin", 5);
    test_write(test_path(dir, "batches.meta.txt"), "airplane\r\nautomobile\n\nbird\n");
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->items, 11);
    cr_expect_eq(lw_items_info(held)->items, 5);
    cr_expect_eq(lw_items_info(train)->classes, 10);
    cr_expect_str_eq(lw_items_info(train)->labels[1], "automobile");
    cr_expect_str_eq(lw_items_info(train)->labels[2], "2", "names end at an empty line");
    cr_assert_eq(lw_items_read(train, 10, row, &label, &err), 0, "%s", err.text);
    cr_expect_eq(label, 2);
    for (size_t i = 0; i < sizeof row; i++)
        cr_assert_eq(row[i], 20);
}

Test(items, validation_data_of_its_own)
{
    const char *other = test_folder();
    struct lw_items_options o = {.data = dir, .validation_data = other, .validation_split = 0.5};

    write_idx(dir, "all", 9, 4, 4);
    write_idx(other, "all", 3, 4, 4);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->items, 9);
    cr_expect_eq(lw_items_info(held)->items, 3);
    done();
    write_idx(other, "train", 6, 4, 4);
    write_idx(other, "t10k", 2, 4, 4);
    cr_assert_eq(unlink(test_path(other, "all-images-idx3-ubyte")), 0);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(held)->items, 2, "what it calls so itself");
}

Test(items, files_that_do_not_fit)
{
    const struct lw_items_options o = {.classes = 0};
    char labels[512];

    snprintf(labels, sizeof labels, "%s", test_path(dir, "x-labels-idx1-ubyte"));
    write_idx(dir, "x", 3, 2, 2);
    write_bytes(labels, "\0\0\x08\x02\0\0\0\x03\0\0\0", 11);
    expect_refused(o, "an IDX file begins with 0x00000801, not 0x00000802");
    cr_assert_eq(rename(test_path(dir, "x-images-idx3-ubyte"), test_path(dir, "x.idx3")), 0);
    expect_refused(o, "is found by name, so it must have \"images\" in it");
    cr_assert_eq(unlink(test_path(dir, "x.idx3")), 0);
    expect_refused(o, "holds no images that leeway reads: IDX");
    test_write(test_path(dir, "train-images-idx3-ubyte.gz"), "\x1f\x8b\x08");
    expect_refused(o, "train-images-idx3-ubyte.gz is packed: unpack it first");
    write_cifar("1.bin", 2);
    write_bytes(test_path(dir, "2.bin"), (const unsigned char[3074]){1}, 3074);
    expect_refused(o, "2.bin: 3074 bytes are no whole number of CIFAR records of 3073");
}

Test(items, classes_that_do_not_agree)
{
    struct lw_items_options o = {.validation_split = 0.1};

    picture("train/a/1.png");
    picture("train/b/1.png");
    expect_refused(o, "has one class's folder, train: at least two are told apart");
    picture("val/a/1.png");
    picture("train/c/1.png");
    o.classes = 2;
    expect_refused(o, "label 2 (c) is out of range: num_classes is 2, and the data has 3 classes");
    o.classes = 0;
    picture("val/\033[31mb/1.png");
    expect_refused(o,
                   "class 0 is \"a\" in the training data and \"?[31mb\" in the validation data");
}

Test(items, more_classes_than_were_trained)
{
    struct lw_items_options o = {.validation_split = 0.1};

    write_idx(dir, "train", 2, 2, 2);
    write_idx(dir, "t10k", 3, 2, 2);
    expect_refused(o, "the validation data has 3 classes and the training data 2");
}

Test(items, one_cannot_be_parted)
{
    struct lw_items_options o = {.validation_split = 0.1};

    write_idx(dir, "all", 1, 2, 2);
    expect_refused(o, "holds one item: nothing can be held back to validate on");
    write_idx(dir, "all", 0, 2, 2);
    expect_refused(o, "holds no images");
}
