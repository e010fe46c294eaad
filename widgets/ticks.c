/* SPDX-License-Identifier: MIT */
#include "widgets/axis.h"

#include <math.h>

static const double duration_steps[] = {
    1,    2,    5,     10,    15,    30,    60,     120,    300,    600,     900,     1800,
    3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000, 1728000, 4320000,
};

#define DURATION_STEPS (sizeof duration_steps / sizeof duration_steps[0])

static double count_at(struct lw_domain d, double step)
{
    return floor(d.high / step + 1e-9) - ceil(d.low / step - 1e-9) + 1;
}

/* The smallest round step that gives at most max ticks. */
static double step_for(struct lw_domain d, enum lw_number number, int max)
{
    double width = d.high - d.low, step;

    if (number == LW_NUMBER_DURATION && width >= 2)
        for (size_t i = 0; i < DURATION_STEPS; i++)
            if (count_at(d, duration_steps[i]) <= max)
                return duration_steps[i];
    step = pow(10, floor(log10(width / max)));
    for (int tries = 0; tries < 8; tries++) {
        static const double times[] = {1, 2, 5};

        for (int i = 0; i < 3; i++)
            if (count_at(d, step * times[i]) <= max &&
                (number != LW_NUMBER_INTEGER || step * times[i] >= 1))
                return step * times[i];
        step *= 10;
    }
    return width;
}

static void linear(struct lw_domain d, enum lw_number number, int max, struct lw_ticks *ticks)
{
    double step = step_for(d, number, max), first = ceil(d.low / step - 1e-9);
    double count = count_at(d, step);

    if (!isfinite(first) || !(count >= 1))
        return;
    ticks->step = step;
    for (int i = 0; i < max && i < count; i++)
        ticks->at[ticks->count++] = (first + i) * step;
}

/* Powers of ten from first to last, every nth one, with 2 and 5 times each between. */
static int powers(struct lw_domain d, int every, bool between, double *at)
{
    int first = (int)floor(log10(d.low) - 1e-9), last = (int)ceil(log10(d.high)), count = 0;

    if (every > 1)
        first = (int)floor((double)first / every) * every;
    for (int e = first; e <= last; e += every) {
        static const double times[] = {1, 2, 5};

        for (int i = 0; i < (between ? 3 : 1); i++) {
            double v = times[i] * pow(10, e);

            if (v < d.low * (1 - 1e-9) || v > d.high * (1 + 1e-9))
                continue;
            if (count < LW_TICKS_MAX)
                at[count] = v;
            count++;
        }
    }
    return count;
}

void lw_ticks_make(struct lw_domain d, bool log_scale, enum lw_number number, int max,
                   struct lw_ticks *ticks)
{
    *ticks = (struct lw_ticks){0};
    max = max < 2 ? 2 : max > LW_TICKS_MAX ? LW_TICKS_MAX : max;
    if (!lw_domain_valid(d) || (log_scale && d.low <= 0))
        return;
    if (!log_scale || d.high / d.low < 8) {
        linear(d, number, max, ticks);
        return;
    }
    ticks->count = powers(d, 1, true, ticks->at);
    for (int every = 1; ticks->count > max; every++)
        ticks->count = powers(d, every, false, ticks->at);
}
