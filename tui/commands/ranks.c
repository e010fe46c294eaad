/* SPDX-License-Identifier: MIT */
#include "tui/commands/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/run/start.h"

int lw_ranks_become(const struct lw_config *c, struct lw_error *err)
{
    char *text = lw_config_text(c), *engine = text ? lw_engine_path(err) : NULL, path[40];
    int fd = engine ? memfd_create("config.yaml", 0) : -1, rc = 0;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!text)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (!engine)
        rc = err->code;
    else if (fd < 0 || lw_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        rc = lw_fail_errno(err, "cannot hand over the configuration");
    if (!rc) {
        execl(engine, engine, "--rank", "-", path, (char *)NULL);
        rc = lw_fail_errno(err, "cannot run %s", engine);
    }
    if (fd >= 0)
        close(fd);
    free(text);
    free(engine);
    return rc;
}
