/* SPDX-License-Identifier: MIT */
#include "engine/drift/documents.h"

#include <stdlib.h>
#include <string.h>

int lw_documents_init(struct lw_documents *d, struct lw_profile *profile, int32_t separator,
                      struct lw_error *err)
{
    *d = (struct lw_documents){.profile = profile,
                               .separator = separator,
                               .held = malloc(LW_TALLY_UNIT * sizeof *d->held)};
    return d->held ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

void lw_documents_fini(struct lw_documents *d)
{
    free(d->held);
    *d = (struct lw_documents){0};
}

bool lw_documents_full(const struct lw_documents *d)
{
    return d->profile->limit && d->profile->items >= d->profile->limit;
}

int lw_documents_end(struct lw_documents *d, struct lw_error *err)
{
    int32_t length = d->length < INT32_MAX ? (int32_t)d->length : INT32_MAX;
    int rc = 0;

    if (d->length && !lw_documents_full(d) &&
        !(rc = lw_profile_tokens(d->profile, d->held, d->holds, err)))
        rc = lw_profile_lengths(d->profile, &length, 1, err);
    d->holds = 0;
    d->length = 0;
    return rc;
}

/* Tokens of one document, by the unit. */
static int hold(struct lw_documents *d, const int32_t *ids, size_t n, struct lw_error *err)
{
    int rc = 0;

    d->length += n;
    while (!rc && n) {
        size_t room = LW_TALLY_UNIT - d->holds, now = n < room ? n : room;

        memcpy(d->held + d->holds, ids, now * sizeof *ids);
        d->holds += now;
        ids += now;
        n -= now;
        if (d->holds == LW_TALLY_UNIT) {
            rc = lw_profile_tokens(d->profile, d->held, d->holds, err);
            d->holds = 0;
        }
    }
    return rc;
}

int lw_documents_add(struct lw_documents *d, const int32_t *ids, size_t n, struct lw_error *err)
{
    size_t from = 0;
    int rc = 0;

    for (size_t i = 0; !rc && i < n && !lw_documents_full(d); i++) {
        if (ids[i] != d->separator)
            continue;
        rc = hold(d, ids + from, i - from, err);
        if (!rc)
            rc = lw_documents_end(d, err);
        from = i + 1;
    }
    return rc || lw_documents_full(d) ? rc : hold(d, ids + from, n - from, err);
}
