/* SPDX-License-Identifier: MIT
 *
 * Data sets of items in tests: what was opened to train on and to validate with.
 */
#ifndef LW_TESTS_ITEMS_SUPPORT_H
#define LW_TESTS_ITEMS_SUPPORT_H

#include "engine/data/items.h"

extern struct lw_items *train, *held;

/* Close both. */
void done(void);

void write_bytes(const char *path, const void *bytes, size_t n);

/* PART-images-idx3-ubyte and its labels in folder: `count` images of w x h whose pixels are
 * 10 i + x + y, labels i mod 3. */
void write_idx(const char *folder, const char *part, int count, int w, int h);

#endif
