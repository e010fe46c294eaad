/* SPDX-License-Identifier: MIT */
#include "engine/base/aside.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"

int lw_aside_open(struct lw_aside *a, const char *path, struct lw_error *err)
{
    int rc;

    *a = (struct lw_aside){.path = strdup(path)};
    if (asprintf(&a->aside, "%s.%ld.tmp", path, (long)getpid()) < 0)
        a->aside = NULL;
    if (!a->path || !a->aside)
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", path);
    else if (!(a->file = fopen(a->aside, "we")))
        rc = lw_fail_errno(err, "cannot write %s", path);
    else
        return 0;
    lw_aside_drop(a);
    return rc;
}

int lw_aside_finish(struct lw_aside *a, struct lw_error *err)
{
    int rc = 0;

    if (fflush(a->file) || ferror(a->file) || fsync(fileno(a->file)) < 0) {
        rc = lw_fail_errno(err, "cannot write %s", a->path);
    } else {
        FILE *file = a->file;

        a->file = NULL;
        if (fclose(file) || rename(a->aside, a->path) < 0)
            rc = lw_fail_errno(err, "cannot write %s", a->path);
    }
    if (!rc) {
        free(a->aside);
        a->aside = NULL;
        rc = lw_sync_folder(dirname(a->path), err);
    }
    lw_aside_drop(a);
    return rc;
}

void lw_aside_drop(struct lw_aside *a)
{
    if (a->file)
        fclose(a->file);
    if (a->aside)
        unlink(a->aside);
    free(a->aside);
    free(a->path);
    *a = (struct lw_aside){0};
}
