/* SPDX-License-Identifier: MIT */
#include "engine/run/one_line.h"

#include <string.h>

#include "engine/base/text.h"

size_t lw_one_line(const char *text, char *out, size_t size)
{
    char joined[4096];
    size_t n = 0;

    for (; *text && n + 4 < sizeof(joined); text++) {
        if (*text != '\n') {
            joined[n++] = *text;
        } else if (n && text[1]) {
            memcpy(joined + n, " | ", 3);
            n += 3;
        }
    }
    return lw_text_clean(joined, n, out, size);
}
