/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/find.h"
#include "tui/runlist.h"
#include "tui/verb.h"

/* A checkpoint is answered when it is on disk: a large model on a slow one takes its time. */
#define TIMEOUT_S 600.0

const struct lw_option lw_control_options[] = {LW_COMMON_OPTIONS};

int lw_cmd_control(const struct lw_verb *self, struct lw_args *args)
{
    struct lw_error err = {0};
    char text[512] = "", *dir = NULL;
    int rc;

    if (args->words != 1)
        rc = lw_fail(&err, LW_EUSAGE, "give one run: leeway %s %s", self->name, self->usage);
    else
        rc = lw_find_run(args->word[0], &dir, &err);
    if (!rc)
        rc = lw_run_steer(dir, self->name, TIMEOUT_S, text, sizeof text, &err);
    free(dir);
    if (rc)
        return lw_verb_fail(self, &err);
    printf("%s\n", text[0] ? text : "done");
    return LW_EXIT_OK;
}
