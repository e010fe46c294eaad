/* SPDX-License-Identifier: MIT
 *
 * Following a CSV file while somebody writes it: our own metrics.csv and drift.csv, and any other
 * with a header line (Lightning's, Keras's). Nothing of the file is kept but the unfinished last
 * line: rows go to the caller as they come, who keeps what a screen needs.
 *
 * Plain numeric lines are scanned directly; a file whose header or any line has a quote goes
 * through libcsv. Separators comma, semicolon and tab are told apart by the header.
 */
#ifndef LW_RUN_CSV_H
#define LW_RUN_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

enum {
    LW_CSV_COLUMNS = 512,  /* more columns than this are an error */
    LW_CSV_NAME = 96,      /* bytes of a column's name, cleaned */
    LW_CSV_LINE = 4 << 20, /* a longer line is an error */
};

enum lw_csv_cell {
    LW_CSV_EMPTY, /* nothing, or the words NA, null, None: not known */
    LW_CSV_NUMBER,
    LW_CSV_BAD,  /* the words nan, inf, -inf in any spelling: a number that is not finite */
    LW_CSV_TEXT, /* anything else */
};

struct lw_csv_row {
    int64_t index;             /* from 0, within the file as it is now */
    int count;                 /* columns, as in the header; missing cells are empty */
    const double *value;       /* NaN unless the cell is a number (or inf) */
    const unsigned char *cell; /* enum lw_csv_cell */
    const char *const *text;   /* cleaned text of LW_CSV_TEXT cells, else NULL; the array is NULL
                                * when the row has none. Valid during the call. */
};

struct lw_csv_reader {
    /* The columns are known, or the file was replaced by another (cut, renamed over, a new header):
     * forget all rows. names are cleaned, unique (a second "x" becomes "x.2"). May be NULL. */
    void (*columns)(void *user, int count, const char *const *names);
    /* A whole row. A column of a row that has too many cells is left out. */
    void (*row)(void *user, const struct lw_csv_row *row);
    void *user;
};

struct lw_csv;

/* Begin to follow path. The file need not be there yet: polling waits for it. */
LW_NODISCARD int lw_csv_open(struct lw_csv **out, const char *path,
                             const struct lw_csv_reader *reader, struct lw_error *err);

/* Only these columns are wanted (by name, count of them): the others are skipped and come as
 * LW_CSV_EMPTY, which is faster. count 0: all. Takes effect with the next columns() call; call
 * it before the first poll. Names that are not in the file are no error. */
LW_NODISCARD int lw_csv_want(struct lw_csv *t, const char *const *names, int count,
                             struct lw_error *err);

/* Read what is new, at most about max_bytes (0: all). 1 when more is waiting, 0 at the end of
 * the file for now, or a negative code; LW_EDATA for a file that is no table: it is not read
 * any further unless it is replaced. */
int lw_csv_poll(struct lw_csv *t, size_t max_bytes, struct lw_error *err);

/* The file is complete: take an unfinished last line for a whole one. For showing a file once;
 * after it only lw_csv_rewind and lw_csv_close. */
int lw_csv_finish(struct lw_csv *t, struct lw_error *err);

/* Read everything anew from the start, calling columns() again: for refining a zoom. */
void lw_csv_rewind(struct lw_csv *t);

/* Bytes read so far and the size of the file when last looked at. */
void lw_csv_progress(const struct lw_csv *t, int64_t *read, int64_t *size);

void lw_csv_close(struct lw_csv *t);

#endif
