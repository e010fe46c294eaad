/* SPDX-License-Identifier: MIT */
#include "engine/data/images.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 22 }; /* of the weights' fraction: 8 bits of a pixel and 2 of the sum fit above */

/* The weights of one row or column of the result: `count` pixels of the source from `first` on. */
struct reach {
    int first, count;
};

struct filter {
    struct reach *reach; /* [out] */
    int32_t *weight;     /* [out, most] */
    int most;
};

static int make_filter(struct filter *f, int in, int out, struct lw_error *err)
{
    double scale = (double)in / out, wide = scale > 1 ? scale : 1, *w;

    f->most = (int)ceil(wide) * 2 + 1;
    f->reach = calloc((size_t)out, sizeof *f->reach);
    f->weight = calloc((size_t)out * (size_t)f->most, sizeof *f->weight);
    w = calloc((size_t)f->most, sizeof *w);
    if (!f->reach || !f->weight || !w) {
        free(w);
        return lw_fail(err, LW_EMEM, "out of memory resizing images");
    }
    for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int first = (int)(centre - wide + 0.5), end = (int)(centre + wide + 0.5);

        first = first < 0 ? 0 : first;
        end = end > in ? in : end;
        f->reach[i] = (struct reach){first, end - first};
        for (int j = 0; j < end - first; j++) {
            double away = fabs((j + first - centre + 0.5) / wide);

            w[j] = away < 1 ? 1 - away : 0;
            sum += w[j];
        }
        for (int j = 0; j < end - first; j++)
            f->weight[(size_t)i * (size_t)f->most + (size_t)j] =
                (int32_t)(0.5 + w[j] / sum * (1 << BITS));
    }
    free(w);
    return 0;
}

static uint8_t rounded(int32_t sum)
{
    int32_t x = sum >> BITS;

    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* out[i] from in[j * step] by the weights. */
static void apply(const struct filter *f, int n, const uint8_t *in, size_t step, uint8_t *out,
                  size_t out_step)
{
    for (int i = 0; i < n; i++) {
        const int32_t *w = f->weight + (size_t)i * (size_t)f->most;
        const uint8_t *from = in + (size_t)f->reach[i].first * step;
        int32_t sum = 1 << (BITS - 1);

        for (int j = 0; j < f->reach[i].count; j++)
            sum += from[(size_t)j * step] * w[j];
        out[(size_t)i * out_step] = rounded(sum);
    }
}

static void to_planes(const struct lw_image *in, uint8_t *out)
{
    const size_t n = (size_t)in->width * (size_t)in->height, c = (size_t)in->channels;

    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < n; i++)
            out[k * n + i] = in->pixels[i * c + (c == 3 ? k : 0)];
}

int lw_image_resize(const struct lw_image *in, int side, uint8_t *out, struct lw_error *err)
{
    const size_t c = (size_t)in->channels, width = (size_t)in->width, height = (size_t)in->height;
    const size_t s = (size_t)side;
    struct filter across = {0}, down = {0};
    uint8_t *narrow;
    int rc;

    if (in->width == side && in->height == side) {
        to_planes(in, out);
        return 0;
    }
    narrow = malloc(height * s);
    rc = narrow ? make_filter(&across, in->width, side, err)
                : lw_fail(err, LW_EMEM, "out of memory resizing images");
    if (!rc)
        rc = make_filter(&down, in->height, side, err);
    for (size_t k = 0; !rc && k < c; k++) {
        for (size_t y = 0; y < height; y++)
            apply(&across, side, in->pixels + y * width * c + k, c, narrow + y * s, 1);
        for (size_t x = 0; x < s; x++)
            apply(&down, side, narrow + x, s, out + k * s * s + x, s);
    }
    for (size_t k = c; !rc && k < 3; k++)
        memcpy(out + k * s * s, out, s * s);
    free(narrow);
    free(across.reach);
    free(across.weight);
    free(down.reach);
    free(down.weight);
    return rc;
}
