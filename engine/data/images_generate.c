/* SPDX-License-Identifier: MIT
 *
 * The built-in images, vision_tiny: a circle, a square, a triangle or a cross, of any place, size
 * and colour, on a darker ground with a gradient and noise. An image is a pure function of the seed and
 * its number. */
#include "engine/data/images.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"

#define SIDE       32
#define VALIDATION (UINT64_C(1) << 20) /* in the stream: images that training never sees */

struct generated {
    uint64_t seed, stream;
    enum lw_items_shift shift;
    int64_t shift_from;
};

/* How far (x, y), from the shape's middle and in units of its size, is inside: negative. */
static double distance(int shape, double x, double y)
{
    switch (shape) {
    case 0:
        return sqrt(x * x + y * y) - 1;
    case 1:
        return fmax(fabs(x), fabs(y)) - 0.85;
    case 2:
        return fmax(fabs(x) * 0.87 - y * 0.5, y) - 0.55;
    default:
        return fmin(fmax(fabs(x), fabs(y) * 3.2), fmax(fabs(x) * 3.2, fabs(y))) - 1;
    }
}

struct scene {
    int shape;
    double x, y, size, tilt, ground[3], colour[3], slope[2], light;
};

/* A dark ground and a light shape, each of any hue. */
static void choose_colours(struct scene *s, struct lw_random *r)
{
    for (int c = 0; c < 3; c++) {
        s->ground[c] = 0.35 * lw_random_unit(r);
        s->colour[c] = 0.6 + 0.4 * lw_random_unit(r);
    }
}

static void compose(const struct generated *g, int64_t i, struct scene *s, struct lw_random *r)
{
    bool shifted = g->shift != LW_ITEMS_STEADY && i >= g->shift_from;

    lw_random_init(r, g->seed, g->stream | (uint64_t)i << 24);
    s->shape = (int)lw_random_below(r, 4);
    if (shifted && g->shift == LW_ITEMS_CLASSES && lw_random_unit(r) < 0.5)
        s->shape = 0;
    s->light = shifted && g->shift == LW_ITEMS_BRIGHTER ? 0.3 : 0;
    s->size = SIDE * (0.28 + 0.14 * lw_random_unit(r));
    s->x = s->size + (SIDE - 2 * s->size) * lw_random_unit(r);
    s->y = s->size + (SIDE - 2 * s->size) * lw_random_unit(r);
    s->tilt = 0.3 * (lw_random_unit(r) - 0.5);
    s->slope[0] = 0.3 * (lw_random_unit(r) - 0.5);
    s->slope[1] = 0.3 * (lw_random_unit(r) - 0.5);
    choose_colours(s, r);
}

static int read_generated(const struct lw_items_store *store, int64_t i, void *row, int32_t *label,
                          struct lw_error *err)
{
    const struct generated *g = store->own;
    struct lw_random r;
    struct scene s;
    uint8_t *out = row;

    (void)err;
    compose(g, i, &s, &r);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double u = (x + 0.5 - s.x) / s.size, v = (y + 0.5 - s.y) / s.size;
            double inside = 0.5 - s.size * distance(s.shape, u * cos(s.tilt) - v * sin(s.tilt),
                                                    u * sin(s.tilt) + v * cos(s.tilt));
            double tone = s.slope[0] * x / SIDE + s.slope[1] * y / SIDE + s.light;

            inside = fmin(fmax(inside, 0), 1); /* half a pixel of soft edge */
            for (int c = 0; c < 3; c++) {
                double p = s.ground[c] + inside * (s.colour[c] - s.ground[c]) + tone +
                           0.1 * (lw_random_unit(&r) - 0.5);

                out[(c * SIDE + y) * SIDE + x] = (uint8_t)(255 * fmin(fmax(p, 0), 1) + 0.5);
            }
        }
    *label = s.shape;
    return 0;
}

static const struct lw_items_kind generated = {.read = read_generated, .close = free};

int lw_images_generate(struct lw_items **out, const struct lw_items_options *o, bool validation,
                       struct lw_error *err)
{
    static const char *const names[] = {"circle", "square", "triangle", "cross"};
    struct lw_items_store *s = lw_items_store_new(&generated, err);
    struct generated *g = calloc(1, sizeof *g);
    char **labels = calloc(4, sizeof *labels);
    int rc = 0;

    if (!s || !g || !labels) {
        free(g);
        free(labels);
        lw_items_store_release(s);
        return lw_fail(err, LW_EMEM, "out of memory opening data");
    }
    s->own = g;
    lw_items_name(s, labels, 4);
    for (int i = 0; i < 4; i++)
        if (!(labels[i] = strdup(names[i])))
            rc = lw_fail(err, LW_EMEM, "out of memory opening data");
    g->seed = o->seed;
    g->stream = LW_STREAM_GENERATE | (validation ? VALIDATION : 0);
    g->shift = validation ? LW_ITEMS_STEADY : o->shift;
    g->shift_from = o->shift_from;
    s->info.format = "generated";
    s->info.image_size = SIDE;
    s->info.endless = !validation;
    s->info.bears = LW_AUGMENT_CROP | LW_AUGMENT_FLIP;
    s->info.threads = 1;
    lw_items_hash_facts(s, (uint64_t[]){o->seed, validation, (uint64_t)o->shift, SIDE}, 4);
    if (!rc)
        rc = lw_items_view(out, s, NULL, validation ? o->validation_items : o->epoch_items, err);
    lw_items_store_release(s);
    return rc;
}
