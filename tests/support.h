/* SPDX-License-Identifier: MIT
 *
 * What every suite needs: where the fixtures and the programs are, and a folder to write in.
 */
#ifndef LW_TESTS_SUPPORT_H
#define LW_TESTS_SUPPORT_H

/* Path of a fixture: test_source("tests/data/x.csv"). Valid until the eighth next call. */
const char *test_source(const char *name);

/* Path of something that was built: test_built("leeway-engine"). Valid like test_source's. */
const char *test_built(const char *name);

/* A new, empty folder for this test, below TMPDIR; the harness removes it. Valid until exit. */
const char *test_folder(void);

/* "folder/name", valid like test_source's. */
const char *test_path(const char *folder, const char *name);

/* A port of the loopback that nobody listens at, below those that connections get by themselves;
 * another one for every process and call. */
int test_port(void);

/* Write text to a file, replacing it. Fails the test where that is not possible. */
void test_write(const char *path, const char *text);

#endif
