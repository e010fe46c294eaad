/* SPDX-License-Identifier: MIT */
#include "engine/base/clock.h"

#include <stdio.h>
#include <time.h>

static double seconds(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

double lw_clock_now(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double lw_clock_core(void)
{
    return seconds(CLOCK_THREAD_CPUTIME_ID);
}

double lw_clock_wall(void)
{
    return seconds(CLOCK_REALTIME);
}

void lw_clock_iso(char *out, size_t size)
{
    time_t t = time(NULL);
    struct tm tm;
    long off;

    localtime_r(&t, &tm);
    off = tm.tm_gmtoff / 60;
    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d%c%02ld:%02ld", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, off < 0 ? '-' : '+',
             (off < 0 ? -off : off) / 60, (off < 0 ? -off : off) % 60);
}
