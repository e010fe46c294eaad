/* SPDX-License-Identifier: MIT
 *
 * Everybody below this process, however they came there: a supervisor adopts what its descendants
 * leave behind, and lets nobody outlive it.
 */
#ifndef LW_RUN_CHILDREN_H
#define LW_RUN_CHILDREN_H

#include <stddef.h>

/* Orphans among the descendants become children of this process. */
void lw_children_adopt(void);

/* Kill all children, and theirs as they come, until there are none or the seconds are over. Returns
 * how many are left; said then names them, and what in the kernel they wait for. */
int lw_children_sweep(double seconds, char *said, size_t size);

#endif
