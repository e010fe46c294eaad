/* SPDX-License-Identifier: MIT */
#include "engine/train/usage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int lw_usage_number(const char *option, const char *text, double low, double high, bool whole,
                    double *out, struct lw_error *err)
{
    char *end;
    double x = strtod(text, &end);

    if (end == text || *end || !(x >= low && x <= high) || (whole && x != floor(x)))
        return lw_fail(err, LW_EUSAGE, "%s: \"%s\" is not a %snumber from %g to %g", option, text,
                       whole ? "whole " : "", low, high);
    *out = x;
    return 0;
}

int lw_usage_end(int rc, const struct lw_error *err)
{
    if (!rc)
        return 0;
    fprintf(stderr, "leeway-engine: %s\n", err->text);
    return rc == LW_EUSAGE ? 2 : 1;
}
