/* SPDX-License-Identifier: MIT
 *
 * Inside lw_csv: lines to rows. A scanner knows separator and columns, not the file.
 */
#ifndef LW_RUN_CSV_SCAN_H
#define LW_RUN_CSV_SCAN_H

#include <csv.h>
#include <stdbool.h>

#include "engine/run/csv.h"

struct lw_csv_scan {
    char separator;
    int columns;
    const struct lw_csv_reader *reader;
    bool wanted[LW_CSV_COLUMNS];
    int last_wanted; /* the last wanted column; behind it a line is skipped */
    double value[LW_CSV_COLUMNS];
    unsigned char cell[LW_CSV_COLUMNS];
    const char *text[LW_CSV_COLUMNS];
    bool has_text;
    char *arena; /* of the texts of one row: LW_CSV_TEXT_ROOM bytes, made when first needed */
    size_t arena_used;
    int64_t index; /* of the next row */

    bool quoted; /* libcsv reads from here on */
    struct csv_parser parser;
    int column; /* of the next field that libcsv gives */
    bool out_of_memory;
};

enum {
    LW_CSV_TEXT_ROOM = 64 << 10,
    LW_CSV_TEXT_LIMIT = 1024,     /* bytes of one text */
    LW_CSV_CELL_BLOCK = 64 << 10, /* libcsv's cell grows by this: its 128 bytes are quadratic */
};

/* Scan the whole lines in size bytes of text directly. Returns the bytes used: less where an
 * unfinished line is left, or where a quote begins and lw_csv_scan_quoted must go on from there
 * (then quoted is set). */
size_t lw_csv_scan_plain(struct lw_csv_scan *s, const char *text, size_t size);

/* Give all bytes to libcsv, which keeps unfinished rows itself. */
int lw_csv_scan_quoted(struct lw_csv_scan *s, const char *text, size_t size, struct lw_error *err);

/* The end of the file: an unfinished quoted row is a row after all. */
void lw_csv_scan_end(struct lw_csv_scan *s);

void lw_csv_scan_reset(struct lw_csv_scan *s);

#endif
