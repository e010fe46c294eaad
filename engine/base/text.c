/* SPDX-License-Identifier: MIT */
#include "engine/base/text.h"

#include <string.h>

#include "engine/base/text_widths.h"

#define RUNS (sizeof text_width_runs / sizeof text_width_runs[0])

size_t lw_utf8_decode(const char *s, size_t n, uint32_t *code)
{
    /* Smallest code point that may use this many bytes: anything below is an overlong form. */
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    size_t size;
    uint32_t c;

    if (n == 0)
        return 0;
    if (u[0] < 0x80) {
        *code = u[0];
        return 1;
    }
    if (u[0] >= 0xc2 && u[0] < 0xe0) {
        size = 2;
        c = u[0] & 0x1f;
    } else if (u[0] >= 0xe0 && u[0] < 0xf0) {
        size = 3;
        c = u[0] & 0x0f;
    } else if (u[0] >= 0xf0 && u[0] < 0xf5) {
        size = 4;
        c = u[0] & 0x07;
    } else {
        return 0;
    }
    if (n < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *code = c;
    return size;
}

size_t lw_utf8_mark(const char *s, size_t n)
{
    static const char mark[3] = "\xef\xbb\xbf";

    return n >= sizeof mark && !memcmp(s, mark, sizeof mark) ? sizeof mark : 0;
}

size_t lw_utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        if (code >= 0xd800 && code < 0xe000)
            return 0;
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    if (code > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

int lw_utf8_width(uint32_t code)
{
    size_t low = 0, high = RUNS;

    if (code >= 0x20 && code < 0x7f)
        return 1;
    if (code > 0x10ffff)
        return -1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (text_width_runs[middle] >> 2 <= code)
            low = middle;
        else
            high = middle;
    }
    return (int)(text_width_runs[low] & 3) - 1;
}

/* Width 0, yet not a mark over its base: these reshape the character before them, and terminals
 * disagree about how wide the result is. */
static int reshapes(uint32_t code)
{
    return (code >= 0x1160 && code < 0x1200) || (code >= 0x180b && code <= 0x180f) ||
           (code >= 0xd7b0 && code < 0xd800) || (code >= 0xfe00 && code < 0xfe10) ||
           code == 0x20e3 || (code >= 0x1f3fb && code <= 0x1f3ff) ||
           (code >= 0xe0100 && code < 0xe01f0);
}

size_t lw_text_clean(const char *in, size_t n, char *out, size_t size)
{
    size_t length = 0;
    int may_mark = 0;

    if (size == 0)
        return 0;
    while (n > 0) {
        uint32_t code;
        size_t used = lw_utf8_decode(in, n, &code), bytes = 1;
        int width = used ? lw_utf8_width(code) : -1;
        char mark = '?';
        const char *from = width < 0 ? &mark : in;

        if (used == 0)
            used = 1;
        if (width >= 0)
            bytes = used;
        in += used;
        n -= used;
        if (width == 0) {
            if (!may_mark || reshapes(code))
                continue;
            may_mark = 0;
        } else {
            may_mark = width > 0;
        }
        if (length + bytes >= size)
            break;
        memcpy(out + length, from, bytes);
        length += bytes;
    }
    out[length] = '\0';
    return length;
}
