/* SPDX-License-Identifier: MIT */
#include "widgets/axis.h"

#include <math.h>

/* Data larger than this is drawn at the edge: differences of larger numbers overflow. */
#define HUGE_VALUE 1e300

/* Less of the domain filled than this, and a new one is made. */
#define FILL 0.6

bool lw_domain_valid(struct lw_domain d)
{
    return d.low < d.high && isfinite(d.high - d.low) && d.high - d.low > 1e-290;
}

/* The smallest of 1, 2, 5 times a power of ten that is at least v. */
static double nice_above(double v)
{
    double power = pow(10, floor(log10(v)));
    double m = v / power;

    return power * (m <= 1.0000001 ? 1 : m <= 2.0000001 ? 2 : m <= 5.0000001 ? 5 : 10);
}

/* The largest of 1, 2, 5 times a power of ten that is at most v. */
static double nice_below(double v)
{
    double power = pow(10, floor(log10(v) + 1e-9));
    double m = v / power;

    return power * (m >= 4.9999999 ? 5 : m >= 1.9999999 ? 2 : 1);
}

static struct lw_domain snap(double min, double max, bool zero)
{
    double step, room = fmax(fabs(min), fabs(max)) * 1e-6;
    struct lw_domain d;

    if (!(max - min > room)) {
        double around = max == 0 ? 1 : fabs(max) * 0.1;

        max += around;
        if (!zero)
            min -= around;
    }
    step = nice_above((max - min) / 8);
    d.low = zero ? 0 : floor(min / step + 1e-9) * step;
    d.high = ceil(max / step - 1e-9) * step;
    return d;
}

static struct lw_domain snap_log(double min, double max)
{
    struct lw_domain d;

    if (max / min < 5) {
        d = snap(min, max, false);
        if (!(d.low > 0))
            d.low = nice_below(min);
        return d;
    }
    d.low = nice_below(min);
    d.high = nice_above(max);
    return d;
}

struct lw_domain lw_domain_fit_y(struct lw_domain old, double min, double max, bool zero, bool log)
{
    if (!isfinite(min) || !isfinite(max) || min > max)
        return old;
    min = fmin(fmax(min, -HUGE_VALUE), HUGE_VALUE);
    max = fmin(fmax(max, -HUGE_VALUE), HUGE_VALUE);
    if (log) {
        if (max <= 0)
            return old;
        min = min > 0 ? min : max * 1e-4;
        min = fmax(min, 1e-280);
        max = fmax(max, min);
    } else if (zero) {
        min = 0;
        max = fmax(max, 0);
    }
    if (lw_domain_valid(old) && min >= old.low && max <= old.high && (!log || old.low > 0)) {
        double from = lw_domain_position(old, log, min), to = lw_domain_position(old, log, max);

        if (to - from >= FILL)
            return old;
    }
    return log ? snap_log(min, max) : snap(min, max, zero);
}

struct lw_domain lw_domain_fit_x(struct lw_domain old, double first, double last)
{
    double low = first, width;

    if (!isfinite(first) || !isfinite(last) || first > last)
        return old;
    first = fmax(first, -HUGE_VALUE);
    last = fmin(last, HUGE_VALUE);
    if (first > 0 && first <= 0.05 * last)
        low = 0;
    width = last - low;
    if (lw_domain_valid(old) && old.low == low && last <= old.high &&
        width >= FILL * (old.high - old.low))
        return old;
    if (!(width > fabs(last) * 1e-9))
        width = last == 0 ? 1 : fabs(last) * 0.25;
    return (struct lw_domain){low, low + pow(1.25, ceil(log(width) / log(1.25) - 1e-9))};
}

struct lw_domain lw_domain_page(struct lw_domain old, double first, double last, double width)
{
    double low;

    if (!isfinite(first) || !isfinite(last) || !(width > 0) || !isfinite(width))
        return old;
    if (lw_domain_valid(old) && fabs(old.high - old.low - width) <= 1e-9 * width &&
        last >= old.low && last <= old.high + 1e6 * width) {
        if (last <= old.high)
            return old;
        low = old.low + ceil((last - old.high) / (width / 4)) * (width / 4);
    } else {
        low = last - first <= width ? first : last - 0.75 * width;
    }
    return (struct lw_domain){low, low + width};
}

/* Move d into limits without changing its width, which is cut at theirs. */
static struct lw_domain keep_inside(struct lw_domain d, struct lw_domain limits)
{
    double width = d.high - d.low;

    if (width >= limits.high - limits.low)
        return limits;
    if (d.low < limits.low)
        return (struct lw_domain){limits.low, limits.low + width};
    if (d.high > limits.high)
        return (struct lw_domain){limits.high - width, limits.high};
    return d;
}

struct lw_domain lw_domain_zoom(struct lw_domain d, double centre, double factor,
                                struct lw_domain limits)
{
    double least = (limits.high - limits.low) * 1e-6, width;

    if (!lw_domain_valid(d) || !lw_domain_valid(limits) || !(factor > 0) || !isfinite(factor))
        return d;
    centre = isfinite(centre) ? fmin(fmax(centre, d.low), d.high) : d.low / 2 + d.high / 2;
    width = (d.high - d.low) * factor;
    if (width < least)
        factor = least / (d.high - d.low);
    d.low = centre - (centre - d.low) * factor;
    d.high = d.low + fmax(width, least);
    return keep_inside(d, limits);
}

struct lw_domain lw_domain_pan(struct lw_domain d, double share, struct lw_domain limits)
{
    double move = (d.high - d.low) * share;

    if (!lw_domain_valid(d) || !lw_domain_valid(limits) || !isfinite(move))
        return d;
    d.low += move;
    d.high += move;
    return keep_inside(d, limits);
}

double lw_domain_position(struct lw_domain d, bool log_scale, double v)
{
    if (isnan(v) || (log_scale && !(v > 0 && d.low > 0)))
        return NAN;
    if (log_scale)
        return (log(v) - log(d.low)) / (log(d.high) - log(d.low));
    return (v - d.low) / (d.high - d.low);
}

double lw_domain_value(struct lw_domain d, bool log_scale, double position)
{
    if (log_scale)
        return d.low > 0 ? exp(log(d.low) + position * (log(d.high) - log(d.low))) : NAN;
    return d.low + position * (d.high - d.low);
}
