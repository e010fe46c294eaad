/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/images.h"
#include "tests/fuzz/fuzz.h"

/* Any bytes as a PNG or a JPEG: refused with one line, or an image that can be resized. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lw_error err = {0};
    struct lw_image image = {0};
    uint8_t small[3 * 9 * 9];

    if (lw_image_decode(data, size, "input", &image, &err)) {
        if (!err.code || !err.text[0] || strchr(err.text, '\n') || image.pixels)
            abort();
        return 0;
    }
    if (image.width * image.height < 1 << 20 && lw_image_resize(&image, 9, small, &err))
        abort();
    free(image.pixels);
    return 0;
}
