/* SPDX-License-Identifier: MIT
 *
 * Does a file of text look like a table: rows of a text and its class, that somebody may have meant
 * for a classifier?
 */
#ifndef LW_DATA_TABLE_H
#define LW_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* From a file's name and its first n bytes (text, or records of JSONL). True: it is one, and note
 * (of size bytes) says in one clean line what a language model makes of it and what a classifier
 * takes. Named .csv or .tsv it is one when its first line has two columns or more; by any other
 * name when two of them are "text" and "label"; JSONL when its first record has a "label". */
bool lw_table_note(const char *path, const char *head, size_t n, bool jsonl, char *note,
                   size_t size);

#endif
