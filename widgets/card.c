/* SPDX-License-Identifier: MIT */
#include "widgets/card.h"

#include <string.h>

#include "engine/base/text.h"

/* Bytes of text that fit into cols cells, cut after a space where one is near; *skip gets what
 * separates it from the next line. */
static size_t wrap(const char *text, int cols, size_t *skip)
{
    size_t n = 0, space = 0;
    int cells = 0;

    *skip = 0;
    while (text[n] && text[n] != '\n') {
        uint32_t code;
        size_t used = lw_utf8_decode(text + n, strnlen(text + n, 4), &code);
        int width = used ? lw_utf8_width(code) : 1;

        if (text[n] == ' ')
            space = n;
        cells += width < 0 ? 1 : width;
        if (cells > cols && n > 0) {
            if (space > 0) {
                *skip = 1;
                return space;
            }
            return n;
        }
        n += used ? used : 1;
    }
    *skip = text[n] == '\n';
    return n;
}

int lw_card_draw(struct lw_area a, const struct lw_card *card)
{
    const char *text = card->text ? card->text : "";
    int line = 0, cols = a.rect.cols > 0 ? a.rect.cols : 1;

    while (*text) {
        size_t skip, n = wrap(text, cols, &skip);
        int row = line++ - card->top;

        if (row >= 0 && row < a.rect.rows) {
            char cut[1024];
            size_t keep = n < sizeof cut - 1 ? n : sizeof cut - 1;

            memcpy(cut, text, keep);
            cut[keep] = '\0';
            lw_put_text(a, row, 0, cut, card->style);
        }
        text += n + skip;
    }
    return line;
}

void lw_message_draw(struct lw_area a, const char *text)
{
    int cells = lw_text_cells(text), col = (a.rect.cols - cells) / 2;

    lw_put_cut(a, (a.rect.rows - 1) / 2, col > 0 ? col : 0, a.rect.cols, text, LW_INK(LW_INK_DIM));
}
