/* SPDX-License-Identifier: MIT
 *
 * TFRecord framing: a 64-bit length, its masked CRC-32C, the data, its masked CRC-32C, all little
 * endian.
 */
#ifndef LW_EXPORT_RECORD_H
#define LW_EXPORT_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* CRC-32C (Castagnoli), as iSCSI has it. */
uint32_t lw_crc32c(const void *data, size_t size);

/* Rotated right by 15 with a constant added, so that a CRC of data with CRCs in it is sound. */
uint32_t lw_crc32c_masked(const void *data, size_t size);

/* Errors stay with the stream. */
void lw_record_write(FILE *f, const void *data, size_t size);

#endif
