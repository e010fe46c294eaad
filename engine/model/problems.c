/* SPDX-License-Identifier: MIT */
#include "engine/model/problems.h"

#include <stdarg.h>
#include <stdio.h>

/* The length after text of length n was added at `used`, whether or not it fitted. */
static size_t after(const struct lw_problems *p, int n)
{
    size_t used = p->used + (n > 0 ? (size_t)n : 0);

    return used < sizeof p->text ? used : sizeof p->text - 1;
}

void lw_problem(struct lw_problems *p, const char *fmt, ...)
{
    va_list args;

    if (p->used)
        p->used =
            after(p, snprintf(p->text + p->used, sizeof p->text - p->used, "%s", p->separator));
    va_start(args, fmt);
    p->used = after(p, vsnprintf(p->text + p->used, sizeof p->text - p->used, fmt, args));
    va_end(args);
}
