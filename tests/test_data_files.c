/* SPDX-License-Identifier: MIT
 *
 * The files that a path stands for: which, in what order, and what is refused.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/files.h"
#include "tests/support.h"

TestSuite(files, .timeout = 60);

static struct lw_error err;

/* A file with all folders on its way. */
static void put(const char *root, const char *name)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%s", test_path(root, name));
    *strrchr(folder, '/') = '\0';
    cr_assert_eq(lw_make_folders(folder, &err), 0, "%s", err.text);
    test_write(test_path(root, name), "x");
}

Test(files, those_below_a_folder_in_the_order_of_their_bytes)
{
    static const char *const names[] = {"a b/x", "a/x", "a/y/deep", "Z", "zz", "aa", "link/x"};
    static const char *const sorted[] = {"Z", "a b/x", "a/x", "a/y/deep", "aa", "link/x", "zz"};
    const char *root = test_folder();
    struct lw_files f;

    for (size_t i = 0; i < sizeof names / sizeof *names - 1; i++)
        put(root, names[i]);
    put(root, ".hidden");
    put(root, ".git/x");
    put(root, "a/.x.swp");
    put(test_path(root, ".elsewhere"), "x");
    cr_assert_eq(symlink(".elsewhere", test_path(root, "link")), 0);
    cr_assert_eq(mkfifo(test_path(root, "a/pipe"), 0600), 0);
    cr_assert_eq(lw_files_list(&f, root, &err), 0, "%s", err.text);
    cr_assert_eq(f.count, sizeof sorted / sizeof *sorted);
    cr_expect(f.folder);
    for (size_t i = 0; i < f.count; i++)
        cr_expect_str_eq(f.path[i], test_path(root, sorted[i]));
    lw_files_free(&f);
}

Test(files, a_file_is_itself_and_an_empty_folder_is_none)
{
    const char *root = test_folder(), *path = test_path(root, ".x");
    struct lw_files f;

    cr_assert_eq(lw_files_list(&f, root, &err), 0, "%s", err.text);
    cr_expect(f.folder);
    cr_expect_eq(f.count, 0);
    lw_files_free(&f);
    put(root, ".x");
    cr_assert_eq(lw_files_list(&f, path, &err), 0, "%s", err.text);
    cr_expect_not(f.folder);
    cr_assert_eq(f.count, 1);
    cr_expect_str_eq(f.path[0], path);
    lw_files_free(&f);
}

Test(files, what_cannot_be_listed_is_named)
{
    const char *root = test_folder();
    struct lw_files f;

    cr_expect_eq(lw_files_list(&f, test_path(root, "nowhere"), &err), LW_EIO);
    cr_expect(strstr(err.text, "there is no file or folder"), "%s", err.text);
    cr_expect_eq(lw_files_list(&f, "/dev/null", &err), LW_EDATA);
    cr_expect(strstr(err.text, "/dev/null is neither a file nor a folder"), "%s", err.text);
    put(root, "x");
    cr_assert_eq(symlink("gone", test_path(root, "dangling")), 0);
    cr_expect_eq(lw_files_list(&f, root, &err), LW_EIO);
    cr_expect(strstr(err.text, "dangling"), "%s", err.text);
    cr_assert_eq(unlink(test_path(root, "dangling")), 0);
    cr_assert_eq(symlink(".", test_path(root, "again")), 0);
    cr_expect_eq(lw_files_list(&f, root, &err), LW_EDATA);
    cr_expect(strstr(err.text, "more than 32 deep"), "%s", err.text);
}

Test(files, endings)
{
    cr_expect(lw_path_ends("a/x.BIN", ".bin"));
    cr_expect(lw_path_ends(".bin", ".bin"));
    cr_expect_not(lw_path_ends("bin", ".bin"));
    cr_expect_not(lw_path_ends("x.bin.gz", ".bin"));
}
