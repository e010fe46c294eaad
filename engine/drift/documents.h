/* SPDX-License-Identifier: MIT
 *
 * A stream of tokens into a profile, parted into documents at its separators.
 */
#ifndef LW_DRIFT_DOCUMENTS_H
#define LW_DRIFT_DOCUMENTS_H

#include "engine/drift/profile.h"

struct lw_documents {
    struct lw_profile *profile;
    int32_t separator;
    int32_t *held; /* [LW_TALLY_UNIT] the document's tokens that are not in the profile yet */
    size_t holds;
    uint64_t length; /* of the document so far */
};

LW_NODISCARD int lw_documents_init(struct lw_documents *d, struct lw_profile *profile,
                                   int32_t separator, struct lw_error *err);
void lw_documents_fini(struct lw_documents *d);

/* The next n tokens of the stream. Nothing between two separators is no document. */
LW_NODISCARD int lw_documents_add(struct lw_documents *d, const int32_t *ids, size_t n,
                                  struct lw_error *err);

/* The stream is at its end, and so is its last document. */
LW_NODISCARD int lw_documents_end(struct lw_documents *d, struct lw_error *err);

/* Has the profile seen as many items as it wants to? */
bool lw_documents_full(const struct lw_documents *d);

#endif
