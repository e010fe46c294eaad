/* SPDX-License-Identifier: MIT */
#include "engine/export/sha256.h"

static int missing(struct lw_error *err)
{
    return lw_fail(err, LW_EMISSING,
                   "this leeway was built without libcrypto, which computes SHA-256: install "
                   "libssl-dev and build it again");
}

int lw_sha256(const void *data, size_t size, char out[LW_SHA256_TEXT], struct lw_error *err)
{
    (void)data;
    (void)size;
    out[0] = '\0';
    return missing(err);
}

int lw_sha256_file(const char *path, char out[LW_SHA256_TEXT], struct lw_error *err)
{
    (void)path;
    out[0] = '\0';
    return missing(err);
}
