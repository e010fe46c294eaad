/* SPDX-License-Identifier: MIT */
#include "tui/source.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/csv.h"
#include "engine/run/events.h"
#include "engine/run/folder.h"
#include "tui/unit.h"

/* How other trainers call what rows are numbered by. */
static const char *const by_names[LW_BYS][8] = {
    {"step", "global_step", "steps", "iteration", "iter", "batch", "trainer/global_step"},
    {"epoch", "epochs"},
    {"time", "elapsed", "seconds", "wall_time", "_runtime"},
};

static int find_by(const struct lw_source *s, enum lw_by by)
{
    for (int k = 0; k < 8 && by_names[by][k]; k++)
        for (int i = 0; i < s->tracks; i++)
            if (!strcasecmp(s->track[i].name, by_names[by][k]))
                return i;
    return -1;
}

static void drop_tracks(struct lw_source *s)
{
    for (int i = 0; i < s->tracks; i++)
        lw_pyramid_fini(&s->track[i].data);
    free(s->track);
    s->track = NULL;
    s->tracks = 0;
    s->rows = 0;
    s->base = 0.0;
}

/* Buckets a column may have, so that all columns together stay in the limit: a power of 2. */
static size_t bucket_limit(size_t memory, int columns)
{
    size_t n = LW_PYRAMID_BUCKETS;

    while (n > 64 && n * sizeof(struct lw_bucket) * (size_t)columns > memory)
        n /= 2;
    return n;
}

static void on_columns(void *user, int count, const char *const *names)
{
    struct lw_source *s = user;
    size_t limit = bucket_limit(s->limit, count);

    drop_tracks(s);
    s->generation++;
    s->track = calloc((size_t)count, sizeof *s->track);
    if (!s->track) {
        snprintf(s->problem, sizeof s->problem, "out of memory for %d columns", count);
        return;
    }
    s->tracks = count;
    for (int i = 0; i < count; i++) {
        snprintf(s->track[i].name, sizeof s->track[i].name, "%s", names[i]);
        lw_pyramid_init(&s->track[i].data, limit);
    }
    for (int by = 0; by < LW_BYS; by++)
        s->by[by] = find_by(s, (enum lw_by)by);
    for (int by = 0; by < LW_BYS; by++)
        if (s->by[by] >= 0)
            s->track[s->by[by]].data.rough = true;
}

static double row_base(const struct lw_source *s, const struct lw_csv_row *row)
{
    int column = s->by[LW_BY_STEP] >= 0 ? s->by[LW_BY_STEP] : s->by[LW_BY_EPOCH];

    if (column < 0 || column >= row->count)
        return (double)row->index + 1.0;
    return isfinite(row->value[column]) ? row->value[column] : s->base;
}

static void on_row(void *user, const struct lw_csv_row *row)
{
    struct lw_source *s = user;
    int n = row->count < s->tracks ? row->count : s->tracks;

    s->base = row_base(s, row);
    s->rows++;
    for (int i = 0; i < n; i++) {
        struct lw_track *t = &s->track[i];

        if (row->cell[i] == LW_CSV_TEXT && !t->data.samples)
            t->text = true;
        if (row->cell[i] != LW_CSV_NUMBER && row->cell[i] != LW_CSV_BAD)
            continue;
        t->text = false;
        if (lw_pyramid_add(&t->data, s->base, row->value[i]))
            snprintf(s->problem, sizeof s->problem, "out of memory for column %s", t->name);
    }
}

static bool on_network(const char *path)
{
    static const long kinds[] = {0x6969,     0x0bd00bd0, 0x47504653, 0x65735546, 0xff534d42,
                                 0xfe534d42, 0x01021997, 0x00c36400}; /* NFS, Lustre, GPFS, FUSE,
                                                                          CIFS, SMB2, 9p, Ceph */
    struct statfs fs;

    if (statfs(path, &fs) < 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((unsigned long)fs.f_type == (unsigned long)kinds[i])
            return true;
    return false;
}

static void set_name(struct lw_source *s)
{
    char *copy = strdup(s->path);
    size_t n = copy ? strlen(copy) : 0;
    const char *slash;

    if (!copy)
        return;
    while (n > 1 && copy[n - 1] == '/')
        copy[--n] = '\0';
    slash = strrchr(copy, '/');
    if (slash && slash[1])
        lw_text_clean(slash + 1, strlen(slash + 1), s->name, sizeof s->name);
    else
        lw_text_clean(copy, n, s->name, sizeof s->name);
    free(copy);
}

int lw_source_open(struct lw_source **out, const char *path, int sources, struct lw_error *err)
{
    struct lw_csv_reader reader = {on_columns, on_row, NULL};
    struct lw_source *s = calloc(1, sizeof *s);
    char *file = NULL, shown[256];
    struct stat st;
    int rc = 0;

    lw_text_clean(path, strlen(path), shown, sizeof shown);
    if (!s || !(s->path = strdup(path))) {
        rc = lw_fail(err, LW_EMEM, "out of memory");
        goto fail;
    }
    if (stat(path, &st) < 0) {
        rc = lw_fail(err, LW_EUSAGE, "cannot open %s: %s", shown, strerror(errno));
        goto fail;
    }
    s->run = S_ISDIR(st.st_mode);
    s->unit = s->run ? lw_unit_of_run(path) : "row";
    if (s->run && !lw_run_is_folder(path)) {
        rc = lw_fail(err, LW_EUSAGE,
                     "%s is a folder, but no run's: it has no config.yaml, metrics.csv or "
                     "status.json; leeway runs %s lists runs in it",
                     shown, shown);
        goto fail;
    }
    set_name(s);
    s->network = on_network(path);
    s->limit = LW_SOURCE_MEMORY / (size_t)(sources > 0 ? sources : 1);
    s->loading = true;
    for (int by = 0; by < LW_BYS; by++)
        s->by[by] = -1;
    reader.user = s;
    file = s->run ? lw_path_join(path, LW_RUN_METRICS) : strdup(path);
    if (!file) {
        rc = lw_fail(err, LW_EMEM, "out of memory");
        goto fail;
    }
    rc = lw_csv_open(&s->csv, file, &reader, err);
    if (!rc && s->run) {
        rc = lw_event_tail_open(&s->tail, path, err);
        s->event = calloc(LW_SOURCE_EVENTS, sizeof *s->event);
        if (!rc)
            rc = lw_drift_open(&s->drift, path, err);
        if (!rc && !s->event)
            rc = lw_fail(err, LW_EMEM, "out of memory");
        if (!rc)
            lw_event_tail_last(s->tail, LW_SOURCE_EVENTS);
        lw_notices_read(&s->notices, path);
    }
    free(file);
    if (rc)
        goto fail;
    *out = s;
    return 0;
fail:
    lw_source_close(s);
    return rc;
}

void lw_source_close(struct lw_source *s)
{
    if (!s)
        return;
    drop_tracks(s);
    if (s->csv)
        lw_csv_close(s->csv);
    lw_drift_close(s->drift);
    if (s->tail)
        lw_event_tail_close(s->tail);
    for (int i = 0; s->event && i < LW_SOURCE_EVENTS; i++)
        free(s->event[i].text);
    free(s->event);
    free(s->path);
    free(s);
}

static void on_event(void *user, const struct lw_event *e)
{
    struct lw_source *s = user;
    struct lw_happening *h;
    char cut[LW_SOURCE_TEXT], *text;

    lw_text_clean(e->text, strlen(e->text), cut, sizeof cut);
    lw_notices_take(&s->notices, (int)e->level, e->text);
    text = strdup(cut);
    if (!text)
        return;
    if (s->events < LW_SOURCE_EVENTS) {
        h = &s->event[(s->event_first + s->events++) % LW_SOURCE_EVENTS];
    } else {
        h = &s->event[s->event_first];
        s->event_first = (s->event_first + 1) % LW_SOURCE_EVENTS;
    }
    s->events_seen++;
    free(h->text);
    h->text = text;
    h->level = (int)e->level;
    snprintf(h->time, sizeof h->time, "%s", e->time);
}

static void copy_standing(struct lw_standing *to, const struct lw_status *from)
{
    to->has_status = true;
    to->code = from->state;
    snprintf(to->state, sizeof to->state, "%s", lw_state_name(from->state));
    to->paused = from->state == LW_STATE_PAUSED;
    to->failed = from->state == LW_STATE_FAILED;
    to->active = lw_state_is_active(from->state);
    to->step = from->step;
    to->of = from->of;
    to->best_step = from->best_step;
    to->epoch = from->epoch;
    to->eta = from->eta;
    to->time = from->time;
    to->throughput = from->throughput;
    to->ranks = from->ranks;
    memcpy(to->rank_throughput, from->rank_throughput, sizeof to->rank_throughput);
    to->slowest = from->slowest;
    to->mfu = from->mfu;
    to->gpu = from->gpu;
    to->updated = from->updated;
    snprintf(to->device, sizeof to->device, "%s", from->device);
    snprintf(to->host, sizeof to->host, "%s", from->host);
    snprintf(to->note, sizeof to->note, "%s", from->note);
    snprintf(to->error, sizeof to->error, "%s", from->last_error);
}

/* Status and lock. Returns whether anything that is shown has changed. */
static bool poll_standing(struct lw_source *s)
{
    struct lw_standing now = {
        .epoch = NAN, .eta = NAN, .time = NAN, .throughput = NAN, .mfu = NAN, .gpu = LW_NO_GPU};
    char *file = lw_path_join(s->path, LW_RUN_STATUS);
    struct lw_error err = {0};
    struct lw_status status;
    int64_t stamp = file ? lw_file_stamp(file) : -1;
    bool alive, changed;

    free(file);
    alive = lw_run_alive(s->path, &err) == 1;
    if (stamp == s->status_stamp && alive == s->standing.alive)
        return false;
    s->status_stamp = stamp;
    if (stamp >= 0 && !lw_status_read(s->path, &status, &err)) {
        if (lw_state_is_active(status.state) && !alive)
            status.state = LW_STATE_LOST;
        copy_standing(&now, &status);
    }
    now.alive = alive;
    now.ended = now.has_status && !now.active;
    changed = memcmp(&now, &s->standing, sizeof now) != 0;
    s->standing = now;
    return changed;
}

unsigned lw_source_poll(struct lw_source *s, size_t max_bytes)
{
    int64_t rows = s->rows;
    int generation = s->generation, newest = s->events, first = s->event_first, rc;
    struct lw_error err = {0};
    unsigned changed = 0;
    bool more;

    s->problem[0] = '\0';
    rc = lw_csv_poll(s->csv, max_bytes, &err);
    if (rc < 0)
        lw_text_clean(err.text, strlen(err.text), s->problem, sizeof s->problem);
    else if (rc > 0)
        changed |= LW_MORE;
    else
        s->loading = false;
    if (generation != s->generation)
        changed |= LW_CHANGED_COLUMNS | LW_CHANGED_DATA;
    if (rows != s->rows)
        changed |= LW_CHANGED_DATA;
    if (!s->run)
        return changed;
    if (lw_event_tail_poll(s->tail, on_event, s, &err) < 0)
        lw_text_clean(err.text, strlen(err.text), s->problem, sizeof s->problem);
    if (newest != s->events || first != s->event_first)
        changed |= LW_CHANGED_EVENTS;
    if (lw_drift_poll(s->drift, max_bytes, &more))
        changed |= LW_CHANGED_DRIFT;
    if (more)
        changed |= LW_MORE;
    if (poll_standing(s))
        changed |= LW_CHANGED_STANDING;
    return changed;
}

const char *lw_source_short_name(const struct lw_source *s)
{
    static const char date[] = "0000-00-00-";

    for (size_t i = 0; i < sizeof date - 1; i++)
        if (date[i] == '0' ? s->name[i] < '0' || s->name[i] > '9' : s->name[i] != date[i])
            return s->name;
    return s->name[sizeof date - 1] ? s->name + sizeof date - 1 : s->name;
}

struct lw_track *lw_source_track(const struct lw_source *s, const char *name)
{
    for (int i = 0; i < s->tracks; i++)
        if (!strcmp(s->track[i].name, name))
            return &s->track[i];
    return NULL;
}

const struct lw_happening *lw_source_event(const struct lw_source *s, int i)
{
    return &s->event[(s->event_first + i) % LW_SOURCE_EVENTS];
}

const struct lw_happening *lw_source_alert(const struct lw_source *s)
{
    for (int i = s->events - 1; i >= 0; i--)
        if (s->events_seen - (s->events - 1 - i) <= s->acknowledged)
            return NULL;
        else if (lw_source_event(s, i)->level >= 2)
            return lw_source_event(s, i);
    return NULL;
}

bool lw_source_waits(const struct lw_source *s)
{
    return lw_source_alert(s) || s->notices.seen < s->notices.count;
}

void lw_source_acknowledge(struct lw_source *s)
{
    s->acknowledged = s->events_seen;
    s->notices.seen = s->notices.count;
}

bool lw_source_has(const struct lw_source *s, enum lw_by by)
{
    return by == LW_BY_STEP || (s->by[by] >= 0 && s->track[s->by[by]].data.samples > 0);
}

const char *lw_source_by_name(const struct lw_source *s, enum lw_by by)
{
    static const char *const words[LW_BYS] = {"step", "epoch", "time"};

    if (by == LW_BY_STEP && s->by[LW_BY_STEP] < 0)
        return s->by[LW_BY_EPOCH] >= 0 ? "epoch" : "row";
    return words[by];
}

void lw_walk_init(struct lw_walk *w, const struct lw_source *s, enum lw_by by)
{
    w->along = NULL;
    w->at = 0;
    w->last = -INFINITY;
    if (by != LW_BY_STEP && lw_source_has(s, by))
        w->along = &s->track[s->by[by]].data;
}

static double between(double x, double x0, double x1, double y0, double y1)
{
    return x1 > x0 ? y0 + (y1 - y0) * (x - x0) / (x1 - x0) : y1;
}

double lw_walk(struct lw_walk *w, double x)
{
    const struct lw_pyramid *p = w->along;
    const struct lw_bucket *b;
    double y;

    if (!p)
        return x;
    if (w->at >= p->count || (w->at && p->bucket[w->at - 1].x1 > x))
        w->at = lw_pyramid_find(p, x);
    while (w->at < p->count && p->bucket[w->at].x1 < x)
        w->at++;
    if (w->at == p->count) {
        y = (double)p->bucket[p->count - 1].max;
    } else {
        b = &p->bucket[w->at];
        if (x >= b->x0 || !w->at)
            y = between(x, b->x0, b->x1, (double)b->min, (double)b->max);
        else
            y = between(x, b[-1].x1, b->x0, (double)b[-1].max, (double)b->min);
    }
    if (y < w->last) /* time that went back: charts want x in order */
        y = w->last;
    w->last = y;
    return y;
}
