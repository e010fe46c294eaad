/* SPDX-License-Identifier: MIT
 *
 * What is counted of an image. Sums are integers, and each image is added at once, so the order of
 * images changes nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drift/bytes.h"
#include "engine/drift/profile.h"

#define SIDE_LIMIT 16384

/* Where one image stands while it is looked at. */
struct look {
    const struct lw_images *images;
    size_t pixels; /* of one channel */
    uint32_t white;
    bool bytes;      /* lw_bytes_look does it */
    uint8_t *planes; /* [3, pixels] samples of the image, channel by channel; else NULL */
    void *grey;      /* [pixels] sums of the channels; NULL where features are left out */
};

static int check(const struct lw_profile *p, const struct lw_images *images, uint32_t white,
                 struct lw_error *err)
{
    if (images->channels != 1 && images->channels != 3)
        return lw_fail(err, LW_EDATA, "images of %d channels: only 1 or 3 can be profiled",
                       images->channels);
    if ((images->bytes != 1 && images->bytes != 2) || images->height < 1 || images->width < 1 ||
        images->height > SIDE_LIMIT || images->width > SIDE_LIMIT)
        return lw_fail(err, LW_EDATA, "images of %d x %d samples of %d bytes cannot be profiled",
                       images->width, images->height, images->bytes);
    if (white > (images->bytes == 1 ? 255u : 65535u))
        return lw_fail(err, LW_EDATA, "white is %u, more than %d bytes can hold", white,
                       images->bytes);
    if (p->vision.white && p->vision.white != white)
        return lw_fail(err, LW_EDATA, "white is %u in these images and was %u before", white,
                       p->vision.white);
    return 0;
}

/* Round(mean * LW_MEAN_ONE). The scaling is by a power of two, so this is the same everywhere. */
static uint64_t fixed_mean(uint64_t sum, size_t pixels, uint32_t white)
{
    double mean = (double)sum / ((double)pixels * white);

    return (uint64_t)(mean * (double)LW_MEAN_ONE + 0.5);
}

static void count_feature(struct lw_vision_profile *v, enum lw_feature f, double x)
{
    int bin = (int)(x / lw_feature_max(f) * LW_FEATURE_BINS);

    lw_feature_add(
        v, (int)f * LW_FEATURE_BINS + (bin < LW_FEATURE_BINS ? bin : LW_FEATURE_BINS - 1), 1);
}

static void add_features(struct lw_vision_profile *v, const struct look *l,
                         const struct lw_grey_sums *s, int height, int width)
{
    double one = (double)l->white * l->images->channels, n = (double)l->pixels;
    double across = (double)height * (width - 1), down = (double)(height - 1) * width;
    double inner = height > 2 && width > 2 ? (double)(height - 2) * (width - 2) : 0;
    double mean, square;

    mean = (double)s->sum / n / one;
    square = (double)s->squares / n / one / one;
    count_feature(v, LW_FEATURE_BRIGHTNESS, mean);
    count_feature(v, LW_FEATURE_CONTRAST, sqrt(fmax(square - mean * mean, 0)));
    count_feature(v, LW_FEATURE_EDGE,
                  (across > 0 ? (double)s->dx / across / one : 0) +
                      (down > 0 ? (double)s->dy / down / one : 0));
    count_feature(v, LW_FEATURE_LAPLACIAN, inner > 0 ? (double)s->laplacian / inner / one : 0);
    count_feature(v, LW_FEATURE_DARK, (double)s->dark / n);
    count_feature(v, LW_FEATURE_SATURATED, (double)s->saturated / n);
    v->featured++;
}

/* The sums of one image. */
static void look_at(struct look *l, const void *image, struct lw_plane_sums s[3],
                    struct lw_grey_sums *grey)
{
    const struct lw_images *m = l->images;
    double one = (double)l->white * m->channels;

    if (l->bytes) {
        lw_bytes_look(image, m->channels, m->height, m->width, m->planar, one, l->grey, s, grey);
        return;
    }
    lw_vectors_sums(image, m->channels, l->pixels, m->bytes, m->planar, l->planes, s);
    if (!l->grey)
        return;
    lw_vectors_add(m->planar ? image : l->planes, m->channels, l->pixels, m->bytes, l->grey);
    lw_vectors_grey(l->grey, m->height, m->width, one, grey);
}

static int add_image(struct lw_profile *p, struct look *l, const void *image, struct lw_error *err)
{
    static const int place[3][3] = {{0, 1, 2}, {1, 3, 4}, {2, 4, 5}};
    struct lw_vision_profile *v = &p->vision;
    const struct lw_images *m = l->images;
    uint64_t mean[3], total = 0;
    struct lw_plane_sums s[3];
    struct lw_grey_sums grey;

    look_at(l, image, s, &grey);
    for (int c = 0; c < m->channels; c++) {
        if (s[c].most > l->white)
            return lw_fail(err, LW_EDATA, "a pixel is %u, and white is %u", s[c].most, l->white);
        total += s[c].sum;
    }
    for (int c = 0; c < 3; c++) {
        const struct lw_plane_sums *of = &s[m->channels == 3 ? c : 0];

        mean[c] = fixed_mean(of->sum, l->pixels, l->white);
        v->mean_sum[c] += mean[c];
        v->pixel_sum[c] += of->sum;
        v->pixel_squares[c] += of->squares;
    }
    for (int a = 0; a < 3; a++)
        for (int b = a; b < 3; b++)
            v->mean_cross[place[a][b]] += (lw_wide)mean[a] * mean[b];
    v->pixels += l->pixels;
    v->brightness_hist[lw_bin_of((double)total / ((double)l->pixels * m->channels * l->white),
                                 LW_BRIGHTNESS_BINS, 1)]++;
    if (l->grey)
        add_features(v, l, &grey, m->height, m->width);
    p->items++;
    return 0;
}

int lw_profile_images(struct lw_profile *p, const struct lw_images *images, struct lw_error *err)
{
    struct look l = {.images = images};
    const uint8_t *at = images->pixels;
    size_t size;
    int rc;

    l.white = images->white ? images->white : images->bytes == 1 ? 255 : 65535;
    if ((rc = check(p, images, l.white, err)))
        return rc;
    l.pixels = (size_t)images->height * (size_t)images->width;
    size = l.pixels * (size_t)images->channels * (size_t)images->bytes;
    l.bytes = images->bytes == 1 && lw_bytes_ready();
    l.planes = l.bytes ? NULL : malloc(size);
    l.grey = p->reference_only ? NULL : malloc(l.pixels * sizeof(int32_t));
    if ((!l.planes && !l.bytes) || (!l.grey && !p->reference_only))
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else
        p->vision.white = l.white;
    for (size_t i = 0; !rc && i < images->count; i++, at += size)
        if (!p->limit || p->items < p->limit)
            rc = add_image(p, &l, at, err);
    free(l.planes);
    free(l.grey);
    return rc;
}
