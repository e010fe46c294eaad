/* SPDX-License-Identifier: MIT */
#include "tui/runlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/run/control.h"
#include "engine/run/folder.h"

static int copy(struct lw_run_line *to, const struct lw_run_info *from)
{
    const struct lw_status *s = &from->status;

    to->dir = strdup(from->dir);
    if (!to->dir)
        return -1;
    snprintf(to->name, sizeof to->name, "%s", from->name);
    snprintf(to->state, sizeof to->state, "%s",
             from->has_status ? lw_state_name(s->state) : "unknown");
    to->alive = from->alive;
    to->failed = from->has_status && (s->state == LW_STATE_FAILED || s->state == LW_STATE_LOST);
    to->step = s->step;
    to->of = s->of;
    to->best_step = s->best_step;
    to->train_loss = s->train_loss;
    to->val_loss = s->val_loss;
    to->best_val_loss = s->best_val_loss;
    to->throughput = s->throughput;
    to->time = s->time;
    to->eta = s->eta;
    to->started = s->started;
    to->silent = from->has_status ? lw_state_silent(s->state, from->alive, s->updated) : 0.0;
    snprintf(to->device, sizeof to->device, "%s", s->device);
    snprintf(to->error, sizeof to->error, "%.255s", s->last_error);
    return 0;
}

int lw_runs_read(const char *folder, struct lw_runs *out, struct lw_error *err)
{
    struct lw_run_list list = {0};
    int rc = lw_run_list(folder, &list, err);

    memset(out, 0, sizeof *out);
    if (rc)
        return rc;
    out->line = calloc((size_t)list.count + 1, sizeof *out->line);
    for (int i = 0; i < list.count; i++) {
        if (!out->line || copy(&out->line[i], &list.item[i])) {
            rc = lw_fail(err, LW_EMEM, "out of memory for %d runs", list.count);
            break;
        }
        out->count++;
    }
    lw_run_list_free(&list);
    if (rc)
        lw_runs_free(out);
    return rc;
}

void lw_runs_free(struct lw_runs *runs)
{
    for (int i = 0; i < runs->count; i++)
        free(runs->line[i].dir);
    free(runs->line);
    memset(runs, 0, sizeof *runs);
}

int lw_run_steer(const char *dir, const char *what, double timeout_s, char *text, size_t size,
                 struct lw_error *err)
{
    struct lw_reply reply = {0};
    int rc = lw_control_send(dir, lw_request_from(what), timeout_s, &reply, err);

    if (rc)
        return rc;
    if (!reply.ok)
        return lw_fail(err, LW_EBACKEND, "%s", reply.text[0] ? reply.text : "the run refused");
    snprintf(text, size, "%s", reply.text);
    return 0;
}

void lw_run_shown_name(const char *dir, char *out, size_t size)
{
    char *here = realpath(LW_RUNS_DIR, NULL), *full = realpath(dir, NULL);
    const char *shown = full ? full : dir;
    size_t n = here ? strlen(here) : 0;

    if (n && full && !strncmp(full, here, n) && full[n] == '/' && !strchr(full + n + 1, '/'))
        shown = full + n + 1;
    lw_text_clean(shown, strlen(shown), out, size);
    free(full);
    free(here);
}
