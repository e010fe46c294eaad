/* SPDX-License-Identifier: MIT
 *
 * Modules of our own that are opened at run time: what one build may have and another not.
 */
#ifndef LW_BASE_MODULE_H
#define LW_BASE_MODULE_H

#include <stddef.h>

/* Open a module by its file name. $LEEWAY_MODULES is looked in first, then the folder of this code,
 * the one above it and the package's. NULL: why (size bytes) says so. It is never closed. */
void *lw_module_open(const char *file, char *why, size_t size);

#endif
