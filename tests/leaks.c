/* SPDX-License-Identifier: MIT
 *
 * Where leaks are looked for: everywhere but in Criterion's runner. Each test is a process of its
 * own, in which leaks count; the process that starts them runs none of our code, and Criterion
 * leaves a few bytes for each test that has a time limit there.
 */
#include <stdlib.h>

/* Where the linker lays a program's Criterion tests; a program that has none has no such place. */
extern char __start_cr_tst[] __attribute__((weak));

/* Asked by LeakSanitizer at the end of a process. */
int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
    return __start_cr_tst != NULL && !getenv("BXFI_MAP"); /* set in the processes of tests */
}
