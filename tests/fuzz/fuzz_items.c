/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/items.h"
#include "tests/fuzz/fuzz.h"

static char folder[] = "/tmp/leeway-fuzz-XXXXXX";

static void clean_up(void)
{
    struct lw_error err;

    if (lw_remove_tree(folder, &err))
        _exit(1);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    struct lw_error err;
    char *path = lw_path_join(folder, name);

    if (!path || lw_replace_file(path, data, size, 0, &err))
        abort();
    free(path);
}

static void read_all(struct lw_items *d)
{
    const struct lw_items_info *info = lw_items_info(d);
    void *row = malloc(lw_items_row(d));
    struct lw_error err = {0};

    for (int64_t i = 0; row && i < info->items && i < 20; i++) {
        int32_t label = -1;

        if (!lw_items_read(d, i, row, &label, &err) && (label < 0 || label >= info->classes))
            abort();
    }
    free(row);
}

/* Any bytes as IDX (the first byte says how many of them are labels), CIFAR or CSV: refused with
 * one line, or every item has a label that is a class. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"x-images.idx3", "x.bin", "x.csv"};
    static struct lw_tokenizer *t;
    size_t labels = size ? data[0] : 0;
    struct lw_error err = {0};

    if (!t && (lw_tokenizer_open(&t, NULL, &err) || !mkdtemp(folder) || atexit(clean_up)))
        abort();
    for (int i = 0; i < 3 && size; i++) {
        char *path = lw_path_join(folder, names[i]);
        struct lw_items_options o = {.data = path, .length = 16, .image_size = 8, .threads = 1};
        struct lw_items *train = NULL, *held = NULL;
        size_t n = i || labels > size - 1 ? 0 : labels;
        int rc;

        put(names[i], data + 1, size - 1 - n);
        if (!i)
            put("x-labels.idx1", data + size - n, n);
        rc = i < 2 ? lw_images_open(&o, &train, &held, &err)
                   : lw_texts_open(&o, t, &train, &held, &err);
        if (rc && (!err.code || !err.text[0] || strchr(err.text, '\n') || train || held))
            abort();
        if (!rc)
            read_all(train);
        lw_items_close(train);
        lw_items_close(held);
        free(path);
    }
    return 0;
}
