/* SPDX-License-Identifier: MIT
 *
 * A program with faults, one an argument, that harness.sh runs to see that a sanitizer build
 * reports them and that run-test.sh then fails.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile lost;

static int leak(void)
{
    lost = malloc(100);
    if (!lost)
        return 1;
    memset(lost, 1, 100);
    lost = NULL;
    return 0;
}

static int overflow(int beyond)
{
    volatile char *p = malloc(10);

    if (!p)
        return 1;
    p[10 * beyond] = 1;
    free((void *)p);
    return 0;
}

static int undefined(int one)
{
    volatile int big = INT_MAX;

    big += one;
    return big == 0;
}

int main(int argc, char **argv)
{
    const char *fault = argc > 1 ? argv[1] : "none";

    if (!strcmp(fault, "leak"))
        return leak();
    if (!strcmp(fault, "overflow"))
        return overflow(argc > 1);
    if (!strcmp(fault, "undefined"))
        return undefined(argc > 1);
    if (!strcmp(fault, "litter")) { /* files left in TMPDIR are the harness's to remove */
        printf("%s\n", getenv("TMPDIR"));
        return 0;
    }
    return strcmp(fault, "none") ? 3 : 0;
}
