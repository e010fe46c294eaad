/* SPDX-License-Identifier: MIT */
#include "tui/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of the x axis a run of known length has at least, in steps and as a share. */
#define FIRST_STEPS 100.0
#define FIRST_SHARE 0.025

int lw_view_init(struct lw_view *v, struct lw_error *err)
{
    memset(v, 0, sizeof *v);
    v->generation = -1;
    v->smoothing = 2;
    v->follow = true;
    v->match = -1;
    v->runs_folder = strdup("runs");
    return v->runs_folder ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

void lw_view_fini(struct lw_view *v)
{
    for (int k = 0; k < v->sources; k++) {
        lw_refined_free(v->refined[k]);
        lw_source_close(v->source[k]);
    }
    v->sources = 0;
    lw_runs_free(&v->runs);
    free(v->runs_folder);
    v->runs_folder = NULL;
    lw_plot_fini(&v->plot);
    free(v->art);
    v->art = NULL;
}

/* The folder that a run's folder is in. */
static char *parent_of(const char *path)
{
    char *copy = strdup(path), *slash;
    size_t n = copy ? strlen(copy) : 0;

    if (!copy)
        return NULL;
    while (n > 1 && copy[n - 1] == '/')
        copy[--n] = '\0';
    slash = strrchr(copy, '/');
    if (!slash)
        strcpy(copy, ".");
    else
        slash[slash == copy] = '\0';
    return copy;
}

int lw_view_add(struct lw_view *v, struct lw_source *s, struct lw_error *err)
{
    if (v->sources == LW_PLOT_SOURCES) {
        lw_source_close(s);
        return lw_fail(err, LW_EUSAGE, "at most %d runs or files at once", (int)LW_PLOT_SOURCES);
    }
    if (!v->sources && s->run) {
        char *folder = parent_of(s->path);

        if (folder) {
            free(v->runs_folder);
            v->runs_folder = folder;
        }
    }
    v->source[v->sources++] = s;
    return 0;
}

int lw_view_visible(const struct lw_view *v)
{
    return v->hide_others && v->sources > 1 ? 1 : v->sources;
}

/* Is there anything to see in a panel? */
static bool has_data(const struct lw_view *v, const struct lw_panel_row *row)
{
    for (int k = 0; k < v->sources; k++)
        for (int i = 0; i < row->lines; i++) {
            const struct lw_track *t = lw_source_track(v->source[k], row->line[i].column);

            if (t && t->data.samples)
                return true;
        }
    return false;
}

bool lw_view_has_place(const struct lw_view *v, int row)
{
    const struct lw_panel_row *r = &v->row[row];

    if (r->spare)
        return has_data(v, r) && (v->filter[0] || !has_data(v, r - 1));
    if (r->optional)
        return has_data(v, r);
    return v->filter[0] || row + 1 == v->rows || !r[1].spare || !has_data(v, r + 1) ||
           has_data(v, r);
}

void lw_view_update_panels(struct lw_view *v)
{
    const struct lw_source *s = v->sources ? v->source[0] : NULL;

    if (!s || s->run) {
        if (!v->rows) {
            v->rows = lw_run_panel_count;
            memcpy(v->row, lw_run_panels, (size_t)v->rows * sizeof v->row[0]);
        }
        for (int i = 0; s && i < v->rows; i++)
            if (v->row[i].spare) /* what it counts is another thing in another run */
                snprintf(v->row[i].line[0].name, sizeof v->row[i].line[0].name, "%s/s", s->unit);
    } else if (v->generation != s->generation) {
        v->rows = lw_panels_from(s, v->row, LW_VIEW_ROWS);
        memset(v->y, 0, sizeof v->y);
        v->generation = s->generation;
        if (!v->smoothing_chosen && s->by[LW_BY_STEP] < 0)
            v->smoothing = 0; /* a row an epoch: nothing to smooth */
    }
    v->shown_count = 0;
    for (int i = 0; i < v->rows && v->shown_count < LW_LAYOUT_PANELS; i++)
        if (lw_panel_matches(&v->row[i], v->filter) && lw_view_has_place(v, i))
            v->shown[v->shown_count++] = i;
    if (v->focus >= v->shown_count)
        v->focus = v->shown_count ? v->shown_count - 1 : 0;
}

unsigned lw_view_poll(struct lw_view *v, size_t max_bytes)
{
    unsigned all = 0;

    for (int k = 0; k < v->sources; k++) {
        bool loading = v->source[k]->loading;
        unsigned changed = lw_source_poll(v->source[k], max_bytes);

        if (!k && !loading && (changed & LW_CHANGED_DATA))
            v->grew = true;
        if (!k && (changed & LW_CHANGED_COLUMNS))
            memset(v->x, 0, sizeof v->x);
        if (changed & LW_CHANGED_COLUMNS) {
            lw_refined_free(v->refined[k]);
            v->refined[k] = NULL;
        }
        if (v->refined[k]) {
            if (lw_refined_poll(v->refined[k], max_bytes))
                changed |= LW_CHANGED_DATA;
            if (lw_refined_busy(v->refined[k]))
                changed |= LW_MORE;
        }
        all |= changed;
    }
    return all;
}

static struct lw_domain source_extent(const struct lw_source *s, enum lw_by by)
{
    struct lw_domain d = {NAN, NAN};
    struct lw_walk walk;

    for (int i = 0; i < s->tracks; i++) {
        const struct lw_pyramid *p = &s->track[i].data;

        if (!p->count)
            continue;
        if (!(d.low <= p->x_min))
            d.low = p->x_min;
        if (!(d.high >= p->x_max))
            d.high = p->x_max;
    }
    if (isnan(d.low))
        return d;
    lw_walk_init(&walk, s, by);
    d.low = lw_walk(&walk, d.low);
    d.high = lw_walk(&walk, d.high);
    return d;
}

struct lw_domain lw_view_extent(const struct lw_view *v)
{
    struct lw_domain all = {NAN, NAN};

    for (int k = 0; k < lw_view_visible(v); k++) {
        struct lw_domain d = source_extent(v->source[k], v->by);

        if (!(all.low <= d.low))
            all.low = d.low;
        if (!(all.high >= d.high))
            all.high = d.high;
    }
    /* An axis that begins near zero begins at zero: step 1 is the first one. */
    if (all.low > 0.0 && all.low < 0.05 * all.high)
        all.low = 0.0;
    if (all.high <= all.low)
        all.high = all.low + 1.0;
    return all;
}

/* Is anything that is drawn still growing? */
static bool growing(const struct lw_view *v)
{
    for (int k = 0; k < lw_view_visible(v); k++)
        if (v->source[k]->run ? v->source[k]->standing.active : v->grew)
            return true;
    return false;
}

/* The axis of a run that grows: where its end is known, some of it from the start, so that the
 * first steps do not move it all the time; on a slow line all of it, so that it never moves. */
static struct lw_domain growing_domain(const struct lw_view *v, struct lw_domain old,
                                       struct lw_domain extent)
{
    double end = v->by == LW_BY_STEP ? (double)v->source[0]->standing.of : 0.0, least;

    if (end < extent.high)
        return lw_domain_fit_x(old, extent.low, extent.high);
    least = v->slow ? end : fmin(end, fmax(FIRST_STEPS, FIRST_SHARE * end));
    if (least > extent.high)
        return (struct lw_domain){extent.low, least};
    old = lw_domain_fit_x(old, extent.low, extent.high);
    old.high = fmin(old.high, end);
    return old;
}

struct lw_domain lw_view_domain(struct lw_view *v)
{
    struct lw_domain extent = lw_view_extent(v), *whole = &v->x[v->by];

    if (isnan(extent.low))
        return (struct lw_domain){0.0, 0.0};
    *whole = growing(v) ? growing_domain(v, *whole, extent) : extent;
    if (!lw_domain_valid(v->zoom))
        return *whole;
    if (v->follow)
        v->zoom = lw_domain_page(v->zoom, extent.low, extent.high, v->zoom.high - v->zoom.low);
    return v->zoom;
}

/* The base x at which a growing column reaches value. */
static double base_at(const struct lw_source *s, enum lw_by by, double value)
{
    const struct lw_pyramid *p;
    size_t lo = 0, hi;

    if (by == LW_BY_STEP || !lw_source_has(s, by))
        return value;
    p = &s->track[s->by[by]].data;
    hi = p->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if ((double)p->bucket[mid].max < value)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < p->count ? p->bucket[lo].x1 : p->x_max;
}

/* Are the buckets of s between x0 and x1 coarser than half a cell? */
static bool too_coarse(const struct lw_source *s, double x0, double x1)
{
    for (int i = 0; i < s->tracks; i++) {
        const struct lw_pyramid *p = &s->track[i].data;

        if (p->width > 1 && lw_pyramid_find(p, x1) - lw_pyramid_find(p, x0) < 512)
            return true;
    }
    return false;
}

static struct lw_refined *refine_source(const struct lw_view *v, const struct lw_source *s,
                                        double x0, double x1)
{
    const char *columns[LW_REFINED_COLUMNS];
    double margin = (x1 - x0) / 2.0;
    int n = 0;

    for (int i = 0; i < v->shown_count; i++) {
        const struct lw_panel_row *row = &v->row[v->shown[i]];

        for (int k = 0; k < row->lines && n < LW_REFINED_COLUMNS; k++)
            columns[n++] = row->line[k].column;
    }
    return lw_refined_new(s, columns, n, x0 - margin, x1 >= s->base ? INFINITY : x1 + margin);
}

void lw_view_refine(struct lw_view *v)
{
    bool zoomed = lw_domain_valid(v->zoom);

    for (int k = 0; k < v->sources; k++) {
        const struct lw_source *s = v->source[k];
        double x0 = zoomed ? base_at(s, v->by, v->zoom.low) : 0.0;
        double x1 = zoomed ? base_at(s, v->by, v->zoom.high) : 0.0;

        if (!zoomed || !too_coarse(s, x0, x1)) {
            lw_refined_free(v->refined[k]);
            v->refined[k] = NULL;
        } else if (!lw_refined_covers(v->refined[k], x0, x1 < s->base ? x1 : s->base) ||
                   lw_refined_too_wide(v->refined[k], x1 - x0)) {
            lw_refined_free(v->refined[k]);
            v->refined[k] = refine_source(v, s, x0, x1);
        }
    }
}

bool lw_view_read_runs(struct lw_view *v)
{
    struct lw_runs fresh;
    struct lw_error err;
    bool same;

    if (lw_runs_read(v->runs_folder, &fresh, &err))
        return false;
    same = fresh.count == v->runs.count;
    for (int i = 0; same && i < fresh.count; i++) {
        const struct lw_run_line *a = &fresh.line[i], *b = &v->runs.line[i];

        same = a->step == b->step && a->silent == b->silent && !strcmp(a->state, b->state) &&
               !strcmp(a->dir, b->dir);
    }
    lw_runs_free(&v->runs);
    v->runs = fresh;
    return !same;
}

int lw_view_run_at(const struct lw_view *v, int i)
{
    for (int k = 0; k < v->runs.count; k++)
        if (lw_text_matches(v->runs.line[k].name, v->filter) && i-- == 0)
            return k;
    return -1;
}

int lw_view_event_at(const struct lw_view *v, int i)
{
    const struct lw_source *s = v->sources ? v->source[0] : NULL;

    for (int k = 0; s && k < s->events; k++)
        if (lw_text_matches(lw_source_event(s, k)->text, v->filter) && i-- == 0)
            return k;
    return -1;
}

int lw_view_lines(const struct lw_view *v)
{
    int n = 0;

    if (v->page == LW_PAGE_RUNS) {
        for (int k = 0; k < v->runs.count; k++)
            n += lw_text_matches(v->runs.line[k].name, v->filter);
    } else if (v->page == LW_PAGE_EVENTS && v->sources) {
        for (int k = 0; k < v->source[0]->events; k++)
            n += lw_text_matches(lw_source_event(v->source[0], k)->text, v->filter);
    } else if (v->page == LW_PAGE_HELP) {
        for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE; k++)
            n++;
    } else if (v->page == LW_PAGE_DRIFT && lw_view_drift(v)) {
        int score[LW_SCORES + 1];

        n = lw_drift_rows(lw_view_drift(v), v->against, score);
    }
    return n;
}
