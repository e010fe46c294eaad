/* SPDX-License-Identifier: MIT
 *
 * The console's view of one run, without a terminal: keys go in, the page comes out as text.
 */
#ifndef LW_TESTS_VIEW_SUPPORT_H
#define LW_TESTS_VIEW_SUPPORT_H

#include "tui/view.h"

/* The view that all of these are about. */
extern struct lw_view v;

/* Look at a run folder, or at somebody else's CSV file, as it is now. */
void open_view(const char *path);
void close_view(void);

/* The page as text, valid until the next call of any of these. */
const char *page(int rows, int cols);

/* Is this on the page, or not? Where no size is given it is 40 rows of 120 columns. */
void shows(const char *what);
void hides(const char *what);
void shows_at(int rows, int cols, const char *what);
void hides_at(int rows, int cols, const char *what);

/* Press these keys, one after the other. */
void keys(const char *codes);

/* After each of these keys the page is drawn at sizes from one cell to more than it needs. */
void draws_at_every_size(const char *codes);

#endif
