/* SPDX-License-Identifier: MIT
 *
 * The JSON header of a safetensors file, scanned in place.
 */
#ifndef LW_EXPORT_SAFETENSORS_SCAN_H
#define LW_EXPORT_SAFETENSORS_SCAN_H

#include <stddef.h>

#include "engine/export/safetensors.h"

/* Fill list, notes and text of s (which has a path) from a header. Each tensor is right by itself:
 * a known dtype, a shape that can be counted, as many bytes as it takes. Nothing is said yet about
 * how they lie together. On failure the caller still closes s. */
int lw_safetensors_scan(struct lw_safetensors *s, const char *header, size_t size,
                        struct lw_error *err);

/* A name cleaned and shortened for a message. */
const char *lw_tensor_show(const char *name, char out[96]);

#endif
