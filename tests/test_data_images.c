/* SPDX-License-Identifier: MIT
 *
 * Images of classes: every format, what is wrong with it, resizing, and the loader.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/images.h"
#include "engine/data/loader.h"
#include "tests/items_support.h"
#include "tests/support.h"

static struct lw_error err;

TestSuite(images, .timeout = 60);

Test(images, idx_parted_by_names)
{
    const char *dir = test_folder();
    struct lw_items_options o = {.data = dir, .validation_split = 0.1, .seed = 1};
    uint8_t row[3 * 6 * 6];
    int32_t label;

    write_idx(dir, "train", 9, 6, 6);
    write_idx(dir, "t10k", 6, 6, 6);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->items, 9);
    cr_expect_eq(lw_items_info(held)->items, 6);
    cr_expect_eq(lw_items_info(train)->image_size, 6);
    cr_expect_eq(lw_items_info(train)->classes, 3);
    cr_expect_str_eq(lw_items_info(train)->labels[2], "2");
    cr_assert_eq(lw_items_row(train), sizeof row);
    cr_assert_eq(lw_items_read(train, 7, row, &label, &err), 0);
    cr_expect_eq(label, 1);
    for (int i = 0; i < 108; i++) /* grey is three equal channels */
        cr_assert_eq(row[i], 70 + i % 6 + i / 6 % 6);
    cr_expect_eq(lw_items_read(train, 9, row, &label, &err), LW_EDATA);
    done();
}

/* Without names that part it, a tenth validates: every item is in one of the two. */
Test(images, split_by_seed)
{
    const char *dir = test_folder();
    struct lw_items_options o = {.data = dir, .validation_split = 0.25, .seed = 7};
    int seen[20] = {0};

    write_idx(dir, "all", 20, 2, 2);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_assert_eq(lw_items_info(train)->items, 15);
    cr_assert_eq(lw_items_info(held)->items, 5);
    for (int i = 0; i < 20; i++) {
        uint8_t row[12];
        int32_t label;

        cr_assert_eq(lw_items_read(i < 15 ? train : held, i < 15 ? i : i - 15, row, &label, &err),
                     0);
        seen[row[0] / 10]++;
        cr_expect_eq(label, row[0] / 10 % 3);
    }
    for (int i = 0; i < 20; i++)
        cr_expect_eq(seen[i], 1);
    done();
}

/* One model sees both: what validates is resized to what trains. */
Test(images, validation_has_the_size_of_the_training_data)
{
    const char *dir = test_folder();
    struct lw_items_options o = {.data = dir, .validation_split = 0.1};
    uint8_t row[3 * 6 * 6];
    int32_t label;

    write_idx(dir, "train", 9, 6, 6);
    write_idx(dir, "t10k", 6, 4, 4);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->image_size, 6);
    cr_assert_eq(lw_items_info(held)->image_size, 6);
    cr_assert_eq(lw_items_read(held, 2, row, &label, &err), 0, "%s", err.text);
    cr_expect_eq(row[0], 20);
    cr_expect_eq(row[35], 26);
    done();
}

static void expect_refused(const struct lw_items_options *o, const char *says)
{
    cr_assert_eq(lw_images_open(o, &train, &held, &err), LW_EDATA, "%s", says);
    cr_expect(strstr(err.text, says), "%s, not %s", err.text, says);
    cr_expect(!strchr(err.text, '\n'), "%s", err.text);
    cr_expect(!train && !held);
}

Test(images, idx_that_lies)
{
    const char *dir = test_folder();
    char images[512], labels[512];
    struct lw_items_options o = {.data = images};
    unsigned char wide[16] = {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0x40};
    unsigned char big[16] = {0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    snprintf(images, sizeof images, "%s", test_path(dir, "train-images-idx3-ubyte"));
    snprintf(labels, sizeof labels, "%s", test_path(dir, "train-labels-idx1-ubyte"));
    write_idx(dir, "train", 5, 3, 3);
    o.classes = 2;
    expect_refused(&o, "label 2 of image 2 is out of range: there are 2 classes");
    o.classes = 0;
    cr_assert_eq(truncate(labels, 12), 0);
    expect_refused(&o, "doesn't fit its 12 bytes");
    unlink(labels);
    cr_expect_eq(lw_images_open(&o, &train, &held, &err), LW_EIO);
    write_idx(dir, "train", 5, 3, 3);
    cr_assert_eq(truncate(images, 40), 0);
    expect_refused(&o, "its header tells of 5 items");
    write_bytes(images, big, sizeof big);
    expect_refused(&o, "its header tells of 4294967295 items");
    write_bytes(images, wide, sizeof wide);
    expect_refused(&o, "an image of 16384 x 16384 pixels is more than leeway reads");
    wide[14] = 0;
    write_bytes(images, wide, sizeof wide);
    expect_refused(&o, "an image of 0 x 16384 pixels shows nothing");
    write_idx(dir, "train", 4, 3, 3);
    rename(labels, test_path(dir, "x"));
    write_idx(dir, "train", 5, 3, 3);
    rename(test_path(dir, "x"), labels);
    expect_refused(&o, "has 4 labels for the 5 images");
}

Test(images, cifar)
{
    struct lw_items_options o = {.data = test_source("tests/data/vit-tiny/images.bin"),
                                 .classes = 4};
    uint8_t row[3072], first[3073];
    int32_t label;
    FILE *f = fopen(o.data, "rb");

    cr_assert_eq(fread(first, 1, sizeof first, f), sizeof first);
    fclose(f);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_null(held);
    cr_expect_str_eq(lw_items_info(train)->format, "CIFAR-10");
    cr_expect_eq(lw_items_info(train)->items, 80);
    cr_expect_eq(lw_items_info(train)->classes, 4);
    cr_assert_eq(lw_items_read(train, 0, row, &label, &err), 0);
    cr_expect_eq(label, first[0]);
    cr_expect_arr_eq(row, first + 1, sizeof row);
    done();
    o.classes = 2;
    expect_refused(&o, "is out of range: there are 2 classes");
}

Test(images, cifar_100_counts_fine_labels)
{
    const char *dir = test_folder();
    char path[512];
    struct lw_items_options o = {.data = path};
    uint8_t *bytes = calloc(9, 3074), row[3072];
    int32_t label;

    snprintf(path, sizeof path, "%s", test_path(dir, "train.bin"));
    for (int i = 0; i < 9; i++) {
        bytes[i * 3074] = 19;
        bytes[i * 3074 + 1] = (uint8_t)(90 + i);
        bytes[i * 3074 + 2] = (uint8_t)i;
    }
    write_bytes(path, bytes, 9 * 3074);
    test_write(test_path(dir, "fine_label_names.txt"), "apple\nbear\n");
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->classes, 100);
    cr_expect_str_eq(lw_items_info(train)->labels[1], "bear");
    cr_assert_eq(lw_items_read(train, 4, row, &label, &err), 0);
    cr_expect_eq(label, 94);
    cr_expect_eq(row[0], 4);
    done();
    bytes[1] = 100;
    write_bytes(path, bytes, 9 * 3074);
    expect_refused(&o, "label 100 of image 0 is out of range");
    write_bytes(path, bytes, 9 * 3074 - 1);
    expect_refused(&o, "holds no images");
    snprintf(path, sizeof path, "%s", test_path(dir, "train.dat")); /* a size proves nothing */
    write_bytes(path, bytes, 9 * 3074);
    expect_refused(&o, "holds no images");
    free(bytes);
}

static struct lw_image decode(const char *name)
{
    char path[128], *bytes;
    struct lw_image image;
    size_t size;
    int rc;

    snprintf(path, sizeof path, "tests/data/pictures/%s", name);
    cr_assert_eq(lw_read_file(test_source(path), 0, &bytes, &size, &err), 0, "%s", err.text);
    rc = lw_image_decode(bytes, size, name, &image, &err);
    free(bytes);
    if (rc == LW_EMISSING)
        cr_skip_test("%s", err.text);
    cr_assert_eq(rc, 0, "%s", err.text);
    return image;
}

/* Alpha is left out, 16 bits are rounded to 8, palettes are looked up, rows that were sent in turns
 * are put in order: the pixels are 40 x + 13 y + 70 c, whatever the kind. */
Test(images, png_of_every_kind)
{
    static const char *const names[] = {"rgb.png",   "rgba.png",    "rgba16.png",    "grey16.png",
                                        "greya.png", "palette.png", "interlaced.png"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct lw_image m = decode(names[i]);

        cr_assert(m.width == 6 && m.height == 5, "%s", names[i]);
        cr_assert_eq(m.channels, strncmp(names[i], "grey", 4) ? 3 : 1);
        for (int k = 0; k < 30 * m.channels; k++) {
            int c = k % m.channels, x = k / m.channels % 6, y = k / m.channels / 6;

            cr_assert_eq(m.pixels[k], (40 * x + 13 * y + 70 * c) % 256, "%s at %d", names[i], k);
        }
        free(m.pixels);
    }
}

Test(images, jpeg_of_every_kind)
{
    static const char *const names[] = {"colour.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct lw_image m = decode(names[i]);

        cr_assert(m.width == 24 && m.height == 16, "%s", names[i]);
        cr_assert_eq(m.channels, i == 2 ? 1 : 3);
        for (int k = 0; k < 24 * 16 * m.channels; k++) {
            int c = k % m.channels, x = k / m.channels % 24, y = k / m.channels / 24;
            int want = i == 3 ? (255 - 60 * c) * 200 / 255 : 30 + 60 * c + 4 * x + 2 * y;

            if (x < 15) /* brighter ones have overflown */
                cr_assert_leq(abs(m.pixels[k] - want), 8, "%s at %d: %d, not %d", names[i], k,
                              m.pixels[k], want);
        }
        free(m.pixels);
    }
}

/* Every file cut short anywhere, and with any byte changed: one line, or an image. */
Test(images, damaged_pictures)
{
    static const char *const names[] = {"rgba16.png", "palette.png", "colour.jpg",
                                        "progressive.jpg"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128], *bytes;
        struct lw_image m = decode(names[i]);
        size_t size;

        free(m.pixels);
        snprintf(path, sizeof path, "tests/data/pictures/%s", names[i]);
        cr_assert_eq(lw_read_file(test_source(path), 0, &bytes, &size, &err), 0);
        for (size_t n = 3; n < size; n++) {
            int rc = lw_image_decode(bytes, n, names[i], &m, &err);

            cr_assert(rc == LW_EDATA || n + 2 >= size, "%s cut to %zu", names[i], n);
            if (!rc)
                free(m.pixels);
            else
                cr_assert(!m.pixels && !strchr(err.text, '\n'));
        }
        for (size_t n = 0; n < size; n++) {
            bytes[n] ^= 0x55;
            if (!lw_image_decode(bytes, size, names[i], &m, &err))
                free(m.pixels);
            bytes[n] ^= 0x55;
        }
        free(bytes);
    }
}

/* A PNG of 65,535 x 65,535 pixels in a hundred bytes takes no memory before it is refused. */
Test(images, a_decompression_bomb)
{
    struct lw_image m = decode("rgb.png");
    char *bytes;
    size_t size;

    free(m.pixels);
    cr_assert_eq(lw_read_file(test_source("tests/data/pictures/rgb.png"), 0, &bytes, &size, &err),
                 0);
    memcpy(bytes + 16, "\0\0\xff\xff\0\0\xff\xff", 8);
    memcpy(bytes + 29, "\x39\x67\x4e\x07", 4);
    cr_assert_eq(lw_image_decode(bytes, size, "bomb.png", &m, &err), LW_EDATA);
    cr_expect(strstr(err.text, "bomb.png: an image of 65535 x 65535 pixels is more than leeway"),
              "%s", err.text);
    cr_expect_null(m.pixels);
    cr_assert_eq(lw_image_room(&m, 16384, 16384, 3, "wide.png", &err), LW_EDATA);
    cr_expect(strstr(err.text, "more than leeway reads"), "%s", err.text);
    free(bytes);
}

/* The next marker from `at` on that is no part of a scan's data. */
static size_t marker(const unsigned char *b, size_t size, size_t at, int wanted)
{
    while (at + 1 < size && (b[at] != 0xff || (wanted ? b[at + 1] != wanted : !b[at + 1])))
        at++;
    return at;
}

/* A progressive JPEG whose first scan comes 600 times: each takes as long as the whole image. */
Test(images, a_jpeg_of_endless_scans)
{
    struct lw_image m = decode("progressive.jpg");
    size_t size, first, end, n;
    char *bytes, *many;

    free(m.pixels);
    cr_assert_eq(
        lw_read_file(test_source("tests/data/pictures/progressive.jpg"), 0, &bytes, &size, &err),
        0);
    first = marker((unsigned char *)bytes, size, 0, 0xda);
    end = marker((unsigned char *)bytes, size, first + 2, 0);
    cr_assert_lt(end + 1, size);
    many = malloc(size + 600 * (end - first));
    memcpy(many, bytes, n = first);
    for (int i = 0; i < 600; i++, n += end - first)
        memcpy(many + n, bytes + first, end - first);
    memcpy(many + n, "\xff\xd9", 2);
    cr_assert_eq(lw_image_decode(many, n + 2, "many.jpg", &m, &err), LW_EDATA);
    cr_expect(strstr(err.text, "many.jpg is a damaged JPEG: it has more than 500 scans"), "%s",
              err.text);
    cr_expect_null(m.pixels);
    free(many);
    free(bytes);
}

/* FNV-1a over the planes, of what Pillow 12 makes of the same image with BILINEAR. */
Test(images, resizing_is_pillows)
{
    static const struct {
        int side;
        uint32_t hash;
    } known[] = {{8, 0x2409b9bc}, {16, 0xfd011fb3}, {64, 0x5da294cf}};
    uint8_t pixels[37 * 23 * 3];
    struct lw_image in = {pixels, 37, 23, 3};

    for (int y = 0; y < 23; y++)
        for (int x = 0; x < 37; x++) {
            uint8_t *p = pixels + 3 * (y * 37 + x);

            p[0] = (uint8_t)(x * 7 + y * 3);
            p[1] = (uint8_t)(x * x + y);
            p[2] = (uint8_t)(x * y * 5);
        }
    for (size_t i = 0; i < 3; i++) {
        int n = 3 * known[i].side * known[i].side;
        uint8_t *out = malloc((size_t)n);
        uint32_t h = 2166136261u;

        cr_assert_eq(lw_image_resize(&in, known[i].side, out, &err), 0);
        for (int k = 0; k < n; k++)
            h = (h ^ out[k]) * 16777619u;
        cr_expect_eq(h, known[i].hash, "to %d", known[i].side);
        free(out);
    }
}

static void copy(const char *name, const char *to)
{
    char path[128], *bytes;
    size_t size;

    snprintf(path, sizeof path, "tests/data/pictures/%s", name);
    cr_assert_eq(lw_read_file(test_source(path), 0, &bytes, &size, &err), 0);
    write_bytes(to, bytes, size);
    free(bytes);
}

Test(images, folders_are_classes)
{
    const char *dir = strdup(test_folder());
    struct lw_items_options o = {
        .data = dir, .image_size = 8, .validation_split = 0.1, .threads = 2};
    static const char *const folders[] = {"train", "train/b", "train/a b", "train/a",
                                          "val",   "val/b",   "val/a b",   "val/a"};
    uint8_t row[3 * 8 * 8];
    int32_t label;

    free(decode("rgb.png").pixels);
    free(decode("grey.jpg").pixels);
    for (size_t i = 0; i < 8; i++)
        mkdir(test_path(dir, folders[i]), 0700);
    copy("rgb.png", test_path(dir, "train/b/1.png"));
    copy("grey.jpg", test_path(dir, "train/a b/2.JPG"));
    copy("grey16.png", test_path(dir, "train/a/3.png"));
    copy("colour.jpg", test_path(dir, "train/a/4.jpeg"));
    test_write(test_path(dir, "train/a/notes.txt"), "not an image");
    copy("rgb.png", test_path(dir, "val/b/1.png"));
    copy("rgb.png", test_path(dir, "val/a b/1.png"));
    copy("rgb.png", test_path(dir, "val/a/1.png"));
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_expect_eq(lw_items_info(train)->items, 4);
    cr_expect_eq(lw_items_info(held)->items, 3);
    cr_expect_eq(lw_items_info(train)->classes, 3);
    cr_expect_str_eq(lw_items_info(train)->labels[0], "a");
    cr_expect_str_eq(lw_items_info(train)->labels[1], "a b");
    cr_expect_str_eq(lw_items_info(train)->note,
                     "1 files of the folder are no PNG or JPEG by their names: left out");
    cr_expect_str_eq(lw_items_info(held)->note, "");
    for (int64_t i = 0; i < 4; i++) {
        static const int wanted[] = {1, 0, 0, 2}; /* sorted by path: "a b/", "a/", "b/" */

        cr_assert_eq(lw_items_read(train, i, row, &label, &err), 0, "%s", err.text);
        cr_expect_eq(label, wanted[i], "%d", (int)i);
    }
    cr_assert_eq(truncate(test_path(dir, "train/b/1.png"), 40), 0);
    cr_assert_eq(lw_items_read(train, 3, row, &label, &err), LW_EDATA);
    cr_expect(strstr(err.text, "train/b/1.png is a damaged PNG: it is cut short"), "%s", err.text);
    done();
    copy("rgb.png", test_path(dir, "train/loose.png"));
    o.validation_split = 0;
    expect_refused(&o, "lies in no class's folder");
    free((char *)dir);
}

Test(images, generated_ones_are_a_function_of_seed_and_number)
{
    struct lw_items_options o = {.seed = 5, .epoch_items = 100, .validation_items = 50};
    uint8_t a[3072], b[3072];
    int32_t x, y, counts[4] = {0};
    struct lw_items *again, *other;

    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_assert_eq(lw_images_open(&o, &again, &other, &err), 0);
    for (int64_t i = 0; i < 400; i++) { /* endless: beyond the epoch too */
        cr_assert_eq(lw_items_read(train, i, a, &x, &err), 0);
        cr_assert_eq(lw_items_read(again, i, b, &y, &err), 0);
        cr_assert(x == y && !memcmp(a, b, sizeof a));
        counts[x]++;
    }
    for (int c = 0; c < 4; c++)
        cr_expect(counts[c] > 60, "%d of class %d", counts[c], c);
    cr_assert_eq(lw_items_read(train, 0, a, &x, &err), 0);
    cr_assert_eq(lw_items_read(held, 0, b, &y, &err), 0);
    cr_expect(memcmp(a, b, sizeof a));
    cr_expect_eq(lw_items_read(held, 50, b, &y, &err), LW_EDATA);
    lw_items_close(again);
    lw_items_close(other);
    done();
}

/* An epoch visits every item once; the raw images are there beside augmented ones, which are those
 * moved or mirrored; the same place gives the same batch again. */
Test(images, loader)
{
    const char *dir = test_folder();
    struct lw_items_options o = {.data = dir};
    struct lw_loader_options l = {
        .rows = 4, .shuffle = 1, .augment = LW_AUGMENT_CROP | LW_AUGMENT_FLIP, .seed = 3};
    const struct lw_batch *b;
    struct lw_loader *loader;
    uint8_t first[4 * 3 * 16 * 16];
    int seen[20] = {0}, moved = 0;

    write_idx(dir, "all", 20, 16, 16);
    cr_assert_eq(lw_images_open(&o, &train, &held, &err), 0, "%s", err.text);
    cr_assert_eq(lw_loader_open_items(&loader, train, &l, NULL, &err), 0, "%s", err.text);
    cr_expect_eq(lw_loader_batches(loader), 5);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(lw_loader_next(loader, &b, &err), 0);
        cr_assert(b->pixels && !b->tokens && b->side == 16 && b->rows == 4 && b->length == 1);
        cr_expect_eq(b->last, i == 4);
        for (int r = 0; r < 4; r++) {
            seen[b->position[r]]++;
            cr_expect_eq(b->targets[r], b->position[r] % 3);
            cr_expect_eq(b->raw[r * 768], 10 * b->position[r]);
            moved += memcmp(b->raw + r * 768, b->pixels + r * 768, 768) != 0;
        }
        if (!i)
            memcpy(first, b->pixels, sizeof first);
    }
    for (int i = 0; i < 20; i++)
        cr_expect_eq(seen[i], 1);
    cr_expect(moved > 12, "%d", moved);
    cr_assert_eq(lw_loader_seek(loader, &(struct lw_loader_state){0, 0}, &err), 0);
    cr_assert_eq(lw_loader_next(loader, &b, &err), 0);
    cr_expect_arr_eq(b->pixels, first, sizeof first);
    lw_loader_close(loader);

    l.evaluation = 1;
    l.rows = 8;
    cr_assert_eq(lw_loader_open_items(&loader, train, &l, NULL, &err), 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(lw_loader_next(loader, &b, &err), 0);
        cr_assert_eq(b->position[0], 8 * i);
        cr_expect_eq(b->target_count, i < 2 ? 8 : 4);
        cr_expect_eq(b->targets[7], i < 2 ? (8 * i + 7) % 3 : LW_IGNORE);
        cr_expect(b->raw == b->pixels);
    }
    cr_assert_eq(lw_loader_next(loader, &b, &err), 0);
    cr_expect_null(b);
    lw_loader_close(loader);
    done();
}

/* Known sums, whatever the shares; and what they come to, worked out by hand. */
Test(images, mean_and_deviation_are_those_of_all_pixels)
{
    const char *dir = test_folder();
    struct lw_items_options o = {.data = dir};
    struct lw_image_sums whole = {0}, shares = {0};
    double mean[3], deviation[3];

    write_idx(dir, "all", 2, 2, 2); /* 0 1 1 2, and 10 11 11 12 */
    cr_assert_eq(lw_images_open(&o, &train, NULL, &err), 0, "%s", err.text);
    cr_assert_eq(lw_images_add_up(train, 0, 1, 2, 2, &whole, &err), 0, "%s", err.text);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(lw_images_add_up(train, i, 2, 2, 1, &shares, &err), 0, "%s", err.text);
    cr_expect_eq(memcmp(&whole, &shares, sizeof whole), 0);
    cr_expect_eq(whole.pixels, 8);
    lw_images_moments(&whole, mean, deviation);
    for (int c = 0; c < 3; c++) {
        cr_expect_eq(whole.sum[c], 48);
        cr_expect_eq(whole.squares[c], 492);
        cr_expect_float_eq(mean[c], 6.0 / 255, 1e-15);
        cr_expect_float_eq(deviation[c], sqrt(25.5) / 255, 1e-15);
    }
    cr_expect_eq(lw_images_add_up(train, 0, 1, 3, 2, &whole, &err), LW_EDATA, "no third image");
    done();
}

/* A deviation that is tiny beside the mean: n sum(x^2) - sum(x)^2 of 10^14 pixels has 33 digits. */
Test(images, moments_lose_no_digits)
{
    const uint64_t n = UINT64_C(100000000000000);
    struct lw_image_sums s = {.pixels = n};
    double mean[3], deviation[3];

    for (int c = 0; c < 3; c++) { /* all pixels 254, one of them 255 */
        s.sum[c] = 254 * n + 1;
        s.squares[c] = 254 * 254 * n + 255 * 255 - 254 * 254;
    }
    lw_images_moments(&s, mean, deviation);
    cr_expect_float_eq(deviation[0] * 255, 1e-7, 1e-18);
    cr_expect_float_eq(mean[0], 254.0 / 255, 1e-15);
}

/* flip is the image or its mirror image, crop alone never mirrors, and neither is neither. */
Test(images, crop_and_flip_are_apart)
{
    enum { SIDE = 16, ROW = 3 * SIDE * SIDE };
    uint8_t in[ROW], mirror[ROW], out[ROW];
    int mirrored = 0, moved = 0;

    for (int i = 0; i < ROW; i++)
        in[i] = (uint8_t)(i % SIDE * 15 + i / SIDE % SIDE); /* brighter to the right, and down */
    for (int i = 0; i < ROW; i++)
        mirror[i] = in[i / SIDE * SIDE + SIDE - 1 - i % SIDE];
    for (uint64_t k = 0; k < 64; k++) {
        lw_image_augment(out, in, SIDE, LW_AUGMENT_FLIP, 1, 2, k);
        cr_assert(!memcmp(out, in, ROW) || !memcmp(out, mirror, ROW));
        mirrored += !memcmp(out, mirror, ROW);
        lw_image_augment(out, in, SIDE, LW_AUGMENT_CROP, 1, 2, k);
        for (int i = 0; i < ROW; i++)
            cr_assert(i % SIDE == 0 || out[i] >= out[i - 1], "crop mirrors");
        moved += memcmp(out, in, ROW) != 0;
        lw_image_augment(out, in, SIDE, LW_AUGMENT_NONE, 1, 2, k);
        cr_assert_arr_eq(out, in, ROW);
    }
    cr_expect(mirrored > 16 && mirrored < 48, "%d of 64", mirrored);
    cr_expect(moved > 48, "%d of 64", moved);
}
