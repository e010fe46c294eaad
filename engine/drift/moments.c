/* SPDX-License-Identifier: MIT
 *
 * From a profile's sums to means and deviations. */
#include <math.h>

#include "engine/drift/profile.h"

/* (n * cross - a * b) / n^2. The difference is taken in integers where they fit: sums of squares
 * of like values leave little behind. */
static double covariance(lw_wide cross, lw_wide a, lw_wide b, uint64_t n)
{
    lw_wide whole, product;

    if (!n)
        return NAN;
    if (__builtin_mul_overflow(cross, (lw_wide)n, &whole) || __builtin_mul_overflow(a, b, &product))
        return (double)((long double)cross / n - (long double)a / n * ((long double)b / n));
    return whole >= product ? (double)((long double)(whole - product) / n / n)
                            : -(double)((long double)(product - whole) / n / n);
}

double lw_profile_length_mean(const struct lw_profile *p)
{
    return p->items ? (double)((long double)p->text.length_sum / p->items) : NAN;
}

double lw_profile_length_std(const struct lw_profile *p)
{
    const struct lw_text_profile *t = &p->text;

    return sqrt(fmax(covariance(t->length_squares, t->length_sum, t->length_sum, p->items), 0)) +
           (p->items ? 0 : NAN);
}

double lw_profile_channel_mean(const struct lw_profile *p, int channel)
{
    return p->items ? (double)((long double)p->vision.mean_sum[channel] / LW_MEAN_ONE / p->items)
                    : NAN;
}

double lw_profile_channel_covariance(const struct lw_profile *p, int a, int b)
{
    static const int place[3][3] = {{0, 1, 2}, {1, 3, 4}, {2, 4, 5}};
    const struct lw_vision_profile *v = &p->vision;
    double one = (double)LW_MEAN_ONE;
    double c = covariance(v->mean_cross[place[a][b]], v->mean_sum[a], v->mean_sum[b], p->items);

    return (a == b && c < 0 ? 0 : c) / one / one;
}

double lw_profile_pixel_std(const struct lw_profile *p, int channel)
{
    const struct lw_vision_profile *v = &p->vision;
    double c = covariance(v->pixel_squares[channel], v->pixel_sum[channel], v->pixel_sum[channel],
                          v->pixels);

    return v->pixels ? sqrt(fmax(c, 0)) / v->white : NAN;
}
