/* SPDX-License-Identifier: MIT */
#include "engine/drift/windows.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/data/tokenizer.h"

#define AHEAD 64 /* tokens looked at before an index is asked */

/* The end of the document that starts at `start`, by the index. */
static int64_t indexed_end(const struct lw_dataset *d, int64_t start)
{
    int64_t low = 0, high = lw_dataset_info(d)->documents;

    while (low < high) { /* the first document beyond */
        int64_t middle = low + (high - low) / 2;

        if (lw_dataset_document(d, middle) > start)
            high = middle;
        else
            low = middle + 1;
    }
    return lw_dataset_document(d, low);
}

/* Where the next separator from `at` on stands, or the end of the data. start: of the document. */
static int find_end(const struct lw_dataset *d, int64_t start, int64_t at, int64_t *end,
                    struct lw_error *err)
{
    const struct lw_dataset_info *info = lw_dataset_info(d);
    int64_t stop = info->endless ? INT64_MAX : info->tokens, limit = start + LW_DOCUMENT_REACH;
    int32_t ids[AHEAD];
    bool asked = false;

    stop = stop - start > LW_DOCUMENT_REACH ? limit : stop;
    while (at < stop) {
        int64_t n = stop - at < AHEAD ? stop - at : AHEAD;
        int rc = lw_dataset_read(d, at, n, ids, err);

        for (int64_t i = 0; !rc && i < n; i++)
            if (ids[i] == info->separator) {
                *end = at + i;
                return 0;
            }
        if (rc)
            return rc;
        at += n;
        if (!asked && info->documents > 0 && lw_dataset_document(d, 0) >= 0) {
            asked = true;
            stop = indexed_end(d, start);
            at = stop - 1 > at ? stop - 1 : at; /* a separator, but for the last document */
        }
    }
    *end = stop;
    return 0;
}

/* A document of which [from, to) of the row is seen, and which may go on behind it. */
static int add_part(struct lw_profile *p, const struct lw_dataset *d, int64_t start,
                    const int32_t *ids, size_t from, size_t to, size_t n, bool begins,
                    struct lw_error *err)
{
    int64_t end = start + (int64_t)to;
    int32_t length;
    int rc;

    if (to == from)
        return 0;
    rc = lw_tally_add(&p->text.tokens, ids + from, to - from, err);
    if (rc || !begins)
        return rc;
    if (to == n && (rc = find_end(d, start + (int64_t)from, end, &end, err)))
        return rc;
    end -= start + (int64_t)from;
    length = end < INT32_MAX ? (int32_t)end : INT32_MAX;
    return lw_profile_lengths(p, &length, 1, err);
}

int lw_profile_window(struct lw_profile *p, const struct lw_dataset *d, int64_t start,
                      const int32_t *ids, size_t n, struct lw_error *err)
{
    int32_t separator = lw_dataset_info(d)->separator, before = separator;
    size_t from = 0;
    bool begins;
    int rc = start ? lw_dataset_read(d, start - 1, 1, &before, err) : 0;

    begins = before == separator;
    for (size_t i = 0; !rc && i < n; i++) {
        if (ids[i] != separator)
            continue;
        rc = add_part(p, d, start, ids, from, i, n, begins, err);
        from = i + 1;
        begins = true;
    }
    return rc ? rc : add_part(p, d, start, ids, from, n, n, begins, err);
}

const char *lw_token_text(void *user, uint32_t id, char out[28])
{
    const struct lw_tokenizer *t = user;
    size_t n = 0, used = 0;
    const char *bytes = lw_tokenizer_bytes(t, id, &n);

    if (!bytes || !n)
        return NULL;
    for (size_t i = 0, whole; i < n && used + 4 < 28; i += whole) {
        char escape = bytes[i] == '\n' ? 'n' : bytes[i] == '\t' ? 't' : bytes[i] == '\r' ? 'r' : 0;
        uint32_t code;

        whole = lw_utf8_decode(bytes + i, n - i, &code);
        if (escape) {
            used += (size_t)sprintf(out + used, "\\%c", escape);
        } else if (!whole || code < 0x20 || code == 0x7f) {
            used += (size_t)sprintf(out + used, "\\x%02x", (unsigned char)bytes[i]);
        } else {
            memcpy(out + used, bytes + i, whole);
            used += whole;
        }
        whole = whole ? whole : 1;
    }
    out[used] = '\0';
    return out;
}
