/* SPDX-License-Identifier: MIT
 *
 * SHA-256, by OpenSSL's libcrypto: what sha256sum prints.
 */
#ifndef LW_EXPORT_SHA256_H
#define LW_EXPORT_SHA256_H

#include <stddef.h>

#include "engine/base/error.h"

#define LW_SHA256_TEXT 65 /* 64 hexadecimal digits, small letters, and a NUL */

/* LW_EMISSING: not in this build. LW_EIO: the file cannot be read. */
LW_NODISCARD int lw_sha256(const void *data, size_t size, char out[LW_SHA256_TEXT],
                           struct lw_error *err);
LW_NODISCARD int lw_sha256_file(const char *path, char out[LW_SHA256_TEXT], struct lw_error *err);

#endif
