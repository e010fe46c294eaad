/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/export/safetensors.h"
#include "tests/fuzz/fuzz.h"

/* Whatever is accepted lies within the file, in order and without holes, and can be found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    struct lw_safetensors s;
    struct lw_error err = {0};
    const uint8_t *at = NULL;

    if (lw_safetensors_parse(&s, "fuzz", data, size, &err)) {
        if (err.code != LW_EDATA || !*err.text || strchr(err.text, '\n'))
            abort();
        return 0;
    }
    for (size_t i = 0; i < s.tensors; i++) {
        const struct lw_tensor *t = &s.list[i];
        const uint8_t *begin = t->data;

        if ((at && begin != at) || begin < data || begin > end ||
            t->bytes > (uint64_t)(end - begin))
            abort();
        at = begin + t->bytes;
        if (lw_safetensors_find(&s, t->name) != t)
            abort();
    }
    if (at && at != end)
        abort();
    lw_safetensors_close(&s);
    return 0;
}
