/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/io.h"
#include "engine/base/random.h"
#include "tests/support.h"

/* error */

Test(error, keeps_code_and_text)
{
    struct lw_error err = {0};

    cr_assert_eq(lw_fail(&err, LW_EDATA, "%s is %d", "this", 7), LW_EDATA);
    cr_assert_eq(err.code, LW_EDATA);
    cr_assert_str_eq(err.text, "this is 7");
    cr_assert_eq(lw_fail(NULL, LW_EBUSY, "nobody listens"), LW_EBUSY);
}

Test(error, errno_is_told_and_kept)
{
    struct lw_error err = {0};

    errno = ENOENT;
    cr_assert_eq(lw_fail_errno(&err, "cannot open %s", "x"), LW_EIO);
    cr_assert_eq(errno, ENOENT);
    cr_assert_str_eq(err.text, "cannot open x: No such file or directory");
    errno = ENOMEM;
    cr_assert_eq(lw_fail_errno(&err, "cannot open x"), LW_EMEM);
}

Test(error, wrap_puts_context_in_front)
{
    struct lw_error err = {0};

    lw_fail(&err, LW_ENAN, "loss is not finite");
    cr_assert_eq(lw_wrap(&err, "step %d", 12), LW_ENAN);
    cr_assert_str_eq(err.text, "step 12: loss is not finite");
}

Test(error, long_text_is_cut_and_says_so)
{
    struct lw_error err = {0};
    char big[4096];

    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    lw_fail(&err, LW_EDATA, "%s", big);
    cr_assert_eq(strlen(err.text), sizeof err.text - 1);
    cr_assert_str_eq(err.text + sizeof err.text - 4, "...");
    lw_wrap(&err, "while reading");
    cr_assert_eq(strncmp(err.text, "while reading: aaa", 18), 0);
    cr_assert_str_eq(err.text + sizeof err.text - 4, "...");
}

/* io */

Test(io, replace_and_read_back)
{
    const char *path = test_path(test_folder(), "file");
    struct lw_error err;
    char *data = NULL;
    struct stat st;
    size_t size = 0;

    cr_assert_eq(lw_replace_file(path, "one\0two", 7, 1, &err), 0);
    cr_assert_eq(lw_read_file(path, 0, &data, &size, &err), 0);
    cr_assert_eq(size, 7);
    cr_assert_arr_eq(data, "one\0two\0", 8);
    free(data);
    cr_assert_eq(lw_replace_file(path, "", 0, 0, &err), 0);
    cr_assert_eq(lw_read_file(path, 1, &data, &size, &err), 0);
    cr_assert_eq(size, 0);
    free(data);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert(S_ISREG(st.st_mode));
}

Test(io, a_limit_is_a_limit)
{
    const char *path = test_path(test_folder(), "file");
    struct lw_error err;
    char *data = NULL;
    size_t size;

    test_write(path, "0123456789");
    cr_assert_eq(lw_read_file(path, 10, &data, &size, &err), 0);
    free(data);
    cr_assert_eq(lw_read_file(path, 9, &data, &size, &err), LW_EDATA);
    cr_assert(strstr(err.text, path) && strstr(err.text, "9 bytes"), "%s", err.text);
}

/* Files whose size the system does not know must obey the limit as well. */
Test(io, a_file_without_a_size)
{
    struct lw_error err;
    char *data = NULL;
    size_t size;

    cr_assert_eq(lw_read_file("/proc/self/status", 0, &data, &size, &err), 0);
    cr_assert_gt(size, 0);
    cr_assert_eq(strlen(data), size);
    free(data);
    cr_assert_eq(lw_read_file("/dev/zero", 1000000, &data, &size, &err), LW_EDATA);
}

Test(io, reading_says_what_is_wrong)
{
    const char *folder = test_folder();
    struct lw_error err;
    char *data = NULL;
    size_t size;

    cr_assert_eq(lw_read_file(test_path(folder, "none"), 0, &data, &size, &err), LW_EIO);
    cr_assert(strstr(err.text, "/none: No such file"), "%s", err.text);
    cr_assert_eq(lw_read_file(folder, 0, &data, &size, &err), LW_EDATA);
    cr_assert(strstr(err.text, "is a folder"), "%s", err.text);
    cr_assert_null(data);
}

/* A write that fails in the middle (here: file size limit) leaves the old content, and nothing
 * else. */
Test(io, a_failed_replace_keeps_the_old_file)
{
    const char *folder = test_folder(), *path = test_path(folder, "file");
    struct rlimit small = {4, 4};
    struct lw_error err;
    char *data = NULL;
    struct stat st;
    size_t size;

    test_write(path, "old");
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    cr_assert_eq(lw_replace_file(path, "new content", 11, 1, &err), LW_EIO);
    cr_assert(strstr(err.text, "cannot write"), "%s", err.text);
    cr_assert_eq(lw_read_file(path, 0, &data, &size, &err), 0);
    cr_assert_str_eq(data, "old");
    free(data);
    cr_assert_eq(stat(folder, &st), 0);
    unlink(path);
    cr_assert_eq(rmdir(folder), 0, "the file that was written aside is still there");
}

Test(io, folders_are_made_and_removed)
{
    const char *folder = test_folder();
    const char *deep = test_path(folder, "a/b/c"), *top = test_path(folder, "a");
    struct lw_error err;
    struct stat st;

    cr_assert_eq(lw_make_folders(deep, &err), 0);
    cr_assert_eq(lw_make_folders(deep, &err), 0, "making it twice is fine");
    test_write(test_path(deep, "file"), "x");
    cr_assert_eq(symlink("/", test_path(top, "root")), 0);
    cr_assert_eq(lw_remove_tree(top, &err), 0);
    cr_assert_lt(stat(top, &st), 0);
    cr_assert_eq(lw_remove_tree(top, &err), 0, "missing is fine");
    test_write(top, "a file in the way");
    cr_assert_eq(lw_make_folders(deep, &err), LW_EIO);
    cr_assert(strstr(err.text, "cannot make folder"), "%s", err.text);
}

Test(io, joined_paths)
{
    char *a = lw_path_join("dir", "name"), *b = lw_path_join("/", "name"),
         *c = lw_path_join("", "name");

    cr_assert_str_eq(a, "dir/name");
    cr_assert_str_eq(b, "/name");
    cr_assert_str_eq(c, "name", "an empty folder is the working folder, not /");
    free(a);
    free(b);
    free(c);
}

/* random: known answers of Philox4x32-10 from its authors' Random123 */

struct answer {
    uint64_t seed, stream, position;
    uint32_t word[4];
};

Test(random, known_answers)
{
    static const struct answer answers[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         0x0370734413198a2e,
         0x85a308d3243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint32_t out[4];

        lw_philox(answers[i].seed, answers[i].stream, answers[i].position, out);
        cr_assert_arr_eq(out, answers[i].word, sizeof out, "answer %zu", i);
    }
}

Test(random, a_reader_draws_the_blocks_in_order)
{
    struct lw_random r;
    uint32_t block[4];

    lw_random_init(&r, 42, LW_STREAM_SAMPLE);
    for (uint64_t i = 0; i < 3; i++) {
        lw_philox(42, LW_STREAM_SAMPLE, i, block);
        for (int j = 0; j < 4; j++)
            cr_assert_eq(lw_random_u32(&r), block[j]);
    }
}

Test(random, below_is_uniform_and_in_range)
{
    struct lw_random r;
    int count[7] = {0};

    lw_random_init(&r, 1, 1);
    for (int i = 0; i < 70000; i++) {
        uint32_t x = lw_random_below(&r, 7);

        cr_assert_lt(x, 7);
        count[x]++;
    }
    for (int i = 0; i < 7; i++) /* 10000 expected, standard deviation 93 */
        cr_assert(abs(count[i] - 10000) < 465, "value %d came %d times", i, count[i]);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(lw_random_below(&r, 1), 0);
}

/* n just above 2^31: without rejection the lower values would come twice as often. */
Test(random, below_is_unbiased_for_large_n)
{
    const uint32_t n = 0xC0000000u;
    struct lw_random r;
    int low = 0;

    lw_random_init(&r, 2, 1);
    for (int i = 0; i < 30000; i++)
        low += lw_random_below(&r, n) < n / 3;
    cr_assert(abs(low - 10000) < 410, "%d of 30000 in the lowest third", low);
}

Test(random, unit_is_below_one)
{
    struct lw_random r;
    double sum = 0;

    lw_random_init(&r, 3, 1);
    for (int i = 0; i < 100000; i++) {
        double u = lw_random_unit(&r);

        cr_assert(u >= 0 && u < 1);
        sum += u;
    }
    cr_assert_float_eq(sum / 100000, 0.5, 0.005);
}

Test(random, normals_have_the_moments_of_normals)
{
    double m1 = 0, m2 = 0, m4 = 0;
    const int blocks = 50000;

    for (int i = 0; i < blocks; i++) {
        float out[4];

        lw_random_normal(9, LW_STREAM_INIT, (uint64_t)i, out);
        for (int j = 0; j < 4; j++) {
            double x = out[j];

            cr_assert(isfinite(x));
            m1 += x;
            m2 += x * x;
            m4 += x * x * x * x;
        }
    }
    m1 /= 4.0 * blocks;
    m2 /= 4.0 * blocks;
    m4 /= 4.0 * blocks;
    cr_assert_float_eq(m1, 0, 0.012);
    cr_assert_float_eq(m2, 1, 0.016);
    cr_assert_float_eq(m4, 3, 0.11);
}

/* Of a writer that was killed, not of one that lives, and nothing that only looks like it. */
Test(io, leftovers_are_removed)
{
    const char *dir = test_folder();
    char dead[64], living[64];
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (!pid)
        _exit(0);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    snprintf(dead, sizeof dead, "a.json.%d.tmp", (int)pid);
    snprintf(living, sizeof living, "a.json.%d.tmp", (int)getpid());
    test_write(test_path(dir, dead), "x");
    test_write(test_path(dir, living), "x");
    test_write(test_path(dir, "b.tmp"), "x");
    test_write(test_path(dir, "c.0x7f.tmp"), "x");
    test_write(test_path(dir, "d.99999999999999999999.tmp"), "x");
    lw_remove_leftovers(dir);
    lw_remove_leftovers(test_path(dir, "nowhere"));
    cr_expect_neq(access(test_path(dir, dead), F_OK), 0);
    cr_expect_eq(access(test_path(dir, living), F_OK), 0);
    cr_expect_eq(access(test_path(dir, "b.tmp"), F_OK), 0);
    cr_expect_eq(access(test_path(dir, "c.0x7f.tmp"), F_OK), 0);
    cr_expect_eq(access(test_path(dir, "d.99999999999999999999.tmp"), F_OK), 0);
}

/* clock */

Test(clock, never_goes_back)
{
    double last = lw_clock_now();

    for (int i = 0; i < 10000; i++) {
        double now = lw_clock_now();

        cr_assert_geq(now, last);
        last = now;
    }
}

Test(clock, iso_is_the_wall_clock_with_its_zone)
{
    char text[32];
    int year, month, day, hour, minute, second, zone_hours, zone_minutes;
    char sign;

    cr_assert_gt(lw_clock_wall(), 1.6e9);
    setenv("TZ", "UTC-05:45", 1); /* five hours and 45 minutes east, as in Nepal */
    lw_clock_iso(text, sizeof text);
    cr_assert_eq(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c%2d:%2d", &year, &month, &day, &hour,
                        &minute, &second, &sign, &zone_hours, &zone_minutes),
                 9, "%s", text);
    cr_assert_eq(strlen(text), 25);
    cr_assert_eq(sign, '+');
    cr_assert_eq(zone_hours * 60 + zone_minutes, 345);
}
