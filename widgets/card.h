/* SPDX-License-Identifier: MIT
 *
 * A text card: paragraphs wrapped at words, or one dim line in the middle.
 */
#ifndef LW_WIDGETS_CARD_H
#define LW_WIDGETS_CARD_H

#include "widgets/surface.h"

struct lw_card {
    const char *text; /* UTF-8; a newline starts a new paragraph */
    int top;          /* wrapped lines skipped, for scrolling */
    struct lw_style style;
};

/* Returns the number of wrapped lines in all, whatever fits. */
int lw_card_draw(struct lw_area a, const struct lw_card *card);

/* One line in the middle: "no data yet". */
void lw_message_draw(struct lw_area a, const char *text);

#endif
