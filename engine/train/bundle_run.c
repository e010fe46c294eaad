/* SPDX-License-Identifier: MIT
 *
 * export_bundle: what a run leaves when it has come to its end. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/train/bundle.h"
#include "engine/train/rank.h"

static void say(void *user, const char *line)
{
    lw_events_add(user, LW_EVENT_INFO, "export: %s", line);
}

int lw_rank_export(struct lw_rank *r, struct lw_error *err)
{
    const char *dir = r->config.export_dir;
    char *folder = *dir == '/' ? strdup(dir) : lw_path_join(r->dir, dir);
    struct lw_export e;
    int rc;

    if (!folder)
        return lw_fail(err, LW_EMEM, "out of memory");
    lw_rank_progress(r, LW_STATE_RUNNING, "exporting", true);
    rc = lw_export_open(&e, r->dir, NULL, say, r->events, err);
    if (!rc)
        rc = lw_bundle_write(&e, folder, err);
    lw_export_close(&e);
    free(folder);
    return rc ? lw_wrap(err, "all steps are done and saved, but not all was exported") : 0;
}
