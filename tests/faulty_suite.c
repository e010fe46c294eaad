/* SPDX-License-Identifier: MIT
 *
 * A Criterion suite in which every assertion holds, and which must fail all the same in a
 * sanitizer build: harness.sh sees to that.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

static void *volatile lost;

Test(faulty, leaks)
{
    lost = calloc(1, 100);
    cr_assert_not_null(lost);
    lost = NULL;
}
