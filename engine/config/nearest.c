/* SPDX-License-Identifier: MIT */
#include "engine/config/nearest.h"

#include <limits.h>
#include <string.h>

enum { WORD = 64 };

int lw_edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    int row[3][WORD]; /* the last two rows of the table and the one being filled */

    if (n >= WORD || m >= WORD)
        return INT_MAX;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *older = row[(i + 1) % 3];

        now[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int best = before[j - 1] + (a[i - 1] != b[j - 1]);

            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                older[j - 2] + 1 < best)
                best = older[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *lw_nearest(const char *word, const char *const *words, int count)
{
    const char *best = NULL;
    int least = INT_MAX;

    for (int i = 0; i < count; i++) {
        int d = lw_edit_distance(word, words[i]);

        if (d < least && d <= 1 + (int)strlen(words[i]) / 3) {
            least = d;
            best = words[i];
        }
    }
    return best;
}
