/* SPDX-License-Identifier: MIT */
#include "tests/items_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/io.h"
#include "tests/support.h"

struct lw_items *train, *held;

void done(void)
{
    lw_items_close(train);
    lw_items_close(held);
    train = held = NULL;
}

void write_bytes(const char *path, const void *bytes, size_t n)
{
    struct lw_error err;

    cr_assert_eq(lw_replace_file(path, bytes, n, 0, &err), 0, "%s", err.text);
}

void write_idx(const char *folder, const char *part, int count, int w, int h)
{
    char name[64];
    size_t n = (size_t)(count * w * h);
    unsigned char *b = calloc(1, n + 16);

    b[2] = 8;
    b[3] = 3;
    b[7] = (unsigned char)count;
    b[11] = (unsigned char)h;
    b[15] = (unsigned char)w;
    for (size_t i = 0; i < n; i++)
        b[16 + i] =
            (unsigned char)(10 * (i / (size_t)(w * h)) + i % (size_t)w + i / (size_t)w % (size_t)h);
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    write_bytes(test_path(folder, name), b, n + 16);
    b[3] = 1;
    for (int i = 0; i < count; i++)
        b[8 + i] = (unsigned char)(i % 3);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    write_bytes(test_path(folder, name), b, (size_t)count + 8);
    free(b);
}
