/* SPDX-License-Identifier: MIT */
#include "engine/drift/cusum.h"

#include <math.h>

double lw_cusum_limit(double mean)
{
    double low = 0, high = 60;

    if (!(mean > 0))
        return 0;
    for (int i = 0; i < 200; i++) { /* the left side rises with b */
        double b = (low + high) / 2;

        if (2 * (exp(b) - b - 1) < mean)
            low = b;
        else
            high = b;
    }
    return fmax(low - 1.166, 0);
}

bool lw_cusum_add(struct lw_cusum *c, double z, double slack, double limit, int64_t *began)
{
    c->seen++;
    if (isnan(z))
        return false;
    c->sum += z - slack;
    if (c->sum <= 0) {
        c->sum = 0;
        c->zero = c->seen;
    }
    if (c->sum <= limit)
        return false;
    if (began)
        *began = c->zero + 1;
    c->sum = 0;
    c->zero = c->seen;
    return true;
}
