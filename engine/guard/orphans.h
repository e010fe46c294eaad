/* SPDX-License-Identifier: MIT
 *
 * Does process 1 wait for children that are left to it? Found out by leaving it one.
 */
#ifndef LW_GUARD_ORPHANS_H
#define LW_GUARD_ORPHANS_H

#include <sys/types.h>

/* Let a child make a child of its own and end; that one ends too, and is left to process 1 (or to
 * whoever adopts our orphans). Returns its pid, or -1. */
pid_t lw_orphan_make(void);

/* The slowest process 1 that does wait was seen to take 2 s. */
#define LW_ORPHAN_S 3.0

/* What to say where it stays; init: the name of process 1, cleaned. */
#define LW_ORPHAN_TEXT                                                                             \
    "process 1 (\"%s\") does not wait for orphans, which stay as zombies: start the container "    \
    "with "                                                                                        \
    "docker run --init"

/* Is it still there, ended and not waited for, after seconds at most? 1, or 0 once it is gone. */
int lw_orphan_stays(pid_t orphan, double seconds);

#endif
