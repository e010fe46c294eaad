/* SPDX-License-Identifier: MIT
 *
 * SHA-256 against the digests of FIPS 180-2's examples.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/export/sha256.h"
#include "tests/support.h"

static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char of_a_million[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static struct lw_error err;
static char digest[LW_SHA256_TEXT];

Test(sha256, of_memory)
{
    cr_assert_eq(lw_sha256("", 0, digest, &err), 0, "%s", err.text);
    cr_expect_str_eq(digest, of_nothing);
    cr_assert_eq(lw_sha256("abc", 3, digest, &err), 0, "%s", err.text);
    cr_expect_str_eq(digest, of_abc);
}

/* A million is read in one piece, three million and one in several. */
Test(sha256, of_files)
{
    const char *path = test_path(test_folder(), "file");
    char *a = malloc(3000001), whole[LW_SHA256_TEXT];

    memset(a, 'a', 3000001);
    cr_assert_eq(lw_replace_file(path, a, 1000000, 0, &err), 0);
    cr_assert_eq(lw_sha256_file(path, digest, &err), 0, "%s", err.text);
    cr_expect_str_eq(digest, of_a_million);
    cr_assert_eq(lw_replace_file(path, a, 3000001, 0, &err), 0);
    cr_assert_eq(lw_sha256_file(path, digest, &err), 0, "%s", err.text);
    cr_assert_eq(lw_sha256(a, 3000001, whole, &err), 0);
    cr_expect_str_eq(digest, whole);
    cr_assert_eq(lw_replace_file(path, a, 0, 0, &err), 0);
    cr_assert_eq(lw_sha256_file(path, digest, &err), 0);
    cr_expect_str_eq(digest, of_nothing);
    free(a);
}

Test(sha256, of_what_is_not_there)
{
    cr_expect_eq(lw_sha256_file("/nonexistent/file", digest, &err), LW_EIO);
    cr_expect(strstr(err.text, "/nonexistent/file"), "%s", err.text);
    cr_expect_eq(lw_sha256_file("/", digest, &err), LW_EIO);
}
