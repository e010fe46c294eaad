/* SPDX-License-Identifier: MIT
 *
 * The page: title, subtitle and rows of panels; and the formats it is written in. */
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "widgets/cairo/frame.h"
#include "widgets/cairo/png.h"
#include "widgets/picture.h"

#define INCH 72.0

/* The panel for which texts have their nominal size. */
#define USUAL_WIDTH  (5.6 * INCH)
#define USUAL_HEIGHT (5.2 * INCH)

static void (*const painters[LW_WIDGET_COUNT])(struct lw_canvas *c, struct lw_box box,
                                               const void *model) = {
    [LW_WIDGET_CHART] = lw_paint_chart,
    [LW_WIDGET_BARS] = lw_paint_bars,
    [LW_WIDGET_HEATMAP] = lw_paint_heatmap,
    [LW_WIDGET_TABLE] = lw_paint_table,
};

static void draw_message(struct lw_canvas *c, struct lw_box box, const char *message)
{
    struct lw_text_style style = {.size = LW_TEXT_LABEL, .rgb = 0x999999, .align = LW_ALIGN_MIDDLE};
    char text[256];

    lw_canvas_color(c, 0xdddddd, 1);
    lw_canvas_pen(c, 0.8);
    cairo_rectangle(c->cr, box.x, box.y, box.w, box.h);
    cairo_stroke(c->cr);
    lw_canvas_text(
        c, box.x + box.w / 2, box.y + box.h / 2, &style,
        lw_canvas_fit(c, style.size, false, box.w - 8 * c->scale, message, text, sizeof text));
}

static void draw_panel(struct lw_canvas *c, struct lw_box box, const struct lw_panel *panel)
{
    struct lw_text_style style = {
        .size = LW_TEXT_TITLE, .bold = true, .rgb = LW_RGB_BLACK, .align = LW_ALIGN_MIDDLE};
    double title = 1.35 * lw_canvas_line(c, LW_TEXT_TITLE);
    char text[256];

    if (panel->title)
        lw_canvas_text(c, box.x + box.w / 2, box.y + title * 0.45, &style,
                       lw_canvas_fit(c, style.size, true, box.w, panel->title, text, sizeof text));
    box.y += title;
    box.h = fmax(box.h - title, 1);
    if (panel->message || !panel->model || (unsigned)panel->widget >= LW_WIDGET_COUNT ||
        !painters[panel->widget])
        draw_message(c, box, panel->message ? panel->message : "no data");
    else
        painters[panel->widget](c, box, panel->model);
}

/* Title and subtitle, centred. Returns where they end. */
static double draw_head(struct lw_canvas *c, double width, double margin)
{
    struct lw_text_style style = {
        .size = LW_TEXT_PAGE, .bold = true, .rgb = LW_RGB_BLACK, .align = LW_ALIGN_MIDDLE};
    const char *line = c->picture->subtitle;
    double y = margin, high = lw_canvas_line(c, LW_TEXT_PAGE);
    char text[512], cut[512];

    if (c->picture->title) {
        lw_canvas_text(c, width / 2, y + high / 2, &style,
                       lw_canvas_fit(c, style.size, true, width - 2 * margin, c->picture->title,
                                     text, sizeof text));
        y += 1.15 * high;
    }
    style =
        (struct lw_text_style){.size = LW_TEXT_SUBTITLE, .rgb = 0x555555, .align = LW_ALIGN_MIDDLE};
    high = lw_canvas_line(c, LW_TEXT_SUBTITLE);
    while (line && *line) {
        size_t n = strcspn(line, "\n");

        snprintf(text, sizeof text, "%.*s", (int)n, line);
        lw_canvas_text(
            c, width / 2, y + high / 2, &style,
            lw_canvas_fit(c, style.size, false, width - 2 * margin, text, cut, sizeof cut));
        y += high;
        line += n + (line[n] == '\n');
    }
    return y + (y > margin ? 0.6 * high : 0);
}

static void draw_page(struct lw_canvas *c)
{
    const struct lw_picture *p = c->picture;
    double width = p->width * INCH, height = p->height * INCH, margin, top, gap, high;
    int rows = 0, widest = 1, next = 0;

    while (rows < LW_PICTURE_ROWS && p->across[rows]) {
        widest = p->across[rows] > widest ? p->across[rows] : widest;
        rows++;
    }
    if (!rows)
        return;
    /* Letters grow with their panel, but more slowly. */
    c->scale = fmin(width / widest / USUAL_WIDTH, height / rows / USUAL_HEIGHT);
    c->scale = fmin(fmax(pow(c->scale, 0.65), 0.3), 3);
    margin = fmin(12 * c->scale, 0.03 * fmin(width, height));
    gap = 16 * c->scale;
    lw_canvas_color(c, LW_RGB_WHITE, 1);
    cairo_paint(c->cr);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_antialias(c->cr, CAIRO_ANTIALIAS_FAST);
    top = draw_head(c, width, margin);
    high = (height - top - margin - gap * (rows - 1)) / rows;
    for (int r = 0; r < rows; r++) {
        int across = p->across[r];
        double wide = (width - 2 * margin - gap * (across - 1)) / across;

        for (int k = 0; k < across && next < p->panels; k++)
            draw_panel(c,
                       (struct lw_box){margin + k * (wide + gap), top + r * (high + gap), wide,
                                       fmax(high, 1)},
                       &p->panel[next++]);
    }
}

/* Draw on a surface whose unit is a point, or a dot of dpi. */
static const char *draw_on(cairo_surface_t *surface, const struct lw_picture *picture, double dpi)
{
    struct lw_canvas c = {.picture = picture, .dot = dpi > 0 ? INCH / dpi : 0};
    const char *problem = NULL;

    c.cr = cairo_create(surface);
    if (dpi > 0)
        cairo_scale(c.cr, dpi / INCH, dpi / INCH);
    draw_page(&c);
    if (cairo_status(c.cr) != CAIRO_STATUS_SUCCESS)
        problem = cairo_status_to_string(cairo_status(c.cr));
    cairo_destroy(c.cr);
    return problem;
}

struct sink {
    lw_picture_write *write;
    void *user;
};

static cairo_status_t on_data(void *closure, const unsigned char *data, unsigned size)
{
    const struct sink *sink = closure;

    return sink->write(sink->user, data, size) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static const char *paint(const struct lw_picture *picture, enum lw_picture_format format,
                         lw_picture_write *write, void *user)
{
    double width = picture->width * INCH, height = picture->height * INCH;
    bool dots = format == LW_PICTURE_PNG;
    struct sink sink = {write, user};
    const char *problem;
    cairo_surface_t *s;

    if (dots)
        s = cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                       (int)lround(picture->width * picture->dpi),
                                       (int)lround(picture->height * picture->dpi));
    else if (format == LW_PICTURE_SVG)
        s = cairo_svg_surface_create_for_stream(on_data, &sink, width, height);
    else
        s = cairo_pdf_surface_create_for_stream(on_data, &sink, width, height);
    if (format == LW_PICTURE_SVG) /* newer ones write pixels, a quarter too small */
        cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PT);
    if (format == LW_PICTURE_PDF) /* which every reader knows, whatever newer ones would write */
        cairo_pdf_surface_restrict_to_version(s, CAIRO_PDF_VERSION_1_4);
    if (format == LW_PICTURE_PDF && picture->title)
        cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, picture->title);
    problem = draw_on(s, picture, dots ? picture->dpi : 0);
    cairo_surface_flush(s);
    if (!problem && dots)
        problem = lw_png_write(s, picture->dpi, write, user);
    if (!dots)
        cairo_surface_finish(s);
    if (!problem && cairo_surface_status(s) != CAIRO_STATUS_SUCCESS)
        problem = cairo_status_to_string(cairo_surface_status(s));
    cairo_surface_destroy(s);
    return problem;
}

extern const struct lw_painter lw_painter_module;
const struct lw_painter lw_painter_module = {
    .version = LW_PAINTER_VERSION,
    .paint = paint,
    .has_font = lw_canvas_has_font,
};
