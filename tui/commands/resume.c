/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/run/folder.h"
#include "tui/commands/train.h"
#include "tui/find.h"

const struct lw_option lw_resume_options[] = {
    {"detach", 'd', NULL, "start the run, print its folder and return"},
    {"plain", 0, NULL, "lines of text instead of the console; Ctrl-C stops the run"},
    {"outlive-kernel", 0, NULL, "with --detach: go on when the notebook that started it is gone"},
    {"low-bandwidth", 0, NULL, "for slow lines: 16 colours or ASCII, a frame in 5 s"},
    LW_COMMON_OPTIONS,
};

/* What changes a run's configuration keeps its notes on where it came from. */
static int load_changes(struct lw_config *c, const char *file, struct lw_error *err)
{
    char *notes = c->preamble;
    int rc;

    c->preamble = NULL;
    rc = lw_config_load(c, file, err);
    free(c->preamble);
    c->preamble = notes;
    return rc;
}

int lw_train_resume(const struct lw_verb *self, const struct lw_args *args, const char *what,
                    const char *file, int first)
{
    struct lw_error err = {0};
    struct lw_config c;
    char *dir = NULL;
    int code, rc = lw_config_init(&c, &err);

    if (!rc)
        rc = lw_find_run(what, &dir, &err);
    if (!rc)
        rc = lw_run_load_config(&c, dir, &err);
    if (!rc && file)
        rc = load_changes(&c, file, &err);
    if (!rc)
        rc = lw_train_settle(&c, args, first, &err);
    if (!rc) /* it goes on in its own folder: there is no other to look for a checkpoint in */
        rc = lw_config_change(&c, "resume_from", "none", NULL, &err);
    code = rc ? lw_train_fail(self, &c, &err) : lw_train_start(self, args, &c, dir, true);
    free(dir);
    lw_config_fini(&c);
    return code;
}

int lw_cmd_resume(const struct lw_verb *self, struct lw_args *args)
{
    struct lw_error err = {0};

    if (!args->words || strchr(args->word[0], '=')) {
        lw_fail(&err, LW_EUSAGE, "which run? leeway resume RUN; leeway runs lists them");
        return lw_verb_fail(self, &err);
    }
    return lw_train_resume(self, args, args->word[0], NULL, 1);
}
