/* SPDX-License-Identifier: MIT */
#include "engine/data/images.h"

int lw_jpeg_decode(const void *bytes, size_t size, const char *where, struct lw_image *out,
                   struct lw_error *err)
{
    (void)bytes;
    (void)size;
    *out = (struct lw_image){0};
    return lw_fail(
        err, LW_EMISSING,
        "%s is a JPEG, and this build reads none: install libjpeg-dev and configure again", where);
}
