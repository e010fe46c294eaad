/* SPDX-License-Identifier: MIT
 *
 * Profiles in tests: made, as text, and compared.
 */
#ifndef LW_TESTS_DRIFT_SUPPORT_H
#define LW_TESTS_DRIFT_SUPPORT_H

#include "engine/drift/profile.h"

/* An empty profile, texts' in blocks of 16 tokens. */
void test_profile(struct lw_profile *p, enum lw_modality m);

/* What its file would hold; the caller frees it. */
char *test_profile_text(const struct lw_profile *p);

/* The same in every number: their files say. */
void test_same_profile(const struct lw_profile *a, const struct lw_profile *b);

#endif
