/* SPDX-License-Identifier: MIT
 *
 * Going on where a checkpoint ended: in the run's own folder, with its files cut back to what they
 * were then. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/train/checkpoint.h"
#include "engine/train/rank.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void passed_over(void *user, const char *path, const struct lw_error *why)
{
    struct lw_rank *r = user;

    (void)path;
    lw_events_add(r->events, LW_EVENT_ERROR, "%s; the checkpoint before it is used", why->text);
}

/* Damaged checkpoints that are newer than the one taken up make way for their steps' new ones. */
static void set_aside_newer(const struct lw_rank *r)
{
    struct lw_checkpoint_list list;
    struct lw_error ignored;

    if (lw_checkpoint_list(r->dir, &list, &ignored))
        return;
    for (int i = 0; i < list.count; i++)
        if (list.item[i].step > r->state.step)
            lw_checkpoint_set_aside(list.item[i].path);
    lw_checkpoint_list_free(&list);
}

/* Cut one of the run's files; returns how many bytes went. */
static int64_t cut(const char *dir, const char *name, int64_t keep)
{
    char *path = lw_path_join(dir, name);
    struct stat st;
    int64_t gone = 0;

    if (path && stat(path, &st) == 0 && st.st_size > keep && truncate(path, keep) == 0)
        gone = st.st_size - keep;
    free(path);
    return gone;
}

/* events.log is cut as well, but for what this start of the run has written to it already: lines
 * from `since` (local time as in the log) on. */
static int64_t cut_events(const char *dir, int64_t keep, const char *since)
{
    char *path = lw_path_join(dir, LW_RUN_EVENTS), *text = NULL, *line;
    struct lw_error ignored;
    int64_t gone = 0;
    size_t size = 0;
    FILE *f;

    if (!path || lw_read_file(path, 0, &text, &size, &ignored) || (int64_t)size <= keep)
        goto out;
    gone = (int64_t)size - keep;
    for (line = text + keep; *line; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, since, strlen("2026-11-22T16:30:05")) >= 0)
            break;
        if (!line[strcspn(line, "\n")])
            goto out;
    }
    f = fopen(path, "r+e");
    if (f && ftruncate(fileno(f), keep) == 0 && fseek(f, 0, SEEK_END) == 0) {
        gone -= (int64_t)strlen(line);
        fwrite(line, 1, strlen(line), f);
    }
    if (f)
        fclose(f);
out:
    free(path);
    free(text);
    return gone;
}

/* resume_from names a run, or one of its checkpoints. */
static int find_elsewhere(struct lw_rank *r, struct lw_error *err)
{
    const char *from = r->config.resume_from;
    char *state = lw_path_join(from, LW_CHECKPOINT_STATE);
    int rc;

    if (!state)
        return lw_fail(err, LW_EMEM, "out of memory");
    if (access(state, F_OK) == 0) {
        rc = lw_checkpoint_check(from, &r->state, err);
        r->resumed = rc ? NULL : strdup(from);
    } else {
        rc = lw_checkpoint_find(from, &r->resumed, &r->state, passed_over, r, err);
        if (!rc && !r->resumed)
            rc = lw_fail(err, LW_EDATA, "resume_from: %s has no checkpoint", from);
    }
    free(state);
    return rc;
}

/* What a supervisor wrote a moment ago belongs to this session. */
static void session_start(const char *dir, char *out, size_t size)
{
    struct lw_status status;
    struct lw_error ignored;
    time_t t = (time_t)lw_clock_wall() - 1;
    struct tm tm;

    if (!lw_status_read(dir, &status, &ignored) && status.pid == (int)getppid() &&
        status.started > 0)
        t = (time_t)status.started;
    localtime_r(&t, &tm);
    strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
}

int lw_rank_find(struct lw_rank *r, struct lw_error *err)
{
    char since[40];
    int64_t events;
    int rc;

    lw_state_init(&r->state);
    rc = lw_checkpoint_find(r->dir, &r->resumed, &r->state, passed_over, r, err);
    if (rc || !r->resumed) {
        lw_state_init(&r->state);
        return rc ? rc : r->config.resume_from ? find_elsewhere(r, err) : 0;
    }
    set_aside_newer(r);
    session_start(r->dir, since, sizeof since);
    events = cut_events(r->dir, r->state.events_bytes, since);
    cut(r->dir, LW_RUN_DRIFT, r->state.drift_bytes);
    if (events)
        lw_events_add(r->events, LW_EVENT_INFO,
                      "events.log: %" PRId64 " bytes from after the checkpoint were cut", events);
    r->saved_step = r->state.step;
    return 0;
}

/* The place in the data counts only for the data and the length that it was noted for. */
static void check_place(struct lw_rank *r)
{
    const char *hash = r->data.hash;

    if (r->resumed &&
        (strcmp(r->state.data_hash, hash) != 0 || r->state.length != r->config.max_seq_len)) {
        lw_events_add(r->events, LW_EVENT_WARN,
                      "the training data or max_seq_len is not what it was: epoch %" PRId64
                      " begins again",
                      r->state.loader.epoch + 1);
        r->state.loader.index = 0;
    }
    snprintf(r->state.data_hash, sizeof r->state.data_hash, "%s", hash);
    r->state.length = r->config.max_seq_len;
}

static void take_up(struct lw_rank *r)
{
    r->state.seed = (uint64_t)r->config.random_seed;
    r->time_before = r->state.time;
    if (r->resumed)
        r->backend->set_updates(r->device, r->state.updates);
}

int lw_rank_resume(struct lw_rank *r, struct lw_error *err)
{
    int64_t keep = r->saved_step ? r->state.metrics_bytes : 0, gone;
    struct stat st;
    char *path;
    int rc;

    if (r->rank) {
        check_place(r);
        take_up(r);
        return 0;
    }
    path = lw_path_join(r->dir, LW_RUN_METRICS);
    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    gone = stat(path, &st) == 0 && st.st_size > keep ? st.st_size - keep : 0;
    free(path);
    rc = lw_recorder_open(&r->recorder, r->dir, keep, r->events, err);
    if (rc == LW_EDATA && keep) {
        lw_events_add(r->events, LW_EVENT_WARN, "%s; it is kept as it is", err->text);
        gone = 0;
        rc = lw_recorder_open(&r->recorder, r->dir, -1, r->events, err);
    }
    if (rc)
        return rc;
    check_place(r);
    take_up(r);
    if (r->resumed) {
        lw_events_add(r->events, LW_EVENT_INFO,
                      "resumed from %s; %" PRId64 " bytes of metrics.csv from after it were cut",
                      base_name(r->resumed), gone);
    } else if (gone) {
        lw_events_add(r->events, LW_EVENT_WARN,
                      "an earlier start of this run left no checkpoint; it begins anew");
    }
    return 0;
}
