/* SPDX-License-Identifier: MIT */
#include "tests/items_support.h"

struct lw_items *train, *held;

void done(void)
{
    lw_items_close(train);
    lw_items_close(held);
    train = held = NULL;
}
