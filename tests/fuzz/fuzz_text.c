/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "tests/fuzz/fuzz.h"

/* Whatever comes in, what comes out fits, is UTF-8, has no character that a terminal could take
 * for a command, and cleaning it again changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t room = size ? data[0] * 4u : 0, length, again;
    char *out = malloc(room + 1), *twice = malloc(room + 1);

    if (!out || !twice)
        abort();
    length = lw_text_clean((const char *)data, size, out, room);
    if (room && (length >= room || out[length] || strlen(out) != length))
        abort();
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t used = lw_utf8_decode(out + at, length - at, &code);

        if (!used || code < 0x20 || (code >= 0x7f && code < 0xa0) || lw_utf8_width(code) < 0)
            abort();
        at += used;
    }
    again = lw_text_clean(out, length, twice, room);
    if (again != length || memcmp(out, twice, length) != 0)
        abort();
    free(out);
    free(twice);
    return 0;
}
