/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/csv.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    int columns;
    int64_t rows;
};

static void check_text(const char *text)
{
    size_t n = strlen(text);

    for (size_t at = 0; at < n;) {
        uint32_t code;
        size_t used = lw_utf8_decode(text + at, n - at, &code);

        if (!used || code < 0x20 || (code >= 0x7f && code < 0xa0))
            abort();
        at += used;
    }
}

static void columns(void *user, int count, const char *const *names)
{
    struct seen *seen = user;

    if (count < 1 || count > LW_CSV_COLUMNS)
        abort();
    for (int i = 0; i < count; i++)
        check_text(names[i]);
    *seen = (struct seen){count, 0};
}

static void row(void *user, const struct lw_csv_row *r)
{
    struct seen *seen = user;

    if (r->count != seen->columns || r->index != seen->rows++)
        abort();
    for (int i = 0; i < r->count; i++) {
        int is_text = r->cell[i] == LW_CSV_TEXT, is_number = r->cell[i] == LW_CSV_NUMBER;

        if (r->cell[i] > LW_CSV_TEXT || (is_number && !isfinite(r->value[i])) ||
            (!is_number && isfinite(r->value[i])) || (is_text && !r->text))
            abort();
        if (is_text && r->text[i])
            check_text(r->text[i]);
    }
}

/* The first byte says where the file is cut in two: the halves come one after the other, and the
 * rows are the same as when it comes whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole = {0, 0}, halves = {0, 0};
    struct lw_csv_reader reader = {columns, row, &halves};
    struct lw_error err;
    struct lw_csv *csv;
    int fd = memfd_create("csv", MFD_CLOEXEC), parted, once;
    size_t cut;
    char path[64];

    if (!size || fd < 0) {
        close(fd);
        return 0;
    }
    cut = (size - 1) * data[0] / 256;
    data++;
    size--;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (lw_csv_open(&csv, path, &reader, &err) < 0 || lw_write_all(fd, data, cut) < 0)
        abort();
    parted = lw_csv_poll(csv, 0, &err);
    if (lw_write_all(fd, data + cut, size - cut) < 0)
        abort();
    if (parted >= 0)
        parted = lw_csv_poll(csv, 0, &err);
    if (parted >= 0)
        lw_csv_finish(csv, &err);
    lw_csv_close(csv);

    reader.user = &whole;
    if (lw_csv_open(&csv, path, &reader, &err) < 0)
        abort();
    once = lw_csv_poll(csv, 0, &err);
    if (once >= 0)
        lw_csv_finish(csv, &err);
    lw_csv_close(csv);
    close(fd);
    if (parted >= 0 && once >= 0 && (whole.rows != halves.rows || whole.columns != halves.columns))
        abort();
    return 0;
}
