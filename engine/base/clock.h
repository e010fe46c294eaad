/* SPDX-License-Identifier: MIT
 *
 * Time. Durations are monotonic seconds; only file names and logs use the wall clock.
 */
#ifndef LW_BASE_CLOCK_H
#define LW_BASE_CLOCK_H

#include <stddef.h>

/* Seconds since an arbitrary start; never goes back. */
double lw_clock_now(void);

/* Seconds that this thread has computed: other work on the machine does not count. */
double lw_clock_core(void);

/* Wall clock as seconds since 1970. */
double lw_clock_wall(void);

/* Write local time as "2026-11-22T16:30:05+01:00" into out (at least 32 bytes). */
void lw_clock_iso(char *out, size_t size);

#endif
