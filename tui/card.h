/* SPDX-License-Identifier: MIT
 *
 * A run in two lines: how it was trained, and how well it went.
 */
#ifndef LW_TUI_CARD_H
#define LW_TUI_CARD_H

#include "tui/source.h"

/* Learning rate, batch and epochs; best epoch with loss, perplexity and accuracy; total time. What
 * is not known is left out. */
void lw_card_text(const struct lw_source *s, char *out, size_t size);

#endif
