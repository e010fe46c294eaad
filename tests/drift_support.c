/* SPDX-License-Identifier: MIT */
#include "tests/drift_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

void test_profile(struct lw_profile *p, enum lw_modality m)
{
    struct lw_profile_options o = {.modality = m, .block = 16};
    struct lw_error err;

    cr_assert_eq(lw_profile_init(p, &o, &err), 0);
}

char *test_profile_text(const struct lw_profile *p)
{
    struct lw_error err;
    char *text;
    size_t size;

    cr_assert_eq(lw_profile_write(p, NULL, NULL, &text, &size, &err), 0);
    return text;
}

void test_same_profile(const struct lw_profile *a, const struct lw_profile *b)
{
    char *x = test_profile_text(a), *y = test_profile_text(b);

    cr_expect_str_eq(x, y);
    free(x);
    free(y);
}
