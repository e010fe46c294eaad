/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/data/feed.h"
#include "engine/data/table.h"
#include "tests/fuzz/fuzz.h"

/* All of it as the beginning of a table: what is said of it is one clean line. */
static void look_for_tables(const char *data, size_t size)
{
    static const char *const names[] = {"x.csv", "x.tsv", "x.txt", "x.jsonl"};
    char note[200];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (lw_table_note(names[i], data, size, i == 3, note, sizeof note))
            for (const char *p = note; *p; p++)
                if ((unsigned char)*p < 0x20)
                    abort();
}

/* Every line as a JSONL record: refused with one line that names it, or text in UTF-8. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct lw_text_batch batch = {0};
    int64_t line = 0;

    look_for_tables(p, size);
    while (size) {
        const char *end = memchr(p, '\n', size);
        size_t n = end ? (size_t)(end - p) : size, whole = end ? n + 1 : n;
        struct lw_error err = {0};

        if (lw_jsonl_record(p, n, "data.jsonl", ++line, &batch, &err) &&
            (err.code != LW_EDATA || strchr(err.text, '\n') || !strstr(err.text, "line ")))
            abort();
        p += whole;
        size -= whole;
    }
    for (size_t at = 0, used; at < batch.n; at += used) {
        uint32_t code;

        used = lw_utf8_decode(batch.bytes + at, batch.n - at, &code);
        if (!used)
            abort();
    }
    lw_text_batch_free(&batch);
    return 0;
}
