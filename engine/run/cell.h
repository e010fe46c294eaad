/* SPDX-License-Identifier: MIT
 *
 * Small tools for writing and reading cells of CSV.
 */
#ifndef LW_RUN_CELL_H
#define LW_RUN_CELL_H

#include <stddef.h>

#include "engine/run/csv.h"

/* Write a number so that reading gives the same float32 (whole numbers up to 2^53 in full), as
 * short as that allows; never locale dependent. Returns its length; at least 32 bytes. */
size_t lw_cell_number(double value, char *out);

/* Write a text cell: cleaned, quoted through libcsv; with a ' in front where it would be a formula
 * to a spreadsheet. At least 2 * n + 4 bytes. Returns its length, no terminator. */
size_t lw_cell_text(const char *text, size_t n, char *out, size_t size);

/* Read one unquoted cell. Any spelling of a decimal number that strtod of the C locale takes, and
 * nothing else (no hexadecimal, nothing behind it but blanks). */
enum lw_csv_cell lw_cell_value(const char *text, size_t n, double *value);

#endif
