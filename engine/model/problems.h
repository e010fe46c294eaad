/* SPDX-License-Identifier: MIT
 *
 * Everything that is wrong with something, gathered before it is told.
 */
#ifndef LW_MODEL_PROBLEMS_H
#define LW_MODEL_PROBLEMS_H

#include <stddef.h>

#include "engine/base/error.h"

struct lw_problems {
    const char *separator; /* "\n" or "; " */
    char text[900];        /* what doesn't fit is left out */
    size_t used;           /* 0: nothing is wrong */
};

void lw_problem(struct lw_problems *p, const char *fmt, ...) LW_PRINTF(2, 3);

#endif
