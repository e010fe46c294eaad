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

#endif
