/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tui/find.h"
#include "tui/session.h"

const struct lw_option lw_attach_options[] = {
    {"low-bandwidth", 0, NULL, "for slow lines: 16 colours or ASCII, a frame in 5 s"},
    LW_COMMON_OPTIONS,
};

int lw_cmd_attach(const struct lw_verb *self, struct lw_args *args)
{
    struct lw_error err = {0};
    struct lw_look look;
    char *dir = NULL;
    int code;

    if (args->words > 1)
        lw_fail(&err, LW_EUSAGE, "one run only: leeway watch shows several at once");
    else if (!lw_look_parse(&look, args, &err))
        (void)!lw_find_run(args->words ? args->word[0] : NULL, &dir, &err);
    if (err.code) {
        free(dir);
        return lw_verb_fail(self, &err);
    }
    code = lw_session(self, (const char *const[]){dir}, 1, &look);
    free(dir);
    return code;
}
