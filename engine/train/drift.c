/* SPDX-License-Identifier: MIT
 *
 * A rank's watch over its data, from the configuration to the checks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/drift/settings.h"
#include "engine/drift/windows.h"
#include "engine/run/folder.h"
#include "engine/train/rank.h"

/* The reference profile of the run that this one goes on from, where that was another: in its
 * folder, of which resume_from names the whole or a checkpoint. NULL: none. */
static char *resumed_reference(const struct lw_rank *r)
{
    static const char *const places[] = {LW_RUN_REFERENCE, "../../" LW_RUN_REFERENCE};

    for (int i = 0; r->resumed && !r->saved_step && r->config.resume_from && i < 2; i++) {
        char *path = lw_path_join(r->config.resume_from, places[i]);

        if (path && access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

/* Profiles travel as text, which has every integer of theirs. */
static int take_others(struct lw_rank *r, struct lw_profile *p, const char *all, size_t each,
                       const uint64_t *size, struct lw_error *err)
{
    int rc = 0;

    for (int i = 1; !rc && i < r->ranks; i++) {
        struct lw_profile theirs;

        rc = lw_profile_read(&theirs, all + (size_t)i * each, size[i], "a rank's profile", err);
        if (!rc)
            rc = lw_profile_merge(p, &theirs, err);
        lw_profile_fini(&theirs);
    }
    return rc;
}

static int gather(void *user, struct lw_profile *p, struct lw_error *err)
{
    struct lw_rank *r = user;
    uint64_t *size = calloc((size_t)r->ranks, sizeof *size), own;
    char *text = NULL, *mine = NULL, *all = NULL;
    size_t n = 0, each = 0;
    int rc = size ? lw_profile_write(p, NULL, NULL, &text, &n, err)
                  : lw_fail(err, LW_EMEM, "out of memory");

    own = n;
    if (!rc)
        rc = lw_comm_gather(r->comm, &own, sizeof own, size, err);
    for (int i = 0; !rc && i < r->ranks; i++)
        each = size[i] > each ? size[i] : each;
    if (!rc) {
        mine = calloc(1, each);
        all = malloc(each * (size_t)r->ranks);
        if (!mine || !all)
            rc = lw_fail(err, LW_EMEM, "out of memory");
    }
    if (!rc) {
        memcpy(mine, text, n);
        rc = lw_comm_gather(r->comm, mine, each, all, err);
    }
    if (!rc && r->rank)
        lw_profile_clear(p);
    else if (!rc)
        rc = take_others(r, p, all, each, size, err);
    free(size);
    free(text);
    free(mine);
    free(all);
    return rc;
}

static void fill_options(struct lw_rank *r, struct lw_drift_options *o)
{
    const struct lw_config *c = &r->config;
    bool ours = !r->train_data || !lw_dataset_info(r->train_data)->shards;
    uint64_t ranks = (uint64_t)r->ranks;

    o->dir = r->dir;
    o->events = r->events;
    lw_profile_options_from(&o->profile, c);
    o->false_alarm_every = c->drift_false_alarm_every;
    o->window = ((uint64_t)c->drift_window + ranks - 1) / ranks;
    if (r->data.image_size)
        o->profile.modality = LW_VISION;
    o->partial = r->data.endless || r->state.loader.index > 0;
    o->reference = c->reference_profile;
    o->name = ours ? lw_token_text : NULL;
    o->name_user = r->tokenizer;
    o->gather = r->comm ? gather : NULL;
    o->gather_user = r;
    o->silent = r->rank > 0;
}

/* Of this run's own checkpoint; where that cannot be taken up the watch begins anew. */
static int go_on(struct lw_rank *r, const struct lw_drift_options *o, int64_t keep,
                 struct lw_error *err)
{
    char *path = lw_path_join(r->resumed, LW_DRIFT_STATE);
    struct lw_error why;
    int rc = 0;

    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    if (access(path, F_OK) == 0 && (rc = lw_drift_load(r->drift, path, &why)) == LW_EMEM) {
        lw_fail(err, rc, "%s", why.text);
    } else if (rc) {
        lw_events_add(r->events, LW_EVENT_WARN, "drift is watched anew: %s", why.text);
        lw_drift_watch_close(r->drift);
        rc = lw_drift_watch_open(&r->drift, o, keep, err);
    }
    free(path);
    return rc;
}

static int share(struct lw_rank *r, struct lw_error *err)
{
    struct lw_drift_shared shared = lw_drift_shared(r->drift);
    int rc = lw_comm_broadcast(r->comm, &shared, sizeof shared, err);

    if (!rc)
        lw_drift_share(r->drift, &shared);
    return rc;
}

int lw_rank_watch_drift(struct lw_rank *r, struct lw_error *err)
{
    struct lw_drift_options o = {0};
    int64_t keep = r->saved_step ? r->state.drift_bytes : 0;
    const struct lw_model_spec *spec = lw_model_spec(r->model);
    size_t size =
        ((size_t)(spec->classes ? spec->classes : spec->vocabulary) + 1) * LW_TALLY_COLUMNS;
    char *found = NULL;
    int rc;

    if (r->config.drift_every.unit == LW_EVERY_OFF)
        return 0;
    rc = lw_drift_settings_from(&o.settings, &r->config, err);
    if (rc)
        return rc;
    r->said = malloc(size * sizeof *r->said);
    if (!r->said)
        return lw_fail(err, LW_EMEM, "out of memory");
    fill_options(r, &o);
    if (!o.reference)
        o.reference = found = r->rank ? NULL : resumed_reference(r);
    rc = lw_drift_watch_open(&r->drift, &o, keep, err);
    if (rc == LW_EDATA && found) {
        lw_events_add(r->events, LW_EVENT_WARN,
                      "drift: the resumed run's profile is no reference "
                      "here: %s",
                      err->text);
        o.reference = NULL;
        rc = lw_drift_watch_open(&r->drift, &o, keep, err);
    }
    if (!rc && !r->rank && r->resumed && r->saved_step)
        rc = go_on(r, &o, keep, err);
    free(found);
    return rc || !r->comm ? rc : share(r, err);
}

int lw_rank_said(struct lw_rank *r, struct lw_error *err)
{
    const struct lw_model_spec *spec = lw_model_spec(r->model);
    int rc = lw_model_said(r->model, r->said, err);

    return rc ? rc
              : lw_drift_said(r->drift, r->said, spec->classes ? spec->classes : spec->vocabulary,
                              err);
}

int lw_rank_check_drift(struct lw_rank *r, struct lw_error *err)
{
    double start = lw_clock_now();
    struct lw_drift_place place;
    int rc = lw_rank_drain(r, err);

    lw_comm_at(r->comm, LW_AT_DRIFT, r->state.step);
    if (rc || (rc = lw_rank_said(r, err)))
        return rc;
    place = (struct lw_drift_place){r->state.step, r->state.epoch, lw_rank_time(r)};
    rc = lw_drift_check(r->drift, &place, err);
    r->drifted = place.time;
    r->mark += lw_clock_now() - start;
    return rc;
}
