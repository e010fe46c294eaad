/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/run/start.h"
#include "tui/verb.h"

/* Verbs that need models or devices are the engine's: this program becomes leeway-engine. */
int lw_cmd_engine(const struct lw_verb *self, struct lw_args *args)
{
    struct lw_error err = {0};
    char *path = lw_engine_path(&err), **argv;

    if (!path)
        return lw_verb_fail(self, &err);
    argv = calloc((size_t)args->words + 3, sizeof *argv);
    if (!argv) {
        free(path);
        lw_fail(&err, LW_EMEM, "out of memory");
        return lw_verb_fail(self, &err);
    }
    argv[0] = path;
    argv[1] = (char *)(uintptr_t)self->name;
    memcpy(argv + 2, args->word, (size_t)args->words * sizeof *argv);
    fflush(NULL);
    execv(path, argv);
    lw_fail_errno(&err, "cannot run %s", path);
    free(argv);
    free(path);
    return lw_verb_fail(self, &err);
}
