/* SPDX-License-Identifier: MIT */
#include "tui/dashboard.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/csv.h"
#include "engine/run/folder.h"
#include "tui/card.h"
#include "tui/view.h"

/* Points along the x axis of a panel: a line has no use for more. */
#define COLUMNS 700

struct lw_dashboard {
    struct lw_view view;
    struct lw_panel panel[LW_LAYOUT_PANELS];
    struct lw_plot *plot;     /* [LW_LAYOUT_PANELS] */
    struct lw_drift_art *art; /* [4] */
    char message[LW_LAYOUT_PANELS][160];
    bool single; /* one step: nothing to draw a line between */
    char title[256], subtitle[1024], x_label[32];
};

static bool has_drift(const struct lw_dashboard *d)
{
    return lw_view_drift(&d->view) && lw_drift_any(lw_view_drift(&d->view));
}

static void describe_lines(struct lw_dashboard *d, int i, const struct lw_panel_row *row,
                           struct lw_domain x)
{
    struct lw_view *v = &d->view;
    struct lw_plot_want want = {
        .source = (const struct lw_source *const *)v->source,
        .sources = v->sources,
        .smoothing = v->smoothing,
        .x = x,
        .columns = COLUMNS,
    };
    struct lw_chart *chart = &d->plot[i].chart;

    d->panel[i] = (struct lw_panel){.title = row->title, .widget = LW_WIDGET_CHART};
    if (!lw_plot_make(&d->plot[i], row, &want)) {
        snprintf(d->message[i], sizeof d->message[i],
                 lw_source_track(v->source[0], row->line[0].column) ? "N/A: %s has no values"
                                                                    : "N/A: no column %s",
                 row->line[0].column);
        d->panel[i].message = d->message[i];
        return;
    }
    chart->x.label = d->x_label;
    chart->y.label = row->title;
    chart->y.domain = lw_plot_fit_y(row, chart, (struct lw_domain){0, 0});
    if (d->single) { /* points stand in the middle, not on the frame */
        struct lw_domain *y = &chart->y.domain;
        double room = row->log ? 0 : (y->high - y->low) / 4;

        *y = (struct lw_domain){y->low - room, y->high + room};
    }
    d->panel[i].model = chart;
}

/* Rows of panels: six of training with four of drift, or as square as can be. */
static void arrange(struct lw_picture *p, int training, int drift)
{
    int all = training + drift, across = (int)ceil(sqrt(all)), rows = 0;

    memset(p->across, 0, sizeof p->across);
    if (training == LW_RUN_TRAINING_PANELS && drift == 4)
        across = 4;
    for (int left = all; left > 0 && rows < LW_PICTURE_ROWS - 1; left -= across)
        p->across[rows++] = left < across ? left : across;
}

static int read_all(struct lw_view *v, char *const *paths, int count, struct lw_error *err)
{
    int rc = lw_view_init(v, err);

    for (int i = 0; i < count && !rc; i++) {
        struct lw_source *s = NULL;

        rc = lw_source_open(&s, paths[i], count, err);
        if (rc || (rc = lw_view_add(v, s, err)))
            break;
        while (lw_source_poll(s, 0) & LW_MORE)
            ;
        if (!s->problem[0] && lw_csv_finish(s->csv, err) < 0)
            rc = err->code;
        if (!rc && s->problem[0])
            rc = lw_fail(err, LW_EDATA, "%s: %s", s->name, s->problem);
        if (!rc && !s->rows)
            rc = lw_fail(err, LW_EDATA, "%s has no data to draw yet", s->name);
    }
    return rc;
}

static void describe_drift(struct lw_dashboard *d, const struct lw_drift *drift, int first,
                           struct lw_domain x)
{
    static const enum lw_drift_panel what[] = {LW_DRIFT_BARS, LW_DRIFT_TIME, LW_DRIFT_HEAT,
                                               LW_DRIFT_TABLE};

    for (int k = 0; k < 4; k++) {
        struct lw_drift_want want = {
            .what = what[k], .score = -1, .x = x, .checks = 60, .selected = -1};

        d->panel[first + k] = (struct lw_panel){0};
        lw_drift_panel(&d->art[k], drift, &want, &d->panel[first + k]);
    }
}

/* Rows with values, at most two. */
static int rows_of(const struct lw_view *v)
{
    int64_t rows = 0;

    for (int k = 0; k < v->sources; k++)
        rows += v->source[k]->rows;
    return rows > 1 ? 2 : (int)rows;
}

static struct lw_dashboard *new_dashboard(struct lw_error *err)
{
    struct lw_dashboard *d = calloc(1, sizeof *d);

    if (d) {
        d->plot = calloc(LW_LAYOUT_PANELS, sizeof *d->plot);
        d->art = calloc(4, sizeof *d->art);
    }
    if (d && d->plot && d->art)
        return d;
    lw_dashboard_close(d);
    lw_fail(err, LW_EMEM, "out of memory");
    return NULL;
}

static void name_page(struct lw_dashboard *d)
{
    const struct lw_view *v = &d->view;
    size_t n = 0;

    for (int k = 0; k < v->sources && n < sizeof d->title; k++)
        n += (size_t)snprintf(d->title + n, sizeof d->title - n, "%s%s", k ? ", " : "",
                              v->source[k]->name);
    lw_card_text(v->source[0], d->subtitle, sizeof d->subtitle);
    snprintf(d->x_label, sizeof d->x_label, "%s", lw_source_by_name(v->source[0], LW_BY_STEP));
    d->x_label[0] = (char)toupper((unsigned char)d->x_label[0]);
}

int lw_dashboard_open(struct lw_dashboard **out, char *const *paths, int count,
                      struct lw_picture *picture, struct lw_error *err)
{
    struct lw_dashboard *d = new_dashboard(err);
    struct lw_domain x;
    int rc = d ? read_all(&d->view, paths, count, err) : err->code, panels = 0, drift;

    if (rc) {
        lw_dashboard_close(d);
        return rc;
    }
    lw_view_update_panels(&d->view);
    name_page(d);
    x = lw_view_extent(&d->view);
    d->single = x.low + 1 >= x.high && rows_of(&d->view) == 1;
    if (d->single)
        x = (struct lw_domain){x.low - 1, x.low + 1};
    drift = has_drift(d) ? 4 : 0;
    for (int i = 0; i < d->view.rows && panels < LW_LAYOUT_PANELS - drift; i++)
        if (!d->view.row[i].drift && !d->view.row[i].optional && lw_view_has_place(&d->view, i))
            describe_lines(d, panels++, &d->view.row[i], x);
    if (!panels) {
        lw_dashboard_close(d);
        return lw_fail(err, LW_EDATA, "%s has no columns with numbers", paths[0]);
    }
    if (drift)
        describe_drift(d, lw_view_drift(&d->view), panels, x);
    *picture = (struct lw_picture){
        .title = d->title, .subtitle = d->subtitle, .panel = d->panel, .panels = panels + drift};
    arrange(picture, panels, drift);
    *out = d;
    return 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

int lw_dashboard_of_drift(struct lw_dashboard **out, const struct lw_drift *drift,
                          const char *const file[2], struct lw_picture *picture,
                          struct lw_error *err)
{
    struct lw_dashboard *d = new_dashboard(err);
    char name[2][100], value[LW_NUMBER_SIZE];

    if (!d)
        return err->code;
    for (int i = 0; i < 2; i++) {
        const char *base =
            strcmp(last_part(file[0]), last_part(file[1])) ? last_part(file[i]) : file[i];

        lw_text_clean(base, strlen(base), name[i], sizeof name[i]);
    }
    lw_number_format(drift->now.max_drift, LW_NUMBER_FIXED3, value);
    snprintf(d->title, sizeof d->title, "%s against %s", name[1], name[0]);
    snprintf(d->subtitle, sizeof d->subtitle, "%s  |  max_drift %s (%s)  |  %.0f and %.0f %s",
             lw_light_word(lw_drift_light(drift->now.overall)), value,
             lw_score_name(drift->now.worst), (double)drift->now.items[0],
             (double)drift->now.items[1], drift->modality == LW_TEXT ? "documents" : "images");
    describe_drift(d, drift, 0, (struct lw_domain){0.5, 1.5});
    *picture = (struct lw_picture){
        .title = d->title, .subtitle = d->subtitle, .panel = d->panel, .panels = 4};
    arrange(picture, 0, 4);
    *out = d;
    return 0;
}

void lw_dashboard_close(struct lw_dashboard *d)
{
    if (!d)
        return;
    for (int i = 0; d->plot && i < LW_LAYOUT_PANELS; i++)
        lw_plot_fini(&d->plot[i]);
    free(d->plot);
    free(d->art);
    lw_view_fini(&d->view);
    free(d);
}
