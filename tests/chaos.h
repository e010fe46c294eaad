/* SPDX-License-Identifier: MIT
 *
 * Memory that runs out at a chosen moment: libleeway.so asks chaos.c instead of malloc and its
 * like. Other libraries are left alone (jansson, for one, does not bear it).
 */
#ifndef LW_TESTS_CHAOS_H
#define LW_TESTS_CHAOS_H

/* From now on the nth request (1: the next) fails; 0: none does. Requests of all threads count. */
void chaos_fail(long nth);

/* Requests since then. */
long chaos_requests(void);

#endif
