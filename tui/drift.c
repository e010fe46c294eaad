/* SPDX-License-Identifier: MIT */
#include "tui/drift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/drift/settings.h"
#include "engine/run/folder.h"

enum { REFERENCE, CURRENT, CONFIG };

static void drop_distribution(struct lw_distribution *d)
{
    free(d->edges);
    *d = (struct lw_distribution){0};
}

/* One block of memory: the edges, then the shares of either side. */
static int make_distribution(struct lw_distribution *d, const uint64_t *const counts[2], int bins,
                             double max, struct lw_error *err)
{
    double *block = malloc((size_t)(3 * bins + 1) * sizeof *block);

    if (!block)
        return lw_fail(err, LW_EMEM, "out of memory");
    drop_distribution(d);
    d->bins = bins;
    d->edges = block;
    for (int i = 0; i <= bins; i++)
        d->edges[i] = lw_bin_edge(i, bins, max);
    for (int k = 0; k < 2; k++) {
        double sum = 0;

        d->share[k] = block + bins + 1 + k * bins;
        for (int i = 0; i < bins; i++)
            sum += (double)counts[k][i];
        for (int i = 0; i < bins; i++)
            d->share[k][i] = sum > 0 ? (double)counts[k][i] / sum : 0;
    }
    return 0;
}

static int take(struct lw_drift *d, const struct lw_profile *a, const struct lw_profile *b,
                struct lw_error *err)
{
    int rc = lw_drift_compare(&d->now, a, b, &d->settings, &d->cache, err);

    d->compared = !rc;
    if (rc)
        return rc;
    d->modality = a->modality;
    if (a->modality == LW_TEXT) {
        const uint64_t *const counts[] = {a->text.length_hist, b->text.length_hist};

        rc = make_distribution(&d->distribution, counts, a->text.length_bins, a->text.length_max,
                               err);
    } else {
        const uint64_t *const counts[] = {a->vision.brightness_hist, b->vision.brightness_hist};

        rc = make_distribution(&d->distribution, counts, LW_BRIGHTNESS_BINS, 1.0, err);
    }
    d->distribution.items[0] = a->items;
    d->distribution.items[1] = b->items;
    return rc;
}

int lw_drift_of(struct lw_drift **out, const struct lw_profile *reference,
                const struct lw_profile *current, const struct lw_drift_settings *settings,
                struct lw_error *err)
{
    struct lw_drift *d = calloc(1, sizeof *d);
    int rc;

    if (!d)
        return lw_fail(err, LW_EMEM, "out of memory");
    d->settings = *settings;
    rc = take(d, reference, current, err);
    if (!rc)
        rc = lw_drift_history_add(&d->log, LW_AGAINST_REFERENCE, &d->now, err);
    if (rc) {
        lw_drift_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

int lw_drift_open(struct lw_drift **out, const char *path, struct lw_error *err)
{
    struct lw_drift *d = calloc(1, sizeof *d);
    char *file = lw_path_join(path, LW_RUN_DRIFT);
    int rc = 0;

    if (!d || !file || !(d->path = strdup(path)))
        rc = lw_fail(err, LW_EMEM, "out of memory");
    if (!rc)
        rc = lw_drift_history_open(&d->log, file, err);
    free(file);
    if (rc) {
        lw_drift_close(d);
        return rc;
    }
    lw_drift_settings_init(&d->settings, false, 0.1, 0.2);
    for (int i = 0; i < 3; i++)
        d->stamp[i] = -1;
    *out = d;
    return 0;
}

void lw_drift_close(struct lw_drift *d)
{
    if (!d)
        return;
    lw_drift_history_close(&d->log);
    drop_distribution(&d->distribution);
    free(d->path);
    free(d);
}

/* The thresholds that the run was started with; a configuration that cannot be read, or is none of
 * ours, leaves the usual ones. */
static void read_settings(struct lw_drift *d)
{
    struct lw_drift_settings s;
    struct lw_error err = {0};
    struct lw_config c;

    if (!lw_config_init(&c, &err) && !lw_run_load_config(&c, d->path, &err) &&
        !lw_drift_settings_from(&s, &c, &err))
        d->settings = s;
    lw_config_fini(&c);
}

static void read_profiles(struct lw_drift *d, char *const file[2])
{
    struct lw_profile p[2] = {0};
    struct lw_error err = {0};
    int rc = lw_profile_load(&p[0], file[0], &err);

    if (!rc)
        rc = lw_profile_load(&p[1], file[1], &err);
    if (!rc)
        rc = take(d, &p[0], &p[1], &err);
    d->problem[0] = '\0';
    if (rc)
        lw_text_clean(err.text, strlen(err.text), d->problem, sizeof d->problem);
    lw_profile_fini(&p[0]);
    lw_profile_fini(&p[1]);
}

static bool poll_files(struct lw_drift *d)
{
    static const char *const names[] = {LW_RUN_REFERENCE, LW_RUN_CURRENT, LW_RUN_CONFIG};
    bool same[3], changed = false;
    char *file[3];

    for (int i = 0; i < 3; i++) {
        int64_t stamp = -1;

        file[i] = lw_path_join(d->path, names[i]);
        if (file[i])
            stamp = lw_file_stamp(file[i]);
        same[i] = stamp == d->stamp[i];
        d->stamp[i] = stamp;
    }
    if (!same[CONFIG] && d->stamp[CONFIG] >= 0) {
        read_settings(d);
        changed = true;
    }
    if (d->stamp[REFERENCE] < 0 || d->stamp[CURRENT] < 0) {
        changed = changed || d->compared;
        drop_distribution(&d->distribution);
        d->compared = false;
        d->problem[0] = '\0';
    } else if (changed || !same[REFERENCE] || !same[CURRENT]) {
        read_profiles(d, file);
        changed = true;
    }
    for (int i = 0; i < 3; i++)
        free(file[i]);
    return changed;
}

bool lw_drift_poll(struct lw_drift *d, size_t max_bytes, bool *more)
{
    bool changed = false;

    *more = d->path && lw_drift_history_poll(&d->log, max_bytes, &changed) > 0;
    if (d->path && poll_files(d))
        changed = true;
    return changed;
}

bool lw_drift_any(const struct lw_drift *d)
{
    return d && (d->log.rows || d->compared);
}

enum lw_state lw_drift_overall(const struct lw_drift *d)
{
    const struct lw_checks *c = &d->log.checks[LW_AGAINST_REFERENCE];

    if (c->any && c->newest.score[LW_SCORE_OVERALL].present)
        return (enum lw_state)c->newest.score[LW_SCORE_OVERALL].state;
    return d->compared ? d->now.overall : LW_STATE_NONE;
}

static bool ever_known(const struct lw_checks *c, int score)
{
    for (int i = 0; i < lw_checks_count(c); i++)
        if (lw_checks_at(c, i)->score[score].present &&
            lw_checks_at(c, i)->score[score].state != LW_DRIFT_NO_DATA &&
            isfinite(lw_checks_at(c, i)->score[score].value))
            return true;
    return false;
}

int lw_drift_primary(const struct lw_drift *d, enum lw_against against)
{
    static const int order[] = {LW_SCORE_LENGTH_JS, LW_SCORE_BRIGHTNESS_JS};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (ever_known(&d->log.checks[against], order[i]))
            return order[i];
    return LW_SCORE_OVERALL;
}
