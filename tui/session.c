/* SPDX-License-Identifier: MIT */
#include "tui/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/plain.h"

bool lw_session_possible(void)
{
    const char *term = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
           strcmp(term, "dumb") != 0;
}

/* A view on paths; on failure nothing is left open. */
static int open_view(struct lw_view *v, const char *const *paths, int count, struct lw_error *err)
{
    int rc = lw_view_init(v, err);

    for (int k = 0; !rc && k < count; k++) {
        struct lw_source *s;

        rc = lw_source_open(&s, paths[k], count, err);
        if (!rc)
            rc = lw_view_add(v, s, err);
    }
    if (rc)
        lw_view_fini(v);
    return rc;
}

int lw_session(const struct lw_verb *self, const char *const *paths, int count,
               const struct lw_look *look)
{
    struct lw_error err = {0};
    struct lw_view view;
    char *last = NULL;
    int sig = 0, rc;
    bool run;

    if (!lw_session_possible()) {
        lw_fail(&err, LW_EUSAGE,
                "the console needs a terminal: use watch --once for a frame as text");
        return lw_verb_fail(self, &err);
    }
    rc = open_view(&view, paths, count, &err);
    if (rc)
        return lw_verb_fail(self, &err);
    rc = lw_console_run(&view, look, &sig, &err);
    run = view.sources && view.source[0]->run;
    last = run ? strdup(view.source[0]->path) : NULL;
    lw_view_fini(&view);
    if (rc) {
        free(last);
        return lw_verb_fail(self, &err);
    }
    rc = last ? lw_plain_summary(self, last) : LW_EXIT_OK;
    free(last);
    return rc;
}

int lw_session_print(const struct lw_verb *self, const char *const *paths, int count,
                     const struct lw_look *look, int rows, int cols)
{
    struct lw_error err = {0};
    struct lw_view view;
    int rc = open_view(&view, paths, count, &err);

    if (rc)
        return lw_verb_fail(self, &err);
    while (lw_view_poll(&view, 0) & LW_MORE)
        ;
    view.quiet = true;
    for (int k = 0; !rc && k < count; k++)
        if (!view.source[k]->run && view.source[k]->problem[0])
            rc = lw_fail(&err, LW_EDATA, "%s", view.source[k]->problem);
    if (!rc)
        rc = lw_console_print(&view, look, rows, cols, &err);
    lw_view_fini(&view);
    return rc ? lw_verb_fail(self, &err) : LW_EXIT_OK;
}
