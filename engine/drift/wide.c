/* SPDX-License-Identifier: MIT */
#include "engine/drift/wide.h"

char *lw_wide_text(lw_wide x, char out[LW_WIDE_TEXT])
{
    char *p = out + LW_WIDE_TEXT - 1;

    *p = '\0';
    do {
        *--p = (char)('0' + (int)(x % 10));
        x /= 10;
    } while (x);
    return p;
}

int lw_wide_read(const char *text, lw_wide *x)
{
    const lw_wide most = ~(lw_wide)0;

    *x = 0;
    if (!*text)
        return -1;
    for (; *text; text++) {
        unsigned digit = (unsigned char)*text - (unsigned)'0';

        if (digit > 9 || *x > (most - digit) / 10)
            return -1;
        *x = *x * 10 + digit;
    }
    return 0;
}
