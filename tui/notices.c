/* SPDX-License-Identifier: MIT */
#include "tui/notices.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/guard/guard.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"

enum { HEAD = 64 << 10 }; /* bytes of the file that are looked through */

bool lw_notices_take(struct lw_notices *n, int level, const char *text)
{
    size_t mark = strlen(LW_GUARD_MARK);

    if (level != LW_EVENT_WARN || strncmp(text, LW_GUARD_MARK, mark) || n->count == LW_NOTICES)
        return false;
    text += mark;
    for (int i = 0; i < n->count; i++)
        if (!strncmp(n->text[i], text, LW_NOTICE_TEXT - 1))
            return false;
    snprintf(n->text[n->count++], LW_NOTICE_TEXT, "%s", text);
    return true;
}

void lw_notices_read(struct lw_notices *n, const char *dir)
{
    char *path = lw_path_join(dir, LW_RUN_EVENTS), *text = malloc(HEAD + 1), *rest = text, *line;
    int fd = path && text ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    ssize_t size = fd >= 0 ? read(fd, text, HEAD) : -1;

    if (size > 0) {
        text[size] = '\0';
        while ((line = strsep(&rest, "\n")) && rest) {
            char *level = strchr(line, ' '), clean[LW_NOTICE_TEXT + 16];

            if (!level || strncmp(level, " warn ", 6))
                continue;
            lw_text_clean(level + 6, strlen(level + 6), clean, sizeof clean);
            lw_notices_take(n, LW_EVENT_WARN, clean);
        }
    }
    if (fd >= 0)
        close(fd);
    free(text);
    free(path);
}

const char *lw_notices_first(const struct lw_notices *n, int *more)
{
    if (n->seen >= n->count)
        return NULL;
    *more = n->count - n->seen - 1;
    return n->text[n->seen];
}
