/* SPDX-License-Identifier: MIT */
#include "widgets/cairo/canvas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FAMILY "DejaVu Sans"

/* Height of capitals, as a share of the size. */
#define CAPITALS 0.73

void lw_canvas_color(struct lw_canvas *c, unsigned rgb, double alpha)
{
    cairo_set_source_rgba(c->cr, (rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0,
                          (rgb & 255) / 255.0, alpha);
}

void lw_canvas_ink(struct lw_canvas *c, enum lw_ink ink, double alpha)
{
    lw_canvas_color(c, ink == LW_INK_TEXT || ink == LW_INK_NONE ? LW_RGB_BLACK : lw_ink_rgb(ink),
                    alpha);
}

void lw_canvas_pen(struct lw_canvas *c, double width)
{
    cairo_set_line_width(c->cr, fmax(width * c->scale, c->dot));
}

static void use_font(struct lw_canvas *c, double size, bool bold)
{
    cairo_select_font_face(c->cr, FAMILY, CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->cr, size * c->scale);
}

double lw_canvas_width(struct lw_canvas *c, double size, bool bold, const char *text)
{
    cairo_text_extents_t e;

    use_font(c, size, bold);
    cairo_text_extents(c->cr, text, &e);
    return e.x_advance;
}

double lw_canvas_line(const struct lw_canvas *c, double size)
{
    return 1.3 * size * c->scale;
}

void lw_canvas_text(struct lw_canvas *c, double x, double y, const struct lw_text_style *style,
                    const char *text)
{
    double width = lw_canvas_width(c, style->size, style->bold, text);
    double high = CAPITALS * style->size * c->scale;
    double before = style->align == LW_ALIGN_LEFT     ? 0
                    : style->align == LW_ALIGN_MIDDLE ? width / 2
                                                      : width;

    if (!*text)
        return;
    lw_canvas_color(c, style->rgb, 1);
    cairo_save(c->cr);
    cairo_move_to(c->cr, style->up ? x + high / 2 : x - before,
                  style->up ? y + before : y + high / 2);
    if (style->up)
        cairo_rotate(c->cr, -M_PI / 2);
    cairo_show_text(c->cr, text);
    cairo_restore(c->cr);
    cairo_new_path(c->cr);
    if (!c->picture->text)
        return;
    if (style->up)
        c->picture->text(c->picture->text_user, text, x - high / 2, y + before - width, high,
                         width);
    else
        c->picture->text(c->picture->text_user, text, x - before, y - high / 2, width, high);
}

const char *lw_canvas_fit(struct lw_canvas *c, double size, bool bold, double room,
                          const char *text, char *out, size_t out_size)
{
    size_t n;

    snprintf(out, out_size, "%s", text);
    n = strlen(out);
    while (n && lw_canvas_width(c, size, bold, out) > room) {
        while (n && ((unsigned char)out[--n] & 0xc0) == 0x80)
            ;
        snprintf(out + n, out_size - n, "...");
    }
    return out;
}

/* The nearest place on which a line of the pen's width covers whole dots. */
static double snap(const struct lw_canvas *c, double at)
{
    double dots = c->dot > 0 ? round(cairo_get_line_width(c->cr) / c->dot) : 0;

    if (!(c->dot > 0))
        return at;
    return (fmod(dots, 2) != 0 ? floor(at / c->dot) + 0.5 : round(at / c->dot)) * c->dot;
}

void lw_canvas_level(struct lw_canvas *c, double x0, double x1, double y)
{
    cairo_move_to(c->cr, x0, snap(c, y));
    cairo_line_to(c->cr, x1, snap(c, y));
    cairo_stroke(c->cr);
}

void lw_canvas_upright(struct lw_canvas *c, double x, double y0, double y1)
{
    cairo_move_to(c->cr, snap(c, x), y0);
    cairo_line_to(c->cr, snap(c, x), y1);
    cairo_stroke(c->cr);
}

static double edge(const struct lw_canvas *c, double at)
{
    return c->dot > 0 ? round(at / c->dot) * c->dot : at;
}

void lw_canvas_fill(struct lw_canvas *c, struct lw_box box)
{
    double x = edge(c, box.x), y = edge(c, box.y);

    cairo_rectangle(c->cr, x, y, edge(c, box.x + box.w) - x, edge(c, box.y + box.h) - y);
    cairo_fill(c->cr);
}

void lw_canvas_dash(struct lw_canvas *c, double on, double off)
{
    double dashes[] = {on * c->scale, off * c->scale};

    cairo_set_dash(c->cr, dashes, on > 0 ? 2 : 0, 0);
}

bool lw_canvas_has_font(void)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_A8, 8, 8);
    cairo_t *cr = cairo_create(s);
    bool found;

    cairo_select_font_face(cr, FAMILY, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_show_text(cr, "x");
    found = cairo_status(cr) == CAIRO_STATUS_SUCCESS &&
            cairo_scaled_font_get_type(cairo_get_scaled_font(cr)) != CAIRO_FONT_TYPE_USER;
    cairo_destroy(cr);
    cairo_surface_destroy(s);
    return found;
}
