/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/data/bpe.h"
#include "tests/fuzz/fuzz.h"

#define MARK "\n----\n"

static const uint8_t *find_mark(const uint8_t *data, size_t size)
{
    return memmem(data, size, MARK, strlen(MARK));
}

/* Whatever vocabulary was accepted, any bytes can be encoded and come back. */
static void there_and_back(const struct lw_tokenizer *t, const char *text, size_t size)
{
    struct lw_encoder *e;
    struct lw_ids ids = {0};
    struct lw_error err;
    char *back;
    size_t n;

    if (lw_encoder_open(&e, t, &err) < 0 || lw_encode(e, text, size, &ids, &err) < 0 ||
        lw_tokenizer_decode(t, ids.id, ids.count, &back, &n, &err) < 0)
        abort();
    if (n != size || memcmp(text, back, n) != 0)
        abort();
    free(back);
    lw_ids_free(&ids);
    lw_encoder_close(e);
}

/* vocab.json, a line ----, and merges.txt; or a tokenizer.json alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *mark = find_mark(data, size);
    struct lw_tokenizer *t = NULL;
    struct lw_error err;
    int rc;

    if (mark) {
        const char *merges = (const char *)mark + strlen(MARK);

        rc = lw_tokenizer_parse(&t, (const char *)data, (size_t)(mark - data), merges,
                                size - (size_t)(mark - data) - strlen(MARK), &err);
    } else {
        t = calloc(1, sizeof *t);
        if (!t)
            abort();
        rc = lw_bpe_parse_json(t, (const char *)data, size, "tokenizer.json", &err);
    }
    if (rc == 0)
        there_and_back(t, (const char *)data, size);
    if (rc == 0 || !mark)
        lw_tokenizer_close(t);
    return 0;
}
