/* SPDX-License-Identifier: MIT
 *
 * From Enter to the first optimizer step: how long a run takes to start, with everything a real one
 * does: folder, supervisor, rank, data, model. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/config/config.h"
#include "engine/run/control.h"
#include "engine/run/folder.h"
#include "engine/run/start.h"
#include "engine/train/bench.h"

#define LIMIT_S 120.0

/* Does metrics.csv have a whole row behind its header? */
static int has_row(const char *path)
{
    struct lw_error ignored;
    char *text, *newline;
    size_t size;
    int found;

    if (access(path, R_OK) < 0 || lw_read_file(path, 0, &text, &size, &ignored))
        return 0;
    newline = strchr(text, '\n');
    found = newline && strchr(newline + 1, '\n');
    free(text);
    return found;
}

static int wait_for_row(const char *dir, struct lw_error *err)
{
    char *path = lw_path_join(dir, LW_RUN_METRICS);
    double start = lw_clock_now();
    struct lw_error ignored;
    int rc = path ? 0 : lw_fail(err, LW_EMEM, "out of memory");

    while (!rc && !has_row(path)) {
        usleep(2000);
        if (lw_clock_now() - start > LIMIT_S || lw_run_alive(dir, &ignored) == 0)
            rc = has_row(path) ? 0
                               : lw_fail(err, LW_EIO,
                                         "the run in %s made no step; its events.log "
                                         "says why",
                                         dir);
    }
    free(path);
    return rc;
}

static int one_start(struct lw_config *c, double *seconds, struct lw_error *err)
{
    struct lw_start how = {0};
    struct lw_started started;
    struct lw_reply reply;
    struct lw_error ignored;
    double start = lw_clock_now();
    int rc = lw_run_start(c, &how, &started, err);

    if (rc)
        return rc;
    rc = wait_for_row(started.dir, err);
    *seconds = lw_clock_now() - start;
    if (lw_control_send(started.dir, LW_REQUEST_STOP, 5.0, &reply, &ignored))
        kill(started.pid, SIGTERM);
    for (int i = 0; i < 1000 && lw_run_alive(started.dir, &ignored) == 1; i++)
        usleep(10000);
    free(started.dir);
    return rc;
}

int lw_bench_start(struct lw_bench_args *a, json_t *out, struct lw_error *err)
{
    char folder[] = "/tmp/leeway-bench-XXXXXX", setting[64];
    double *seconds = NULL;
    struct lw_config c;
    struct lw_error ignored;
    int repeat, rc = lw_config_init(&c, err), done = 0;

    if (!rc)
        rc = lw_bench_take_number(a, "repeat", 5, 1, 1000, &repeat, err);
    for (int i = 0; !rc && i < a->count; i++)
        rc = lw_config_set(&c, a->item[i], err);
    if (!rc && !mkdtemp(folder))
        rc = lw_fail_errno(err, "cannot make %s", folder);
    if (rc) {
        lw_config_fini(&c);
        return rc;
    }
    snprintf(setting, sizeof setting, "runs_dir=%s", folder);
    seconds = calloc((size_t)repeat, sizeof *seconds);
    if (!seconds)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (!(rc = lw_config_set(&c, setting, err)))
        rc = lw_config_finish(&c, false, err);
    for (; !rc && done < repeat; done++)
        rc = one_start(&c, &seconds[done], err);
    if (!rc) {
        json_object_set_new(out, "starts", json_integer(repeat));
        json_object_set_new(out, "first_step_ms_median",
                            json_real(lw_bench_median(seconds, repeat) * 1e3));
        json_object_set_new(out, "first_step_ms_max", json_real(seconds[repeat - 1] * 1e3));
    }
    if (lw_remove_tree(folder, &ignored))
        errno = 0;
    free(seconds);
    lw_config_fini(&c);
    return rc;
}
